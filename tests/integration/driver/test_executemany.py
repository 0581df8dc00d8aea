"""executemany(): one statement, many sets of parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.driver.bed import Db

INSERT = "insert into many values (%s, %s)"


async def with_table(conn: Any) -> Any:
    """Return a cursor, with a table to fill."""
    cur = conn.cursor()
    await cur.execute("create temp table many (id int primary key, data text)")
    return cur


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
async def test_inserts_them_all(db: Db, conn: Any, count: int) -> None:
    cur = await with_table(conn)
    await cur.executemany(INSERT, [(number, f"row {number}") for number in range(count)])
    assert cur.rowcount == count
    assert await db.value(conn, "select count(*) from many") == count


async def test_takes_mappings_and_generators(db: Db, conn: Any) -> None:
    cur = await with_table(conn)
    await cur.executemany("insert into many values (%(i)s, %(d)s)", ({"d": "x", "i": i} for i in range(3)))
    assert cur.rowcount == 3


async def test_keeps_no_results_unless_asked(db: Db, conn: Any) -> None:
    cur = await with_table(conn)
    await cur.executemany(INSERT + " returning id", [(1, "a"), (2, "b")])
    assert cur.rowcount == 2
    with pytest.raises(db.errors.ProgrammingError):
        await cur.fetchone()


async def test_returning_gives_one_result_each(db: Db, conn: Any) -> None:
    cur = await with_table(conn)
    await cur.executemany(INSERT + " returning id, data", [(1, "a"), (2, "b")], returning=True)
    found = [await cur.fetchall()]
    while cur.nextset() is True:
        found.append(await cur.fetchall())
    assert found == [[(1, "a")], [(2, "b")]]


async def test_null_first_and_types_that_change(db: Db, conn: Any) -> None:
    cur = await with_table(conn)
    await cur.executemany(INSERT, [(1, None), (2, "x"), (2**31 - 1, None)])
    assert await db.fetch(conn, "select * from many order by id") == [(1, None), (2, "x"), (2**31 - 1, None)]


async def test_an_error_of_the_server_in_the_midst(db: Db, conn: Any) -> None:
    cur = await with_table(conn)
    await conn.commit()
    with pytest.raises(db.errors.UniqueViolation):
        await cur.executemany(INSERT, [(1, "a"), (1, "b"), (2, "c")])
    await conn.rollback()
    assert await db.value(conn, "select count(*) from many") == 0


async def test_an_error_of_the_iterable_in_the_midst(db: Db, conn: Any) -> None:
    def parameters() -> Any:
        yield 1, "a"
        raise ZeroDivisionError

    cur = await with_table(conn)
    await conn.commit()
    with pytest.raises(ZeroDivisionError):
        await cur.executemany(INSERT, parameters())
    await conn.rollback()
    assert await db.value(conn, "select count(*) from many") == 0


async def test_a_value_that_cannot_be_sent_in_the_midst(db: Db, conn: Any) -> None:
    cur = await with_table(conn)
    await conn.commit()
    with pytest.raises(db.errors.Error):
        await cur.executemany(INSERT, [(1, "a"), (2, object())])
    await conn.rollback()
    assert await db.value(conn, "select count(*) from many") == 0


async def test_megabytes_both_ways(db: Db, conn: Any) -> None:
    # As much is sent as comes back: whoever only sends for a while, blocks for ever.
    cur = conn.cursor()
    data = ["x" * 100_000 + str(number) for number in range(60)]
    await cur.executemany("select %s::text", [(text,) for text in data], returning=True)
    found = [(await cur.fetchone())[0]]
    while cur.nextset() is True:
        found.append((await cur.fetchone())[0])
    assert found == data


async def test_in_autocommit_it_is_all_or_nothing(db: Db) -> None:
    table = db.table("id int primary key")
    conn = await db.connect(autocommit=True)
    with pytest.raises(db.errors.UniqueViolation):
        await conn.cursor().executemany(f"insert into {table} values (%s)", [(1,), (2,), (1,), (3,)])
    assert db.sql(f"select id from {table}") == []
    assert await db.value(conn) == 42


@pytest.mark.beyond
async def test_1_an_interruption_keeps_the_connection(db: Db) -> None:
    conn = await db.connect()
    task = await db.interrupt(conn, conn.cursor().executemany, "select pg_sleep(%s)", [(0,), (30,), (0,)])
    assert isinstance(task.error, db.runtime.Killed)
    await conn.rollback()
    assert await db.value(conn) == 42


@pytest.mark.beyond
async def test_timeout_is_for_all_of_them(db: Db) -> None:
    conn = await db.connect()
    with pytest.raises(db.errors.StatementTimeout):
        await conn.cursor().executemany("select pg_sleep(%s)", [(0.2,)] * 100, timeout=0.5)
    await conn.rollback()
    assert await db.value(conn) == 42


async def test_statusmessage_is_of_the_last_one(db: Db, conn: Any) -> None:
    cur = await with_table(conn)
    await cur.executemany(INSERT, [(1, "a"), (2, "b")])
    assert (cur.statusmessage, cur.rowcount) == ("INSERT 0 1", 2)
    await cur.execute("select 1")
    assert cur.statusmessage == "SELECT 1"
    await cur.executemany(INSERT, [])
    assert (cur.statusmessage, cur.rowcount) == (None, 0)


async def test_there_is_nothing_to_fetch_after_an_error(db: Db, conn: Any) -> None:
    cur = await with_table(conn)
    with pytest.raises(db.errors.UniqueViolation):
        await cur.executemany(INSERT, [(1, "a"), (1, "b"), (2, "c")], returning=True)
    assert cur.nextset() is None
    with pytest.raises(db.errors.ProgrammingError):
        await cur.fetchone()
