"""Transactions as connections have them: begun by the first statement, ended by commit and rollback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.driver.bed import Db


def status(conn: Any) -> str:
    """Return the state of the transaction."""
    name: str = conn.info.transaction_status.name
    return name


async def test_the_first_statement_begins_it(db: Db, conn: Any) -> None:
    assert status(conn) == "IDLE"
    await conn.execute("select 1")
    assert status(conn) == "INTRANS"
    await conn.commit()
    assert status(conn) == "IDLE"


async def test_commit(db: Db, conn: Any) -> None:
    table = db.table()
    await conn.execute(f"insert into {table} values (1)")
    assert db.sql(f"select id from {table}") == []
    await conn.commit()
    assert db.sql(f"select id from {table}") == [(1,)]


async def test_rollback(db: Db, conn: Any) -> None:
    table = db.table()
    await conn.execute(f"insert into {table} values (1)")
    await conn.rollback()
    await conn.commit()
    assert db.sql(f"select id from {table}") == []


async def test_nothing_to_end(db: Db, conn: Any) -> None:
    await conn.commit()
    await conn.rollback()
    assert status(conn) == "IDLE"


async def test_a_failed_one(db: Db, conn: Any) -> None:
    with pytest.raises(db.errors.DivisionByZero):
        await conn.execute("select 1 / 0")
    assert status(conn) == "INERROR"
    with pytest.raises(db.errors.InFailedSqlTransaction):
        await conn.execute("select 1")
    await conn.rollback()
    assert status(conn) == "IDLE"
    assert await db.value(conn) == 42


async def test_an_error_at_commit(db: Db, conn: Any) -> None:
    await conn.execute("create temp table late (id int unique deferrable initially deferred)")
    await conn.execute("insert into late values (1), (1)")
    with pytest.raises(db.errors.UniqueViolation):
        await conn.commit()
    assert status(conn) == "IDLE"
    assert await db.value(conn) == 42


async def test_begun_and_ended_by_hand(db: Db) -> None:
    conn = await db.connect(autocommit=True)
    await conn.execute("begin")
    assert status(conn) == "INTRANS"
    await conn.execute("commit")
    assert status(conn) == "IDLE"


async def test_several_statements_are_in_it(db: Db, conn: Any) -> None:
    table = db.table()
    await conn.execute(f"insert into {table} values (1); insert into {table} values (2)")
    await conn.rollback()
    assert db.sql(f"select id from {table}") == []


async def test_commit_within_several_statements(db: Db, conn: Any) -> None:
    table = db.table()
    await conn.execute(f"insert into {table} values (1); commit; insert into {table} values (2); rollback")
    assert db.sql(f"select id from {table}") == [(1,)]
    assert status(conn) == "IDLE"


async def test_cursors_share_it(db: Db, conn: Any) -> None:
    first, second = conn.cursor(), conn.cursor()
    await first.execute("create temp table shared (id int)")
    await second.execute("insert into shared values (1)")
    await first.execute("select * from shared")
    assert await first.fetchall() == [(1,)]
    await conn.rollback()
    with pytest.raises(db.errors.UndefinedTable):
        await second.execute("select * from shared")
