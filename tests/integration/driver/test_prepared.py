"""What is known of statements, prepared or not, when it is out of date: never another value, one error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from greenpg import pq

if TYPE_CHECKING:
    from tests.integration.driver.bed import Db

pytestmark = [pytest.mark.beyond, pytest.mark.runtimes("select", "asyncio")]

MEANINGS: dict[str, tuple[str, str, list[str], list[Any]]] = {
    "client_encoding": ("utf8", "latin1", ["select 'é'", "select 'Ã©'"], ["é", "Ã©"]),
    "standard_conforming_strings": ("on", "off", [r"select 'a\\b'"] * 2, [r"a\\b", r"a\b"]),
    "datestyle": (
        "'ISO, MDY'", "'ISO, DMY'", ["select '01/02/2024'::date::text"] * 2, ["2024-01-02", "2024-02-01"],
    ),
    "timezone": (
        "'UTC'", "'Asia/Tokyo'",
        ["select extract(epoch from '1970-01-02'::timestamptz)::int"] * 2, [86400, 54000],
    ),
    "intervalstyle": (
        "'postgres'", "'sql_standard'",
        ["select extract(epoch from '-1 1:00:00'::interval)::int"] * 2, [-82800, -90000],
    ),
}  # fmt: skip


@pytest.mark.parametrize("setting", MEANINGS)
async def test_a_statement_means_what_the_settings_say(db: Db, setting: str) -> None:
    """Constants are read when a statement is prepared: it must not keep what they meant then."""
    conn = await db.connect(prepare_threshold=0, autocommit=True)
    await conn.execute("set escape_string_warning to off")
    first, second, queries, meanings = MEANINGS[setting]
    values = (first, second)
    for _ in range(2):
        for value, query, meaning in zip(values, queries, meanings, strict=True):
            await conn.execute(f"set {setting} to {value}")
            for _ in range(3):
                assert await db.value(conn, query) == meaning
    await conn.execute("begin")
    await conn.execute(f"set {setting} to {values[0]}")
    assert await db.value(conn, queries[0]) == meanings[0]
    await conn.rollback()
    assert await db.value(conn, queries[1]) == meanings[1]


async def test_not_to_prepare_is_not_to_use_what_is_prepared(db: Db) -> None:
    conn = await db.connect(prepare_threshold=0, autocommit=True)
    uses = "select generic_plans + custom_plans from pg_prepared_statements where statement like '%used$1%'"
    await conn.execute("select %s as used$1", (1,))
    await conn.execute("select %s as used$1", (1,), prepare=False)
    conn.prepare_threshold = None
    await conn.execute("select %s as used$1", (1,))
    assert await db.fetch(conn, uses) == [(1,)]


async def test_names_are_the_connections_own(db: Db) -> None:
    """A pooler that knows nothing of statements must not run those of somebody else."""
    names = set()
    for _ in range(2):
        conn = await db.connect(prepare_threshold=0)
        names |= set(await db.fetch(conn, "select name from pg_prepared_statements"))
    assert len(names) == 2


FORGET = "do $$ begin execute 'deallocate all'; end $$"


async def test_a_statement_that_the_server_has_lost(db: Db) -> None:
    conn = await db.connect(prepare_threshold=0, autocommit=True)
    assert await db.value(conn, "select %s", (1,)) == 1
    await conn.execute(FORGET, prepare=False)
    assert await db.value(conn, "select %s", (1,)) == 1
    assert await db.value(conn, "select %s", (2,)) == 2
    async with conn.transaction(force_rollback=True):
        await conn.execute(FORGET, prepare=False)
        with pytest.raises(db.errors.ProgrammingError, match="does not exist"):
            await conn.execute("select %s", (1,))
    assert await db.value(conn, "select %s", (1,)) == 1


async def test_more_than_are_kept_of_those_that_the_server_has_lost(db: Db) -> None:
    if not pq.library().has("PQsendClosePrepared"):
        pytest.skip("libpq 17 brought the way to close what may not be there")
    conn = await db.connect(prepare_threshold=0, autocommit=True)
    conn.prepared_max = 2
    for number in range(2):
        await conn.execute(f"select {number}")
    await conn.execute(FORGET, prepare=False)
    async with conn.transaction():
        for number in range(2, 6):
            assert await db.value(conn, f"select {number}") == number
    assert await db.value(conn, "select count(*)::int from pg_prepared_statements") <= 3


@pytest.mark.parametrize("threshold", [None, 0])
async def test_a_column_that_is_not_to_be_had_in_binary_any_more(db: Db, threshold: int | None) -> None:
    conn = await db.connect(prepare_threshold=threshold, autocommit=True)
    await conn.execute("create temp table turned (of int)")
    await conn.execute("insert into turned values (1)")
    for _ in range(3):
        assert await db.fetch(conn, "select * from turned") == [(1,)]
    await conn.execute("alter table turned alter of type aclitem using '=r/postgres'")
    for _ in range(3):
        ((value,),) = await db.fetch(conn, "select * from turned")
        assert value.startswith("=r/")
