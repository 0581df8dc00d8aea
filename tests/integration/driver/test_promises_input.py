"""Promises 19 to 22: what cannot be sent is refused before a byte leaves, and settings are followed.

Promise 20, on values, is with the types; promise 22 has more in `test_execute`, 23 is in `test_hostile`.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.driver.bed import Db


class Alien:
    """Nothing that a database knows."""


BAD_INPUT: dict[str, tuple[str, Any]] = {
    "nul in the query": ("select 1\0", None),
    "nul in a query with parameters": ("select %s\0", (1,)),
    "nul in a text": ("select %s", ("a\0b",)),
    "nul in an array": ("select %s", (["a\0b"],)),
    "surrogate in the query": ("select '\ud800'", None),
    "surrogate in a text": ("select %s", ("\ud800",)),
    "surrogate in a name": ("select %(\ud800)s", {"\ud800": "\ud800"}),
    "an alien": ("select %s", (Alien(),)),
    "an alien in a list": ("select %s", ([Alien()],)),
    "a list of different things": ("select %s", ([1, "x", Alien()],)),
    "too many": ("select " + ", ".join(["%s"] * 65536), list(range(65536))),
    "a recursive list": ("select %s", None),
}
recursive: list[Any] = []
recursive.append(recursive)
BAD_INPUT["a recursive list"] = ("select %s", (recursive,))


@pytest.mark.beyond  # psycopg 3 has begun a transaction by then, and raises UnicodeEncodeError
@pytest.mark.parametrize("name", BAD_INPUT)
async def test_19_what_cannot_be_sent_is_refused_before_a_byte_leaves(db: Db, conn: Any, name: str) -> None:
    with pytest.raises((db.errors.DataError, db.errors.ProgrammingError)) as caught:
        await conn.execute(*BAD_INPUT[name])
    assert str(caught.value).strip()
    assert conn.info.transaction_status.name == "IDLE"  # not even BEGIN was
    assert await db.value(conn) == 42


@pytest.mark.beyond
async def test_19_in_a_transaction_it_goes_on(db: Db, conn: Any) -> None:
    await conn.execute("create temp table went_on (id int)")
    with pytest.raises(db.errors.DataError):
        await conn.execute("select %s", ("a\0b",))
    await conn.execute("insert into went_on values (1)")
    assert await db.value(conn, "select count(*) from went_on") == 1


@pytest.mark.beyond
async def test_19_an_adapter_that_fails(db: Db, conn: Any) -> None:
    adapt: Any = db.module("adapt")

    class Broken(adapt.Dumper):  # type: ignore[misc]
        def dump(self, obj: Any) -> bytes:
            raise ZeroDivisionError("mine")

    conn.adapters.register_dumper(Alien, Broken)
    with pytest.raises((ZeroDivisionError, db.errors.DataError)):
        await conn.execute("select %s", (Alien(),))
    assert conn.info.transaction_status.name == "IDLE"
    assert await db.value(conn) == 42


@pytest.mark.beyond
async def test_19_a_loader_that_fails(db: Db, conn: Any) -> None:
    adapt: Any = db.module("adapt")

    class Broken(adapt.Loader):  # type: ignore[misc]
        def load(self, data: Any) -> Any:
            raise ZeroDivisionError("mine")

    cur = conn.cursor()
    cur.adapters.register_loader("int4", Broken)
    await cur.execute("select 1", binary=False)
    with pytest.raises((ZeroDivisionError, db.errors.DataError)):
        await cur.fetchone()
    assert await db.value(conn) == 42


@pytest.mark.beyond
async def test_21_an_encoding_that_python_lacks_is_an_error_and_can_be_left(db: Db, conn: Any) -> None:
    await conn.execute("set client_encoding to euc_tw")
    with pytest.raises(db.errors.NotSupportedError, match="EUC_TW"):
        await db.fetch(conn, "select 'ä'")
    await conn.execute("rollback")
    await conn.execute("set client_encoding to utf8")
    assert await db.value(conn, "select %s", ("ä",)) == "ä"


@pytest.mark.parametrize(
    "style", ["ISO, DMY", "German", "SQL, DMY", "SQL, MDY", "Postgres, DMY", "Postgres, MDY"]
)
async def test_21_datestyle(db: Db, conn: Any, style: str) -> None:
    await conn.execute(f"set datestyle to '{style}'")
    moment = dt.datetime(2024, 2, 3, 4, 5, 6, 789)
    values = (moment.date(), moment)
    query = "select '2024-02-03'::date, '2024-02-03 04:05:06.000789'::timestamp"
    assert await (await conn.execute(query, binary=True)).fetchone() == values
    try:
        assert await (await conn.execute(query, binary=False)).fetchone() == values
    except db.errors.NotSupportedError as error:  # honest, where it cannot be read
        assert style.split(",")[0] in str(error)  # noqa: PT017
    assert (
        await (await conn.execute("select %s::date, %s::timestamp", values, binary=True)).fetchone() == values
    )


@pytest.mark.beyond
@pytest.mark.parametrize("style", ["postgres", "postgres_verbose", "sql_standard", "iso_8601"])
async def test_21_intervalstyle(db: Db, conn: Any, style: str) -> None:
    await conn.execute(f"set intervalstyle to '{style}'")
    delta = dt.timedelta(days=-3, seconds=7, microseconds=11)
    query = "select make_interval(days => -3, secs => 7.000011)"
    assert await (await conn.execute(query, binary=True)).fetchone() == (delta,)
    try:
        assert await (await conn.execute(query, binary=False)).fetchone() == (delta,)
    except db.errors.NotSupportedError as error:
        assert style in str(error)  # noqa: PT017
    assert await db.value(conn, "select %s = make_interval(days => -3, secs => 7.000011)", (delta,)) is True


async def test_21_standard_conforming_strings(db: Db, conn: Any) -> None:
    sql: Any = db.module("sql")
    text = "back\\slash 'quote' \\' end"
    for setting in ("off", "on"):
        await conn.execute(f"set standard_conforming_strings to {setting}")
        await conn.execute("set escape_string_warning to off")
        assert await db.value(conn, sql.SQL("select {}").format(text)) == text


async def test_21_settings_that_change_in_the_midst_of_statements(db: Db, conn: Any) -> None:
    cur = conn.cursor()
    await cur.execute("select 'ä'; set client_encoding to latin1; select 'ö'")
    await db.fetch(conn, "select 1")
    assert conn.info.encoding == "iso8859-1"
    assert await db.value(conn, "select 'ü'") == "ü"
