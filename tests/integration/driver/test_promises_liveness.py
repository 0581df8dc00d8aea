"""Promises 16 to 18: a connection that is dead says so before it is used, and dies with one clear error."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.driver.bed import within

if TYPE_CHECKING:
    from tests.faults import FaultProxy
    from tests.integration.driver.bed import Db

pytestmark = pytest.mark.beyond


async def killed(db: Db) -> Any:
    """Return a connection that the server has ended since."""
    conn = await db.connect(autocommit=True)
    assert await db.value(conn) == 42
    db.sql("select pg_terminate_backend(%s)", conn.info.backend_pid)
    await db.until(lambda: not db.sessions())
    return conn


async def test_16_killed_while_idle(db: Db) -> None:
    conn = await killed(db)
    with pytest.raises(db.errors.AdminShutdown) as caught:
        await conn.execute("select 1")
    assert caught.value.sqlstate == "57P01"
    assert caught.value.safe_to_retry is True  # nothing was sent
    assert conn.closed
    assert conn.broken


async def test_16_killed_while_idle_in_a_transaction(db: Db, conn: Any) -> None:
    await conn.execute("select 1")
    db.sql("select pg_terminate_backend(%s)", conn.info.backend_pid)
    await db.until(lambda: not db.sessions())
    with pytest.raises(db.errors.OperationalError) as caught:
        await conn.commit()
    assert str(caught.value).strip()
    assert conn.closed


@pytest.mark.parametrize("reset", [False, True])
async def test_16_cut_while_idle(db: Db, proxy: FaultProxy, reset: bool) -> None:
    conn = await db.connect(proxy.dsn, autocommit=True)
    assert await db.value(conn) == 42
    proxy.cut(reset=reset)
    with pytest.raises(db.errors.OperationalError) as caught:
        await conn.execute("select 1")
    assert caught.value.safe_to_retry is True
    assert conn.closed


async def test_16_killed_in_a_statement(db: Db) -> None:
    conn = await db.connect(autocommit=True)

    async def sleep() -> None:
        await conn.execute("select pg_sleep(30)")

    task = db.spawn(sleep)
    await db.under_way(conn)
    db.sql("select pg_terminate_backend(%s)", conn.info.backend_pid)
    with pytest.raises(db.errors.AdminShutdown):
        await task.get()
    assert conn.closed


@pytest.mark.parametrize("reset", [False, True])
async def test_17_cut_in_a_result(db: Db, proxy: FaultProxy, reset: bool) -> None:
    conn = await db.connect(proxy.dsn, autocommit=True)
    cur = conn.cursor()
    proxy.cut_after(50_000, reset=reset)
    with pytest.raises(db.errors.OperationalError) as caught:
        await cur.execute("select i, repeat('x', 100) from generate_series(1, 10000) as i")
    assert caught.value.safe_to_retry is False
    assert str(caught.value).strip()
    assert conn.closed
    with pytest.raises(db.errors.Error):  # no partial rows
        await cur.fetchone()
    with pytest.raises(db.errors.OperationalError, match="closed"):
        await conn.execute("select 1")


@pytest.mark.parametrize("size", [1, 5, 20, 60])
async def test_17_cut_anywhere_in_an_answer(db: Db, proxy: FaultProxy, size: int) -> None:
    conn = await db.connect(proxy.dsn, autocommit=True)
    proxy.cut_after(size)
    with pytest.raises(db.errors.OperationalError):
        await conn.execute("select 'a long enough answer, which is cut in its midst', %s", (1,))
    assert conn.closed


async def test_17_half_closed(db: Db, proxy: FaultProxy) -> None:
    conn = await db.connect(proxy.dsn, autocommit=True)
    task = db.spawn(conn.execute, "select pg_sleep(30)")
    await db.under_way(conn)
    proxy.half_close("down")
    with pytest.raises(db.errors.OperationalError):
        await task.get()
    assert conn.closed


async def test_17_close_on_a_dead_network(db: Db, proxy: FaultProxy) -> None:
    conn = await db.connect(proxy.dsn)
    proxy.black_hole()
    with pytest.raises(db.Timeout), db.timeout(0.1):
        await conn.execute("select 1")
    with within(1.0):
        await conn.close()
    assert conn.closed
    proxy.heal()  # the request to cancel is in the hole as well


async def test_17_drip_is_slow_and_right(db: Db, proxy: FaultProxy) -> None:
    conn = await db.connect(proxy.dsn, autocommit=True)
    proxy.drip()
    assert await db.fetch(conn, "select i, 'row' from generate_series(1, 20) as i") == [
        (number, "row") for number in range(1, 21)
    ]


async def test_18_a_timeout_of_a_call_on_a_dead_network(db: Db, proxy: FaultProxy) -> None:
    conn = await db.connect(proxy.dsn)
    proxy.black_hole()
    with within(1.0), pytest.raises(db.errors.StatementTimeout):
        await conn.execute("select 1", timeout=0.2)
    proxy.heal()


async def test_18_keepalive_is_on_and_limits_are_passed_on(db: Db) -> None:
    conn = await db.connect(tcp_user_timeout=4321, keepalives_idle=77)
    with socket.socket(fileno=socket.dup(conn.fileno())) as sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 77
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 4321
