"""Types that nobody registered: enums, composites, domains, ranges, extensions, and what is made of them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

import greenpg
from greenpg.adapt import AdaptersMap, Format, Transformer
from greenpg.errors import DataError
from greenpg.types import adapters
from greenpg.types._introspection import learn
from greenpg.types.multirange import Multirange
from greenpg.types.numeric import IntLoader
from greenpg.types.range import Range

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = """
    create schema learned;
    set search_path to learned, public;
    create type mood as enum ('sad', 'it''s ok');
    create domain small as int check (value < 100);
    create type point3 as (x int, "y y" small, m mood, at mood[]);
    create domain points as point3[];
    create type date as (y int);
    create type floats as range (subtype = float8);
    create type leaf as (label text);
    create domain leaves as leaf[];
    create type tree as (label text, kids leaves);
    create type opaque;
    create function opaque_in(cstring) returns opaque language internal immutable strict as 'textin';
    create function opaque_out(opaque) returns cstring language internal immutable strict as 'textout';
    create function opaque_send(opaque) returns bytea language internal immutable strict as 'textsend';
    create type opaque (input = opaque_in, output = opaque_out, send = opaque_send, like = text);
    create table shop (a int, b mood[], c point3);
    insert into shop values (1, '{sad}', (1, 2, 'sad', null));
