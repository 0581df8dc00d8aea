"""Promises 25 to 29: forks, threads, garbage, the end of the process, Ctrl-C and bad callbacks."""

from __future__ import annotations

import gc
import os
import signal
import threading
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from greenpg import waiters
from greenpg.abc import Ready

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fresh import Ran
    from tests.integration.driver.bed import Db

pytestmark = pytest.mark.beyond

blocking = pytest.mark.runtimes("select", "gevent", "eventlet")


async def in_a_fork(function: Callable[[], Any]) -> str:
    """Run an async function in a forked child; return the name of what it raised."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork with threads, since Python 3.12
        child = os.fork()
    if child == 0:
        answer = "nothing"
        try:
            await function()
        except BaseException as error:
            answer = type(error).__name__
        finally:
            os.write(writer, answer.encode())
            os._exit(0)
    os.close(writer)
    try:
        return os.read(reader, 100).decode()  # at the latest when the child has ended
    finally:
        os.close(reader)
        os.waitpid(child, 0)  # noqa: ASYNC222 - for the child's last instant


async def test_25_a_forked_child_cannot_use_it(db: Db, conn: Any) -> None:
    await conn.execute("create temp table kept (id int)")
    assert await in_a_fork(lambda: conn.execute("select 1")) == "InterfaceError"
    assert await in_a_fork(conn.commit) == "InterfaceError"
    assert await db.fetch(conn, "select * from kept") == []


async def test_25_a_forked_child_closes_its_own_end_only(db: Db, conn: Any) -> None:
    await conn.execute("create temp table kept (id int)")
    assert await in_a_fork(conn.close) == "nothing"
    assert await db.fetch(conn, "select * from kept") == []


async def test_25_a_forked_child_takes_nothing_that_has_come(db: Db, conn: Any) -> None:
    async def look() -> None:
        assert not conn.closed

    channel = db.name()
    await conn.execute(f"listen {channel}")
    await conn.commit()
    db.sql(f"notify {channel}")
    assert await in_a_fork(look) == "nothing"
    notices = [notify.channel async for notify in conn.notifies(timeout=5, stop_after=1)]
    assert notices == [channel]


@pytest.mark.runtimes("select")
async def test_25_a_forked_child_does_not_cancel_what_is_under_way(db: Db, conn: Any) -> None:
    async def leave() -> None:
        await rows.aclose()
        threading.Event().wait(0.3)  # until a request to cancel would have arrived

    rows = conn.cursor().stream("select repeat('x', 10000) from generate_series(1, 3000)")
    assert len((await rows.__anext__())[0]) == 10_000
    assert await in_a_fork(leave) == "nothing"
    assert len([row async for row in rows]) == 2999


@pytest.mark.runtimes("select")
async def test_26_another_thread_may_use_it(db: Db, conn: Any) -> None:
    async def use() -> Any:
        return await db.value(conn)

    assert await db.spawn(use).get() == 42
    assert await db.value(conn) == 42


@pytest.mark.runtimes("gevent", "eventlet", "asyncio", "uvloop", "trio")
async def test_26_another_threads_loop_works_or_is_told(db: Db, conn: Any) -> None:
    assert await db.value(conn) == 42
    outcome: list[Any] = []

    def elsewhere() -> None:
        async def use() -> None:
            try:
                outcome.append(await db.value(conn))
            except BaseException as error:
                outcome.append(error)

        type(db.runtime)().run(use)
        if db.runtime.name == "gevent":
            import gevent

            gevent.get_hub().destroy(destroy_loop=True)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert outcome == [42] or isinstance(outcome[0], db.errors.InterfaceError), outcome
    assert await db.value(conn) == 42


async def unkept(db: Db) -> Any:
    """Return a connection that the bed does not hold."""
    return await db.call(db.kind("Connection").connect, db.dsn, application_name=db.label)


async def test_27_a_forgotten_connection_warns_and_is_closed(db: Db) -> None:
    conn = await unkept(db)
    assert await db.value(conn) == 42
    with pytest.warns(ResourceWarning, match="still open"):  # noqa: PT031
        del conn
        gc.collect()
    await db.until(lambda: not db.sessions())


async def test_27_a_closed_one_does_not_warn(db: Db) -> None:
    conn = await unkept(db)
    await conn.close()
    del conn
    gc.collect()


async def test_27_a_forgotten_busy_one_is_cancelled(db: Db) -> None:
    async def forget() -> None:
        conn = await unkept(db)
        with pytest.raises(db.Timeout), db.timeout(0.1):
            await conn.execute("select pg_sleep(30)")

    with pytest.warns(ResourceWarning, match="still open"):  # noqa: PT031
        await forget()
        await db.runtime.pause()  # until then a loop may hold the exception, and that the connection
        gc.collect()
    await db.until(lambda: not db.sessions())


ENDS = {
    "idle": "conn.execute('select 1')",
    "a COPY": "conn.cursor().copy('copy (select generate_series(1, 1000000)) to stdout').__enter__().read()",
    "not settled": "conn.pgconn.send_query(b'select pg_sleep(300)')",
    "in a thread": (
        "import threading, time;"
        " threading.Thread(target=conn.execute, args=('select pg_sleep(300)',), daemon=True).start();"
        " time.sleep(0.2)"
    ),
}


@pytest.mark.runtimes("select")
@pytest.mark.parametrize("how", ENDS)
def test_27_the_end_of_the_process_is_quick_and_silent(
    db: Db, run_python: Callable[..., Ran], how: str
) -> None:
    program = f"import greenpg, sys\nconn = greenpg.connect(sys.argv[1])\n{ENDS[how]}\n"
    ran = run_python(program, db.dsn, timeout=60)
    assert (ran.stdout, ran.stderr) == ("", "")


CTRL_C = """
import greenpg, os, signal, sys, threading, time

