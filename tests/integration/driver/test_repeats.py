"""A statement that is known is sent again in one step, where that is compiled: never one that it is not."""

from __future__ import annotations

from collections import defaultdict, namedtuple
from datetime import date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from greenpg import pq
from greenpg._core.prepare import Statement
from greenpg.adapt import Dumper, Format, Loader, Transformer
from tests.integration.driver.blocking import bare

if TYPE_CHECKING:
    from tests.integration.driver.bed import Db

pytestmark = [pytest.mark.beyond, pytest.mark.runtimes("select", "asyncio")]

IS_COMPILED = not pq.why_not_compiled()
FORGET = "do $$ begin execute 'deallocate all'; end $$"


class Counting:
    """Half of a cursor class, which counts the long ways."""

    conversions = 0

    def _convert(self, *args: Any) -> Any:
        type(self).conversions += 1
        return super()._convert(*args)  # type: ignore[misc]


def counting(db: Db) -> Any:
    """Return a class of cursors that counts."""
    return type("CountingCursor", (Counting, db.kind("Cursor")), {})


async def ready(db: Db, **options: Any) -> Any:
    """Return a connection that prepares each statement at once."""
    return await db.connect(**{"prepare_threshold": 0, "autocommit": True, **options})


async def values(db: Db, conn: Any, query: str, *sets: Any) -> list[Any]:
    """Return the value that a query has with each of the sets of parameters, by a new cursor each time."""
    return [await db.value(conn, query, params) for params in sets]


# That it is done

MOMENT = datetime(2024, 1, 2, 3, 4, tzinfo=timezone.utc)
NUMBERS = [1, 1 << 20, 1 << 40, 1.5, Decimal("1.50")]
KNOWN = [None, *NUMBERS, True, "a", "é" * 5000, b"\0", UUID(int=5), date.max, MOMENT]


async def test_the_long_way_is_gone_twice(db: Db) -> None:
    """The first time the statement is prepared, the second time its columns are looked at."""
    cursor_class = counting(db)
    conn = await ready(db, cursor_factory=cursor_class)
    for number, value in enumerate(KNOWN):
        query, named, bare = f"select %s, {number}", f"select %(a)s, {number}, 'named'", f"select {number}"
        for params in ((value,), [value], (value,), [value]):
            assert await db.fetch(conn, query, params) == [(value, number)]
            assert await db.fetch(conn, named, {"a": value, "b": 1}) == [(value, number, "named")]
            assert await db.fetch(conn, bare) == [(number,)]
        assert cursor_class.conversions == (6 if IS_COMPILED else 12), value
        cursor_class.conversions = 0


async def test_each_of_many_parameters_is_kept_until_all_are_sent(db: Db) -> None:
    conn = await ready(db)
    for count in (0, 1, 16, 17):
        query = "select " + ", ".join(["%s::text"] * count)
        for turn in range(4):
            params = tuple(f"é{turn}{number:02}" for number in range(count))
            assert await db.fetch(conn, query, params) == [params]


async def test_text_ends_where_it_ends(db: Db) -> None:
    conn = await ready(db)
    numbers = [12345, 1, -99, 0, 32767, 7] * 2
    assert await values(db, conn, "select %t::int", *((number,) for number in numbers)) == numbers


# What it is given

WRONG: list[Any] = [
    *(None, (), (1, 2), [1, 2], {"a": 1}, {"b": 1}, {}, "1", b"1", 1, {1}, (object(),), {"a": object()}),
    *(("\0",), ("\ud800",), {"a": "\0"}, {"a": "\ud800"}),
]


async def outcome(db: Db, conn: Any, query: str, params: Any) -> str:
    """Return what there is to see of an execution."""
    try:
        return repr(await values(db, conn, query, params))
    except db.errors.Error as error:
        return repr(error)


@pytest.mark.parametrize(("query", "right"), [("select %s", (1,)), ("select %(a)s", {"a": 1})])
async def test_what_is_refused_is_refused_as_ever(db: Db, query: str, right: Any) -> None:
    known, new = await ready(db), await ready(db, prepare_threshold=None)
    texts = [("a",), {"a": "a"}][isinstance(right, dict)]
    assert await values(db, known, query, *[right] * 3, *[texts] * 3) == [1] * 3 + ["a"] * 3
    for wrong in WRONG:
        assert await outcome(db, known, query, wrong) == await outcome(db, new, query, wrong)
    assert await values(db, known, query, right, texts) == [1, "a"]


