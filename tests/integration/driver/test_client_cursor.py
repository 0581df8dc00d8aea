"""Cursors that bind on the client, and those with the server's own placeholders."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.driver.bed import Db


async def made(db: Db, kind: str) -> Any:
    """Return a connection whose cursors are of another kind."""
    return await db.connect(cursor_factory=db.kind(kind))


async def test_client_puts_values_in(db: Db) -> None:
    conn = await made(db, "ClientCursor")
    row = (1, "it's \\ é", None, True, 1.5, b"\0\xff", [1, None], datetime.date(2024, 2, 29))
    query = "select %s, %s, %s, %s, %s::float8, %s, %s, %s"
    assert await db.fetch(conn, query, row) == [row]
    assert await db.value(conn, "select %(a)s || %(b)s", {"a": "x", "b": "%s"}) == "x%s"


async def test_client_takes_several_statements_with_parameters(db: Db) -> None:
    conn = await made(db, "ClientCursor")
    for number in range(10):  # more often than what is prepared otherwise
        cursor = await conn.execute("select %s; select %s", [number, "x"])
        assert await cursor.fetchall() == [(number,)]
        assert cursor.nextset() is True
        assert await cursor.fetchall() == [("x",)]
        assert cursor.nextset() is None


async def test_client_takes_parameters_where_the_server_does_not(db: Db) -> None:
    conn = await made(db, "ClientCursor")
    await conn.execute("create temp table bound (a int default %s)", [7])
    assert await db.value(conn, "insert into bound default values returning a") == 7


async def test_client_executes_many(db: Db) -> None:
    conn = await made(db, "ClientCursor")
    cursor = conn.cursor()
    await cursor.execute("create temp table bound (a int, b text)")
    await cursor.executemany("insert into bound values (%s, %s)", [(n, f"it's {n}") for n in range(100)])
    assert cursor.rowcount == 100
    assert await db.value(conn, "select count(*) from bound where b = 'it''s ' || a") == 100


async def test_client_streams(db: Db) -> None:
    conn = await made(db, "ClientCursor")
    stream = conn.cursor().stream("select generate_series(1, %s)", [3])
    assert [row async for row in stream] == [(1,), (2,), (3,)]


async def test_mogrify_tells_what_would_be_sent(db: Db) -> None:
    conn = await made(db, "ClientCursor")
    cursor = conn.cursor()
    assert cursor.mogrify("select %s, %s, %s", [1, "it's", None]) == "select 1, 'it''s', NULL"
    assert cursor.mogrify("select %(a)s + %(a)s", {"a": 2}) == "select 2 + 2"
    assert cursor.mogrify("select '%%'") == "select '%%'"
    assert cursor.mogrify("select '%%'", []) == "select '%'"


@pytest.mark.beyond
async def test_mogrify_of_what_does_not_fit_is_an_error(db: Db) -> None:
    conn = await made(db, "ClientCursor")
    for query, params in [("select %s", []), ("select %s", {"a": 1}), ("select %(a)s", [1])]:
        with pytest.raises(db.errors.ProgrammingError):
            conn.cursor().mogrify(query, params)
    with pytest.raises(db.errors.DataError):
        conn.cursor().mogrify("select %s", ["a\0b"])


async def test_raw_leaves_the_percent_sign_alone(db: Db) -> None:
    conn = await made(db, "RawCursor")
    for number in range(10):
        assert await db.fetch(conn, "select $1::int4, $1::int4 % 3, '%s'", [number]) == [
            (number, number % 3, "%s")
        ]
    assert await db.fetch(conn, "select 7 % 4") == [(3,)]


@pytest.mark.beyond
async def test_raw_takes_no_mapping(db: Db) -> None:
    conn = await made(db, "RawCursor")
    with pytest.raises(db.errors.ProgrammingError, match="sequence"):
        await conn.execute("select $1", {"a": 1})
    assert await db.value(conn) == 42


async def test_raw_executes_many_and_copies(db: Db) -> None:
    conn = await made(db, "RawCursor")
    cursor = conn.cursor()
    await cursor.execute("create temp table bound (a int)")
    await cursor.executemany("insert into bound values ($1)", [(n,) for n in range(10)])
    assert cursor.rowcount == 10
    async with cursor.copy("copy bound to stdout") as copy:
        assert len([row async for row in copy.rows()]) == 10
