"""psycopg_pool: whatever its users are interrupted by, and wherever, no connection and no slot is lost."""

from __future__ import annotations

import logging
import random
import threading
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool, NullConnectionPool, PoolClosed, PoolTimeout

from greenpg.compat.psycopg_pool import _workers
from tests.green.sessions import wait_for
from tests.green.test_fork import ends_well, in_child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.green.runtimes import Runtime, Task

pytestmark = pytest.mark.runtimes("gevent", "eventlet")

KINDS = pytest.mark.parametrize("kind", [ConnectionPool, NullConnectionPool])
HOLD = "select pg_sleep(30)"


@pytest.fixture
def make_pool(dsn: str) -> Iterator[Callable[..., Any]]:
    """Make an open pool of one connection, or of `max_size`; closed at the end."""
    pools = []

    def make(kind: Any = ConnectionPool, *, max_size: int = 1, **options: Any) -> Any:
        if not issubclass(kind, NullConnectionPool):
            options.setdefault("min_size", max_size)
        options.setdefault("kwargs", {"application_name": "psycopg_pool"})
        pools.append(kind(dsn, max_size=max_size, **{"open": True, "timeout": 10, **options}))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


@pytest.fixture
def observer(dsn: str) -> Iterator[Any]:
    """A connection of no pool."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        yield conn


def check_slots(pool: Any, runtime: Runtime) -> None:
    """Find that the pool has all its connections, no more, and that they answer what they are asked."""
    out = [pool.getconn() for _ in range(pool.max_size)]
    for number, conn in enumerate(out):
        assert conn.execute("select %s::int", [number]).fetchone() == (number,)
    with pytest.raises(PoolTimeout):
        pool.getconn(timeout=0.02)
    for conn in out:
        conn.rollback()
        pool.putconn(conn)
    stats = pool.get_stats()
    assert stats["requests_waiting"] == 0
    assert stats["pool_size"] == (0 if isinstance(pool, NullConnectionPool) else pool.max_size)


def interrupt(runtime: Runtime, how: str, function: Callable[[], Any], come: Callable[[], Any]) -> None:
    """Interrupt a function in a green thread of its own, once it has come to where it waits."""
    if how == "kill":
        task: Task[Any] = runtime.spawn(function)
        wait_for(come, runtime.sleep)
        runtime.kill(task)
        assert isinstance(task.error, runtime.Killed), task.error
    else:

        def in_time() -> None:
            with runtime.timeout(0.05):
                function()

        with pytest.raises(runtime.Timeout):
            runtime.spawn(in_time).get()


HOW = pytest.mark.parametrize("how", ["kill", "timeout"])


class Door:
    """A place where green threads wait until it is opened; it tells whether anybody has come."""

    def __init__(self) -> None:
        self.come = threading.Event()
        self._open = threading.Event()

    def wait(self, *_: object) -> None:
        """Wait before the door."""
        self.come.set()
        assert self._open.wait(30)

    def open(self) -> None:
        """Let everybody through, from now on."""
        self._open.set()


@HOW
@KINDS
@pytest.mark.parametrize("user", ["getconn", "connection"])
def test_in_the_queue(
    make_pool: Callable[..., Any], runtime: Runtime, kind: Any, user: str, how: str
) -> None:
    pool = make_pool(kind, max_waiting=1)

    def use() -> None:
        if user == "getconn":
            pool.getconn()
        else:
            with pool.connection():
                pass

    held = pool.getconn()
    for _ in range(3):
        interrupt(runtime, how, use, lambda: pool.get_stats()["requests_waiting"])
        assert pool.get_stats()["requests_waiting"] == 0
    pool.putconn(held)
    check_slots(pool, runtime)


@KINDS
def test_when_the_connection_has_come_already(
    make_pool: Callable[..., Any], runtime: Runtime, kind: Any
) -> None:
    """It is the waiter's, and the waiter has not woken up for it yet."""
    pool = make_pool(kind)
    held = pool.getconn()
    task = runtime.spawn(pool.getconn)
    wait_for(lambda: pool.get_stats()["requests_waiting"], runtime.sleep)
    if runtime.name == "gevent":  # the kill is on its way, and comes first
        task.thread.kill(block=False)
        pool.putconn(held)
    else:  # the kill is at once
        pool.putconn(held)
        task.thread.kill()
    with pytest.raises(runtime.Killed):
        task.get()
    check_slots(pool, runtime)


@HOW
@KINDS
def test_in_the_body(make_pool: Callable[..., Any], runtime: Runtime, kind: Any, how: str) -> None:
    pool, begun = make_pool(kind), threading.Event()

    def use() -> None:
        with pool.connection() as conn:
            begun.set()
            conn.execute(HOLD)

    for _ in range(3):
        interrupt(runtime, how, use, begun.is_set)
    check_slots(pool, runtime)


