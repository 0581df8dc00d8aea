"""Promises 3, 4 and 7: cancelling waits its turn and no longer, reports failure, hits no later statement."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest
from psycopg2.extensions import QueryCanceledError, make_dsn, parse_dsn

from greenpg import pq
from greenpg._core.offload import Offloaded
from greenpg._core.protocol import cancel_gen, execute_gen
from greenpg.pq import DiagnosticField
from greenpg.waiters import drive, get_wait_callback
from tests import libraries
from tests.faults import FaultProxy
from tests.green.connects import nothing_left
from tests.green.sessions import under_way, wait_for
from tests.green.ticker import LONGEST, Ticker
from tests.integration.pq import loops

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.green.runtimes import Runtime, Task


def value(conn: Any, sql: str = "select 42") -> Any:
    """Return the one value of a query."""
    with conn.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def busy(runtime: Runtime, conn: Any, seconds: float = 30) -> Task[Any]:
    """Return a green thread that waits for a statement on `conn`."""
    task = runtime.spawn(value, conn, f"select 7 from pg_sleep({seconds})")
    under_way(conn, runtime)
    return task


def cancel_until_it_takes(task: Task[Any], cancel: Callable[[], object]) -> None:
    """Cancel what may not have reached the server yet, which then drops the request."""
    for _ in range(100):
        cancel()
        if task.ended.wait(0.05):
            return


@pytest.fixture
def proxy(dsn: str) -> Iterator[FaultProxy]:
    """A proxy in front of the server."""
    with FaultProxy(dsn) as proxy:
        yield proxy


@pytest.fixture
def proxied(proxy: FaultProxy) -> Iterator[Any]:
    """A connection by way of the proxy."""
    conn = psycopg2.connect(proxy.dsn)
    yield conn
    conn.close()


@pytest.fixture
def unreachable(conn: Any, dsn: str, tmp_path: Path) -> Iterator[Any]:
    """A connection to a server that no other connection can be made to any more."""
    directory = value(conn, "show unix_socket_directories").split(",")[0]
    if not directory:
        pytest.skip("the server has no Unix socket")
    here = tmp_path / "socket"
    here.symlink_to(directory)
    port = str(value(conn, "show port"))
    there = psycopg2.connect(make_dsn(**parse_dsn(dsn) | {"host": str(here), "port": port}))
    here.unlink()
    yield there
    there.close()


def test_from_another_green_thread(runtime: Runtime, conn: Any) -> None:
    task = busy(runtime, conn)
    cancel_until_it_takes(task, conn.cancel)
    with pytest.raises(QueryCanceledError, match="user request"):
        task.get()
    conn.rollback()
    assert value(conn) == 42


def test_from_a_native_thread(runtime: Runtime, conn: Any) -> None:
    def cancel() -> None:
        drive(Offloaded(conn.cancel).result_gen(), get_wait_callback(), 10)

    task = busy(runtime, conn)
    cancel_until_it_takes(task, cancel)
    with pytest.raises(QueryCanceledError):
        task.get()
    conn.rollback()
    assert value(conn) == 42


def test_several_at_once(runtime: Runtime, conn: Any) -> None:
    task = busy(runtime, conn)
    cancel_until_it_takes(task, lambda: runtime.join_all([runtime.spawn(conn.cancel) for _ in range(5)]))
    with pytest.raises(QueryCanceledError):
        task.get()
    conn.rollback()
    assert value(conn) == 42


def test_idle_connection(runtime: Runtime, conn: Any) -> None:
    with nothing_left():
        for number in range(100):
            conn.cancel()
            assert value(conn, f"select {number}") == number
            conn.rollback()


def test_races_with_the_end_of_a_statement(runtime: Runtime, conn: Any) -> None:
    conn.autocommit = True
    cancelled, seconds = 0, 0.001
    for number in range(200):
        task = runtime.spawn(value, conn, f"select {number} from pg_sleep({seconds})")
        runtime.sleep(0.001)
        conn.cancel()
        try:
            assert task.get() == number
            seconds = min(seconds * 1.25, 0.05)  # to where both ends are as likely, however busy the machine
        except QueryCanceledError:
            seconds /= 1.25
            cancelled += 1
        assert value(conn, f"select {-number}") == -number
    assert 0 < cancelled < 200


def test_slow_listener(runtime: Runtime, proxy: FaultProxy, proxied: Any) -> None:
    task = busy(runtime, proxied)
    proxy.delay(0.1)
    with Ticker(runtime) as ticker:
        cancel_until_it_takes(task, proxied.cancel)
    if runtime.green:
        assert ticker.longest < LONGEST
        assert ticker.ticks > 20
    with pytest.raises(QueryCanceledError):
        task.get()


@pytest.mark.usefixtures("short_limits")
def test_silent_listener(runtime: Runtime, proxy: FaultProxy, proxied: Any) -> None:
    task = busy(runtime, proxied, 0.2)
    proxy.black_hole()
    failure = pytest.raises(psycopg2.OperationalError, match=r"could not be cancelled: .* in time")
    with nothing_left(), Ticker(runtime) as ticker, failure:
        proxied.cancel()
    if runtime.green:
        assert ticker.longest < LONGEST
        assert ticker.ticks > 20
    proxy.heal()
    assert task.get() == 7  # nobody has touched the statement
    assert proxied.closed == 0


def test_refused(runtime: Runtime, unreachable: Any) -> None:
    task = busy(runtime, unreachable, 0.2)
    with nothing_left(), pytest.raises(psycopg2.OperationalError, match="No such file"):
        unreachable.cancel()
    assert task.get() == 7
    assert unreachable.closed == 0


def test_timeout_thrown_in(runtime: Runtime, proxy: FaultProxy, proxied: Any) -> None:
    proxy.black_hole()
    with nothing_left():
        with pytest.raises(runtime.Timeout) as caught, runtime.timeout(0.1) as bomb:
            proxied.cancel()
        assert caught.value is bomb
    proxy.heal()
    assert value(proxied) == 42


def test_closed(runtime: Runtime, conn: Any) -> None:
    conn.close()
    with pytest.raises(psycopg2.InterfaceError, match="connection already closed"):
        conn.cancel()


def test_prepared_transaction(runtime: Runtime, conn: Any) -> None:
    conn.tpc_begin(conn.xid(1, f"cancel-{runtime.name}", "x"))
    conn.tpc_prepare()
    try:
        with pytest.raises(psycopg2.ProgrammingError, match="prepared two-phase transaction"):
            conn.cancel()
    finally:
        conn.tpc_rollback()


def interrupt(runtime: Runtime, conn: Any) -> float:
    """Throw a timeout into a statement, check that it comes out unchanged, return what cleaning up took."""
    with pytest.raises(runtime.Timeout) as caught, runtime.timeout(0.1) as bomb:
        value(conn, "select pg_sleep(5)")
    end = time.monotonic()
    assert caught.value is bomb
    return end


@pytest.mark.usefixtures("short_limits")
def test_interruption_where_cancelling_is_refused(runtime: Runtime, unreachable: Any) -> None:
    began = time.monotonic()
    assert interrupt(runtime, unreachable) - began < 3
    assert unreachable.closed


@pytest.mark.usefixtures("short_limits")
def test_interruption_where_cancelling_gets_no_answer(
    runtime: Runtime, proxy: FaultProxy, proxied: Any
) -> None:
    value(proxied)
    proxy.black_hole()
    began = time.monotonic()
    assert interrupt(runtime, proxied) - began < 3
    assert proxied.closed


OLD = [name for name, path in libraries.ALL.items() if path and not pq.library(path).has("PQcancelCreate")]


@pytest.fixture(params=OLD)
def old(request: pytest.FixtureRequest) -> pq.Library:
    """A libpq that can only cancel by a call that blocks."""
    return pq.library(libraries.ALL[request.param])


def started(old: pq.Library, dsn: str, conn: Any, runtime: Runtime) -> pq.PGconn:
    """Return a connection of that libpq which runs a statement."""
    pgconn = loops.connect(old, dsn)
    pgconn.send_query(b"select pg_sleep(30)")
    pgconn.flush()
    active = f"select 1 from pg_stat_activity where pid = {pgconn.backend_pid} and wait_event = 'PgSleep'"
    conn.autocommit = True

    def is_running() -> bool:
        with conn.cursor() as cursor:
            cursor.execute(active)
            return bool(cursor.fetchall())

    wait_for(is_running, runtime.sleep)
    return pgconn


def test_old_libpq(runtime: Runtime, old: pq.Library, dsn: str, conn: Any) -> None:
    pgconn = started(old, dsn, conn, runtime)
    drive(cancel_gen(pgconn), get_wait_callback(), 10)
    [result] = drive(execute_gen(pgconn), get_wait_callback(), 10)
    assert result.error_field(DiagnosticField.SQLSTATE) == b"57014"
    pgconn.finish()


def test_old_libpq_and_a_silent_listener(
    runtime: Runtime, old: pq.Library, conn: Any, proxy: FaultProxy, connect: Callable[..., Any]
) -> None:
    pgconn = started(old, proxy.dsn, conn, runtime)
    proxy.black_hole()
    with Ticker(runtime) as ticker, pytest.raises(TimeoutError):
        drive(cancel_gen(pgconn), get_wait_callback(), 0.2)
    if runtime.green:
        assert ticker.ticks > 20
    proxy.cut()
    pgconn.finish()
