"""The end of a session while nobody uses the connection: `wait_closed()`, termination listeners."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults import FaultProxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.driver.bed import Db

pytestmark = pytest.mark.beyond


@pytest.fixture(scope="module")
def tls(dsn: str) -> Iterator[FaultProxy]:
    """A proxy that speaks TLS."""
    with FaultProxy(dsn, tls=True) as proxy:
        yield proxy


def kill(db: Db, conn: Any) -> None:
    """Have the server end a session."""
    db.sql("select pg_terminate_backend(%s)", conn.info.backend_pid)


async def sleeping(db: Db, conn: Any, *args: Any) -> Any:
    """Return a task that sleeps in `wait_closed()`."""
    watches = len(conn._watches)
    task = db.spawn(conn.wait_closed, *args)
    await db.until(lambda: len(conn._watches) > watches)
    return task


async def test_it_wakes_up_when_the_server_has_gone(db: Db, conn: Any) -> None:
    task = await sleeping(db, conn)
    kill(db, conn)
    assert await task.get() is True
    assert conn.closed
    assert conn.broken
    with pytest.raises(db.errors.AdminShutdown) as caught:
        await conn.execute("select 1")
    assert caught.value.connection_lost
    assert caught.value.safe_to_retry


async def test_several_may_sleep(db: Db, conn: Any) -> None:
    tasks = [await sleeping(db, conn) for _ in range(3)]
    kill(db, conn)
    assert [await task.get() for task in tasks] == [True] * 3


@pytest.mark.parametrize("reset", [False, True])
async def test_it_wakes_up_when_the_network_has_gone(db: Db, proxy: FaultProxy, reset: bool) -> None:
    conn = await db.connect(proxy.dsn)
    task = await sleeping(db, conn)
    proxy.cut(reset=reset)
    assert await task.get() is True
    assert conn.broken


async def test_it_wakes_up_under_tls(db: Db, tls: FaultProxy) -> None:
    conn = await db.connect(tls.dsn, sslmode="require")
    assert conn.info.pgconn.ssl_in_use
    task = await sleeping(db, conn)
    kill(db, conn)
    assert await task.get() is True
    with pytest.raises(db.errors.AdminShutdown):
        await conn.execute("select 1")


async def test_not_in_a_forked_child(db: Db, conn: Any) -> None:
    mine, conn._pid = conn._pid, 0
    with pytest.raises(db.errors.InterfaceError, match="parent process"):
        await conn.wait_closed(5)
    conn._pid = mine
    assert await db.value(conn) == 42


async def test_it_wakes_up_when_the_connection_is_closed(db: Db, conn: Any) -> None:
    task = await sleeping(db, conn)
    await conn.close()
    assert await task.get() is True
    assert await conn.wait_closed() is True
    assert not conn.broken


async def test_the_time_is_over(db: Db, conn: Any) -> None:
    began = time.monotonic()
    assert await conn.wait_closed(0.05) is False
    assert 0.04 < time.monotonic() - began < 20
    assert await conn.wait_closed(timeout=0) is False
    assert not conn.closed


async def test_it_can_be_interrupted(db: Db, conn: Any) -> None:
    with pytest.raises(db.Timeout), db.timeout(0.05):
        await conn.wait_closed()
    assert not conn._watches
    assert await db.value(conn) == 42


async def test_others_use_the_connection_meanwhile(db: Db) -> None:
    conn = await db.connect(autocommit=True)
    task = await sleeping(db, conn)
    for _ in range(3):
        assert await db.value(conn) == 42
    assert not task.is_over
    kill(db, conn)
    assert await task.get() is True


async def test_data_that_nobody_reads_wakes_nobody(db: Db, conn: Any) -> None:
    await conn.execute("listen unread")
    await conn.commit()
    task = await sleeping(db, conn)
    [watch] = conn._watches
    db.sql("notify unread, 'x'")
    used = time.process_time()
    assert await conn.wait_closed(0.4) is False
    assert time.process_time() - used < 0.2  # a busy loop would use it all
    assert not watch.has_come()
    assert not task.is_over
    assert [notify.payload async for notify in conn.notifies(stop_after=1)] == ["x"]
    await conn.close()
    assert await task.get() is True


async def test_it_wakes_up_at_the_end_of_a_statement_that_is_lost(db: Db) -> None:
    conn = await db.connect(autocommit=True)
    task = await sleeping(db, conn)
    statement = db.spawn(conn.execute, "select pg_sleep(30)")
    await db.under_way(conn)
    kill(db, conn)
    with pytest.raises(db.errors.AdminShutdown):
        await statement.get()
    assert await task.get() is True


@pytest.mark.runtimes("gevent", "eventlet", "asyncio", "uvloop", "trio")
async def test_who_uses_it_notices_if_it_was_not_by_then(db: Db, conn: Any) -> None:
    task = await sleeping(db, conn)
    turn = (_ for _ in ())  # somebody has it, and reads nothing
    conn._take_turn(turn, None)
    kill(db, conn)
    await db.until(lambda: conn._has_hung_up)
    assert not task.is_over
    conn._end_turn(turn)
    assert await task.get() is True


async def test_listeners_are_told_once(db: Db, conn: Any) -> None:
    told: list[Any] = []
    conn.add_termination_listener(told.append)
    conn.add_termination_listener(lambda _: told.append("second"))
    kill(db, conn)
    await db.until(lambda: not db.sessions())
    assert told == []
    assert conn.closed
    assert told[1:] == ["second"]
    assert told[0].closed
    await conn.close()
    assert len(told) == 2


async def test_listeners_are_told_by_a_statement(db: Db, conn: Any) -> None:
    told: list[Any] = []
    conn.add_termination_listener(told.append)
    kill(db, conn)
    await db.until(lambda: not db.sessions())
    with pytest.raises(db.errors.AdminShutdown):
        await conn.execute("select 1")
    assert len(told) == 1


async def test_listeners_are_told_by_wait_closed(db: Db, conn: Any) -> None:
    told: list[Any] = []
    conn.add_termination_listener(told.append)
    task = await sleeping(db, conn)
    kill(db, conn)
    assert await task.get() is True
    assert len(told) == 1


async def test_listeners_are_told_by_close(db: Db, conn: Any) -> None:
    told: list[Any] = []
    conn.add_termination_listener(told.append)
    removed = told.append
    conn.add_termination_listener(removed)
    conn.remove_termination_listener(removed)
    await conn.close()
    assert len(told) == 1


@pytest.mark.runtimes("select", "asyncio")
async def test_listeners_are_not_told_by_the_collector(db: Db) -> None:
    told: list[Any] = []
    cls = db.kind("Connection")
    kept = [await cls.connect(db.dsn) if db.is_async else cls.connect(db.dsn)]
    kept[0].add_termination_listener(told.append)
    with pytest.warns(ResourceWarning):
        kept.clear()
    assert told == []


async def test_close_ends_whoever_waits(db: Db, conn: Any) -> None:
    statement = db.spawn(conn.execute, "select pg_sleep(30)")
    await db.under_way(conn)
    task = await sleeping(db, conn)
    await conn.close()
    with pytest.raises(db.errors.InterfaceError, match="closed"):
        await statement.get()
    assert await task.get() is True
