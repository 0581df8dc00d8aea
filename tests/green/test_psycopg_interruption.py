"""psycopg 3: a statement is cancelled, its interruption raised unchanged, its connection usable."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from greenpg.waiters import get_wait_callback, using
from tests.green.delivery import by_kill, by_timeout, is_prompt
from tests.green.psycopg_statements import busy, descriptors, prepared, slow_table, value, works
from tests.green.sessions import named_sessions, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.green.runtimes import Runtime


def test_timeout_leaves_connection_usable(runtime: Runtime, conn3: Any) -> None:
    def late() -> float:
        seconds = by_timeout(runtime, lambda: value(conn3, "select pg_sleep(30)"))
        assert conn3.info.transaction_status == TransactionStatus.INERROR
        assert works(conn3)
        return seconds

    assert is_prompt(late)


@pytest.mark.runtimes("gevent", "eventlet")
def test_kill_leaves_connection_usable(runtime: Runtime, conn3: Any) -> None:
    def late() -> float:
        seconds = by_kill(runtime, busy(runtime, conn3))
        assert works(conn3)
        return seconds

    assert is_prompt(late)


SEND_A_SIGNAL = """
import os, psycopg, signal, sys
conn = psycopg.connect(sys.argv[1], autocommit=True)
sleeping = "select count(*) from pg_stat_activity where query = 'select pg_sleep(32)'"
while not conn.execute(sleeping).fetchone()[0]: pass
os.kill(int(sys.argv[2]), signal.SIGUSR1)
"""


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_signal(runtime: Runtime, conn3: Any, dsn: str, kind: type[BaseException]) -> None:
    def handler(*_: object) -> None:
        raise kind("by a signal")

    previous = signal.signal(signal.SIGUSR1, handler)
    sender = subprocess.Popen([sys.executable, "-c", SEND_A_SIGNAL, dsn, str(os.getpid())])
    try:
        with pytest.raises(kind, match="by a signal"):
            value(conn3, "select pg_sleep(32)")
    finally:
        signal.signal(signal.SIGUSR1, previous)
        sender.wait()
    assert works(conn3)


def test_no_orphan_statement(runtime: Runtime, connect3: Callable[..., Any]) -> None:
    conn = connect3(application_name="orphan3")
    value(conn)  # or the BEGIN might be what is interrupted
    with named_sessions(connect3, "orphan3") as sessions:
        with pytest.raises(runtime.Timeout), runtime.timeout(0.1):
            value(conn, "select pg_sleep(30)")
        assert [state for (state,) in sessions("state")] == ["idle in transaction (aborted)"]


def stop(conn: Any) -> int:
    """Let the server's process of a connection stand still; return its number."""
    backend: int = conn.info.backend_pid
    try:
        os.kill(backend, signal.SIGSTOP)
    except (PermissionError, ProcessLookupError) as exc:
        pytest.skip(f"the server's processes are not ours to stop: {exc}")
    return backend


def test_cancel_that_comes_before_the_statement(runtime: Runtime, conn3: Any) -> None:
    backend = stop(conn3)  # it will see the request to cancel first, and drop it
    waker = subprocess.Popen(["/bin/sh", "-c", f"sleep 0.3; kill -CONT {backend}"])
    with pytest.raises(runtime.Timeout), runtime.timeout(0.1):
        value(conn3, "select pg_sleep(30)")
    waker.wait()
    assert works(conn3)


@pytest.mark.usefixtures("short_limits")
def test_server_that_does_not_answer(runtime: Runtime, conn3: Any) -> None:
    value(conn3)
    backend = stop(conn3)
    try:
        with pytest.raises(runtime.Timeout), runtime.timeout(0.1):
            value(conn3, "select pg_sleep(30)")
        assert conn3.closed
        assert conn3.broken
    finally:
        os.kill(backend, signal.SIGCONT)
    with pytest.raises(psycopg.OperationalError, match="the connection is closed"):
        conn3.execute("select 1")


@pytest.mark.runtimes("gevent", "eventlet")
def test_second_interruption_closes(runtime: Runtime, conn3: Any) -> None:
    task = busy(runtime, conn3)
    backend = stop(conn3)
    try:
        killers = [runtime.spawn(runtime.kill, task) for _ in range(2)]
        with pytest.raises(runtime.Killed):
            task.get()
        runtime.join_all(killers)
        assert conn3.closed
    finally:
        os.kill(backend, signal.SIGCONT)