class Doubling(dict[str, int]):
    """Has twice of what it holds."""

    def __getitem__(self, key: str) -> int:
        return 2 * super().__getitem__(key)


class Pair(namedtuple("Pair", "a b")):
    """A tuple of a class of its own."""


async def test_sequences_and_mappings_of_other_classes(db: Db) -> None:
    conn = await ready(db)
    made: Any = defaultdict(lambda: 3)
    for _ in range(4):
        assert await values(db, conn, "select %s + %s", (1, 2), Pair(1, 2), range(1, 3)) == [3] * 3
        assert await values(db, conn, "select %(a)s::int", {"a": 1}, Doubling(a=1), made) == [1, 2, 3]


async def test_a_value_that_nothing_compiled_knows(db: Db) -> None:
    conn = await ready(db)
    for _ in range(3):
        for value in (timedelta(1), [1, 2], 1):
            assert await values(db, conn, "select %s", (value,)) == [value]


@pytest.mark.parametrize("known", ["select %s", b"select %s"])
async def test_what_is_no_text_is_none_that_is_known(db: Db, known: str | bytes) -> None:
    conn = await ready(db)
    cursor = conn.cursor()
    queries: list[Any] = [bytearray(b"select %s"), ["select %s"], {}, None]
    for query in queries:
        for _ in range(3):
            await cursor.execute(known, (1,))
        for params in ((1,), None):
            with pytest.raises(db.errors.ProgrammingError, match="a statement must be"):
                await cursor.execute(query, params)


async def test_the_same_text_is_of_other_statements(db: Db) -> None:
    """Which one is for its parameters to say, for their types, and for the kind of the cursor."""
    conn = await ready(db)
    types = {1: "smallint", 1 << 20: "integer", 1 << 40: "bigint", 1 << 80: "numeric", False: "boolean"}
    cursor = conn.cursor()
    conn.cursor_factory = db.kind("RawCursor")
    raw = conn.cursor()
    conn.cursor_factory = db.kind("Cursor")
    for _ in range(4):
        got = await values(db, conn, "select pg_typeof(%s)::text", *((value,) for value in types))
        assert got == list(types.values())
        for each, params in ((cursor, ()), (cursor, None), (raw, ()), (raw, None)):
            for _ in range(2):
                await each.execute("select '%%'", params)
                assert await each.fetchone() == ("%" if each is cursor and params == () else "%%",)


@pytest.mark.runtimes("gevent", "asyncio")
async def test_a_list_that_changes_meanwhile(db: Db) -> None:
    conn, params = await ready(db), [1, 2]

    async def change() -> None:
        params[:] = [3]

    query = "select %s::int, %s::int"
    for _ in range(3):
        assert await db.fetch(conn, query, params) == [(1, 2)]
    await conn.execute(FORGET, prepare=False)
    task = db.spawn(change)
    assert await db.fetch(conn, query, params) == [(1, 2)]
    await task.get()
    assert params == [3]


# What it depends on


@pytest.mark.parametrize("is_local", [False, True])
async def test_a_setting_has_changed(db: Db, is_local: bool) -> None:
    """Constants were read when the statement was prepared; so is the setting after a rollback another one."""
    conn = await ready(db)
    query, change = "select '01/02/2024'::date + %s", "select set_config('DateStyle', %s, %s)"
    january, february = date(2024, 1, 3), date(2024, 2, 2)
    await conn.execute("set datestyle to 'ISO, MDY'")
    for _ in range(3):
        assert await values(db, conn, query, *[(1,)] * 3) == [january] * 3
        async with conn.transaction(force_rollback=True):
            await db.value(conn, change, ("ISO, DMY", is_local))
            assert await values(db, conn, query, *[(1,)] * 3) == [february] * 3
    assert await values(db, conn, query, (1,)) == [january]


class Negating(Dumper):
    """Dumps a number as another one of the type that it would have anyway."""

    format, oid = Format.TEXT, 21

    def dump(self, obj: Any) -> bytes:
        """Return it."""
        return str(-obj).encode()


@pytest.mark.parametrize("whose", ["connection", "cursor"])
async def test_another_dumper_for_the_same_type(db: Db, whose: str) -> None:
    conn = await ready(db)
    cursor, other = conn.cursor(), conn.cursor()
    assert await values(db, conn, "select %s", *[(1,)] * 3) == [1] * 3
    (cursor if whose == "cursor" else conn).adapters.register_dumper(int, Negating)
    for _ in range(3):
        for each, value in ((cursor, -1), (other, 1 if whose == "cursor" else -1)):
            for query in ("select %s", "select %s, 'new'"):
                await each.execute(query, (1,))
                assert (await each.fetchone())[0] == value