"""


@pytest.fixture(scope="module")
def schema(dsn: str) -> Iterator[str]:
    """A connection string of a server with the types."""
    with greenpg.connect(dsn, autocommit=True) as connection:
        connection.execute("drop schema if exists learned cascade")
        connection.execute(SCHEMA)
        yield dsn
        connection.execute("drop schema learned cascade")


@pytest.fixture
def connection(schema: str) -> Iterator[greenpg.Connection[Any]]:
    """A connection that knows nothing yet."""
    with greenpg.connect(schema, autocommit=True, options="-c search_path=learned,public") as connection:
        yield connection


POINT3 = (1, 2, "sad", ["it's ok", None])
VALUES = [
    ("'it''s ok'::mood", "it's ok"),
    ("array['sad', null]::mood[]", ["sad", None]),
    ("(1, 2, 'sad', array['it''s ok', null])::point3", POINT3),
    ("array[(1, 2, 'sad', array['it''s ok', null])::point3]", [POINT3]),
    ("array[(1, 2, 'sad', array['it''s ok', null])::point3]::points", [POINT3]),
    ("'{1,2}'::small[]", [1, 2]),
    ("row(5)::learned.date", (5,)),
    ("'[1.5,2.5)'::floats", Range(1.5, 2.5)),
    ("array['[1.5,2.5)'::floats]", [Range(1.5, 2.5)]),
    ("'{[1.5,2.5)}'::floats_multirange", Multirange([Range(1.5, 2.5)])),
    ("('a', array[row('b')::leaf])::tree", ("a", [("b",)])),
    ("'any thing'::opaque", "any thing"),
    ("array['any thing'::opaque]", ["any thing"]),
    ("(select shop from shop)", (1, ["sad"], (1, 2, "sad", None))),
]


@pytest.mark.parametrize(("sql", "value"), VALUES)
@pytest.mark.parametrize("binary", [None, False, True])
def test_types(connection: greenpg.Connection[Any], sql: str, value: Any, binary: bool | None) -> None:
    cursor = connection.cursor()
    if binary and "opaque" in sql:  # nobody can know what its bytes mean
        with pytest.raises(DataError, match="opaque"):
            cursor.execute(f"select {sql}", binary=binary).fetchone()
        return
    for _ in range(2):
        assert cursor.execute(f"select {sql}", binary=binary).fetchone() == (value,)


def test_composites_have_names_and_go_back(connection: greenpg.Connection[Any]) -> None:
    (value,) = connection.execute("select (1, 2, 'sad', null)::point3").fetchone()  # type: ignore[misc]
    assert (value.x, value.y_y, value.m) == (1, 2, "sad")
    for form in "stb":
        assert connection.execute(f"select %{form}, pg_typeof(%{form})::text", [value, value]).fetchone() == (
            value,
            "point3",
        )
    assert connection.execute("select %s", [[value, value]]).fetchone() == ([value, value],)


def test_what_is_learned_changes_nothing_else(connection: greenpg.Connection[Any]) -> None:
    connection.execute("select row(5)::learned.date, '[1.5,2)'::floats")
    assert connection.execute("select '2000-01-01'::pg_catalog.date::text").fetchone() == ("2000-01-01",)
    assert connection.adapters.types["date"].oid == 1082
    assert connection.execute("select %s::numrange::text", [Range(1.5, 2.5)]).fetchone() == ("[1.5,2.5)",)
    assert greenpg.adapters.types.get("floats") is None


def test_a_cursor_with_adapters_of_its_own(connection: greenpg.Connection[Any]) -> None:
    cursor = connection.cursor()
    cursor.adapters.register_loader("int2", IntLoader)
    for _ in range(2):
        assert cursor.execute("select array[row('b')::leaf]").fetchone() == ([("b",)],)


ALTERED = {
    "a field more": ("(a int)", "add attribute b text", "row(1, 'x')", (1, "x")),
    "a field more of an odd type": ("(a int)", "add attribute b money", "row(1, null)", (1, None)),
    "a field less": ("(a int, b text)", "drop attribute a", "row('x')", ("x",)),
    "another type": ("(a int)", "alter attribute a type text", "row('x')", ("x",)),
}


@pytest.mark.parametrize("altered", ALTERED)
@pytest.mark.parametrize("binary", [None, False, True])
def test_a_type_that_was_altered_is_asked_for_again(
    connection: greenpg.Connection[Any], schema: str, altered: str, binary: bool | None
) -> None:
    """Nobody has registered it, so nobody could register it anew."""
    fields, change, value, expected = ALTERED[altered]
    with greenpg.connect(schema, autocommit=True) as other:
        other.execute(f"create type learned.changed as {fields}")
        try:
            for _ in range(2):
                connection.execute("select null::changed, null::changed[]", binary=binary).fetchone()
            other.execute(f"alter type learned.changed {change}")
            query = f"select {value}::changed, array[{value}::changed]"
            with suppress(DataError):  # an error may tell of it, but only the first time
                connection.execute(query, binary=binary).fetchone()
            assert connection.execute(query, binary=binary).fetchone() == (expected, [expected])
        finally:
            other.execute("drop type learned.changed")


def test_a_hostile_search_path_is_not_asked(connection: greenpg.Connection[Any]) -> None:
    """Whoever may create an operator on the path could otherwise run code in every session that learns."""
    connection.execute("set search_path to learned, pg_catalog")
    connection.execute("create function bad(oid, oid) returns bool language plpgsql as 'begin raise; end'")
    connection.execute("create operator = (leftarg = oid, rightarg = oid, function = bad)")
    try:
        assert connection.execute("select array['sad']::mood[]").fetchone() == (["sad"],)
    finally:
        connection.execute("drop operator learned.= (oid, oid)")
        connection.execute("drop function bad")


def test_a_type_made_of_itself() -> None:
    """PostgreSQL refuses to make one today; a catalog that has it must not hang the session."""
    known = AdaptersMap(adapters)
    tree = (90001, "tree", "tree", "c", 90002, ",", False, 0, 0, ["label", "kids"], [25, 90003])
    kids: Any = (90003, "trees", "trees", "d", 0, ",", False, 90002, 0, [], [])
    array: Any = (90002, "_tree", "tree[]", "b", 0, ",", True, 0, 0, [], [])
    learn(known, [array, kids, tree])
    assert known.prefers_binary(90001)
    tx = Transformer(known)
    tx.set_loader_types([90001], Format.TEXT)
    assert tx.load_sequence([b'(a,"{""(b,)""}")']) == (("a", [("b", None)]),)
    learn(known, [array, kids, tree])
