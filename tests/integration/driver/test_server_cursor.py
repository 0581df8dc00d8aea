"""Cursors of the server: declared, adopted, scrolled, and closed whatever has happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.driver.bed import Db

OPEN = "select name from pg_cursors where name <> ''"


async def test_fetches_as_it_is_asked(db: Db) -> None:
    conn = await db.connect()
    async with conn.cursor("rows") as cursor:
        await cursor.execute("select generate_series(1, %s) as n", [10])
        assert (cursor.name, cursor.scrollable, cursor.withhold) == ("rows", None, False)
        assert (cursor.rowcount, cursor.rownumber) == (-1, 0)
        assert [column.name for column in cursor.description] == ["n"]
        assert await cursor.fetchone() == (1,)
        assert await cursor.fetchmany() == [(2,)]
        assert await cursor.fetchmany(3) == [(3,), (4,), (5,)]
        assert (cursor.rowcount, cursor.rownumber) == (-1, 5)
        assert await cursor.fetchall() == [(n,) for n in range(6, 11)]
        assert await cursor.fetchone() is None
        assert await cursor.fetchmany(2) == []
        assert await cursor.fetchall() == []
    assert cursor.closed
    assert await db.fetch(conn, OPEN) == []


@pytest.mark.parametrize("itersize", [1, 3, 10, 100])
async def test_iterates_by_itersize(db: Db, itersize: int) -> None:
    conn = await db.connect()
    async with conn.cursor("rows") as cursor:
        assert cursor.itersize == 100
        cursor.itersize = itersize
        await cursor.execute("select generate_series(1, 10)")
        assert await cursor.fetchone() == (1,)
        assert [n async for (n,) in cursor] == list(range(2, 11))


async def test_iteration_fetches_no_more_than_itersize(db: Db) -> None:
    conn = await db.connect()
    await conn.execute("create temp sequence fetched")
    async with conn.cursor("rows") as cursor:
        cursor.itersize = 3
        await cursor.execute("select n, nextval('fetched') from generate_series(1, 10) n")
        async for row in cursor:
            assert row == (1, 1)
            break
        assert await db.value(conn, "select last_value from fetched") == 3


@pytest.mark.beyond
async def test_what_iteration_has_fetched_is_not_lost(db: Db) -> None:
    conn = await db.connect()
    async with conn.cursor("rows", scrollable=True) as cursor:
        cursor.itersize = 4
        await cursor.execute("select generate_series(0, 9)")
        async for row in cursor:
            assert row == (0,)
            break
        assert await cursor.fetchone() == (1,)
        assert await cursor.fetchmany(4) == [(2,), (3,), (4,), (5,)]
        async for row in cursor:
            assert row == (6,)
            break
        assert cursor.rownumber == 7
        await cursor.scroll(1)
        assert await cursor.fetchone() == (8,)
        await cursor.scroll(-1)
        assert [row async for row in cursor] == [(8,), (9,)]
        assert await cursor.fetchall() == []


async def test_scrolls(db: Db) -> None:
    conn = await db.connect()
    async with conn.cursor("rows", scrollable=True) as cursor:
        await cursor.execute("select generate_series(0, 9)")
        await cursor.scroll(5)
        assert (cursor.rownumber, await cursor.fetchone()) == (5, (5,))
        await cursor.scroll(-3)
        assert await cursor.fetchone() == (3,)
        await cursor.scroll(1, "absolute")
        assert (cursor.rownumber, await cursor.fetchone()) == (1, (1,))
        await cursor.scroll(100)
        assert await cursor.fetchone() is None


async def test_one_that_is_not_scrollable_does_not_scroll_back(db: Db) -> None:
    conn = await db.connect()
    async with conn.cursor("rows", scrollable=False) as cursor:
        await cursor.execute("select generate_series(0, 9)")
        await cursor.fetchmany(5)
        with pytest.raises(db.errors.ObjectNotInPrerequisiteState):
            await cursor.scroll(-1)


@pytest.mark.beyond
async def test_an_unknown_mode_is_an_error(db: Db) -> None:
    conn = await db.connect()
    cursor = conn.cursor("rows")
    await cursor.execute("select 1")
    with pytest.raises(db.errors.ProgrammingError, match="relative and absolute"):
        await cursor.scroll(1, "sideways")


async def test_withhold_outlives_the_transaction(db: Db) -> None:
    conn = await db.connect()
    async with conn.cursor("rows", withhold=True) as cursor:
        await cursor.execute("select generate_series(1, 3)")
        await conn.commit()
        assert await cursor.fetchall() == [(1,), (2,), (3,)]
        await conn.commit()
    assert await db.fetch(conn, OPEN) == []


async def test_withhold_in_autocommit(db: Db) -> None:
    conn = await db.connect(autocommit=True)
    async with conn.cursor("rows", withhold=True) as cursor:
        await cursor.execute("select generate_series(1, 3)")
        assert await cursor.fetchone() == (1,)
    assert await db.fetch(conn, OPEN) == []


@pytest.mark.beyond
async def test_without_a_transaction_is_the_server_s_error(db: Db) -> None:
    conn = await db.connect(autocommit=True)
    with pytest.raises(db.errors.NoActiveSqlTransaction):
        await conn.cursor("rows").execute("select 1")
    async with conn.transaction(), conn.cursor("rows") as cursor:
        await cursor.execute("select 1")
        assert await cursor.fetchone() == (1,)


async def test_adopts_what_was_declared_elsewhere(db: Db) -> None:
    conn = await db.connect()
    await conn.execute(
        "create function pg_temp.opened() returns refcursor language plpgsql as "
        "$$ declare c refcursor := 'by function'; "
        "begin open c for select generate_series(1, 3) as n; return c; end $$"
    )
    name = await db.value(conn, "select pg_temp.opened()")
    async with conn.cursor(name) as cursor:
        assert await cursor.fetchone() == (1,)
        assert [column.name for column in cursor.description] == ["n"]
        assert [row async for row in cursor] == [(2,), (3,)]
    assert await db.fetch(conn, OPEN) == []


@pytest.mark.beyond
async def test_one_that_does_not_exist_is_an_error(db: Db) -> None:
    conn = await db.connect()
    with pytest.raises(db.errors.InvalidCursorName):
        await conn.cursor("nothing of this name").fetchone()
    await conn.rollback()


async def test_executes_again(db: Db) -> None:
    conn = await db.connect()
    async with conn.cursor("rows") as cursor:
        await cursor.execute("select 1, 2")
        await cursor.execute("select 'x'")
        assert len(cursor.description) == 1
        assert await cursor.fetchall() == [("x",)]
        assert cursor.nextset() is None


@pytest.mark.parametrize("name", ['with "quotes"', "it's", "Ünïcode", "%s"])
async def test_any_name(db: Db, name: str) -> None:
    conn = await db.connect()
    async with conn.cursor(name) as cursor:
        await cursor.execute("select 1")
        assert await cursor.fetchall() == [(1,)]
    assert await db.fetch(conn, OPEN) == []


async def test_closes_in_a_failed_transaction(db: Db) -> None:
    conn = await db.connect()
    with pytest.raises(db.errors.DivisionByZero):
        async with conn.cursor("rows") as cursor:
            await cursor.execute("select 1 / 0")
            await cursor.fetchone()
    await cursor.close()
    await conn.rollback()


@pytest.mark.beyond
async def test_closes_after_its_transaction_and_after_the_connection(db: Db) -> None:
    conn = await db.connect()
    cursor = conn.cursor("rows")
    await cursor.execute("select 1")
    await conn.commit()
    await conn.execute("select 1")
    await cursor.close()  # the server has it no more, and the next transaction does not mind
    assert await db.value(conn) == 42
    cursor = conn.cursor("rows")
    await cursor.execute("select 1")
    await conn.close()
    await cursor.close()
    assert cursor.closed


@pytest.mark.beyond
async def test_a_closed_one_is_an_error(db: Db) -> None:
    conn = await db.connect()
    cursor = conn.cursor("rows")
    await cursor.execute("select 1")
    await cursor.close()
    for call in (cursor.fetchone, cursor.fetchall, cursor.fetchmany, lambda: cursor.scroll(1)):
        with pytest.raises(db.errors.InterfaceError, match="closed"):
            await call()


@pytest.mark.beyond
async def test_what_it_cannot_do(db: Db) -> None:
    conn = await db.connect()
    with pytest.raises(db.errors.NotSupportedError):
        await conn.cursor("rows").executemany("select 1", [()])
    with pytest.raises(db.errors.SyntaxError):
        await conn.cursor("rows").execute("insert into nothing values (1)")
    await conn.rollback()


@pytest.mark.beyond
async def test_comes_in_binary_by_itself(db: Db) -> None:
    conn = await db.connect()
    cursor = conn.cursor("rows")
    await cursor.execute("select 1, 'x'::text, 1.5::numeric")
    assert await cursor.fetchone() == (1, "x", db.module("types").numeric.Decimal("1.5"))
    assert [cursor.pgresult.fformat(column) for column in range(3)] == [1, 1, 1]
    await cursor.execute("select 1", binary=False)
    await cursor.fetchone()
    assert cursor.pgresult.fformat(0) == 0


@pytest.mark.beyond
async def test_unknown_types_are_learnt(db: Db) -> None:
    conn = await db.connect()
    name = db.name()
    await conn.execute(f"create type {name} as (a int, b text)")
    cursor = conn.cursor("rows")
    await cursor.execute(f"select row(1, 'x')::{name}")
    [[value]] = await cursor.fetchall()
    assert (value.a, value.b) == (1, "x")


async def test_row_factories(db: Db) -> None:
    conn = await db.connect()
    async with conn.cursor("rows", row_factory=db.module("rows").dict_row) as cursor:
        await cursor.execute("select 1 as a")
        assert await cursor.fetchone() == {"a": 1}
        assert await cursor.fetchall() == []


async def test_its_class_can_be_chosen(db: Db) -> None:
    conn = await db.connect()
    conn.server_cursor_factory = db.kind("RawServerCursor")
    async with conn.cursor("rows") as cursor:
        await cursor.execute("select $1::int4, '%'", [1])
        assert await cursor.fetchall() == [(1, "%")]


@pytest.mark.beyond
async def test_1_an_interruption_keeps_the_connection(db: Db) -> None:
    conn = await db.connect()
    cursors: list[Any] = []

    async def sleep() -> None:
        async with conn.cursor("rows") as cursor:
            cursors.append(cursor)
            await cursor.execute("select pg_sleep(30)")
            await cursor.fetchone()

    task = await db.interrupt(conn, sleep)
    assert isinstance(task.error, db.runtime.Killed)
    assert cursors[0].closed
    await conn.rollback()
    assert await db.value(conn) == 42


async def test_it_has_one_result(db: Db, conn: Any) -> None:
    cur = conn.cursor("one")
    with pytest.raises(db.errors.SyntaxError):
        await cur.execute("selekt")
    assert cur.nextset() is None
    await conn.rollback()
    await cur.execute("select generate_series(1, 3)")
    assert cur.nextset() is None
    assert await cur.fetchone() == (1,)
    assert cur.nextset() is None
    assert await cur.fetchall() == [(2,), (3,)]