async def test_after_a_change_it_is_known_again(db: Db) -> None:
    cursor_class = counting(db)
    conn = await ready(db, cursor_factory=cursor_class)
    for change in ("nothing", "adapters", "setting"):
        if change == "adapters":
            conn.adapters.register_dumper(float, Negating)
        elif change == "setting":
            await conn.execute("set timezone to 'Asia/Tokyo'")
        assert await values(db, conn, "select %s", *[(1,)] * 3) == [1] * 3
        before = cursor_class.conversions
        assert await values(db, conn, "select %s", (1,)) == [1]
        assert cursor_class.conversions == before + (not IS_COMPILED), change


class Saying(Loader):
    """Loads a text."""

    def load(self, data: bytes) -> str:
        """Return it."""
        return bytes(data).decode()


class Raw(Loader):
    """Loads what is no text."""

    format = Format.BINARY

    def load(self, data: bytes) -> bytes:
        """Return it."""
        return bytes(data)


async def test_a_cursor_with_loaders_of_its_own_has_judged_the_statement(db: Db) -> None:
    """Two texts that are the same statement in the end: what each cursor asks for is its own affair."""
    conn = await ready(db)
    conn.adapters.register_loader("int4", Saying)
    conn.cursor_factory = db.kind("RawCursor")
    own = conn.cursor()
    own.adapters.register_loader("int4", Raw)
    conn.cursor_factory = db.kind("Cursor")
    for _ in range(4):
        assert await values(db, conn, "select %s::int", (1,), (2,), (3,)) == ["1", "2", "3"]
        await own.execute("select $1::int", (1,))
        assert await own.fetchone() == (b"\0\0\0\1",)


async def prepared(conn: Any) -> set[str]:
    """Return the statements that the server has, without one that would have it forget some."""
    query = "select statement from pg_prepared_statements where name like '\\_greenpg%'"
    return {row[0] async for row in conn.cursor().stream(query)}


async def test_what_was_used_last_is_given_up_last(db: Db) -> None:
    conn = await ready(db)
    conn.prepared_max = 2
    first, second, third, fourth = (f"select {number}" for number in range(4))
    for query in (first, first, first, second, first, third):
        await conn.execute(query, ())
    assert await prepared(conn) == {first, second, third}
    await conn.execute(first, ())
    assert await prepared(conn) == {first, third}
    await conn.execute(fourth, ())
    await conn.execute(first, ())
    assert await prepared(conn) == {first, fourth}


async def test_what_was_given_up_is_forgotten_at_once(db: Db) -> None:
    conn = await ready(db)
    for number in (0, 0, 0, 1):
        await conn.execute(f"select {number}", ())
    conn.prepared_max = 1
    await conn.execute("select 2", ())
    await conn.execute("select 2", ())
    assert await prepared(conn) == {"select 2"}
    await conn.execute("select 0", ())
    await conn.execute("select 0", ())
    assert await prepared(conn) == {"select 0"}


async def test_binary_is_what_was_asked_for(db: Db) -> None:
    conn = await ready(db)
    await conn.execute("select %s", (1,))  # and nothing is known of its column yet
    for _ in range(3):
        for binary, form in ((None, 1), (False, 0), (None, 1), (True, 1)):
            cursor = await conn.execute("select %s", (1,), binary=binary)
            assert cursor.pgresult.fformat(0) == form
    cursor = conn.cursor(binary=False)
    await cursor.execute("select %s", (1,))
    assert cursor.pgresult.fformat(0) == 0


async def test_what_is_not_to_be_prepared_is_not_used(db: Db) -> None:
    conn = await ready(db)
    query = "select %s as used$1"
    uses = "select generic_plans + custom_plans from pg_prepared_statements where statement like '%used$1%'"
    for _ in range(3):
        await conn.execute(query, (1,))
    for _ in range(3):
        await conn.execute(query, (1,), prepare=False)
    conn.prepare_threshold = None
    await conn.execute(query, (1,))
    assert await db.fetch(conn, uses) == [(3,)]


async def test_a_transaction_begins(db: Db) -> None:
    """After that what is in it need not go the long way."""
    cursor_class = counting(db)
    conn = await ready(db, autocommit=False, cursor_factory=cursor_class)
    table = db.table()
    for turn in range(4):
        for number in range(5):
            await conn.execute(f"insert into {table} values (%s, 'x')", (number,))
            assert conn.info.transaction_status == db.module("pq").TransactionStatus.INTRANS
        await conn.rollback()
        assert cursor_class.conversions == (2 + turn if IS_COMPILED else 5 + 5 * turn)
    assert db.sql(f"select * from {table}") == []