@HOW
@KINDS
def test_in_the_check(make_pool: Callable[..., Any], runtime: Runtime, kind: Any, how: str) -> None:
    begun, slow = threading.Event(), [True]

    def check(conn: Any) -> None:
        begun.set()
        conn.execute(HOLD if slow else "")

    pool = make_pool(kind, check=check)
    interrupt(runtime, how, pool.getconn, begun.is_set)
    slow.clear()
    check_slots(pool, runtime)


@HOW
def test_in_a_check_that_fails_over_it(make_pool: Callable[..., Any], runtime: Runtime, how: str) -> None:
    """As psycopg_pool's own did: what it does at its end fails on a connection that is closed by then."""
    begun, slow = threading.Event(), [True]

    def check(conn: Any) -> None:
        try:
            begun.set()
            conn.execute(HOLD if slow else "")
        finally:
            if slow:
                conn.close()
                conn.execute("")

    pool = make_pool(check=check)
    interrupt(runtime, how, pool.getconn, begun.is_set)
    slow.clear()
    check_slots(pool, runtime)


def test_a_check_that_fails_while_the_user_deals_with_a_timeout(
    make_pool: Callable[..., Any], runtime: Runtime, observer: Any
) -> None:
    """It is a failure as ever: the connection is replaced, and nothing is raised."""
    pool = make_pool(check=ConnectionPool.check_connection)
    with pool.connection() as conn:
        pid = conn.info.backend_pid
    observer.execute("select pg_terminate_backend(%s, 10000)", [pid])
    try:
        with runtime.timeout(0.01):
            runtime.sleep(30)
    except runtime.Timeout:
        with pool.connection() as conn:
            assert conn.info.backend_pid != pid
    check_slots(pool, runtime)


@HOW
@KINDS
def test_while_it_is_given_back(make_pool: Callable[..., Any], runtime: Runtime, kind: Any, how: str) -> None:
    """A transaction that is still open is rolled back then."""
    door = Door()

    class Slow(psycopg.Connection[Any]):
        def rollback(self) -> None:
            door.wait()
            super().rollback()

    pool = make_pool(kind, connection_class=Slow)

    conn = pool.getconn()
    conn.execute("select 1")
    # or a pool that keeps no connections would just close it
    waiter = runtime.spawn(lambda: pool.putconn(pool.getconn()))
    wait_for(lambda: pool.get_stats()["requests_waiting"], runtime.sleep)
    interrupt(runtime, how, lambda: pool.putconn(conn), door.come.is_set)
    door.open()
    waiter.get()
    check_slots(pool, runtime)


@KINDS
@HOW
def test_while_it_waits_for_the_lock(
    make_pool: Callable[..., Any], runtime: Runtime, kind: Any, how: str
) -> None:
    """A pool without connections connects under its lock, so all others wait for that."""
    pool = make_pool(kind, max_size=2)
    conn = pool.getconn()
    with pool._lock:
        begun = threading.Event()

        def give_back() -> None:
            begun.set()
            pool.putconn(conn)

        interrupt(runtime, how, give_back, begun.is_set)
        interrupt(runtime, how, pool.getconn, lambda: True)
    check_slots(pool, runtime)


@HOW
@KINDS
def test_waiting_for_the_pool_can_be_tried_again(
    make_pool: Callable[..., Any], runtime: Runtime, kind: Any, how: str
) -> None:
    door = Door()
    pool = make_pool(kind, configure=door.wait)
    interrupt(runtime, how, pool.wait, door.come.is_set)
    door.open()
    pool.wait(10)
    check_slots(pool, runtime)


@HOW
def test_check_goes_on(make_pool: Callable[..., Any], runtime: Runtime, how: str) -> None:
    door = Door()

    class Checked(ConnectionPool[Any]):
        @staticmethod
        def check_connection(conn: Any) -> None:
            door.wait()

    pool = make_pool(Checked, max_size=3)
    pool.wait(10)
    interrupt(runtime, how, pool.check, door.come.is_set)
    door.open()
    check_slots(pool, runtime)


@HOW
def test_close_goes_on(make_pool: Callable[..., Any], runtime: Runtime, observer: Any, how: str) -> None:
    door = Door()
    pool = make_pool(min_size=1, max_size=2, kwargs={"application_name": "closed"})
    pool.wait(10)
    held = pool.getconn()
    pool._configure = door.wait  # of the second one, which the worker is busy with for as long as we like
    waiter = runtime.spawn(pool.getconn)
    wait_for(door.come.is_set, runtime.sleep)
    interrupt(runtime, how, pool.close, lambda: pool.closed)
    door.open()
    with pytest.raises(PoolClosed):
        waiter.get()
    pool.putconn(held)
    sessions = "select count(*) from pg_stat_activity where application_name = 'closed'"
    wait_for(lambda: observer.execute(sessions).fetchone() == (0,), runtime.sleep)


