"""Where libpq lacks something: before 17 it has no chunked rows, before 14 no pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenpg.errors import NotSupportedError
from tests import bindings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.driver.bed import Db

pytestmark = [pytest.mark.beyond, pytest.mark.runtimes("select", "asyncio")]


@pytest.fixture
def old_libpq(db: Db) -> Iterator[None]:
    """Have greenpg use a libpq that has less."""
    library = db.module("pq").library()
    with bindings.without(library, "PQenterPipelineMode", "PQsetChunkedRowsMode", "PQsendClosePortal"):
        yield


@pytest.mark.usefixtures("old_libpq")
async def test_executemany_repeats(db: Db) -> None:
    conn = await db.connect()
    cursor = conn.cursor()
    await cursor.execute("create temp table many (id int)")
    await cursor.executemany("insert into many values (%s)", [(n,) for n in range(5)])
    assert cursor.rowcount == 5
    await cursor.executemany("insert into many values (%s) returning id", [(5,), (6,)], returning=True)
    assert [await result.fetchall() async for result in cursor.results()] == [[(5,)], [(6,)]]


@pytest.mark.usefixtures("old_libpq")
async def test_pipelines_are_refused(db: Db) -> None:
    conn = await db.connect()
    with pytest.raises(NotSupportedError):
        async with conn.pipeline():
            pass
    assert await db.value(conn) == 42


@pytest.mark.usefixtures("old_libpq")
async def test_streams_come_row_by_row(db: Db) -> None:
    conn = await db.connect()
    stream = conn.cursor().stream("select generate_series(1, 10)", size=4)
    assert [row async for row in stream] == [(n,) for n in range(1, 11)]


@pytest.mark.usefixtures("old_libpq")
async def test_cursors_of_the_server_are_closed(db: Db) -> None:
    conn = await db.connect()
    for _ in range(2):
        async with conn.cursor("rows") as cursor:
            await cursor.execute("select 1")
            assert await cursor.fetchall() == [(1,)]
    cursor = conn.cursor("rows")
    await cursor.execute("select 1")
    await conn.commit()
    await conn.execute("select 1")
    await cursor.close()
    assert await db.value(conn) == 42