async def test_a_pipeline_is_sent_at_its_end(db: Db) -> None:
    conn = await ready(db)
    assert await values(db, conn, "select %s", *[(1,)] * 3) == [1] * 3
    async with conn.pipeline():
        cursors = [await conn.execute("select %s", (value,)) for value in (1, 2)]
        assert [await cursor.fetchone() for cursor in cursors] == [(1,), (2,)]


# What comes of it


async def test_an_error_is_in_the_encoding_that_its_statement_was_sent_under(db: Db) -> None:
    """The failure takes back that the encoding was another one."""
    conn = await ready(db, autocommit=False)
    await conn.execute("set client_encoding to latin1")
    assert await values(db, conn, "select chr(%s)::int", *[(49,)] * 3) == [1] * 3
    with pytest.raises(db.errors.DataError, match='"é"'):
        await conn.execute("select chr(%s)::int", (0xE9,))


class Zone(tzinfo):
    """Counts how often it is asked."""

    asked = 0

    def utcoffset(self, _: datetime | None) -> timedelta:
        """Return none."""
        self.asked += 1
        return timedelta()

    dst = utcoffset

    def tzname(self, _: datetime | None) -> str:
        """Return a name."""
        return "here"


async def test_a_larger_result_is_no_reason_to_dump_again(db: Db) -> None:
    conn, zone = await ready(db), Zone()
    query, moment = "select %s::timestamptz from generate_series(1, %s)", datetime(2024, 1, 1, tzinfo=zone)
    asked = []
    for rows in (1, 1, 1, 2, 1, 1, 5000):
        before = zone.asked
        assert len(await db.fetch(conn, query, (moment, rows))) == rows
        asked.append(zone.asked - before)
    assert asked[3] == asked[6] == asked[2]


async def test_a_failure_is_the_statements_own(db: Db) -> None:
    """Unless nothing was executed: then that is done, but not in a transaction, which has failed."""
    conn = await ready(db)
    query = "select 6 / %s"
    assert await values(db, conn, query, *[(2,)] * 3) == [3] * 3
    for _ in range(3):
        with pytest.raises(db.errors.DataError, match="division by zero"):
            await conn.execute(query, (0,))
    await conn.execute(FORGET, prepare=False)
    assert await values(db, conn, query, (3,), [1]) == [2, 6]
    await conn.execute(FORGET, prepare=False)
    with pytest.raises(db.errors.ProgrammingError, match="does not exist"):
        async with conn.transaction():
            await conn.execute(query, (3,))
    assert await values(db, conn, query, (3,)) == [2]


@pytest.mark.skipif(not IS_COMPILED, reason="there is nothing that sends again")
async def test_the_compiled_class_looks_at_what_it_is_given(db: Db) -> None:
    conn = bare(await ready(db))
    repeat_class: Any = import_module("greenpg.pq._many").Repeat
    pgconn, encoders, state = conn.pgconn, conn.adapters.encoders, object()
    tx, statement = Transformer(conn), Statement((b"select $1", (21,)))
    statement.judged_by, statement.name = state, b"not there"
    with pytest.raises(ValueError, match="more than 16 parameters"):
        repeat_class(pgconn, encoders, "s" * 17, None)
    for names in ((), ("a",), ("a", "b", "c")):
        assert repeat_class(pgconn, encoders, "ss", names).send({"a": 1, "b": 1, "c": 1}, tx, state) is None
    repeat = repeat_class(pgconn, encoders, "s", None)
    for key in ((), (b"",), 1):
        with pytest.raises((ValueError, TypeError)):
            repeat.remember(Statement(key))  # type: ignore[arg-type]
    repeat.remember(statement)
    for params in (None, (), ("a",), (1, 2), {"a": 1}):
        assert repeat.send(params, tx, state) is None
    assert repeat.send((1,), tx, object()) is None
    pgconn.send_query(b"select 1")
    with pytest.raises(db.errors.OperationalError, match="sending a command failed: another command"):
        repeat.send((1,), tx, state)
    statement.name = "a text"  # type: ignore[assignment]
    with pytest.raises(TypeError, match="bytes"):
        repeat.send((1,), tx, state)
    pgconn.finish()
    with pytest.raises(db.errors.OperationalError, match="the connection is closed"):
        repeat.send((1,), tx, state)
