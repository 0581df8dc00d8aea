"""Promises 8 and 29: a busy connection is refused at once, or closed; nothing deadlocks the process."""

from __future__ import annotations

import io
import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg2
import psycopg2.extras
import pytest

from greenpg.waiters import get_wait_callback, using
from tests.green.sessions import end_by_cancel, named_sessions, under_way, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greenpg.abc import Ready, Wait
    from tests.green.runtimes import Runtime

BUSY = r"while .* waits for the server"

INTRUSIONS: dict[str, Callable[[Any], object]] = {
    "execute": lambda conn: conn.cursor().execute("select 1"),
    "executemany": lambda conn: conn.cursor().executemany("select %s", [(1,)]),
    "callproc": lambda conn: conn.cursor().callproc("now"),
    "copy_expert": lambda conn: conn.cursor().copy_expert("copy (select 1) to stdout", io.StringIO()),
    "named": lambda conn: conn.cursor("other").execute("select 1"),
    "commit": lambda conn: conn.commit(),
    "rollback": lambda conn: conn.rollback(),
    "reset": lambda conn: conn.reset(),
    "poll": lambda conn: conn.poll(),
    "set_session": lambda conn: conn.set_session(readonly=True),
    "set_isolation_level": lambda conn: conn.set_isolation_level(1),
    "set_client_encoding": lambda conn: conn.set_client_encoding("LATIN1"),
    "autocommit": lambda conn: setattr(conn, "autocommit", True),
    "isolation_level": lambda conn: setattr(conn, "isolation_level", 1),
    "readonly": lambda conn: setattr(conn, "readonly", True),
    "deferrable": lambda conn: setattr(conn, "deferrable", True),
    "tpc_begin": lambda conn: conn.tpc_begin(conn.xid(1, "a", "b")),
    "tpc_prepare": lambda conn: conn.tpc_prepare(),
    "tpc_commit": lambda conn: conn.tpc_commit(),
    "tpc_rollback": lambda conn: conn.tpc_rollback(),
    "tpc_recover": lambda conn: conn.tpc_recover(),
    "__exit__": lambda conn: conn.__exit__(None, None, None),
    "lobject": lambda conn: conn.lobject(0, "w"),
}


def busy(runtime: Runtime, conn: Any, sql: str = "select pg_sleep(30)") -> Any:
    """Return a green thread that waits for a statement on `conn`."""
    task = runtime.spawn(conn.cursor().execute, sql)
    under_way(conn, runtime)
    return task


@pytest.mark.parametrize("intrusion", INTRUSIONS)
def test_second_green_thread_is_refused(runtime: Runtime, conn: Any, intrusion: str) -> None:
    task = busy(runtime, conn)
    with pytest.raises(psycopg2.ProgrammingError, match=BUSY):
        INTRUSIONS[intrusion](conn)
    end_by_cancel(conn, task)
    conn.rollback()


@pytest.mark.parametrize("use", ["fetchone", "fetchmany", "fetchall", "close"])
def test_server_side_cursor_of_a_busy_connection(runtime: Runtime, conn: Any, use: str) -> None:
    cursor = conn.cursor("server_side")
    cursor.execute("select 1")
    task = busy(runtime, conn)
    with pytest.raises(psycopg2.ProgrammingError, match=BUSY):
        getattr(cursor, use)()
    end_by_cancel(conn, task)


def test_what_needs_no_server_still_answers(runtime: Runtime, conn: Any) -> None:
    task = busy(runtime, conn)
    assert conn.closed == 0
    assert conn.status == psycopg2.extensions.STATUS_BEGIN
    assert conn.get_backend_pid() > 0
    assert conn.get_parameter_status("server_encoding")
    assert conn.cursor().mogrify("select %s", (1,)) == b"select 1"
    assert conn.fileno() > 0
    assert not conn.autocommit
    end_by_cancel(conn, task)


def test_close_ends_the_wait(runtime: Runtime, connect: Callable[..., Any]) -> None:
    conn = connect(application_name="closed")
    with named_sessions(connect, "closed") as sessions:
        task = busy(runtime, conn)
        conn.close()
        assert conn.closed
        with pytest.raises(psycopg2.InterfaceError, match="closed by"):
            task.get()
        wait_for(lambda: not sessions(), runtime.sleep)  # nor does the statement run on
    conn.close()


