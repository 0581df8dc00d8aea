"""Executing: parameters, several statements, what a cursor says of a result, and timeouts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.driver.bed import Db


async def test_execute_returns_its_cursor(db: Db, conn: Any) -> None:
    cur = conn.cursor()
    assert await cur.execute("select 1") is cur
    assert await cur.fetchone() == (1,)


async def test_connection_execute_returns_a_new_cursor(db: Db, conn: Any) -> None:
    first, second = await conn.execute("select 1"), await conn.execute("select 2")
    assert await first.fetchone() == (1,)
    assert await second.fetchone() == (2,)


@pytest.mark.parametrize(
    ("query", "params", "row"),
    [
        ("select %s + %s", (1, 2), (3,)),
        ("select %s + %s", [1, 2], (3,)),
        ("select %(a)s + %(b)s", {"a": 1, "b": 2}, (3,)),
        ("select %(a)s, %(a)s", {"a": "x", "b": "unused"}, ("x", "x")),
        ("select %s, '%%', 7 %% 4", ("x",), ("x", "%", 3)),
        ("select '%', 7 % 4", None, ("%", 3)),
        ("select '%s'", None, ("%s",)),
        ("select %s::text", (None,), (None,)),
        ("select %s, %t, %b", ("a", "b", "c"), ("a", "b", "c")),
        ("select %s || 'ü€𝄞'", ("ä",), ("äü€𝄞",)),
        ("select 1", (), (1,)),
        ("select 1", [], (1,)),
        ("select 1", {}, (1,)),
        ("select '%%'", (), ("%",)),
        (b"select 'bytes', %s", (1,), ("bytes", 1)),
    ],
)
async def test_parameters(db: Db, conn: Any, query: Any, params: Any, row: Any) -> None:
    assert await (await conn.execute(query, params)).fetchone() == row


@pytest.mark.parametrize(
    ("query", "params"),
    [
        ("select %s", ()),
        ("select %s", (1, 2)),
        ("select %s, %s", (1,)),
        ("select %(a)s", {}),
        ("select %(a)s", {"b": 1}),
        ("select %s, %(a)s", (1,)),
        ("select %x", (1,)),
        ("select %", (1,)),
        ("select %(a", {"a": 1}),
        ("select %s; select %s", (1, 2)),
    ],
)
async def test_22_wrong_parameters(db: Db, conn: Any, query: str, params: Any) -> None:
    with pytest.raises(db.errors.ProgrammingError) as caught:
        await conn.execute(query, params)
    assert str(caught.value)
    await conn.rollback()
    assert await db.value(conn) == 42


@pytest.mark.beyond  # psycopg 3 raises TypeError, and has begun a transaction
@pytest.mark.parametrize(
    ("query", "params"),
    [
        ("select %s", "x"),
        ("select %s", b"x"),
        ("select %s", 7),
        ("select %s", {1}),
        ("select %s", object()),
        ("select %s", {"a": 1}),
        ("select %(a)s", (1,)),
    ],
)
async def test_22_parameters_of_a_wrong_kind(db: Db, conn: Any, query: str, params: Any) -> None:
    with pytest.raises(db.errors.ProgrammingError):
        await conn.execute(query, params)
    assert conn.info.transaction_status == 0
    assert await db.value(conn) == 42


@pytest.mark.parametrize("query", [None, 7, ["select 1"], object()])
async def test_22_a_query_of_a_wrong_kind(db: Db, conn: Any, query: Any) -> None:
    with pytest.raises((TypeError, db.errors.ProgrammingError)):
        await conn.execute(query)
    assert await db.value(conn) == 42


async def test_the_server_counts_and_refuses_65536_parameters(db: Db, conn: Any) -> None:
    many = "select 1 in (" + ", ".join(["%s"] * 65535) + ")"
    assert await db.value(conn, many, list(range(65535))) is True
    with pytest.raises(db.errors.Error):
        await conn.execute(many.replace("(%s", "(%s, %s"), list(range(65536)))
    await conn.rollback()
    assert await db.value(conn) == 42


@pytest.mark.parametrize("query", ["", "  ", ";", "-- nothing", "/* nothing */"])
async def test_22_an_empty_query(db: Db, conn: Any, query: str) -> None:
    cur = await conn.execute(query)
    assert cur.description is None
    assert cur.rowcount == -1
    with pytest.raises(db.errors.ProgrammingError):
        await cur.fetchone()
    assert await db.value(conn) == 42


async def test_several_statements(db: Db, conn: Any) -> None:
    cur: Any = conn.cursor()
    await cur.execute("select 1; create temp table several (id int); select 2 as b, 3; select 4 where false")
    assert await cur.fetchall() == [(1,)]
    assert cur.nextset() is True
    assert (cur.description, cur.statusmessage) == (None, "CREATE TABLE")
    with pytest.raises(db.errors.ProgrammingError):
        await cur.fetchone()
    assert cur.nextset() is True
    assert [column.name for column in cur.description] == ["b", "?column?"]
    assert await cur.fetchall() == [(2, 3)]
    assert cur.nextset() is True
    assert await cur.fetchall() == []
    assert cur.nextset() is None
    assert await cur.fetchall() == []


async def test_an_error_in_one_of_several_statements(db: Db, conn: Any) -> None:
    cur = conn.cursor()
    with pytest.raises(db.errors.DivisionByZero):
        await cur.execute("select 1; select 1 / 0; select 3")
    with pytest.raises(db.errors.ProgrammingError):
        await cur.fetchone()
    await conn.rollback()
    assert await db.value(conn) == 42


async def test_what_a_cursor_says_before_during_and_after(db: Db, conn: Any) -> None:
    cur = conn.cursor()
    assert (cur.description, cur.rowcount, cur.rownumber, cur.statusmessage) == (None, -1, None, None)
    await cur.execute("select generate_series(1, 3) as n, 'x'::varchar(7) as v, 1.5::numeric(5, 2) as d")
    assert (cur.rowcount, cur.rownumber, cur.statusmessage) == (3, 0, "SELECT 3")
    number, text, decimal = cur.description
    assert (number.name, number.type_code, number.internal_size) == ("n", 23, 4)
    assert (text[0], text[1], text.display_size, text.internal_size) == ("v", 1043, 7, None)
    assert (decimal.name, decimal.precision, decimal.scale, decimal.null_ok) == ("d", 5, 2, None)
    await cur.fetchone()
    assert cur.rownumber == 1
    await cur.execute("create temp table said (id int)")
    assert (cur.description, cur.rowcount, cur.statusmessage) == (None, -1, "CREATE TABLE")
    await cur.execute("insert into said select generate_series(1, 4)")
    assert (cur.rowcount, cur.statusmessage) == (4, "INSERT 0 4")
    await cur.execute("update said set id = 0 where id > 2")
    assert cur.rowcount == 2
    with pytest.raises(db.errors.SyntaxError):
        await cur.execute("selec")
    assert (cur.description, cur.rowcount, cur.rownumber) == (None, -1, None)


async def test_returning(db: Db, conn: Any) -> None:
    await conn.execute("create temp table returned (id serial, data text)")
    cur = await conn.execute("insert into returned (data) values (%s), (%s) returning id, data", ("a", "b"))
    assert await cur.fetchall() == [(1, "a"), (2, "b")]
    assert cur.rowcount == 2


async def test_no_columns(db: Db, conn: Any) -> None:
    cur = await conn.execute("select from generate_series(1, 3)")
    assert cur.description == []
    assert await cur.fetchall() == [(), (), ()]


async def test_a_big_value_both_ways(db: Db, conn: Any) -> None:
    text, data = "ä" * 3_000_000, bytes(range(256)) * 10_000
    assert await db.fetch(conn, "select %s::text, %s::bytea", (text, data)) == [(text, data)]


@pytest.mark.parametrize("binary", [False, True, None])
async def test_binary_and_text_give_the_same(db: Db, conn: Any, binary: bool | None) -> None:
    query = "select 1::int4, 2::int8, 1.5::float8, true, 'x'::text, '\\xff00'::bytea, null::int4"
    row = (1, 2, 1.5, True, "x", b"\xff\x00", None)
    assert await (await conn.execute(query, binary=binary)).fetchone() == row
    cur = conn.cursor() if binary is None else conn.cursor(binary=binary)
    assert await (await cur.execute(query)).fetchone() == row


async def test_repeated_statements_are_prepared(db: Db) -> None:
    conn = await db.connect(prepare_threshold=2)
    count = "select count(*) from pg_prepared_statements where statement like '%%tagged%%' and not %s"
    for expected in (0, 0, 0):
        assert await db.value(conn, "select /* tagged */ %s", (expected,)) == expected
    assert await db.value(conn, count, (False,)) == 1


async def test_prepare_says_whether(db: Db, conn: Any) -> None:
    names = "select count(*) from pg_prepared_statements where statement like '%asked%' and from_sql = false"
    await conn.execute("select /* asked 1 */ %s", (1,), prepare=True)
    for _ in range(8):
        await conn.execute("select /* asked 2 */ %s", (1,), prepare=False)
    assert await (await conn.execute(names, prepare=False)).fetchone() == (1,)


async def test_a_prepared_statement_survives_deallocate_and_a_changed_table(db: Db) -> None:
    conn = await db.connect(prepare_threshold=0, autocommit=True)
    await conn.execute("create temp table altered (id int)")
    assert await db.fetch(conn, "select * from altered where %s", (True,)) == []
    await conn.execute("deallocate all")
    assert await db.fetch(conn, "select * from altered where %s", (True,)) == []


@pytest.mark.beyond
async def test_a_prepared_statement_survives_a_table_that_others_change(db: Db) -> None:
    conn = await db.connect(prepare_threshold=0, autocommit=True)
    other = await db.connect(autocommit=True)
    await other.execute("create table altered_by_others as select 1 as id")
    try:
        assert await db.fetch(conn, "select * from altered_by_others where %s", (True,)) == [(1,)]
        await other.execute("alter table altered_by_others add more text default 'x'")
        assert await db.fetch(conn, "select * from altered_by_others where %s", (True,)) == [(1, "x")]
    finally:
        await other.execute("drop table altered_by_others")


async def test_a_prepared_statement_survives_changes_of_its_own_transaction(db: Db) -> None:
    """There and back: it would fail, and the transaction with it."""
    conn = await db.connect(prepare_threshold=0)
    await conn.execute("create temp table altered (id int)")
    await conn.execute("insert into altered values (1)")
    await conn.commit()
    select = "select * from altered where %s", (True,)
    assert await db.fetch(conn, *select) == [(1,)]
    await conn.execute("drop table altered")
    await conn.execute("create temp table altered as select array[1::money] as other")  # has no binary loader
    assert await db.fetch(conn, *select) == [(["$1.00"],)]
    await conn.rollback()
    assert await db.fetch(conn, *select) == [(1,)]
    await conn.execute("savepoint before")
    await conn.execute("create temp table made (id int)")
    assert await db.fetch(conn, "select * from made where %s", (True,)) == []
    await conn.execute("rollback to before")
    await conn.execute("create temp table made (id text, more int)")
    assert await db.fetch(conn, "select * from made where %s", (True,)) == []


async def test_prepare_threshold_none_never_prepares(db: Db) -> None:
    conn = await db.connect(prepare_threshold=None)
    for _ in range(8):
        await conn.execute("select %s", (1,))
    assert await db.value(conn, "select count(*) from pg_prepared_statements") == 0


@pytest.mark.beyond  # psycopg 3 leaves the COPY under way
async def test_copy_by_execute_is_refused(db: Db, conn: Any) -> None:
    for command in ("copy (select 1) to stdout", "copy pg_class to stdout"):
        with pytest.raises(db.errors.ProgrammingError):
            await conn.execute(command)
        await conn.rollback()
        assert await db.value(conn) == 42


@pytest.mark.beyond
async def test_copy_in_by_execute_is_refused(db: Db, conn: Any) -> None:
    await conn.execute("create temp table refused (id int)")
    with pytest.raises(db.errors.ProgrammingError, match="copy"):
        await conn.execute("copy refused from stdin")
    await conn.rollback()
    assert await db.value(conn) == 42


@pytest.mark.beyond
async def test_callproc(db: Db, conn: Any) -> None:
    cur = conn.cursor()
    await cur.callproc("lower", ("ABC",))
    assert await cur.fetchone() == ("abc",)
    await cur.callproc("pg_catalog.make_date", {"year": 2024, "month": 2, "day": 29})
    assert str(await cur.fetchone()) == "(datetime.date(2024, 2, 29),)"
    with pytest.raises(db.errors.UndefinedFunction):
        await cur.callproc('no"such', (1,))


@pytest.mark.beyond
async def test_a_timeout_cancels_and_leaves_the_connection_usable(db: Db, conn: Any) -> None:
    with pytest.raises(db.errors.StatementTimeout) as caught:
        await conn.execute("select pg_sleep(30)", timeout=0.1)
    assert isinstance(caught.value, TimeoutError)
    assert isinstance(caught.value, db.errors.OperationalError)
    await conn.rollback()
    assert await db.value(conn) == 42
    await conn.execute("select pg_sleep(0.01)", timeout=20)


async def test_a_cursor_is_used_again(db: Db, conn: Any) -> None:
    cur = conn.cursor()
    for number in range(3):
        await cur.execute("select %s", (number,))
        assert await cur.fetchall() == [(number,)]


async def test_the_query_may_be_composed(db: Db, conn: Any) -> None:
    sql: Any = db.module("sql")
    query = sql.SQL("select {} as {}, %s").format(sql.Literal("it's"), sql.Identifier('a "name"'))
    cur = await conn.execute(query, (1,))
    assert await cur.fetchone() == ("it's", 1)
    assert cur.description[0].name == 'a "name"'