conn = greenpg.connect(sys.argv[1])
observer = greenpg.connect(sys.argv[1], autocommit=True)
pid = conn.info.backend_pid

def watch():
    query = "select state from pg_stat_activity where pid = %s"
    while observer.execute(query, (pid,)).fetchone() != ("active",):
        pass
    global sent
    sent = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)

watcher = threading.Thread(target=watch)
watcher.start()
try:
    conn.execute("select pg_sleep(30)")
except KeyboardInterrupt:
    assert time.monotonic() - sent < 10, "late"
    print("interrupted")
watcher.join()
conn.rollback()
print(conn.execute("select 42").fetchone())
conn.close()
observer.close()
"""


@pytest.mark.runtimes("select")
def test_28_ctrl_c_ends_a_wait(db: Db, run_python: Callable[..., Ran]) -> None:
    ran = run_python(CTRL_C, db.dsn)
    assert ran.stdout == "interrupted\n(42,)\n"
    assert ran.stderr == ""


async def ends_well(db: Db, conn: Any) -> None:
    """Find the connection closed or usable, and nothing in between."""
    if conn.closed:
        return
    try:
        await conn.rollback()
        assert await db.value(conn) == 42
    except db.errors.Error:
        assert conn.closed


@blocking
@pytest.mark.parametrize("answer", [Ready.R, Ready.W, Ready.RW])
async def test_29_a_callback_that_does_not_wait(db: Db, answer: Ready) -> None:
    conn = await db.connect(wait_callback=lambda fd, need, timeout: answer)
    try:
        assert await db.value(conn, "select 42 + 0 * length(pg_sleep(0.02)::text)") == 42
    except db.errors.Error:
        await ends_well(db, conn)


@blocking
async def test_29_a_callback_that_closes_the_connection(db: Db) -> None:
    real = waiters.get_wait_callback()
    closing: list[Any] = []

    def wait(fd: int, need: Any, timeout: float | None) -> Ready:
        for conn in closing:
            conn.close()
        return real(fd, need, timeout)

    conn = await db.connect(wait_callback=wait)
    closing.append(conn._real)
    with pytest.raises(db.errors.Error):
        await conn.execute("select pg_sleep(30)")
    assert conn.closed


@blocking
async def test_29_a_callback_that_uses_the_connection(db: Db) -> None:
    real, said = waiters.get_wait_callback(), []
    used: list[Any] = []

    def wait(fd: int, need: Any, timeout: float | None) -> Ready:
        for conn in used:
            with pytest.raises(db.errors.InterfaceError, match="in use by"):
                conn.execute("select 'inner'")
            said.append("refused")
        return real(fd, need, timeout)

    conn = await db.connect(wait_callback=wait)
    used.append(conn._real)
    assert await db.value(conn, "select 'outer'") == "outer"
    assert said


@blocking
async def test_29_a_callback_that_installs_another(db: Db) -> None:
    real, waited = waiters.get_wait_callback(), []

    def wait(fd: int, need: Any, timeout: float | None) -> Ready:
        waiters.set_wait_callback(other)
        waited.append("first")
        return real(fd, need, timeout)

    def other(fd: int, need: Any, timeout: float | None) -> Ready:
        waited.append("other")
        return real(fd, need, timeout)

    conn = await db.connect(wait_callback=wait)
    try:
        assert await db.value(conn) == 42
    finally:
        waiters.set_wait_callback(None)
    assert set(waited) == {"first"}


def test_30_signals_are_as_before() -> None:
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