class Meddler:
    """A wait callback that does something to the connection each time it is asked to wait."""

    def __init__(self, conn: Any, action: Callable[[Any], object]) -> None:
        self.conn = conn
        self.action = action
        self.errors: list[BaseException] = []

    def __call__(self, fd: int, need: Wait, timeout: float | None, /) -> Ready:
        try:
            self.action(self.conn)
        except psycopg2.Error as exc:
            self.errors.append(exc)
        return self.outer(fd, need, timeout)

    def __enter__(self) -> Meddler:
        self.outer = get_wait_callback()
        self._using = using(self)
        self._using.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._using.__exit__(None, None, None)


@pytest.mark.parametrize("intrusion", ["execute", "commit", "rollback", "reset"])
def test_the_wait_callback_itself_is_refused(runtime: Runtime, conn: Any, intrusion: str) -> None:
    cursor = conn.cursor()
    with Meddler(conn, INTRUSIONS[intrusion]) as meddler:
        cursor.execute("select 42")
    assert cursor.fetchone() == (42,)
    assert meddler.errors
    assert all(isinstance(error, psycopg2.ProgrammingError) for error in meddler.errors)


def test_the_wait_callback_itself_closes(runtime: Runtime, conn: Any) -> None:
    with Meddler(conn, lambda conn: conn.close()), pytest.raises(psycopg2.InterfaceError, match="closed by"):
        conn.cursor().execute("select pg_sleep(30)")
    assert conn.closed


def test_a_wait_callback_that_never_waits(runtime: Runtime, conn: Any) -> None:
    from greenpg.abc import Ready

    with using(lambda fd, need, timeout: Ready(int(need))):
        cursor = conn.cursor()
        cursor.execute("select 42")
    assert cursor.fetchone() == (42,)


def test_a_wait_callback_that_raises(runtime: Runtime, conn: Any) -> None:
    class BrokenError(Exception):
        pass

    def broken(fd: int, need: Wait, timeout: float | None) -> Ready:
        raise BrokenError

    with using(broken), pytest.raises(BrokenError):
        conn.cursor().execute("select 42")
    assert conn.closed  # it could not wait for the cancel request either


def test_a_wait_callback_exchanged_during_the_wait(runtime: Runtime, conn: Any) -> None:
    from greenpg.waiters import set_wait_callback

    task = busy(runtime, conn, "select pg_sleep(0.3)")
    previous = set_wait_callback("select")
    try:
        task.get()
    finally:
        set_wait_callback(previous)
    cursor = conn.cursor()
    cursor.execute("select 42")
    assert cursor.fetchone() == (42,)


@contextmanager
def refused(runtime: Runtime) -> Iterator[None]:
    """Let the body be refused, and others run then."""
    try:
        yield
    except psycopg2.ProgrammingError as exc:
        assert "waits for the server" in str(exc)  # noqa: PT017
        runtime.sleep(0.0005)


def test_two_green_threads_hammer_one_connection(runtime: Runtime, conn: Any) -> None:
    conn.autocommit = True

    def hammer(first: int) -> list[int]:
        dice = random.Random(first)
        answers: list[int] = []

        def ask() -> None:
            with conn.cursor() as cursor:
                seconds = dice.choice([0, 0.001])
                cursor.execute("select %s from pg_sleep(%s)", (first + len(answers), seconds))
                answers.extend(cursor.fetchone())
            if len(answers) % 10 == 0:
                dice.choice([conn.commit, conn.rollback, conn.reset])()

        while len(answers) < 150:
            with refused(runtime):
                ask()
        return answers

    tasks = [runtime.spawn(hammer, first) for first in (1000, 2000)]
    assert runtime.join_all(tasks) == [list(range(first, first + 150)) for first in (1000, 2000)]


def test_connections_in_native_threads(runtime: Runtime, connect: Callable[..., Any]) -> None:
    from greenpg._core.offload import offload_gen
    from greenpg.waiters import drive

    conn = connect()

    def elsewhere() -> Any:
        with conn.cursor() as cursor:
            cursor.execute("select 42")
            return cursor.fetchone()

    for _ in range(3):  # to and fro between two hubs
        assert drive(offload_gen(elsewhere), get_wait_callback()) == (42,)
        assert elsewhere() == (42,)