def test_many_timeouts_keep_one_session(runtime: Runtime, connect3: Callable[..., Any]) -> None:
    conn = connect3(application_name="storm3")
    most = 0
    with named_sessions(connect3, "storm3") as sessions:
        for i in range(1000 if runtime.name == "gevent" else 100):
            with pytest.raises(runtime.Timeout), runtime.timeout(0.005):
                value(conn, "select pg_sleep(1)")
            assert not conn.closed
            conn.rollback()
            if i % 20 == 0:
                most = max(most, len(sessions()))
        assert works(conn)
        assert most <= 2


def test_timeouts_at_moving_moments_never_give_a_wrong_row(runtime: Runtime, conn3: Any) -> None:
    for i in range(90):
        try:
            with runtime.timeout(0.0005 * (i % 30) + 0.0001):
                value(conn3, f"select {i} from pg_sleep(0.008)")
        except runtime.Timeout:
            conn3.rollback()
        assert value(conn3, f"select {1000 + i}") == 1000 + i
        conn3.rollback()


def test_timeouts_in_the_middle_of_a_big_fetch(runtime: Runtime, conn3: Any) -> None:
    for moment in (0.005, 0.02, 0.05, 0.1):
        with suppress(runtime.Timeout), runtime.timeout(moment):
            conn3.execute("select repeat('x', 1000) from generate_series(1, 100000)")
        assert works(conn3)


def stream(conn: Any) -> None:
    for _ in conn.cursor().stream(
        "select pg_sleep(case i when 3 then 30 else 0 end) from generate_series(1, 4) i"
    ):
        pass


def pipeline(conn: Any) -> None:
    with conn.pipeline():
        cursors = [conn.execute(f"select {i}, pg_sleep({seconds})") for i, seconds in enumerate((0, 30, 0))]
        assert [cursor.fetchone()[0] for cursor in cursors] == [0, 1, 2]


def pipeline_of_autocommit(conn: Any) -> None:
    conn.autocommit = True
    try:
        with conn.pipeline() as pipe:
            conn.execute("select 1")
            pipe.sync()
            conn.execute("select pg_sleep(30)")
            conn.execute("select 2")
            pipe.sync()
    finally:
        conn.autocommit = False


def copy_out(conn: Any) -> None:
    with conn.cursor().copy(
        "copy (select pg_sleep(i % 2 * 30) from generate_series(0, 5) i) to stdout"
    ) as copy:
        for _ in copy:
            pass


def copy_in(conn: Any) -> None:
    with conn.cursor().copy("copy slow from stdin") as copy:
        for i in range(1_000_000):
            copy.write_row((i,))


def copy_in_binary(conn: Any) -> None:
    with conn.cursor().copy("copy slow from stdin (format binary)") as copy:
        copy.set_types(["int4"])
        for i in range(1_000_000):
            copy.write_row((i,))


def server_cursor(conn: Any) -> None:
    with conn.cursor("server_side") as cursor:
        cursor.execute("select pg_sleep(case i when 3 then 30 else 0 end) from generate_series(1, 4) i")
        assert len(cursor.fetchmany(2)) == 2
        cursor.fetchall()


def transaction(conn: Any) -> None:
    with conn.transaction(), conn.transaction():
        conn.execute("select pg_sleep(30)")


def transaction_in_a_pipeline(conn: Any) -> None:
    with conn.pipeline(), conn.transaction():
        conn.execute("select pg_sleep(30)").fetchone()


def two_phase(conn: Any) -> None:
    try:
        conn.tpc_begin(prepared("interrupted"))
        conn.execute("select pg_sleep(30)")
    finally:
        conn.tpc_rollback()


