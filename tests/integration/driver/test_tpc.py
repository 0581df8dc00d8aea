"""Two-phase commit: PEP 249's `tpc_*` methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.driver.bed import Db


def prepared(db: Db, gid: str) -> list[tuple[Any, ...]]:
    """Return what the server knows of a prepared transaction."""
    return db.sql("select gid from pg_prepared_xacts where gid = %s", gid)


@pytest.mark.parametrize(("verb", "left"), [("commit", [(1,)]), ("rollback", [])])
@pytest.mark.parametrize("is_prepared", [True, False])
async def test_one(db: Db, conn: Any, verb: str, left: list[Any], is_prepared: bool) -> None:
    table = db.table()
    xid = conn.xid(1, db.name(), "branch")
    await conn.tpc_begin(xid)
    await conn.execute(f"insert into {table} values (1)")
    if is_prepared:
        await conn.tpc_prepare()
        assert prepared(db, str(xid)) == [(str(xid),)]
    await getattr(conn, f"tpc_{verb}")()
    assert prepared(db, str(xid)) == []
    assert db.sql(f"select id from {table}") == left
    assert await db.value(conn) == 42  # and may begin the next one


async def test_recovered_by_another_connection(db: Db, conn: Any) -> None:
    table = db.table()
    xid = conn.xid(10, db.name(), "über")
    await conn.tpc_begin(xid)
    await conn.execute(f"insert into {table} values (1)")
    await conn.tpc_prepare()
    await conn.close()
    other = await db.connect()
    [found] = [found for found in await other.tpc_recover() if found.gtrid == xid.gtrid]
    assert other.info.transaction_status.name == "IDLE"
    assert tuple(found) == (10, xid.gtrid, "über")
    assert (found.owner, found.database) == (other.info.user, other.info.dbname)
    assert found.prepared is not None
    assert found.prepared.tzinfo is not None
    await other.tpc_commit(found)
    assert db.sql(f"select id from {table}") == [(1,)]


async def test_a_name_of_any_kind(db: Db, conn: Any) -> None:
    gid = db.name() + "'; drop"
    await conn.tpc_begin(gid)
    await conn.execute("select 1")
    await conn.tpc_prepare()
    assert prepared(db, gid) == [(gid,)]
    await conn.tpc_rollback()


@pytest.mark.beyond
async def test_what_has_no_place_in_it(db: Db, conn: Any) -> None:
    error = db.errors.ProgrammingError
    await conn.tpc_begin(db.name())
    for refused in (conn.commit, conn.rollback):
        with pytest.raises(error, match="two-phase"):
            await refused()
    with pytest.raises(error):
        await conn.tpc_begin(db.name())
    with pytest.raises(error):
        await conn.tpc_commit("another")
    await conn.tpc_prepare()
    with pytest.raises(error):
        await conn.execute("select 1")
    with pytest.raises(error):
        await conn.tpc_prepare()
    await conn.tpc_rollback()


async def test_what_needs_one(db: Db, conn: Any) -> None:
    for refused in (conn.tpc_prepare, conn.tpc_commit, conn.tpc_rollback):
        with pytest.raises(db.errors.ProgrammingError):
            await refused()


async def test_where_it_cannot_begin(db: Db, conn: Any) -> None:
    await conn.execute("select 1")
    with pytest.raises(db.errors.ProgrammingError, match="INTRANS"):
        await conn.tpc_begin(db.name())
    await conn.rollback()
    await conn.set_autocommit(True)
    with pytest.raises(db.errors.ProgrammingError, match="autocommit"):
        await conn.tpc_begin(db.name())


@pytest.mark.beyond
@pytest.mark.parametrize("gid", ["a\0b", "\udc80", "x" * 201])
async def test_a_bad_name(db: Db, conn: Any, gid: str) -> None:
    with pytest.raises(db.errors.DatabaseError):
        await conn.tpc_begin(gid)
        await conn.tpc_prepare()
    await conn.tpc_rollback()
    assert await db.value(conn) == 42


@pytest.mark.beyond
async def test_a_block_in_it(db: Db, conn: Any) -> None:
    table = db.table()
    await conn.tpc_begin(db.name())
    async with conn.transaction():
        await conn.execute(f"insert into {table} values (1)")
        for refused in (conn.tpc_prepare, conn.tpc_commit, conn.tpc_rollback):
            with pytest.raises(db.errors.ProgrammingError, match="block"):
                await refused()
    await conn.tpc_prepare()
    with pytest.raises(db.errors.ProgrammingError, match="prepared"):
        async with conn.transaction():
            raise AssertionError("this must not begin")
    await conn.tpc_commit()
    assert db.sql(f"select id from {table}") == [(1,)]


@pytest.mark.beyond
async def test_preparing_fails(db: Db, conn: Any) -> None:
    await conn.tpc_begin(db.name())
    with pytest.raises(db.errors.DivisionByZero):
        await conn.execute("select 1 / 0")
    with pytest.raises(db.errors.InFailedSqlTransaction):
        await conn.tpc_prepare()
    with pytest.raises(db.errors.ProgrammingError, match="rolled back"):
        await conn.tpc_commit()
    assert await db.value(conn) == 42


async def test_committing_fails_and_may_be_done_again(db: Db, conn: Any) -> None:
    gid = db.name()
    with pytest.raises(db.errors.UndefinedObject):
        await conn.tpc_commit(gid)
    await conn.rollback()
    await conn.tpc_begin(gid)
    await conn.tpc_prepare()
    await conn.tpc_commit()


@pytest.mark.beyond
async def test_in_a_pipeline(db: Db, conn: Any) -> None:
    table = db.table()
    async with conn.pipeline():
        await conn.tpc_begin(db.name())
        await conn.execute(f"insert into {table} values (1)")
        await conn.tpc_prepare()
        await conn.tpc_commit()
        assert isinstance(await conn.tpc_recover(), list)
    assert db.sql(f"select id from {table}") == [(1,)]
