"""Promises 7 to 11: while a connection waits the others run, and it has one user at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests import faults

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.faults import FaultProxy, FaultServer
    from tests.integration.driver.bed import Db

pytestmark = pytest.mark.beyond

concurrent = pytest.mark.runtimes("gevent", "eventlet", "asyncio", "uvloop", "trio")


async def others_run(db: Db) -> None:
    """Return only if the hub comes round a few times; a blocked one does not get here."""
    for _ in range(5):
        await db.runtime.pause(0.005)


class Ticker:
    """Counts how often others get their turn while the body of the `async with` runs."""

    def __init__(self, db: Db) -> None:
        self.ticks = 0
        self._db = db
        self._over = False

    async def __aenter__(self) -> Ticker:
        self._task = self._db.spawn(self._tick)
        await others_run(self._db)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over = True
        await self._task.get()

    async def _tick(self) -> None:
        while not self._over:
            self.ticks += 1
            await self._db.runtime.pause()


@concurrent
@pytest.mark.parametrize("kind", faults.STUCK_CONNECTS)
async def test_7_a_stuck_connect_lets_others_run_and_can_be_ended(db: Db, kind: faults.Kind) -> None:
    with faults.hostile(kind) as server:
        task = db.spawn(db.connect, server.dsn)
        await others_run(db)
        task.cancel()
        with pytest.raises(db.runtime.Killed):
            await task.get()


@concurrent
async def test_7_a_connect_by_name_lets_others_run(db: Db, conn: Any) -> None:
    async with Ticker(db) as ticker:
        before = ticker.ticks
        other = await db.connect(f"host=localhost port={conn.info.port} user=postgres dbname=postgres")
    assert await db.value(other) == 42
    assert ticker.ticks > before


OPERATIONS: dict[str, Callable[[Any], Coroutine[Any, Any, Any]]] = {
    "execute": lambda conn: conn.execute("select 1"),
    "several": lambda conn: conn.execute("select 1; select 2"),
    "prepared": lambda conn: conn.execute("select %s", (1,), prepare=True),
    "big parameter": lambda conn: conn.execute("select length(%s)", ("x" * 20_000_000,)),
    "executemany": lambda conn: conn.cursor().executemany("select %s", [(1,), (2,)]),
    "rollback": lambda conn: conn.rollback(),
    "commit": lambda conn: conn.commit(),
}


@concurrent
@pytest.mark.parametrize("name", OPERATIONS)
async def test_7_a_stuck_operation_lets_others_run_and_goes_on(db: Db, proxy: FaultProxy, name: str) -> None:
    conn = await db.connect(proxy.dsn)
    await conn.execute("select 1")
    proxy.black_hole()
    task = db.spawn(OPERATIONS[name], conn)
    await others_run(db)
    assert not task.is_over
    proxy.heal()
    await task.get()
    assert await db.value(conn) == 42


@concurrent
async def test_7_a_stuck_cancel_lets_others_run(db: Db, proxy: FaultProxy) -> None:
    conn = await db.connect(proxy.dsn)
    sleep = db.spawn(conn.execute, "select pg_sleep(30)")
    await db.under_way(conn)
    proxy.black_hole()
    cancel = db.spawn(conn.cancel_safe)
    await others_run(db)
    assert not cancel.is_over
    proxy.heal()
    await cancel.get()
    with pytest.raises(db.errors.QueryCanceled):
        await sleep.get()


async def test_7_close_waits_for_nothing(db: Db, proxy: FaultProxy) -> None:
    conn = await db.connect(proxy.dsn)
    proxy.black_hole()
    await conn.close()
    assert conn.closed


async def test_8_a_second_one_on_a_busy_connection_is_told_at_once(db: Db, conn: Any) -> None:
    task = db.spawn(conn.execute, "select pg_sleep(30)")
    await db.under_way(conn)
    for use in (lambda: conn.execute("select 1"), conn.commit, conn.rollback):
        with pytest.raises(db.errors.InterfaceError, match=r"in use by .* give each one its own"):
            await use()
    await conn.cancel_safe()
    with pytest.raises(db.errors.QueryCanceled):
        await task.get()
    await conn.rollback()
    assert await db.value(conn) == 42


async def test_8_closed_by_another_one(db: Db, conn: Any) -> None:
    task = db.spawn(conn.execute, "select pg_sleep(30)")
    await db.under_way(conn)
    await conn.close()
    with pytest.raises(db.errors.InterfaceError, match="closed by"):
        await task.get()
    assert conn.closed
    await db.until(lambda: not db.sessions())


async def test_8_many_take_turns_when_told_to(db: Db, conn: Any) -> None:
    async def use() -> int:
        number = 0
        while number < 20:
            try:
                assert await db.value(conn, "select %s", (number,)) == number
                number += 1
            except db.errors.InterfaceError:  # noqa: PERF203
                await db.runtime.pause(0.001)
        return number

    assert [await task.get() for task in [db.spawn(use) for _ in range(4)]] == [20] * 4
    assert await db.value(conn) == 42


@concurrent
async def test_9_decoding_many_rows_lets_others_run(db: Db, conn: Any) -> None:
    def load(_loader: object, _data: Any) -> int:
        return sum(range(100))

    # somebody's own is called when the rows are fetched
    slow = type("Slow", (db.driver.types.numeric.NumericLoader,), {"load": load})
    conn.adapters.register_loader("numeric", slow)
    cur = await conn.execute("select i, i::text, i * 1.5 from generate_series(1, 60000) as i")
    async with Ticker(db) as ticker:
        before = ticker.ticks
        assert len(await cur.fetchall()) == 60000
        assert ticker.ticks - before >= 2


@concurrent
async def test_9_a_server_that_is_always_ready_lets_others_run(db: Db, hostile: FaultServer) -> None:
    conn = await db.connect(hostile.dsn, dbname="endless_notices", autocommit=True)
    task = db.spawn(conn.execute, "attack")
    await others_run(db)
    await others_run(db)
    assert not task.is_over
    task.cancel()
    with pytest.raises(db.runtime.Killed):
        await task.get()


async def test_11_notices_while_much_is_sent(db: Db, conn: Any) -> None:
    # The server stops reading when nobody reads its notices.
    await conn.execute(
        "create function pg_temp.shout(i int) returns int language plpgsql as"
        " $$ begin raise notice '%', repeat('x', 20000); return i; end $$"
    )
    heard: list[Any] = []
    conn.add_notice_handler(heard.append)
    await conn.cursor().executemany(
        "select pg_temp.shout(%s), %s::text", [(number, "y" * 20000) for number in range(200)]
    )
    assert len(heard) == 200
