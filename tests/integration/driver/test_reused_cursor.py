"""A cursor keeps what converts its values from one execution to the next: as long as nothing has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from greenpg.adapt import Dumper, Format, Loader

if TYPE_CHECKING:
    from tests.integration.driver.bed import Db

pytestmark = [pytest.mark.beyond, pytest.mark.runtimes("select", "asyncio")]

MOMENT = "select '2024-01-01 12:00+00'::timestamptz"
HOUR = "select extract(hour from %s::timestamptz)::int"


async def again(cursor: Any, query: str, params: Any = None) -> Any:
    """Execute a query until it is prepared, and return the value that it has had each time."""
    values = []
    for _ in range(3):
        await cursor.execute(query, params)
        values.append((await cursor.fetchone())[0])
    assert values == values[:1] * 3
    return values[0]


@pytest.mark.parametrize(
    "change", ["set timezone to 'Asia/Tokyo'", "select set_config('TimeZone', 'Asia/Tokyo', false)"]
)
async def test_a_setting_changes_between_two_executions(db: Db, change: str) -> None:
    conn = await db.connect(prepare_threshold=1, autocommit=True, options="-c timezone=UTC")
    cursor = conn.cursor()
    assert (await again(cursor, MOMENT)).hour == 12
    await cursor.execute(change)
    assert (await again(cursor, MOMENT)).hour == 21
    async with conn.transaction(force_rollback=True):
        await cursor.execute("set local timezone to 'UTC'")
        assert (await again(cursor, MOMENT)).hour == 12
    assert (await again(cursor, MOMENT)).hour == 21


async def test_the_encoding_changes_between_two_executions(db: Db) -> None:
    conn = await db.connect(prepare_threshold=1, autocommit=True)
    cursor = conn.cursor()
    for encoding in ("utf8", "latin1", "utf8"):
        await cursor.execute(f"set client_encoding to {encoding}")
        assert await again(cursor, "select %s || 'é', 1", ("ü",)) == "üé"
        assert await again(cursor, "select octet_length(%s::text)", ("ü",)) == 2


class Shouting(Loader):
    """Loads text in capitals."""

    def load(self, data: bytes) -> Any:
        """Return it."""
        return bytes(data).decode().upper()


class Doubling(Dumper):
    """Dumps twice the number."""

    format = Format.TEXT

    def dump(self, obj: Any) -> bytes:
        """Return it."""
        return str(obj * 2).encode()


@pytest.mark.parametrize("whose", ["connection", "cursor"])
async def test_adapters_are_registered_between_two_executions(db: Db, whose: str) -> None:
    conn = await db.connect(prepare_threshold=1, autocommit=True)
    cursor, other = conn.cursor(), conn.cursor()
    assert await again(cursor, "select 'quiet'::text") == "quiet"
    assert await again(cursor, "select %s::int", (4,)) == 4
    adapters = cursor.adapters if whose == "cursor" else conn.adapters
    adapters.register_loader("text", Shouting)
    adapters.register_dumper(int, Doubling)
    assert await again(cursor, "select 'quiet'::text") == "QUIET"
    assert await again(cursor, "select %s::int", (4,)) == 8
    assert await again(other, "select 'quiet'::text") == ("QUIET" if whose == "connection" else "quiet")
    assert await again(other, "select %s::int", (4,)) == (8 if whose == "connection" else 4)


async def test_a_type_is_made_between_two_executions(db: Db) -> None:
    conn = await db.connect(autocommit=True)
    cursor = conn.cursor()
    for kind in ("(a int)", "(a int, b text)"):
        await cursor.execute("drop type if exists pg_temp.made")
        await cursor.execute(f"create type pg_temp.made as {kind}")
        values = "(1)" if kind == "(a int)" else "(1, 'x')"
        assert len(await again(cursor, f"select row{values}::pg_temp.made")) == kind.count(
            "a int"
        ) + kind.count("b")


async def test_columns_are_others_than_the_last_time(db: Db) -> None:
    conn = await db.connect(prepare_threshold=None, autocommit=True)
    cursor = conn.cursor()
    for columns, row in (("1::int8", (1,)), ("1.5::float8", (1.5,)), ("1::int8, 'a'", (1, "a"))):
        await cursor.execute("drop table if exists pg_temp.kept")
        await cursor.execute(f"create temp table kept as select {columns}")
        for _ in range(3):
            await cursor.execute("select * from kept")
            assert await cursor.fetchall() == [row]


async def test_the_same_text_with_parameters_of_another_kind(db: Db) -> None:
    conn = await db.connect(prepare_threshold=0, autocommit=True)
    cursor = conn.cursor()
    query, named = "select %s", "select %(value)s"
    for value in (1, "1", 1.5, None, b"1", True, 1 << 40):
        await cursor.execute(query, (value,))
        assert await cursor.fetchone() == (value,)
        await cursor.execute(named, {"value": value, "other": 1})
        assert await cursor.fetchone() == (value,)
    for wrong in ((), (1, 2), {"value": 1}, "1", 1):
        with pytest.raises(db.errors.ProgrammingError):
            await cursor.execute(query, wrong)
        with pytest.raises(db.errors.ProgrammingError):
            await cursor.execute(named, (1,))


async def test_a_raw_statement_may_have_more_parameters_than_it_uses(db: Db) -> None:
    conn = await db.connect(autocommit=True)
    conn.cursor_factory = db.kind("RawCursor")
    cursor = conn.cursor()
    query = "select $1::int"
    for params in ((1,), (2, 3), (4,)):
        await cursor.execute(query, params)
        assert await cursor.fetchone() == params[:1]


async def test_somebody_else_changes_the_columns(db: Db) -> None:
    """Nothing tells of it but the columns themselves: of a type that is to be asked for."""
    conn = await db.connect(prepare_threshold=None, autocommit=True)
    table, kind = db.table("made int"), db.table("a int, b text")
    cursor, query = conn.cursor(), f"select made from {table}"
    db.sql(f"insert into {table} values (1)")
    assert await again(cursor, query) == 1
    db.sql(f"alter table {table} drop made, add made {kind} default row(1, 'x')")
    assert await again(cursor, query) == (1, "x")


async def test_a_copy_chooses_the_types_of_its_own_values_alone(db: Db) -> None:
    conn = await db.connect(autocommit=True)
    cursor = conn.cursor()
    await cursor.execute("create temp table copied (a text)")
    assert await again(cursor, "select %s", (1,)) == 1
    async with cursor.copy("copy copied from stdin (format binary)") as copy:
        copy.set_types(["text"])
        await copy.write_row(("x",))
    assert await again(cursor, "select %s", (1,)) == 1
    assert await again(cursor, "select * from copied") == "x"
