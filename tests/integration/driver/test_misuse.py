"""Arguments that make no sense: a clear error before a byte leaves, and a connection that works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.driver.bed import Db

pytestmark = pytest.mark.beyond


@pytest.mark.parametrize("name", [b"x", 7, 1.5, True, ["x"]])
async def test_names_that_are_none(db: Db, conn: Any, name: Any) -> None:
    with pytest.raises(TypeError, match="the name of a cursor is a str"):
        conn.cursor(name)
    with pytest.raises(TypeError, match="the name of a function is a str"):
        await conn.cursor().callproc(name)
    assert conn.info.transaction_status.name == "IDLE"
    assert await db.value(conn) == 42


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
async def test_names_that_the_server_cannot_have(db: Db, conn: Any, name: str) -> None:
    with pytest.raises(db.errors.DataError):
        await conn.cursor(name).execute("select 1")
    await conn.rollback()
    with pytest.raises(db.errors.DataError):
        await conn.cursor().callproc(name)
    assert await db.value(conn) == 42


@pytest.mark.parametrize("attribute", ["prepare_threshold", "prepared_max"])
async def test_limits_that_are_none(db: Db, attribute: str) -> None:
    conn = await db.connect()
    for value in (b"5", 1.5, "5", [5]):
        with pytest.raises(TypeError, match=f"{attribute} is an int or None"):
            setattr(conn, attribute, value)
    for _ in range(3):
        assert await db.value(conn) == 42


@pytest.mark.parametrize("timeout", [b"1", "1", float("nan"), [1]])
async def test_timeouts_that_are_none(db: Db, conn: Any, timeout: Any) -> None:
    for call in (conn.execute, conn.cursor().execute):
        with pytest.raises((TypeError, ValueError)):
            await call("select 1", timeout=timeout)
    with pytest.raises((TypeError, ValueError)):
        await conn.cursor().executemany("select 1", [()], timeout=timeout)
    assert conn.info.transaction_status.name == "IDLE"
    assert await db.value(conn) == 42


@pytest.mark.parametrize("scrollable", [1, "yes", b"x", 1.5])
async def test_whether_is_asked_as_python_asks(db: Db, conn: Any, scrollable: Any) -> None:
    cur = conn.cursor("scrolled", scrollable=scrollable)
    await cur.execute("select generate_series(1, 3)")
    await cur.scroll(2)
    await cur.scroll(-2)
    assert await cur.fetchone() == (1,)


@pytest.mark.parametrize("count", [1.5, float("inf"), float("nan"), "1", b"1", [1]])
async def test_counts_that_are_none(db: Db, conn: Any, count: Any) -> None:
    cur = await conn.execute("select generate_series(1, 3)")
    for call in (cur.fetchmany, cur.scroll, cur.set_result):
        with pytest.raises(TypeError):
            await call(count)
    cur.arraysize = count
    with pytest.raises(TypeError):
        await cur.fetchmany()
    assert await cur.fetchone() == (1,)
    async with conn.transaction():
        server = conn.cursor("counts")
        await server.execute("select generate_series(1, 3)")
        for call in (server.fetchmany, server.scroll):
            with pytest.raises(TypeError):
                await call(count)
        server.itersize = count
        with pytest.raises(TypeError):
            [row async for row in server]
        assert await server.fetchone() == (1,)


@pytest.mark.parametrize("size", [0, -1, 2**31, 10**30, 1.5, float("inf"), "1", None])
async def test_sizes_that_are_none(db: Db, size: Any) -> None:
    conn = await db.connect()
    with pytest.raises((TypeError, db.errors.ProgrammingError)):
        async for _ in conn.cursor().stream("select 1", size=size):
            raise AssertionError("there are no rows")
    assert conn.info.transaction_status.name == "IDLE"
    assert await db.value(conn) == 42
