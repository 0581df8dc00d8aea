"""Rows are of the type that the row factory makes, from the connection on; not run but type-checked.

What must be an error carries an ignore: the strict checker complains of one that is not needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from typing_extensions import assert_type

import greenpg
from greenpg import (
    AsyncConnection,
    AsyncCursor,
    AsyncServerCursor,
    ClientCursor,
    Connection,
    Cursor,
    ServerCursor,
)
from greenpg.rows import DictRow, TupleRow, args_row, class_row, dict_row, kwargs_row, scalar_row, tuple_row


@dataclass
class Person:
    """A row."""

    name: str


def person(name: str) -> Person:
    """Make a row by a function."""
    return Person(name)


def connections() -> None:
    assert_type(greenpg.connect(), Connection[TupleRow])
    assert_type(greenpg.connect("", row_factory=tuple_row), Connection[TupleRow])
    assert_type(greenpg.connect("", row_factory=dict_row), Connection[DictRow])
    assert_type(Connection.connect(row_factory=class_row(Person)), Connection[Person])
    with greenpg.connect("", autocommit=True, row_factory=dict_row) as conn:
        assert_type(conn, Connection[DictRow])
    greenpg.connect(row_factory=42)  # type: ignore[arg-type]
    greenpg.connect(wait_callback=print)  # type: ignore[arg-type]


class Special(Connection[TupleRow]):
    """A connection of one's own."""


def subclasses() -> None:
    assert_type(Special.connect(), Special)
    assert_type(Special.connect().execute("select 1"), Cursor[TupleRow])


def cursors(conn: Connection, dicts: Connection[DictRow]) -> None:
    assert_type(conn.cursor(), Cursor[TupleRow])
    assert_type(dicts.cursor(), Cursor[DictRow])
    assert_type(conn.cursor(row_factory=class_row(Person)), Cursor[Person])
    assert_type(conn.cursor(row_factory=args_row(person)), Cursor[Person])
    assert_type(conn.cursor(row_factory=kwargs_row(person)), Cursor[Person])
    assert_type(conn.cursor(row_factory=scalar_row), Cursor[Any])
    assert_type(dicts.cursor(row_factory=tuple_row), Cursor[TupleRow])
    assert_type(conn.cursor("name"), ServerCursor[TupleRow])
    assert_type(conn.cursor("name", row_factory=dict_row, withhold=True), ServerCursor[DictRow])
    assert_type(ClientCursor(conn, row_factory=dict_row).fetchone(), DictRow | None)
    assert_type(conn.cursor().connection, Any)
    conn.cursor(scrollable=True)  # type: ignore[call-overload]


def fetching(conn: Connection, people: Cursor[Person], far: ServerCursor[Person]) -> None:
    assert_type(conn.execute("select 1"), Cursor[TupleRow])
    assert_type(conn.execute("select 1").fetchone(), TupleRow | None)
    assert_type(people.execute("select 1", (1,)), Cursor[Person])
    assert_type(people.fetchone(), Person | None)
    assert_type(people.fetchmany(2), list[Person])
    assert_type(people.fetchall(), list[Person])
    assert_type(people.stream("select 1"), Iterator[Person])
    assert_type(far.fetchone(), Person | None)
    assert_type(far.fetchall(), list[Person])
    for row in people:
        assert_type(row, Person)
    for row in far:
        assert_type(row, Person)
    for cursor in people.results():
        assert_type(cursor, Cursor[Person])
    print(people.fetchone().name)  # type: ignore[union-attr]
    people.execute(42)  # type: ignore[arg-type]
    people.execute("select %s", 42)  # type: ignore[arg-type]


async def in_async() -> None:
    assert_type(await AsyncConnection.connect(), AsyncConnection[TupleRow])
    assert_type(await AsyncConnection.connect(row_factory=dict_row), AsyncConnection[DictRow])
    async with await AsyncConnection.connect(row_factory=class_row(Person)) as conn:
        assert_type(conn, AsyncConnection[Person])
        assert_type(conn.cursor(), AsyncCursor[Person])
        assert_type(conn.cursor(row_factory=dict_row), AsyncCursor[DictRow])
        assert_type(conn.cursor("name"), AsyncServerCursor[Person])
        assert_type(conn.cursor("name", row_factory=dict_row), AsyncServerCursor[DictRow])
        cursor = await conn.execute("select 1")
        assert_type(cursor, AsyncCursor[Person])
        assert_type(await cursor.execute("select 1"), AsyncCursor[Person])
        assert_type(await cursor.fetchone(), Person | None)
        assert_type(await cursor.fetchmany(2), list[Person])
        assert_type(await cursor.fetchall(), list[Person])
        async for row in cursor:
            assert_type(row, Person)
        async for row in conn.cursor("name"):
            assert_type(row, Person)
        async for row in cursor.stream("select 1"):
            assert_type(row, Person)
        print(cursor.fetchone().name)  # type: ignore[attr-defined]
        for row in cursor:  # type: ignore[attr-defined]
            print(row)
