"""Fetching: one, many, all, iteration, scrolling, and row factories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.driver.bed import Db

TEN = "select generate_series(1, 10)"
PEOPLE = "select 'Ada' as name, 36 as age"


def rows(*numbers: int) -> list[tuple[int]]:
    """Return rows of one column."""
    return [(number,) for number in numbers]


async def test_fetchone_to_the_end_and_beyond(db: Db, conn: Any) -> None:
    cur = await conn.execute("select generate_series(1, 2)")
    assert [await cur.fetchone() for _ in range(4)] == [(1,), (2,), None, None]


async def test_fetchmany(db: Db, conn: Any) -> None:
    cur = await conn.execute(TEN)
    assert await cur.fetchmany() == rows(1)
    assert await cur.fetchmany(3) == rows(2, 3, 4)
    cur.arraysize = 2
    assert await cur.fetchmany() == rows(5, 6)
    assert await cur.fetchmany(100) == rows(7, 8, 9, 10)
    assert await cur.fetchmany(1) == []


async def test_fetchall_gives_what_is_left(db: Db, conn: Any) -> None:
    cur = await conn.execute(TEN)
    await cur.fetchmany(7)
    assert await cur.fetchall() == rows(8, 9, 10)
    assert await cur.fetchall() == []


async def test_iteration_goes_on_where_fetching_stopped(db: Db, conn: Any) -> None:
    cur = await conn.execute(TEN)
    await cur.fetchone()
    found = []
    async for row in cur:
        found.append(row)
        if row == (3,):
            break
    assert found == rows(2, 3)
    assert await cur.fetchone() == (4,)
    assert [row async for row in cur] == rows(5, 6, 7, 8, 9, 10)


async def test_many_rows(db: Db, conn: Any) -> None:
    cur = await conn.execute("select i, 'row ' || i from generate_series(1, 20000) as i")
    everything = await cur.fetchall()
    assert len(everything) == 20000
    assert everything[-1] == (20000, "row 20000")


async def test_scroll(db: Db, conn: Any) -> None:
    cur = await conn.execute(TEN)
    await cur.scroll(4)
    assert await cur.fetchone() == (5,)
    await cur.scroll(-2)
    assert await cur.fetchone() == (4,)
    await cur.scroll(0, mode="absolute")
    assert await cur.fetchone() == (1,)
    for value, mode in ((10, "absolute"), (-1, "absolute"), (-2, "relative"), (100, "relative")):
        with pytest.raises(IndexError):
            await cur.scroll(value, mode)
    with pytest.raises((ValueError, db.errors.ProgrammingError)):
        await cur.scroll(1, "sideways")
    assert await cur.fetchone() == (2,)


async def test_nothing_to_fetch(db: Db, conn: Any) -> None:
    cur = conn.cursor()
    for fetch in (cur.fetchone, cur.fetchmany, cur.fetchall):
        with pytest.raises(db.errors.ProgrammingError):
            await fetch()
    await cur.execute("create temp table nothing ()")
    for fetch in (cur.fetchone, cur.fetchmany, cur.fetchall):
        with pytest.raises(db.errors.ProgrammingError):
            await fetch()
    with pytest.raises(db.errors.ProgrammingError):
        [row async for row in cur]


async def test_results_are_independent_of_later_statements(db: Db, conn: Any) -> None:
    cur = await conn.execute(TEN)
    await conn.execute("select 'other'")
    await conn.commit()
    assert len(await cur.fetchall()) == 10


async def test_rows_that_have_come_can_be_fetched_from_a_closed_connection(db: Db, conn: Any) -> None:
    cur = await conn.execute(TEN)
    await conn.close()
    assert await cur.fetchone() == (1,)
    assert len(await cur.fetchall()) == 9


async def test_a_closed_cursor_gives_nothing(db: Db, conn: Any) -> None:
    async with await conn.execute(TEN) as cur:
        assert await cur.fetchone() == (1,)
    assert cur.closed
    for use in (cur.fetchone, cur.fetchall, cur.fetchmany):
        with pytest.raises(db.errors.InterfaceError, match="closed"):
            await use()
    with pytest.raises(db.errors.InterfaceError, match="closed"):
        await cur.execute("select 1")
    await cur.close()
    assert await db.value(conn) == 42


class Person:
    """What `class_row` makes."""

    def __init__(self, name: str, age: int) -> None:
        self.said = name, age


def call(name: str, age: int) -> str:
    """Take the columns as arguments."""
    return f"{name} is {age}"


async def test_row_factories(db: Db, conn: Any) -> None:
    factories: Any = db.module("rows")

    async def one(factory: Any, query: str = PEOPLE) -> Any:
        cur = conn.cursor(row_factory=factory)
        return await (await cur.execute(query)).fetchone()

    assert await one(factories.tuple_row) == ("Ada", 36)
    assert await one(factories.dict_row) == {"name": "Ada", "age": 36}
    named = await one(factories.namedtuple_row)
    assert (named, named.age, type(named)._fields) == (("Ada", 36), 36, ("name", "age"))
    assert (await one(factories.class_row(Person))).said == ("Ada", 36)
    assert await one(factories.args_row(call)) == "Ada is 36"
    assert await one(factories.kwargs_row(call)) == "Ada is 36"
    assert await one(factories.scalar_row) == "Ada"


async def test_names_that_are_no_names_in_a_namedtuple(db: Db, conn: Any) -> None:
    factories: Any = db.module("rows")
    cur = conn.cursor(row_factory=factories.namedtuple_row)
    await cur.execute('select 1 as "a b", 2 as "_c", 3 as "4", 4 as "?"')
    assert tuple(await cur.fetchone()) == (1, 2, 3, 4)


@pytest.mark.beyond
async def test_keywords_in_a_namedtuple(db: Db, conn: Any) -> None:
    factories: Any = db.module("rows")
    cur = conn.cursor(row_factory=factories.namedtuple_row)
    await cur.execute('select 1 as "class", 2 as "def", 3 as "None"')
    assert tuple(await cur.fetchone()) == (1, 2, 3)


async def test_the_connections_row_factory_and_the_cursors_own(db: Db) -> None:
    factories: Any = db.module("rows")
    conn = await db.connect(row_factory=factories.dict_row)
    assert await (await conn.execute(PEOPLE)).fetchall() == [{"name": "Ada", "age": 36}]
    async with conn.cursor(row_factory=factories.tuple_row) as cur:
        await cur.execute(PEOPLE)
        assert await cur.fetchone() == ("Ada", 36)
    conn.row_factory = factories.scalar_row
    assert await (await conn.execute(PEOPLE)).fetchone() == "Ada"


async def test_a_row_factory_set_in_the_midst_of_a_result(db: Db, conn: Any) -> None:
    factories: Any = db.module("rows")
    cur = await conn.execute(TEN)
    assert await cur.fetchone() == (1,)
    cur.row_factory = factories.dict_row
    assert await cur.fetchone() == {"generate_series": 2}


async def test_a_row_factory_that_fails(db: Db, conn: Any) -> None:
    def broken(_cursor: Any) -> Any:
        def make(values: Any) -> Any:
            raise ZeroDivisionError

        return make

    cur = conn.cursor(row_factory=broken)
    with pytest.raises(ZeroDivisionError):
        await (await cur.execute("select 1")).fetchone()
    assert await db.value(conn) == 42


async def test_each_result_has_its_own_rows(db: Db, conn: Any) -> None:
    factories: Any = db.module("rows")
    cur = conn.cursor(row_factory=factories.dict_row)
    await cur.execute("select 1 as a; select 2 as b")
    assert await cur.fetchone() == {"a": 1}
    assert cur.nextset() is True
    assert await cur.fetchone() == {"b": 2}
