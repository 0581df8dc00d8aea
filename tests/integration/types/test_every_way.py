"""Values of every family through real cursors: whatever way they go and come, they come back the same."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import greenpg
from greenpg.types.json import Jsonb
from greenpg.types.multirange import Int4Multirange
from greenpg.types.range import DateRange, Int4Range

if TYPE_CHECKING:
    from collections.abc import Iterator

Connection = greenpg.Connection[Any]

DAYS = st.integers(-700_000, 2_900_000)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text('ab"\\é', max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('a"\\', max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "int2": st.integers(-(2**15), 2**15 - 1),
    "int4": st.integers(-(2**31), 2**31 - 1),
    "int8": st.integers(-(2**63), 2**63 - 1),
    "numeric": st.decimals(allow_nan=False, allow_infinity=False, places=4)
    | st.integers(10**30, 10**40).map(Decimal),
    "float4": st.floats(allow_nan=False, width=32),
    "float8": st.floats(allow_nan=False),
    "text": st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    "varchar": st.text("ab\"\\{},() 'é€\n\t", max_size=8),
    "bytea": st.binary(max_size=20),
    "date": st.dates(),
    "time": st.times(),
    "timetz": st.times(timezones=st.just(dt.timezone(dt.timedelta(minutes=90)))),
    "timestamp": st.datetimes(),
    "timestamptz": st.datetimes(timezones=st.just(dt.timezone.utc)),
    "interval": st.timedeltas(dt.timedelta(days=-(10**8)), dt.timedelta(days=10**8)),
    "uuid": st.uuids(),
    "inet": st.ip_addresses(),
    "jsonb": DOCUMENTS.map(Jsonb),
    "int4range": st.tuples(st.none() | st.integers(-9, 0), st.none() | st.integers(1, 9)).map(
        lambda bounds: Int4Range(*bounds, "()" if bounds[0] is None else "[)")
    ),
    "daterange": st.tuples(st.dates(max_value=dt.date(1999, 1, 1)), st.dates(dt.date(2000, 1, 1))).map(
        lambda bounds: DateRange(*bounds)
    ),
    "int4multirange": st.sets(st.integers(-50, 50), max_size=5).map(
        lambda found: Int4Multirange([Int4Range(2 * low, 2 * low + 1) for low in sorted(found)])
    ),
}


@pytest.fixture(scope="module")
def connection(dsn: str) -> Iterator[Connection]:
    """A connection for all of them."""
    with greenpg.connect(dsn, autocommit=True) as connection:
        connection.execute("set timezone to 'UTC'")
        yield connection


def plain(value: Any) -> Any:
    """Return a value as it comes back."""
    if isinstance(value, list | tuple):
        return type(value)(map(plain, value))
    return value.obj if isinstance(value, Jsonb) else value


@pytest.mark.parametrize("name", VALUES)
def test_every_way(connection: Connection, name: str) -> None:
    values = VALUES[name]
    connection.execute(f"create temp table {name}_ways (number serial, one {name}, many {name}[])")

    @settings(max_examples=12, suppress_health_check=list(HealthCheck), database=None)
    @given(value=values, more=st.lists(st.none() | values, max_size=3))
    def check(value: Any, more: list[Any]) -> None:
        row = (value, [*more, value])
        rows = [row, (None, row[1]), (value, None)]
        connection.execute(f"truncate {name}_ways")
        assert list(executed(connection, name, row)) == [plain(row)] * 9
        assert stored(connection, name, rows) == [plain(rows)] * 6

    check()


def executed(connection: Connection, name: str, row: tuple[Any, Any]) -> Iterator[Any]:
    """Give a row back as each kind of cursor does; the core goes over to binary by itself."""
    for letter in "stb":
        query = f"select %{letter}::{name}, %{letter}::{name}[]"
        for binary in (False, None):
            yield connection.execute(query, row, binary=binary).fetchone()
    yield greenpg.RawCursor(connection).execute(f"select $1::{name}, $2::{name}[]", row).fetchone()
    yield greenpg.ClientCursor(connection).execute(f"select (%s)::{name}, %s::{name}[]", row).fetchone()
    with connection.pipeline():
        yield connection.execute(f"select %b::{name}, %t::{name}[]", row).fetchone()


def stored(connection: Connection, name: str, rows: list[tuple[Any, Any]]) -> list[Any]:
    """Store rows in every way, and return what is there by each way to get it."""
    table, found = f"{name}_ways", []
    select = f"select one, many from {table} order by number"
    types = [name, f"{name}[]"]
    connection.cursor().executemany(f"insert into {table} (one, many) values (%s, %s)", rows)
    found.append(list(connection.cursor().stream(select, size=2)))
    for form in ("text", "binary"):
        connection.execute(f"truncate {table}")
        with connection.cursor().copy(f"copy {table} (one, many) from stdin (format {form})") as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)
        found.append(connection.execute(select, binary=form == "binary").fetchall())
        with connection.cursor().copy(f"copy ({select}) to stdout (format {form})") as copy:
            copy.set_types(types)
            found.append(list(copy.rows()))
    with connection.transaction(), connection.cursor("of_ways") as cursor:
        found.append(cursor.execute(select).fetchall())
    return found
