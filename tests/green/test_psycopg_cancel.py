"""psycopg 3: cancelling leaves the hub free, ends in its time, and hits no later statement."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import errors as e

from tests.faults import FaultProxy
from tests.green.psycopg_statements import busy, cancel_until_it_takes, descriptors, prepared, value, works
from tests.green.sessions import wait_for
from tests.green.ticker import LONGEST, Ticker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.green.runtimes import Runtime


@pytest.fixture
def proxy(dsn: str) -> Iterator[FaultProxy]:
    """A proxy in front of the server."""
    with FaultProxy(dsn) as proxy:
        yield proxy


@pytest.fixture
def proxied(proxy: FaultProxy) -> Iterator[Any]:
    """A connection by way of the proxy."""
    with psycopg.connect(proxy.dsn) as conn:
        yield conn


WAYS: dict[str, Callable[[Any], object]] = {
    "cancel": lambda conn: conn.cancel(),
    "cancel_safe": lambda conn: conn.cancel_safe(timeout=0.3),
}


@pytest.mark.usefixtures("short_limits")
@pytest.mark.parametrize("way", WAYS)
def test_silent_listener(runtime: Runtime, proxy: FaultProxy, proxied: Any, way: str) -> None:
    task = busy(runtime, proxied, "select 7 from pg_sleep(0.2)")
    before = descriptors()
    proxy.black_hole()
    began = time.monotonic()
    with Ticker(runtime) as ticker, pytest.raises(e.CancellationTimeout):
        WAYS[way](proxied)
    assert time.monotonic() - began < 2
    if runtime.green:
        assert ticker.longest < LONGEST
        assert ticker.ticks > 20
    proxy.heal()
    assert task.get() == 7  # nobody has touched the statement
    wait_for(lambda: descriptors() <= before, runtime.sleep)
    assert works(proxied)


def test_slow_listener(runtime: Runtime, proxy: FaultProxy, proxied: Any) -> None:
    task = busy(runtime, proxied)
    proxy.delay(0.1)
    with Ticker(runtime) as ticker:
        cancel_until_it_takes(task, proxied.cancel)
    if runtime.green:
        assert ticker.longest < LONGEST
        assert ticker.ticks > 20
    with pytest.raises(e.QueryCanceled):
        task.get()


@pytest.mark.usefixtures("short_limits")
@pytest.mark.parametrize("way", ["stream", "copy"])
def test_interruption_while_psycopg_cancels(
    runtime: Runtime, proxy: FaultProxy, proxied: Any, way: str
) -> None:
    """psycopg ends a stream, or a COPY that an error has left, by a cancel request of its own."""
    cursor = proxied.cursor()
    if way == "stream":
        rows = cursor.stream("select generate_series(1, 10000000)")
        next(rows)
        leave = rows.close
    else:
        copy = cursor.copy("copy (select generate_series(1, 10000000)) to stdout")
        copy.__enter__().read()

        def leave() -> None:
            copy.__exit__(ValueError, ValueError("lemon"), None)

    proxy.black_hole()
    with pytest.raises(runtime.Timeout), runtime.timeout(0.2):
        leave()
    assert proxied.closed
    with pytest.raises(psycopg.OperationalError, match="closed"):
        proxied.rollback()


@pytest.mark.usefixtures("short_limits")
def test_interruption_where_cancelling_gets_no_answer(
    runtime: Runtime, proxy: FaultProxy, proxied: Any
) -> None:
    value(proxied)
    proxy.black_hole()
    began = time.monotonic()
    with pytest.raises(runtime.Timeout) as caught, runtime.timeout(0.1) as bomb:
        value(proxied, "select pg_sleep(5)")
    assert time.monotonic() - began < 3
    assert caught.value is bomb
    assert proxied.closed


def test_timeout_thrown_in(runtime: Runtime, proxy: FaultProxy, proxied: Any) -> None:
    proxy.black_hole()
    before = descriptors()
    with pytest.raises(runtime.Timeout) as caught, runtime.timeout(0.1) as bomb:
        proxied.cancel()
    assert caught.value is bomb
    proxy.heal()
    # before libpq 17, a native thread goes on until it has an answer
    wait_for(lambda: descriptors() <= before, runtime.sleep)
    assert works(proxied)


def test_idle_connection(runtime: Runtime, conn3: Any) -> None:
    before = descriptors()
    for number in range(50):
        conn3.cancel()
        assert value(conn3, f"select {number}") == number
        conn3.rollback()
    wait_for(lambda: descriptors() <= before, runtime.sleep)


def test_races_with_the_end_of_a_statement(runtime: Runtime, connect3: Callable[..., Any]) -> None:
    conn = connect3(autocommit=True)
    cancelled, seconds = 0, 0.001
    for number in range(100):
        task = runtime.spawn(value, conn, f"select {number} from pg_sleep({seconds})")
        runtime.sleep(0.001)
        conn.cancel()
        try:
            assert task.get() == number
            seconds = min(seconds * 1.25, 0.05)  # to where both ends are as likely, however busy the machine
        except e.QueryCanceled:
            seconds /= 1.25
            cancelled += 1
        assert value(conn, f"select {-number}") == -number
    assert 0 < cancelled < 100


def test_closed(runtime: Runtime, conn3: Any) -> None:
    conn3.close()
    conn3.cancel()
    conn3.cancel_safe()


def test_prepared_transaction(runtime: Runtime, conn3: Any) -> None:
    conn3.tpc_begin(prepared(f"cancel3-{runtime.name}"))
    conn3.tpc_prepare()
    try:
        with pytest.raises(psycopg.ProgrammingError, match="prepared two-phase transaction"):
            conn3.cancel()
    finally:
        conn3.tpc_rollback()
