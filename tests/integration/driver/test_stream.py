"""stream(): rows as they come, without the whole result in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.driver.bed import Db


async def works(db: Db, conn: Any) -> bool:
    """Say that the connection can be used for something else."""
    await conn.rollback()
    return bool(await db.value(conn) == 42)


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("count", [0, 1, 5000])
async def test_yields_every_row(db: Db, size: int, count: int) -> None:
    conn = await db.connect()
    stream = conn.cursor().stream("select n, 'row ' || n from generate_series(1, %s) n", [count], size=size)
    assert [row async for row in stream] == [(n, f"row {n}") for n in range(1, count + 1)]
    assert await db.value(conn) == 42


@pytest.mark.beyond
async def test_a_row_comes_before_the_next_is_there(db: Db) -> None:
    conn = await db.connect(autocommit=True)
    query = "select repeat('x', 1000) from generate_series(1, 100) union all select pg_sleep(30)::text"
    rows: list[Any] = []

    async def read() -> None:
        async for row in conn.cursor().stream(query):
            rows.append(row)  # noqa: PERF401 - they are seen as they come

    task = await db.interrupt_when(lambda: rows, read)
    assert isinstance(task.error, db.runtime.Killed)
    assert len(rows) <= 100
    assert await works(db, conn)


async def test_has_a_description_and_row_factories(db: Db) -> None:
    conn = await db.connect()
    cursor = conn.cursor(row_factory=db.module("rows").dict_row)
    names = []
    async for row in cursor.stream("select 1 as a, 'x' as b"):
        names.append([column.name for column in cursor.description])
        assert row == {"a": 1, "b": "x"}
    assert names == [["a", "b"]]


@pytest.mark.parametrize("binary", [None, True, False])
async def test_formats_give_the_same_values(db: Db, binary: bool | None) -> None:
    conn = await db.connect()
    query = "select 1, 'x'::text, 1.5::numeric, '2024-02-29'::date, array[1, null], null::int4"
    streamed = [row async for row in conn.cursor().stream(query, binary=binary)]
    assert streamed == await db.fetch(conn, query)


@pytest.mark.beyond
async def test_comes_in_binary_by_itself(db: Db) -> None:
    conn = await db.connect()
    cursor = conn.cursor()
    async for _ in cursor.stream("select 1"):
        assert cursor.pgresult.fformat(0) == 1
    async for _ in cursor.stream("select 1", binary=False):
        assert cursor.pgresult.fformat(0) == 0


@pytest.mark.beyond
async def test_unknown_types_are_learnt_before(db: Db) -> None:
    conn = await db.connect()
    name = db.name()
    await conn.execute(f"create type {name} as (a int, b text)")
    [(value,)] = [row async for row in conn.cursor().stream(f"select row(1, 'x')::{name}")]
    assert (value.a, value.b) == (1, "x")


@pytest.mark.beyond
async def test_asks_for_nothing_before_where_nothing_is_to_be_prepared(db: Db) -> None:
    conn = await db.connect(prepare_threshold=None, autocommit=True)
    assert [row async for row in conn.cursor().stream("select 1, %s", ["x"])] == [(1, "x")]
    assert db.sql("select query from pg_stat_activity where pid = %s", conn.info.backend_pid) == [
        ("select 1, $1",)
    ]


async def test_an_error_in_the_midst(db: Db) -> None:
    conn = await db.connect()
    rows = []
    with pytest.raises(db.errors.DivisionByZero):
        async for row in conn.cursor().stream("select 1 / (3 - n) from generate_series(1, 5) n"):
            rows.append(row)  # noqa: PERF401  # there is an error to come
    assert rows == [(0,), (1,)]
    assert await works(db, conn)


@pytest.mark.beyond
@pytest.mark.parametrize("query", ["create temp table streamed (a int)", "", "select 1; select 2"])
async def test_what_returns_no_rows_is_refused(db: Db, query: str) -> None:
    conn = await db.connect()
    with pytest.raises(db.errors.ProgrammingError):
        async for _ in conn.cursor().stream(query):
            pass
    assert await works(db, conn)


@pytest.mark.beyond
async def test_a_copy_is_refused(db: Db) -> None:
    conn = await db.connect()
    with pytest.raises(db.errors.ProgrammingError):
        async for _ in conn.cursor().stream("copy (select 1) to stdout"):
            pass
    assert await works(db, conn)


@pytest.mark.beyond
async def test_a_size_of_none_is_refused(db: Db) -> None:
    conn = await db.connect()
    with pytest.raises(db.errors.ProgrammingError, match="size"):
        async for _ in conn.cursor().stream("select 1", size=0):
            pass


@pytest.mark.parametrize("size", [1, 100])
async def test_leaving_early_cancels(db: Db, size: int) -> None:
    conn = await db.connect()
    stream = conn.cursor().stream("select generate_series(1, 100000000)", size=size)
    async for row in stream:
        assert row == (1,)
        break
    await stream.aclose()
    assert await works(db, conn)


async def test_an_exception_of_the_body_passes(db: Db) -> None:
    conn = await db.connect()
    stream = conn.cursor().stream("select generate_series(1, 100000000)")
    with pytest.raises(ZeroDivisionError):
        async for _ in stream:
            raise ZeroDivisionError
    await stream.aclose()
    assert await works(db, conn)


@pytest.mark.beyond
async def test_it_has_the_connection_between_its_rows(db: Db) -> None:
    conn = await db.connect()
    stream = conn.cursor().stream("select generate_series(1, 100000000)")
    async for _ in stream:
        with pytest.raises(db.errors.InterfaceError, match="under way"):
            await conn.execute("select 1")
        break
    await stream.aclose()


@pytest.mark.beyond
async def test_1_an_interruption_keeps_the_connection(db: Db) -> None:
    conn = await db.connect()

    async def sleep() -> None:
        async for _ in conn.cursor().stream("select pg_sleep(30)"):
            pass

    task = await db.interrupt(conn, sleep)
    assert isinstance(task.error, db.runtime.Killed)
    assert await works(db, conn)


@pytest.mark.beyond
@pytest.mark.parametrize("count", [2, 2000])
async def test_nothing_else_is_executed_in_it(db: Db, count: int) -> None:
    conn = await db.connect(autocommit=True)
    rows = 0
    async for _ in conn.cursor().stream("select generate_series(1, %s)", [count]):
        rows += 1
        with pytest.raises(db.errors.InterfaceError, match="under way"):
            await conn.execute("select 1")
    assert rows == count
    assert await db.value(conn) == 42


@pytest.mark.parametrize("count", [3, 100000])
async def test_the_connection_is_free_once_it_is_left(db: Db, count: int) -> None:
    conn = await db.connect(autocommit=True)
    async for row in conn.cursor().stream("select generate_series(1, %s)", [count]):
        assert row == (1,)
        break
    assert await db.value(conn) == 42
    cur = await conn.execute("select 'kept'")
    cur.stream("select 'never begun'")
    assert await cur.fetchone() == ("kept",)
    stream = cur.stream("select 1")
    assert [row async for row in stream] == [(1,)]
    await cur.execute("select 'kept'")
    del stream
    assert await cur.fetchone() == ("kept",)