WAYS: dict[str, Callable[[Any], object]] = {
    "execute": lambda conn: conn.execute("select pg_sleep(%s)", (30,)),
    "prepare": lambda conn: conn.execute("select pg_sleep(%s)", (30,), prepare=True),
    "several": lambda conn: conn.execute("select 1; select pg_sleep(30); select 2"),
    "client": lambda conn: psycopg.ClientCursor(conn).execute("select pg_sleep(%s)", (30,)),
    "executemany": lambda conn: conn.cursor().executemany("select pg_sleep(%s)", [(30,)] * 20),
    "returning": lambda conn: conn.cursor().executemany("select pg_sleep(%s)", [(30,), (1,)], returning=True),
    **{
        way.__name__: way
        for way in (
            *(stream, pipeline, pipeline_of_autocommit, copy_out, copy_in, copy_in_binary),
            *(server_cursor, transaction, transaction_in_a_pipeline, two_phase),
        )
    },
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_wait(runtime: Runtime, conn3: Any, way: str, caplog: pytest.LogCaptureFixture) -> None:
    slow_table(conn3, "perform pg_sleep(30)")
    with pytest.raises(runtime.Timeout) as caught, runtime.timeout(0.05) as bomb:
        WAYS[way](conn3)
    assert caught.value is bomb
    assert works(conn3)
    assert caplog.messages == []


def commit_slowly(conn: Any) -> None:
    """Let a `commit()` of what `slow` has taken in last for long."""
    conn.execute("create temp table late (i int)")
    conn.execute(
        "create function pg_temp.nap() returns trigger language plpgsql as"
        " $$begin perform pg_sleep(30); return null; end$$"
    )
    conn.execute(
        "create constraint trigger nap after insert on late initially deferred"
        " for each row execute function pg_temp.nap()"
    )
    conn.commit()


def test_timeouts_in_commit(runtime: Runtime, conn3: Any) -> None:
    commit_slowly(conn3)
    conn3.execute("insert into late values (1)")
    with pytest.raises(runtime.Timeout), runtime.timeout(0.05):
        conn3.commit()
    assert works(conn3)
    with pytest.raises(runtime.Timeout), runtime.timeout(0.05), conn3.transaction():
        conn3.execute("insert into late values (1)")
    assert works(conn3)
    conn3.execute("insert into late values (1)")
    with pytest.raises(runtime.Timeout), runtime.timeout(0.05), conn3:
        pass
    assert value(conn3, "select count(*) from late") == 0


class SoftLimit(Exception):
    """An interruption that is an `Exception`, such as Celery's soft time limit."""


class Bomb:
    """A wait callback that raises instead of its first wait."""

    def __init__(self) -> None:
        self._wait = get_wait_callback()
        self.exploded = False

    def __call__(self, fd: int, need: Any, timeout: float | None, /) -> Any:
        if not self.exploded:
            self.exploded = True
            raise SoftLimit("instead of the first wait")
        return self._wait(fd, need, timeout)


def test_an_interruption_that_is_an_exception_is_not_swallowed(runtime: Runtime, conn3: Any) -> None:
    def wait(fd: int, need: Any, timeout: float | None) -> Any:
        if armed and outer(fd, need, 0.05) == 0:
            raise armed.pop()
        return outer(fd, need, timeout)

    outer = get_wait_callback()
    armed: list[BaseException] = []
    commit_slowly(conn3)

    def insert() -> None:
        with conn3.transaction():
            conn3.execute("insert into late values (1)")
            armed[:] = [SoftLimit("at the end")]

    def sleep() -> None:
        with conn3.pipeline():
            conn3.execute("select pg_sleep(30)")
            armed[:] = [SoftLimit("at the end")]

    with using(wait):
        armed[:] = [SoftLimit("in the block")]
        with pytest.raises(SoftLimit, match="in the block"), conn3.transaction():
            value(conn3, "select pg_sleep(30)")
        assert works(conn3)
        for way in (insert, sleep):
            with pytest.raises(SoftLimit, match="at the end"):
                way()
            assert works(conn3)


def test_interrupted_while_the_application_does_something_else(runtime: Runtime, conn3: Any) -> None:
    def copy_in() -> None:
        with conn3.cursor().copy("copy slow from stdin") as copy:
            copy.write("1\n")
            runtime.sleep(30)

    def copy_out() -> None:
        with conn3.cursor().copy(
            "copy (select pg_sleep(i * 30) from generate_series(0, 1) i) to stdout"
        ) as copy:
            copy.read()
            runtime.sleep(30)

    def copy_in_by_a_thread() -> None:
        cursor = conn3.cursor()
        with cursor.copy("copy slow from stdin", writer=psycopg.copy.QueuedLibpqWriter(cursor)) as copy:
            for i in range(100_000):
                copy.write(f"{i}\n" * 1000)

    slow_table(conn3, "perform pg_sleep(30)")
    for way in (copy_in, copy_out, copy_in_by_a_thread):
        with pytest.raises(runtime.Timeout), runtime.timeout(0.1):
            way()
        assert works(conn3)


def test_notifies_goes_on(runtime: Runtime, connect3: Callable[..., Any]) -> None:
    conn = connect3(autocommit=True)
    conn.execute(f"listen fruits_{os.getpid()}")
    for _ in range(3):
        with pytest.raises(runtime.Timeout), runtime.timeout(0.02):
            next(conn.notifies())
    connect3(autocommit=True).execute(f"notify fruits_{os.getpid()}, 'apple'")
    assert [notify.payload for notify in conn.notifies(timeout=5, stop_after=1)] == ["apple"]
    assert value(conn) == 42


def test_pipeline_goes_on(runtime: Runtime, connect3: Callable[..., Any]) -> None:
    conn = connect3(autocommit=True)
    with conn.pipeline():
        for i in range(5):
            with pytest.raises(runtime.Timeout), runtime.timeout(0.05):
                conn.execute("select pg_sleep(30)").fetchone()
            cursors = [conn.execute("select %s", (i * j,)) for j in range(3)]
            assert [cursor.fetchone()[0] for cursor in cursors] == [0, i, i * 2]
    assert works(conn)


def test_pipeline_goes_on_without_what_was_not_sent(runtime: Runtime, connect3: Callable[..., Any]) -> None:
    conn = connect3(autocommit=True)
    with conn.pipeline(), using(Bomb()) as bomb:
        runtime.sleep(0.05)  # so long that it is time to let others run
        with pytest.raises(SoftLimit):
            conn.execute("select 7", prepare=True)
        assert isinstance(bomb, Bomb)
        assert bomb.exploded
        cursors = [conn.execute("select %s", (i,)) for i in range(3)]
        assert [cursor.fetchone()[0] for cursor in cursors] == [0, 1, 2]
    assert works(conn)


def test_statement_that_was_to_be_prepared(runtime: Runtime, connect3: Callable[..., Any]) -> None:
    conn = connect3(autocommit=True)

    def prepare() -> None:
        with conn.pipeline():
            conn.execute("select pg_sleep(30)")
            conn.execute("select %s + 1", (1,), prepare=True)

    for _ in range(2):
        with pytest.raises(runtime.Timeout), runtime.timeout(0.05):
            prepare()
        assert conn.execute("select %s + 1", (1,), prepare=True).fetchone() == (2,)


def test_generator_is_closed_at_once(runtime: Runtime, conn3: Any) -> None:
    closed = []

    def wait_for_ever() -> Any:
        try:
            while True:
                yield psycopg.waiting.Wait.R
        finally:
            closed.append(True)

    with pytest.raises(runtime.Timeout) as caught, runtime.timeout(0.02):
        conn3.wait(wait_for_ever())
    assert closed  # though the traceback knows it still
    assert caught


@pytest.mark.runtimes("gevent", "eventlet")  # a signal may raise in psycopg's own lines of a pipeline
def test_prepared_statements_afterwards(runtime: Runtime, connect3: Callable[..., Any]) -> None:
    conn = connect3(autocommit=True, prepare_threshold=0)
    for moment in range(20):
        with suppress(runtime.Timeout), runtime.timeout(0.0005 * moment + 0.0001), conn.pipeline():
            conn.execute("select %s, pg_sleep(0.01)", (moment,))
        assert conn.execute("select %s, pg_sleep(0.01)", (moment,)).fetchone()[0] == moment


@pytest.mark.runtimes("gevent", "eventlet")  # a signal may raise in a finalizer, which swallows it
def test_connecting(runtime: Runtime, dsn: str) -> None:
    def connect(seconds: float) -> bool:
        with suppress(runtime.Timeout), runtime.timeout(seconds):
            psycopg.connect(dsn).close()
            return True
        return False

    assert connect(30)  # and open what the hub keeps for itself
    before = descriptors()
    connected, seconds = 0, 0.0005
    while connected < 5:
        seconds *= 1.15
        connected += connect(seconds)
    wait_for(lambda: descriptors() <= before, runtime.sleep)


def test_random_timeouts_under_load(runtime: Runtime, connect3: Callable[..., Any]) -> None:
    wrong = []

    def user(number: int) -> None:
        conn = connect3()
        dice = random.Random(number)
        for i in range(20):
            try:
                with runtime.timeout(dice.uniform(0.0005, 0.02)):
                    value(conn, f"select pg_sleep({dice.uniform(0, 0.02)})")
            except runtime.Timeout:
                conn.rollback()
            if value(conn, f"select {i}") != i:
                wrong.append((number, i))
        assert not conn.closed

    if runtime.green:
        runtime.join_all([runtime.spawn(user, n) for n in range(10)])
    else:
        user(0)  # a signal's timeout is for the main thread
    assert wrong == []


def test_a_connection_that_waits_in_its_own_way(runtime: Runtime, dsn: str) -> None:
    class Own(psycopg.Connection[Any]):
        def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
            return psycopg.waiting.wait(gen, self.pgconn.socket, 0.1)

    with Own.connect(dsn) as conn:
        assert value(conn) == 42
        with pytest.raises(runtime.Timeout), runtime.timeout(0.1):
            value(conn, "select pg_sleep(30)")
        assert works(conn)
