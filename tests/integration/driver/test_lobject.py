"""Large objects: `connection.lobject()`."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from greenpg._core.lobject import CHUNK

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.driver.bed import Db

pytestmark = pytest.mark.beyond

CONTENT = bytes(itertools.islice(itertools.cycle(range(251)), 2 * CHUNK + 1000))


def stored(db: Db, oid: int) -> bytes:
    """Return the content as the server has it."""
    [[content]] = db.sql("select lo_get(%s)", oid)
    return bytes(content)


async def test_bytes(db: Db, conn: Any) -> None:
    async with await conn.lobject(mode="wb") as large:
        assert large.mode == "rwb"
        assert await large.write(CONTENT) == len(CONTENT)
        assert await large.tell() == len(CONTENT)
        assert await large.read() == b""
        assert await large.seek(0) == 0
        assert await large.read(10) == CONTENT[:10]
        assert await large.read(CHUNK + 5) == CONTENT[10 : CHUNK + 15]
        assert await large.read() == CONTENT[CHUNK + 15 :]
        assert await large.seek(-10, 2) == len(CONTENT) - 10
        assert await large.seek(4, 1) == len(CONTENT) - 6
        await large.truncate(5)
        assert await large.seek(0, 2) == 5
    assert large.closed
    await conn.commit()
    assert stored(db, large.oid) == CONTENT[:5]
    await large.unlink()
    await conn.commit()
    assert db.sql("select 1 from pg_largeobject_metadata where oid = %s", large.oid) == []


async def test_text(db: Db, conn: Any) -> None:
    large = await conn.lobject()
    assert large.mode == "rwt"
    assert await large.write("Grüße, 世界") == len("Grüße, 世界".encode())
    await large.seek(0)
    halves = [await large.read(3), await large.read(1), await large.read()]
    assert halves == ["Gr", "ü", "ße, 世界"]  # a character is not torn
    await large.seek(0)
    await large.write(b"\xff")
    await large.seek(0)
    with pytest.raises(db.errors.DataError, match="not text"):
        await large.read()
    await large.unlink()


async def test_text_that_cannot_be_written(db: Db, conn: Any) -> None:
    large = await conn.lobject()
    with pytest.raises(db.errors.DataError, match="cannot be written"):
        await large.write("\udc80")
    assert await large.write("x") == 1
    await large.unlink()


async def test_an_existing_one(db: Db, conn: Any) -> None:
    [[oid]] = db.sql("select lo_from_bytea(0, 'content')")
    large = await conn.lobject(oid)
    assert (large.oid, large.mode) == (oid, "rt")
    assert await large.read() == "content"
    with pytest.raises(db.errors.DatabaseError):
        await large.write("x")
    await conn.rollback()
    await (await conn.lobject(oid, "n")).unlink()
    await conn.commit()


async def test_a_number_of_ones_own(db: Db, conn: Any) -> None:
    [[oid]] = db.sql("select lo_creat(0)")
    db.sql("select lo_unlink(%s)", oid)
    large = await conn.lobject(new_oid=oid)
    assert large.oid == oid
    await conn.rollback()


async def test_files(db: Db, conn: Any, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(CONTENT)
    large = await conn.lobject(0, "rb", 0, str(source))
    assert await large.read(3) == CONTENT[:3]
    await large.export(str(target))
    assert target.read_bytes() == CONTENT
    assert await large.tell() == 3
    await large.unlink()
    closed = await conn.lobject(mode="n", new_file=str(source))
    assert closed.closed
    await closed.unlink()
    with pytest.raises(FileNotFoundError):
        await conn.lobject(new_file=str(tmp_path / "nothing"))
    assert await db.value(conn) == 42


async def test_there_is_none(db: Db, conn: Any) -> None:
    with pytest.raises(db.errors.UndefinedObject):
        await conn.lobject(4_000_000_000)


@pytest.mark.parametrize("mode", ["", "x", "rb+", "br"])
async def test_a_bad_mode(db: Db, conn: Any, mode: str) -> None:
    with pytest.raises(db.errors.ProgrammingError, match="mode"):
        await conn.lobject(mode=mode)


async def test_it_needs_a_transaction(db: Db) -> None:
    conn = await db.connect(autocommit=True)
    with pytest.raises(db.errors.ProgrammingError, match="transaction"):
        await conn.lobject()
    async with conn.transaction():
        large = await conn.lobject()
        await large.unlink()
    db.sql("select lo_unlink(oid) from pg_largeobject_metadata")


@pytest.mark.parametrize("end", ["commit", "rollback"])
async def test_it_ends_with_its_transaction(db: Db, conn: Any, end: str) -> None:
    large = await conn.lobject()
    await getattr(conn, end)()
    assert large.closed
    with pytest.raises(db.errors.InterfaceError, match="transaction"):
        await large.read()
    await large.close()
    other = await conn.lobject()  # the server gives it the same number
    assert large.closed
    with pytest.raises(db.errors.InterfaceError, match="transaction"):
        await large.write("x")
    await large.close()
    assert not other.closed
    await conn.rollback()


async def test_it_ends_with_its_savepoint(db: Db, conn: Any) -> None:
    async with conn.transaction(force_rollback=True):
        outer = await conn.lobject()
        async with conn.transaction():
            inner = await conn.lobject()
            raise db.driver.Rollback
        assert inner.closed
        assert not outer.closed
        await inner.close()
        await outer.write("x")
        async with conn.transaction():
            kept = await conn.lobject()
        await kept.write("x")


async def test_closing_it_in_a_failed_transaction(db: Db, conn: Any) -> None:
    with pytest.raises(db.errors.DivisionByZero):
        async with await conn.lobject():
            await conn.execute("select 1 / 0")
    await conn.rollback()
    assert await db.value(conn) == 42


async def test_an_interruption_does_not_wait(db: Db, conn: Any) -> None:
    with pytest.raises(db.Timeout), db.timeout(0.1):
        async with await conn.lobject():
            await conn.execute("select pg_sleep(30)")
    await conn.rollback()
    assert await db.value(conn) == 42


async def test_a_timeout(db: Db, conn: Any) -> None:
    large = await conn.lobject(mode="wb")
    with pytest.raises(db.errors.StatementTimeout):
        await large.write(bytes(200 * CHUNK), timeout=0.001)
    await conn.rollback()
    assert await db.value(conn) == 42


async def test_in_a_pipeline(db: Db, conn: Any) -> None:
    async with conn.pipeline():
        large = await conn.lobject()
        await conn.execute("select 1")
        await large.write("x")
        await large.seek(0)
        assert await large.read() == "x"
        await large.unlink()
