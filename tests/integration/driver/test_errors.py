"""The server's errors: their class, what they carry, and the connection after."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.driver.bed import Db


@pytest.mark.parametrize(
    ("query", "name", "base", "state"),
    [
        ("select 1 / 0", "DivisionByZero", "DataError", "22012"),
        ("selec", "SyntaxError", "ProgrammingError", "42601"),
        ("select * from no_such_table", "UndefinedTable", "ProgrammingError", "42P01"),
        ("select no_such_column", "UndefinedColumn", "ProgrammingError", "42703"),
        ("select 'x'::int", "InvalidTextRepresentation", "DataError", "22P02"),
        ("select 99999999999::int", "NumericValueOutOfRange", "DataError", "22003"),
        ("create temp table t (i int not null); insert into t values (null)", "NotNullViolation",
         "IntegrityError", "23502"),
        ("set transaction read only; create table t ()", "ReadOnlySqlTransaction", "InternalError", "25006"),
        ("set statement_timeout = 10; select pg_sleep(10)", "QueryCanceled", "OperationalError", "57014"),
        ("do $$ begin raise 'mine' using errcode = 'XX999'; end $$", "", "InternalError", "XX999"),
        ("do $$ begin raise 'mine' using errcode = '12345'; end $$", "", "DatabaseError", "12345"),
    ],
)  # fmt: skip
async def test_classes(db: Db, conn: Any, query: str, name: str, base: str, state: str) -> None:
    with pytest.raises(getattr(db.errors, name or base)) as caught:
        await conn.execute(query)
    assert isinstance(caught.value, getattr(db.driver, base))
    assert caught.value.sqlstate == caught.value.diag.sqlstate == state
    await conn.rollback()
    assert await db.value(conn) == 42


async def test_diagnostics(db: Db, conn: Any) -> None:
    await conn.execute("create temp table held (id int constraint positive check (id > 0))")
    with pytest.raises(db.errors.CheckViolation) as caught:
        await conn.execute("insert into held values (-1)")
    diag = caught.value.diag
    assert (diag.severity, diag.severity_nonlocalized) == ("ERROR", "ERROR")
    assert (diag.table_name, diag.constraint_name, diag.column_name) == ("held", "positive", None)
    assert "positive" in diag.message_primary
    assert "(-1)" in diag.message_detail
    assert diag.schema_name.startswith("pg_temp")
    assert diag.source_file.endswith(".c")
    assert diag.message_primary in str(caught.value)


async def test_the_position_is_shown(db: Db, conn: Any) -> None:
    with pytest.raises(db.errors.UndefinedColumn) as caught:
        await conn.execute("select\n  nosuch")
    assert caught.value.diag.statement_position == "10"
    assert "LINE 2:   nosuch\n          ^" in str(caught.value)


async def test_they_can_be_pickled(db: Db, conn: Any) -> None:
    with pytest.raises(db.errors.DivisionByZero) as caught:
        await conn.execute("select 1 / 0")
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is type(caught.value)
    assert str(again) == str(caught.value)
    assert (again.sqlstate, again.diag.message_primary) == ("22012", "division by zero")


async def test_they_outlive_their_connection(db: Db, conn: Any) -> None:
    with pytest.raises(db.errors.DivisionByZero) as caught:
        await conn.execute("select 1 / 0")
    await conn.close()
    assert caught.value.diag.message_primary == "division by zero"


async def test_messages_in_another_language_and_encoding(db: Db, conn: Any) -> None:
    await conn.execute("set client_encoding to latin1")
    await conn.commit()  # or the error takes it back, before anybody can look which encoding its message has
    with pytest.raises(db.errors.RaiseException, match="größer"):
        await conn.execute("do $$ begin raise 'größer'; end $$")


async def test_an_error_after_rows_have_come(db: Db, conn: Any) -> None:
    cur = conn.cursor()
    with pytest.raises(db.errors.DivisionByZero):
        await cur.execute("select 1 / (5000 - i) from generate_series(1, 10000) as i")
    with pytest.raises(db.errors.ProgrammingError):
        await cur.fetchone()
    await conn.rollback()
    assert await db.value(conn) == 42


@pytest.mark.beyond
async def test_the_traceback_is_the_users_own(db: Db, conn: Any) -> None:
    with pytest.raises(db.errors.DivisionByZero) as caught:
        await conn.execute("select 1 / 0")
    files = [str(entry.path) for entry in caught.traceback if "/greenpg/" in str(entry.path)]
    assert not [path for path in files if "_core" in path or "waiters" in path]


@pytest.mark.beyond
async def test_whether_it_is_safe_to_retry(db: Db, conn: Any) -> None:
    with pytest.raises(db.errors.DivisionByZero) as caught:
        await conn.execute("select 1 / 0")
    assert caught.value.safe_to_retry is False
    with pytest.raises(db.errors.OperationalError) as refused:
        await db.connect("host=127.0.0.1 port=1")
    assert refused.value.safe_to_retry is True
