"""psycopg 3: two green threads on one connection take turns, closing ends a wait, nothing deadlocks."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import errors as e

from greenpg._core.offload import Offloaded, offload_gen
from greenpg.compat._lock import Lock
from greenpg.waiters import drive, get_wait_callback, using
from tests.green.psycopg_statements import busy, cancel_until_it_takes, descriptors, value, works
from tests.green.sessions import named_sessions, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.green.runtimes import Runtime, Task


def test_they_take_turns(runtime: Runtime, connect3: Callable[..., Any]) -> None:
    conn = connect3(autocommit=True)
    conn.execute("create temp sequence turns minvalue 0")
    tasks: list[Task[Any]] = []
    with conn.lock:
        for number in range(10):
            sql = f"select array[{number}, nextval('turns')] from pg_sleep(0.01)"
            tasks.append(runtime.spawn(value, conn, sql))
            wait_for(lambda: len(conn.lock._queue) == len(tasks), runtime.sleep)
    assert runtime.join_all(tasks) == [[number, number] for number in range(10)]


def test_nobody_starves(runtime: Runtime, connect3: Callable[..., Any]) -> None:
    conn = connect3(autocommit=True)
    over = threading.Event()
    turns: list[int] = []

    def hog() -> None:
        while not over.is_set():
            turns.append(value(conn))

    task = runtime.spawn(hog)
    waited = []
    for i in range(50):
        before = len(turns)
        assert value(conn, f"select {i}") == i
        waited.append(len(turns) - before)
    over.set()
    task.get()
    assert sorted(waited)[25] < 10  # now and then, a thread has no processor to ask with


@pytest.mark.runtimes("gevent", "eventlet")
def test_the_holder_is_killed(runtime: Runtime, conn3: Any) -> None:
    holder = busy(runtime, conn3)
    waiter = runtime.spawn(works, conn3)
    runtime.sleep(0.01)
    runtime.kill(holder)
    assert waiter.get()


@pytest.mark.runtimes("gevent", "eventlet")
def test_one_that_waits_for_its_turn_is_killed(runtime: Runtime, conn3: Any) -> None:
    before = descriptors()
    holder = busy(runtime, conn3, "select 7 from pg_sleep(0.2)")
    waiters = [runtime.spawn(value, conn3) for _ in range(3)]
    runtime.sleep(0)
    runtime.kill(waiters[1])
    with pytest.raises(runtime.Killed):
        waiters[1].get()
    assert (holder.get(), waiters[0].get(), waiters[2].get()) == (7, 42, 42)
    wait_for(lambda: descriptors() <= before, runtime.sleep)


def test_timeouts_while_waiting_for_a_turn(runtime: Runtime, connect3: Callable[..., Any]) -> None:
    conn = connect3(autocommit=True)
    holder = busy(runtime, conn)
    for _ in range(20):
        with pytest.raises(runtime.Timeout), runtime.timeout(0.005):
            value(conn)
    cancel_until_it_takes(holder, conn.cancel)
    with pytest.raises(e.QueryCanceled):
        holder.get()
    assert works(conn)


def test_commit_waits_its_turn(runtime: Runtime, conn3: Any) -> None:
    task = busy(runtime, conn3, "select 7 from pg_sleep(0.2)")
    conn3.commit()
    assert task.get() == 7
    assert works(conn3)


def test_lock(runtime: Runtime) -> None:
    lock = Lock()
    assert lock.acquire()
    assert lock.locked()
    assert runtime.spawn(lock.acquire, False).get() is False
    assert runtime.spawn(lock.acquire, timeout=0.01).get() is False
    task = runtime.spawn(with_lock, lock)
    runtime.sleep(0.01)
    assert not task.ended.is_set()
    lock.release()
    assert task.get() is True
    assert not lock.locked()


def with_lock(lock: Lock) -> bool:
    with lock:
        return lock.locked()


@pytest.mark.runtimes("gevent", "eventlet")
def test_lock_of_one_that_has_ended(runtime: Runtime) -> None:
    lock = Lock()
    assert runtime.spawn(lock.acquire).get() is True
    runtime.sleep(0.01)
    assert lock.locked()
    assert with_lock(lock)
    assert not lock.locked()


def test_lock_among_native_threads(runtime: Runtime) -> None:
    lock = Lock()
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(300):
            with lock:
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    natives = [Offloaded(work) for _ in range(4)]
    greens = [runtime.spawn(work) for _ in range(4)]
    runtime.join_all(greens)
    for native in natives:
        drive(native.result_gen(), get_wait_callback(), 30)
    assert max(most) == 1
    assert len(most) == 8 * 300
    assert not lock.locked()


def test_close_ends_the_wait(runtime: Runtime, connect3: Callable[..., Any]) -> None:
    conn = connect3(application_name="closed3")
    with named_sessions(connect3, "closed3") as sessions:
        task = busy(runtime, conn)
        waiter = runtime.spawn(value, conn)
        conn.close()
        assert conn.closed
        assert not conn.broken
        other = connect3()  # on the same file descriptor, if it were free too early
        with pytest.raises(psycopg.OperationalError, match="closed by"):
            task.get()
        with pytest.raises(psycopg.OperationalError, match="closed"):
            waiter.get()
        wait_for(lambda: not sessions(), runtime.sleep)  # nor does the statement run on
        assert works(other)
    conn.close()


@pytest.mark.parametrize("way", ["notifies", "copy_out", "copy_in", "stream", "pipeline"])
def test_close_ends_every_wait(runtime: Runtime, connect3: Callable[..., Any], way: str) -> None:
    conn = connect3(autocommit=True)

    def copy_in() -> None:
        with conn.cursor().copy("copy nowhere from stdin") as copy:
            while True:
                copy.write(b"x" * 100_000 + b"\n")

    def copy_out() -> None:
        with conn.cursor().copy("copy (select pg_sleep(30)) to stdout") as copy:
            copy.read()

    def pipeline() -> None:
        with conn.pipeline():
            conn.execute("select pg_sleep(30)").fetchone()

    ways: dict[str, Callable[[], object]] = {
        "notifies": lambda: next(conn.notifies()),
        "copy_in": copy_in,
        "copy_out": copy_out,
        "stream": lambda: next(conn.cursor().stream("select pg_sleep(30)")),
        "pipeline": pipeline,
    }
    conn.execute("create temp table nowhere (t text)")
    task = runtime.spawn(ways[way])
    runtime.sleep(0.05)
    conn.close()
    with pytest.raises(psycopg.OperationalError):
        task.get()
    assert conn.closed


class Closer:
    """A wait callback that closes the connection each time it is asked to wait."""

    def __init__(self, conn: Any) -> None:
        self._conn = conn
        self._wait = get_wait_callback()

    def __call__(self, fd: int, need: Any, timeout: float | None, /) -> Any:
        self._conn.close()
        return self._wait(fd, need, timeout)


def test_the_wait_callback_itself_closes(runtime: Runtime, conn3: Any) -> None:
    with using(Closer(conn3)), pytest.raises(psycopg.OperationalError, match="closed by"):
        value(conn3, "select pg_sleep(30)")
    assert conn3.closed


def test_a_wait_callback_that_raises(runtime: Runtime, conn3: Any) -> None:
    class BrokenError(Exception):
        pass

    def broken(fd: int, need: Any, timeout: float | None) -> Any:
        raise BrokenError

    with using(broken), pytest.raises(BrokenError):
        value(conn3)
    assert conn3.closed  # it could not wait for the cancel request either


def test_a_wait_callback_exchanged_during_the_wait(runtime: Runtime, conn3: Any) -> None:
    from greenpg.waiters import set_wait_callback

    task = busy(runtime, conn3, "select 7 from pg_sleep(0.2)")
    previous = set_wait_callback("select")
    try:
        assert task.get() == 7
    finally:
        set_wait_callback(previous)
    assert works(conn3)


def test_connections_in_native_threads(runtime: Runtime, connect3: Callable[..., Any]) -> None:
    conn = connect3(autocommit=True)
    for _ in range(3):  # to and fro between two hubs
        assert drive(offload_gen(lambda: value(conn)), get_wait_callback()) == 42
        assert value(conn) == 42
    task = busy(runtime, conn, "select 7 from pg_sleep(0.1)")
    assert drive(offload_gen(lambda: value(conn)), get_wait_callback()) == 42
    assert task.get() == 7


def test_a_lost_connection(runtime: Runtime, connect3: Callable[..., Any]) -> None:
    conn, other = connect3(), connect3(autocommit=True)
    task = busy(runtime, conn)
    other.execute("select pg_terminate_backend(%s)", (conn.info.backend_pid,))
    with pytest.raises(psycopg.OperationalError):
        task.get()
    assert conn.closed
    assert conn.broken
    with pytest.raises(psycopg.OperationalError):
        next(conn.notifies())  # and not a wait for a file descriptor that is somebody else's by now


def test_cancelled_from_another_green_thread(runtime: Runtime, conn3: Any) -> None:
    for cancel in (conn3.cancel, conn3.cancel_safe):
        task = busy(runtime, conn3)
        cancel_until_it_takes(task, cancel)
        with pytest.raises(e.QueryCanceled, match="user request"):
            task.get()
        assert works(conn3)