def test_open_goes_on(make_pool: Callable[..., Any], runtime: Runtime) -> None:
    pool = make_pool(open=False)
    opener = runtime.spawn(pool.open)
    runtime.sleep(0)  # it is about to start the pool's threads
    runtime.kill(opener)
    assert isinstance(opener.error, runtime.Killed)
    check_slots(pool, runtime)


@pytest.mark.parametrize(
    "message",
    [
        "connection requested",
        "growing pool",
        "connection given",
        "returning connection",
        "discarding expired",
    ],
)
def test_in_a_log_handler(make_pool: Callable[..., Any], runtime: Runtime, message: str) -> None:
    """One that sends what it is given somewhere waits too, wherever the pool has something to say."""
    door = Door()

    class Sending(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage().startswith(message):
                door.wait()

    pool = make_pool(min_size=0, max_lifetime=0.0)

    def use() -> None:
        with pool.connection():
            pass

    logger, handler = logging.getLogger("psycopg.pool"), Sending()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        interrupt(runtime, "kill", use, door.come.is_set)
    finally:
        door.open()
        logger.removeHandler(handler)
        logger.setLevel(level)
    check_slots(pool, runtime)


# of a worker that is killed
@pytest.mark.filterwarnings("ignore:Exception in thread:pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("callback", ["configure", "reset"])
@pytest.mark.parametrize("how", ["Timeout", "Killed"])
def test_callback_that_is_interrupted_in_a_worker(
    make_pool: Callable[..., Any],
    runtime: Runtime,
    monkeypatch: pytest.MonkeyPatch,
    callback: str,
    how: str,
) -> None:
    monkeypatch.setattr(_workers, "_PAUSE", 0.01)
    errors = [getattr(runtime, how)()]

    def fail_once(_: Any) -> None:
        while errors:
            raise errors.pop()

    pool = make_pool(**{callback: fail_once})
    with pool.connection():
        pass
    check_slots(pool, runtime)
    assert not errors


@pytest.mark.filterwarnings("ignore:Using fork")  # eventlet's own opinion of it
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@KINDS
def test_a_forked_child_has_connections_of_its_own(
    make_pool: Callable[..., Any], runtime: Runtime, kind: Any
) -> None:
    pool = make_pool(kind, max_size=2)
    conn, free = pool.getconn(), pool.getconn()
    pid = conn.info.backend_pid
    pool.putconn(free)

    def child() -> None:
        with pool.connection() as own:
            assert own.info.backend_pid != pid
        pool.putconn(conn)  # the parent's: nobody is given it any more
        check_slots(pool, runtime)
        pool.close()

    assert ends_well(in_child(child))
    assert conn.execute("select pg_backend_pid()").fetchone() == (pid,)
    conn.rollback()
    pool.putconn(conn)
    check_slots(pool, runtime)


@pytest.mark.slow
@KINDS
def test_a_storm(make_pool: Callable[..., Any], runtime: Runtime, kind: Any) -> None:
    """200 users are killed and 200 timed out, at whatever moment; whoever is not gets the right answer."""
    pool = make_pool(kind, max_size=4, check=ConnectionPool.check_connection, timeout=30)
    moments = random.Random(4711)

    def use(number: int) -> Any:
        if number % 2:
            with pool.connection() as conn:
                return conn.execute("select %s::int from pg_sleep(0.002)", [number]).fetchone()
        conn = pool.getconn()
        try:
            return conn.execute("select %s::int", [number]).fetchone()
        finally:
            pool.putconn(conn)

    def in_time(number: int, seconds: float) -> Any:
        with runtime.timeout(seconds):
            return use(number)

    interrupted = 0
    while interrupted < 400:
        begun = [
            *(runtime.spawn(use, number) for number in range(4)),
            *(runtime.spawn(in_time, number, moments.random() * 0.03) for number in range(4, 12)),
        ]
        runtime.sleep(moments.random() * 0.01)
        for task in begun[:8]:
            if not task.ended.is_set():
                runtime.kill(task)
        for number, task in enumerate(begun):
            assert task.ended.wait(30)
            if isinstance(task.error, runtime.Timeout | runtime.Killed):
                interrupted += 1
            else:
                assert task.get() == (number,)
    check_slots(pool, runtime)
