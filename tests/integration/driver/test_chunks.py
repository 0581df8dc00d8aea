"""Big results, which come in chunks of 256 rows: they are fetched as any other is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.driver.bed import Db

pytestmark = pytest.mark.runtimes("select", "asyncio")

EDGES = (0, 1, 255, 256, 257, 512, 513, 1000)
KINDS = {
    "made as they come": "select i, 'row ' || i from generate_series(1, {}) i",
    "kept as they come": "select i, 'row ' || i, array[i] from generate_series(1, {}) i",
}


def rows(kind: str, count: int) -> list[tuple[Any, ...]]:
    """Return the rows of a query of `KINDS`."""
    numbers = range(1, count + 1)
    if kind == "made as they come":
        return [(i, f"row {i}") for i in numbers]
    return [(i, f"row {i}", [i]) for i in numbers]


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("kind", KINDS)
async def test_every_row_is_there_at_every_size(db: Db, conn: Any, kind: str, binary: bool) -> None:
    for count in EDGES:
        cur = conn.cursor(binary=binary)
        for _ in range(2):  # the second time it is known how many there are
            await cur.execute(KINDS[kind].format(count))
            assert (cur.rowcount, cur.rownumber, cur.statusmessage) == (count, 0, f"SELECT {count}")
            assert [column.name for column in cur.description[:2]] == ["i", "?column?"]
            assert await cur.fetchall() == rows(kind, count)
            assert await cur.fetchone() is None


@pytest.mark.parametrize("kind", KINDS)
async def test_every_way_to_fetch(db: Db, conn: Any, kind: str) -> None:
    expected = rows(kind, 1000)
    cur = await conn.execute(KINDS[kind].format(1000))
    assert await cur.fetchone() == expected[0]
    assert await cur.fetchmany(254) == expected[1:255]
    found = []
    async for row in cur:
        found.append(row)
        if len(found) == 300:
            break
    assert found == expected[255:555]
    assert cur.rownumber == 555
    assert await cur.fetchmany(300) == expected[555:855]
    await cur.scroll(-600)
    assert await cur.fetchone() == expected[255]
    await cur.scroll(999, mode="absolute")
    assert await cur.fetchall() == expected[999:]
    await cur.scroll(0, mode="absolute")
    assert await cur.fetchall() == expected
    with pytest.raises(IndexError):
        await cur.scroll(0)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_row_factory_set_after_the_rows_have_come(db: Db, conn: Any, kind: str) -> None:
    factories: Any = db.module("rows")
    cur = await conn.execute(KINDS[kind].format(600))
    assert await cur.fetchone() == rows(kind, 1)[0]
    cur.row_factory = factories.scalar_row
    assert await cur.fetchmany(500) == list(range(2, 502))
    cur.row_factory = factories.dict_row
    assert (await cur.fetchone())["i"] == 502
    cur.row_factory = factories.tuple_row
    assert await cur.fetchall() == rows(kind, 600)[502:]


async def test_what_can_be_changed_is_made_anew_each_time(db: Db, conn: Any) -> None:
    cur = await conn.execute("select array[i] from generate_series(1, 600) i")
    (await cur.fetchone())[0].append("changed")
    await cur.scroll(0, mode="absolute")
    assert await cur.fetchone() == ([1],)


async def test_a_loader_of_ones_own_is_called_when_rows_are_fetched(db: Db, conn: Any) -> None:
    loaded = []

    class Loader(db.module("types.numeric").IntLoader):  # type: ignore[misc]
        def load(self, data: Any) -> Any:
            loaded.append(bytes(data))
            return int(data)

    cur = conn.cursor()
    cur.adapters.register_loader("int4", Loader)
    await cur.execute("select generate_series(1, 600)")
    assert loaded == []
    assert await cur.fetchone() == (1,)
    assert loaded == [b"1"]


@pytest.mark.beyond
async def test_a_loader_that_cannot_be_made_ends_no_transaction(db: Db, conn: Any) -> None:
    class Loader(db.module("types.numeric").IntLoader):  # type: ignore[misc]
        def __init__(self, *_: object) -> None:
            raise ZeroDivisionError

    cur = conn.cursor()
    cur.adapters.register_loader("int4", Loader)
    with pytest.raises(ZeroDivisionError):
        await cur.execute("select generate_series(1, 600)")
    assert await db.value(conn) == 42


@pytest.mark.parametrize("binary", [False, True])
async def test_a_value_that_cannot_be_loaded_is_an_error_where_it_is_fetched(
    db: Db, conn: Any, binary: bool
) -> None:
    cur = conn.cursor(binary=binary)
    day = "case when i = 600 then 'infinity'::date else '2000-01-01'::date + i end"
    await cur.execute(f"select i, {day} as day from generate_series(1, 1000) i")
    assert conn.info.transaction_status == db.module("pq").TransactionStatus.INTRANS
    assert cur.rowcount == 1000
    assert len(await cur.fetchmany(599)) == 599
    for fetch in (cur.fetchone, cur.fetchall):
        await cur.scroll(599, mode="absolute")
        with pytest.raises(db.errors.DataError):
            await fetch()
    await cur.scroll(600, mode="absolute")
    assert (await cur.fetchone())[0] == 601
    assert len(await cur.fetchall()) == 399
    assert await db.value(conn) == 42


@pytest.mark.beyond
async def test_the_error_names_the_column(db: Db, conn: Any) -> None:
    cur = await conn.execute("select date 'infinity' as day from generate_series(1, 600)")
    with pytest.raises(db.errors.DataError, match="in column 'day'"):
        await cur.fetchall()


async def test_the_server_fails_in_the_midst_of_the_rows(db: Db, conn: Any) -> None:
    cur = conn.cursor()
    with pytest.raises(db.errors.DivisionByZero):
        await cur.execute("select 1 / (10000 - i) from generate_series(1, 20000) i")
    assert (cur.pgresult, cur.rowcount, cur.description) == (None, -1, None)
    with pytest.raises(db.errors.ProgrammingError):
        await cur.fetchall()
    await conn.rollback()
    assert await db.value(conn) == 42


async def test_several_big_results_of_one_call(db: Db, conn: Any) -> None:
    await conn.execute("create temp table t (i int)")
    cur = await conn.execute(
        "select generate_series(1, 600); insert into t select generate_series(1, 700);"
        " select generate_series(1, 500); select 'end'"
    )
    found = []
    async for result in cur.results():
        everything = await result.fetchall() if result.description else None
        found.append((result.rowcount, result.statusmessage, everything and everything[-1]))
    assert found == [
        (600, "SELECT 600", (600,)),
        (700, "INSERT 0 700", None),
        (500, "SELECT 500", (500,)),
        (1, "SELECT 1", ("end",)),
    ]
    await cur.set_result(0)
    assert await cur.fetchone() == (1,)


async def test_rows_that_a_command_returns(db: Db, conn: Any) -> None:
    await conn.execute("create temp table t (i int)")
    cur = await conn.execute("insert into t select generate_series(1, 600) returning i")
    assert (cur.rowcount, cur.statusmessage) == (600, "INSERT 0 600")
    assert len(await cur.fetchall()) == 600


async def test_types_that_have_to_be_learned(db: Db, conn: Any) -> None:
    await conn.execute("create type pg_temp.mood as enum ('sad', 'happy')")
    for _ in range(2):
        cur = await conn.execute("select i, 'happy'::pg_temp.mood from generate_series(1, 600) i")
        assert (await cur.fetchall())[-1] == (600, "happy")


async def test_a_statement_whose_results_grow_and_shrink(db: Db, conn: Any) -> None:
    for _ in range(2):
        for count in (1, 1, 600, 1, 600):
            cur = await conn.execute("select generate_series(1, %s::int)", (count,), prepare=True)
            assert await cur.fetchall() == [(i,) for i in range(1, count + 1)]


@pytest.mark.beyond
async def test_a_statement_that_has_returned_a_few_rows_may_return_many(db: Db, conn: Any) -> None:
    cur = conn.cursor()
    for count in (*[10] * 7, 600):
        await cur.execute("select generate_series(1, %s::int)", (count,))
        assert await cur.fetchall() == [(i,) for i in range(1, count + 1)]
    with pytest.raises(db.errors.NotSupportedError, match="fetch its rows"):  # it has come in chunks
        cur.pgresult.get_value(0, 0)


async def test_what_libpq_has_of_a_result(db: Db, conn: Any) -> None:
    pq: Any = db.module("pq")
    for count in (200, 600):
        result = (await conn.execute("select generate_series(1, %s::int) as n", (count,))).pgresult
        assert (result.status, result.ntuples, result.nfields) == (pq.ExecStatus.TUPLES_OK, count, 1)
        assert (result.fname(0), result.ftype(0)) == (b"n", 23)
        assert result.command_status == b"SELECT %d" % count
    cur = conn.cursor(binary=False)
    result = (await cur.execute("select i, array[i] from generate_series(1, 600) i")).pgresult
    assert (result.get_value(0, 0), result.get_value(599, 1)) == (b"1", b"{600}")


@pytest.mark.beyond
async def test_the_bytes_of_a_big_result_are_not_kept(db: Db, conn: Any) -> None:
    cur = await conn.execute("select generate_series(1, 600)")
    for ask in (cur.pgresult.get_value, cur.pgresult.get_length, cur.pgresult.get_isnull):
        with pytest.raises(db.errors.NotSupportedError, match="fetch its rows"):
            ask(0, 0)
    for row in (-1, 600):
        with pytest.raises(IndexError, match=f"no row {row} in a result of 600"):
            cur.pgresult.get_value(row, 0)


async def big_and_closed(db: Db, conn: Any) -> None:
    await conn.close()


async def big_and_lost(db: Db, conn: Any) -> None:
    db.sql("select pg_terminate_backend(%s)", conn.info.backend_pid)


@pytest.mark.runtimes("select", "gevent", "asyncio", "trio")
@pytest.mark.parametrize("end", [big_and_closed, big_and_lost])
@pytest.mark.parametrize("kind", KINDS)
async def test_rows_that_have_come_need_no_connection(
    db: Db, conn: Any, kind: str, end: Callable[..., Any]
) -> None:
    cur = await conn.execute(KINDS[kind].format(2000))
    cur.row_factory = db.module("rows").scalar_row
    await end(db, conn)
    assert [await cur.fetchone(), *(await cur.fetchmany(900))] == list(range(1, 902))
    assert [row async for row in cur] == list(range(902, 2001))
    await cur.scroll(0, mode="absolute")
    assert len(await cur.fetchall()) == 2000


@pytest.mark.runtimes("select", "gevent", "asyncio", "trio")
async def test_interrupted_between_two_chunks(db: Db, conn: Any) -> None:
    with db.hold() as lock:
        query = f"select i, case when i = 5000 then length({lock}::text) end from generate_series(1, 9000) i"
        task = await db.interrupt(conn, conn.execute, query)
    with pytest.raises((db.runtime.Killed, KeyboardInterrupt)):
        await task.get()
    await conn.rollback()
    assert len(await db.fetch(conn, KINDS["made as they come"].format(600))) == 600
