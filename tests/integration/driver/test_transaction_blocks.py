"""`transaction()` blocks: nesting, `Rollback`, what they refuse, and how they end after an interruption."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import pytest

from greenpg import _turn
from tests.integration.driver.bed import within
from tests.integration.driver.blocking import bare

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.faults import FaultProxy
    from tests.integration.driver.bed import Db


def status(conn: Any) -> str:
    """Return the state of the transaction."""
    name: str = conn.info.transaction_status.name
    return name


async def add(conn: Any, table: str, *numbers: int) -> None:
    """Insert rows."""
    for number in numbers:
        await conn.execute(f"insert into {table} values ({number})")


def found(db: Db, table: str) -> list[int]:
    """Return the rows that others see."""
    return [number for (number,) in db.sql(f"select id from {table} order by id")]


@pytest.fixture
def table(db: Db) -> str:
    """A table."""
    return db.table()


@pytest.mark.parametrize("autocommit", [False, True])
async def test_it_commits(db: Db, table: str, autocommit: bool) -> None:
    conn = await db.connect(autocommit=autocommit)
    async with conn.transaction() as tx:
        assert tx.connection is conn
        assert not tx.savepoint_name
        assert tx.status.value == "active"
        await add(conn, table, 1)
        assert found(db, table) == []
    assert tx.status.value == "committed"
    assert found(db, table) == [1]
    assert status(conn) == "IDLE"


async def test_it_rolls_back_after_an_exception(db: Db, conn: Any, table: str) -> None:
    with pytest.raises(ZeroDivisionError):
        async with conn.transaction() as tx:
            await add(conn, table, 1)
            raise ZeroDivisionError
    assert tx.status.value == "rolled_back_with_error"
    assert found(db, table) == []
    assert status(conn) == "IDLE"


async def test_blocks_in_blocks_are_savepoints(db: Db, conn: Any, table: str) -> None:
    async with conn.transaction():
        await add(conn, table, 1)
        async with conn.transaction() as inner:
            assert inner.savepoint_name
            await add(conn, table, 2)
        with pytest.raises(db.errors.DivisionByZero):
            async with conn.transaction():
                await add(conn, table, 3)
                await conn.execute("select 1 / 0")
        async with conn.transaction("my savepoint") as named:
            assert named.savepoint_name == "my savepoint"
            await add(conn, table, 4)
    assert found(db, table) == [1, 2, 4]


async def test_in_a_transaction_it_is_a_savepoint_too(db: Db, conn: Any, table: str) -> None:
    await add(conn, table, 1)
    async with conn.transaction():
        await add(conn, table, 2)
    assert found(db, table) == []
    await conn.commit()
    assert found(db, table) == [1, 2]


async def test_rollback_ends_the_innermost_block(db: Db, conn: Any, table: str) -> None:
    async with conn.transaction() as outer:
        await add(conn, table, 1)
        async with conn.transaction() as inner:
            await add(conn, table, 2)
            raise db.driver.Rollback
    assert inner.status.value == "rolled_back_explicitly"
    assert outer.status.value == "committed"
    assert found(db, table) == [1]


async def test_rollback_ends_the_block_it_names(db: Db, conn: Any, table: str) -> None:
    async with conn.transaction() as outer:
        await add(conn, table, 1)
        async with conn.transaction():
            raise db.driver.Rollback(bare(outer))
    assert outer.status.value == "rolled_back_explicitly"
    assert found(db, table) == []


async def test_rollback_of_another_block_passes(db: Db, conn: Any) -> None:
    other = conn.transaction()
    with pytest.raises(db.driver.Rollback):
        async with conn.transaction():
            raise db.driver.Rollback(bare(other))
    assert status(conn) == "IDLE"


async def test_force_rollback(db: Db, conn: Any, table: str) -> None:
    async with conn.transaction(force_rollback=True) as tx:
        await add(conn, table, 1)
    assert tx.status.value == "rolled_back_explicitly"
    assert found(db, table) == []


@pytest.mark.beyond
async def test_it_is_entered_once(db: Db, conn: Any) -> None:
    tx = conn.transaction()
    async with tx:
        pass
    with pytest.raises(TypeError, match="once"):
        async with tx:
            pass


async def test_out_of_order(db: Db, conn: Any) -> None:
    first, second = conn.transaction(), conn.transaction()
    await first.__aenter__()
    await second.__aenter__()
    for tx in (first, second):
        with pytest.raises(db.errors.ProgrammingError, match="nesting"):
            await tx.__aexit__(None, None, None)
    assert status(conn) == "INTRANS"
    await conn.rollback()
    assert status(conn) == "IDLE"


@pytest.mark.parametrize("verb", ["commit", "rollback"])
async def test_nothing_else_ends_it(db: Db, conn: Any, table: str, verb: str) -> None:
    async with conn.transaction():
        await add(conn, table, 1)
        with pytest.raises(db.errors.ProgrammingError):
            await getattr(conn, verb)()
        await add(conn, table, 2)
    assert found(db, table) == [1, 2]
    await getattr(conn, verb)()


async def test_a_failure_that_was_caught_inside(db: Db, conn: Any, table: str) -> None:
    async with conn.transaction() as tx:
        await add(conn, table, 1)
        with pytest.raises(db.errors.DivisionByZero):
            await conn.execute("select 1 / 0")
    if db.driver.__name__ == "greenpg":
        assert tx.status.value == "rolled_back_with_error"
    assert found(db, table) == []
    assert status(conn) == "IDLE"


async def test_an_error_at_its_end(db: Db, conn: Any) -> None:
    with pytest.raises(db.errors.UniqueViolation):
        async with conn.transaction() as tx:
            await conn.execute("create temp table late (id int unique deferrable initially deferred)")
            await conn.execute("insert into late values (1), (1)")
    assert status(conn) == "IDLE"
    if db.driver.__name__ == "greenpg":
        assert tx.status.value == "failed"


@pytest.mark.beyond
async def test_a_lost_connection_is_no_success(db: Db, conn: Any) -> None:
    with pytest.raises(db.errors.AdminShutdown):
        async with conn.transaction() as tx:
            db.sql("select pg_terminate_backend(%s)", conn.info.backend_pid)
            await db.until(lambda: not db.sessions())
    assert tx.status.value == "failed"


async def test_the_exception_is_not_hidden_by_a_lost_connection(
    db: Db, conn: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    with pytest.raises(ZeroDivisionError):
        async with conn.transaction() as tx, conn.transaction():
            db.sql("select pg_terminate_backend(%s)", conn.info.backend_pid)
            await db.until(lambda: not db.sessions())
            raise ZeroDivisionError
    if db.driver.__name__ == "greenpg":
        assert tx.status.value == "failed"


@pytest.mark.beyond
async def test_somebody_else_uses_the_connection(db: Db, conn: Any) -> None:
    with db.hold() as held, pytest.raises(db.errors.InterfaceError, match="in use"):
        async with conn.transaction():
            task = db.spawn(conn.execute, f"select {held}")
            await db.under_way(conn)
    await task.get()
    await conn.rollback()


async def test_in_a_pipeline(db: Db, conn: Any, table: str) -> None:
    async with conn.pipeline():
        async with conn.transaction():
            await add(conn, table, 1)
            async with conn.transaction():
                await add(conn, table, 2)
                raise db.driver.Rollback
        assert found(db, table) == [1]


async def test_a_failure_in_a_pipeline_is_no_success(db: Db, conn: Any, table: str) -> None:
    async with conn.pipeline():
        with pytest.raises(db.errors.DivisionByZero):
            async with conn.transaction():
                await add(conn, table, 1)
                await conn.execute("select 1 / 0")
        async with conn.transaction():
            await add(conn, table, 2)
    assert found(db, table) == [2]


# --- After an interruption


async def interrupted(db: Db, conn: Any, table: str) -> None:
    """Interrupt a statement within a block."""
    await _interrupted(db, conn, table, lambda: conn.execute("select pg_sleep(30)"))


async def interrupted_between_statements(db: Db, conn: Any, table: str) -> None:
    """Interrupt a block while nothing is under way."""
    await _interrupted(db, conn, table, lambda: db.event().wait())


async def _interrupted(db: Db, conn: Any, table: str, wait: Callable[[], Awaitable[object]]) -> None:
    reached: list[bool] = []

    async def block() -> None:
        async with conn.transaction():
            await add(conn, table, 1)
            reached.append(True)
            await wait()

    task = await db.interrupt_when(lambda: reached, block)
    assert isinstance(task.error, db.runtime.Killed)


@pytest.mark.beyond
@pytest.mark.parametrize("autocommit", [False, True])
async def test_an_interrupted_block_is_rolled_back(db: Db, table: str, autocommit: bool) -> None:
    conn = await db.connect(autocommit=autocommit)
    await interrupted(db, conn, table)
    await add(conn, table, 2)
    if not autocommit:
        await conn.commit()
    assert found(db, table) == [2]
    assert status(conn) == "IDLE"


@pytest.mark.beyond
async def test_a_dead_network_does_not_hold_up_an_interruption(db: Db, table: str, proxy: FaultProxy) -> None:
    conn = await db.connect(proxy.dsn, autocommit=True)
    with within(1.3), pytest.raises(db.Timeout), db.timeout(0.1):
        async with conn.transaction(), conn.transaction():
            proxy.black_hole()
            await conn.execute("select 1")
    proxy.heal()  # the request to cancel is in the hole as well


@pytest.mark.beyond
async def test_nor_does_it_if_it_comes_between_statements(db: Db, table: str, proxy: FaultProxy) -> None:
    conn = await db.connect(proxy.dsn, autocommit=True)
    with within(1.3), pytest.raises(db.Timeout), db.timeout(0.1):
        async with conn.transaction():
            await add(conn, table, 1)
            proxy.black_hole()
            await db.event().wait()
    proxy.heal()  # the request to cancel is in the hole as well


@pytest.mark.beyond
async def test_between_statements_the_rollback_is_sent_at_once(db: Db, table: str) -> None:
    conn = await db.connect(autocommit=True)
    await interrupted_between_statements(db, conn, table)
    await db.until(lambda: db.sessions("state") == [("idle",)])  # nobody has used the connection
    await add(conn, table, 2)
    assert found(db, table) == [2]


@pytest.mark.beyond
async def test_an_inner_block_is_interrupted_and_the_outer_goes_on(db: Db, conn: Any, table: str) -> None:
    async with conn.transaction():
        await add(conn, table, 2)
        await interrupted(db, conn, table)
        await interrupted_between_statements(db, conn, table)
        await add(conn, table, 3)
    assert found(db, table) == [2, 3]


@pytest.mark.beyond
async def test_rollback_after_an_interruption_that_was_caught_inside(db: Db, conn: Any, table: str) -> None:
    async with conn.transaction() as tx:
        await add(conn, table, 1)
        with pytest.raises(db.Timeout), db.timeout(0.1):
            await conn.execute("select pg_sleep(30)")
        raise db.driver.Rollback
    assert tx.status.value == "rolled_back_explicitly"
    await add(conn, table, 2)
    await conn.commit()
    assert found(db, table) == [2]


@pytest.mark.beyond
async def test_an_interrupted_begin_leaves_no_transaction(db: Db, table: str, proxy: FaultProxy) -> None:
    conn = await db.connect(proxy.dsn, autocommit=True)
    proxy.black_hole()
    with pytest.raises(db.Timeout), db.timeout(0.1):
        async with conn.transaction():
            raise AssertionError("this has begun too early")
    proxy.heal()
    await add(conn, table, 1)
    assert found(db, table) == [1]


@pytest.mark.beyond
async def test_an_inner_block_that_is_not_known_to_have_ended_ends_them_all(
    db: Db, table: str, proxy: FaultProxy
) -> None:
    conn = await db.connect(proxy.dsn)
    stuck: list[bool] = []

    async def stuck_at_its_end() -> None:
        async with conn.transaction():
            await add(conn, table, 1)
            proxy.black_hole("up")
            stuck.append(True)

    with pytest.raises(db.errors.InFailedSqlTransaction):
        async with conn.transaction():
            task = await db.interrupt_when(lambda: stuck and conn._is_busy, stuck_at_its_end)
            assert isinstance(task.error, db.runtime.Killed)
            proxy.heal()
            await add(conn, table, 2)
    assert found(db, table) == []
    assert await db.value(conn) == 42


@pytest.mark.beyond
@pytest.mark.parametrize("name", ["a\0b", "\udc80", ""])
async def test_a_bad_name(db: Db, conn: Any, name: str) -> None:
    with pytest.raises(db.errors.DatabaseError):
        async with conn.transaction(name):
            raise AssertionError("this must not begin")
    assert status(conn) == "IDLE"
    assert await db.value(conn) == 42


@pytest.mark.beyond
async def test_a_timeout_of_a_call_leaves_the_block_alike(db: Db, table: str) -> None:
    conn = await db.connect(autocommit=True)
    with pytest.raises(db.errors.StatementTimeout):
        async with conn.transaction():
            await add(conn, table, 1)
            await conn.execute("select pg_sleep(30)", timeout=0.1)
    await add(conn, table, 2)
    assert found(db, table) == [2]


@pytest.mark.beyond
async def test_what_is_owed_is_paid_however_late(db: Db, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    conn = await db.connect(autocommit=True)
    await interrupted(db, conn, table)
    monkeypatch.setattr(_turn, "monotonic", lambda: time.monotonic() + 3600)
    await add(conn, table, 2)
    assert found(db, table) == [2]


@pytest.mark.beyond
async def test_an_interruption_in_a_pipeline(db: Db, table: str) -> None:
    conn = await db.connect(autocommit=True)
    with pytest.raises(db.Timeout), db.timeout(0.1):
        async with conn.pipeline(), conn.transaction():
            await add(conn, table, 1)
            await (await conn.execute("select pg_sleep(30)")).fetchall()
    await add(conn, table, 2)
    assert found(db, table) == [2]
