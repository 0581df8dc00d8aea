"""Promise 30: of what is done over and over, however it fails, nothing is left; 27, without the collector."""

from __future__ import annotations

import gc
import json
import sys
import warnings
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from greenpg.tracing import Tracer
from tests.fresh import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.driver.bed import Db

pytestmark = pytest.mark.beyond

THOROUGH = ("gevent", "asyncio")
"""The runtimes that do it as often as the promise says; the others a tenth as often, they share all of it."""


@pytest.mark.subprocess
@pytest.mark.slow
def test_30_nothing_leaks(db: Db) -> None:
    name = db.runtime.name
    share = "1" if name in THOROUGH else "10"
    program = (sys.executable, "-m", "tests.integration.driver.leaks", name, db.dsn, share)
    ran = run(*program, timeout=400)
    assert ran.returncode == 0, ran
    found = json.loads(ran.stdout)
    assert list(found) == ["timeouts", "errors", "connects", "cut_connects"]
    for thing, grown in found.items():
        assert grown.pop("bytes") < 5 << 20, thing
        assert {what: count for what, count in grown.items() if count > 0} == {}, thing


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Nothing is freed but by its reference count."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def use(db: Db, conn: Any, how: str) -> None:
    """Use a connection, so that it holds as much as it ever does."""
    if how == "cursor":
        assert await (await conn.cursor().execute("select 1")).fetchone() == (1,)
        assert await db.fetch(conn, "select %s::int", (1,)) == [(1,)]
    elif how == "error":
        with pytest.raises(db.errors.DivisionByZero):
            await conn.execute("select 1/0")
    elif how == "traced":
        conn.tracer = Tracer()
        with pytest.raises(db.errors.StatementTimeout):
            await conn.execute("select pg_sleep(30)", timeout=0.01)
        assert await db.value(conn) == 42
    elif how == "handlers":
        conn.add_notice_handler(print)
        await conn.execute("do $$begin raise warning 'x'; end$$")
    elif how == "transaction":
        async with conn.transaction():
            await conn.execute("select 1")
    elif how == "copy":
        async with conn.cursor().copy("copy (select 1) to stdout") as copy:
            assert await copy.read() == b"1\n"
    elif how == "pipeline":
        async with conn.pipeline():
            await conn.execute("select 1")
    elif how == "stream":
        assert [row async for row in conn.cursor().stream("select 1")] == [(1,)]
    elif how == "types":
        await conn.execute("create type pg_temp.mood as enum ('fine')")
        assert await db.value(conn, "select 'fine'::pg_temp.mood") == "fine"


USES = (
    "nothing",
    "cursor",
    "error",
    "traced",
    "handlers",
    "transaction",
    "copy",
    "pipeline",
    "stream",
    "types",
)


@pytest.mark.runtimes("select", "gevent", "asyncio")
@pytest.mark.parametrize("how", USES)
@pytest.mark.usefixtures("no_collector")
async def test_27_no_cycle_keeps_a_connection(db: Db, how: str) -> None:
    conn = await db.call(db.kind("Connection").connect, db.dsn, autocommit=how != "transaction")
    await use(db, conn, how)
    real = conn if db.is_async else conn._real
    pgconn, real = weakref.ref(real.pgconn), weakref.ref(real)
    with pytest.warns(ResourceWarning, match="still open"):  # noqa: PT031
        del conn
        await db.runtime.pause()
    assert real() is None, gc.get_referrers(real())
    assert pgconn() is None


@pytest.mark.runtimes("select", "gevent", "asyncio")
@pytest.mark.usefixtures("no_collector")
async def test_27_no_cycle_keeps_a_closed_one(db: Db) -> None:
    conn = await db.call(db.kind("Connection").connect, db.dsn)
    cursor = conn.cursor()
    await cursor.execute("select 1")
    await conn.close()
    real = weakref.ref(conn if db.is_async else conn._real)
    with warnings.catch_warnings(record=True) as caught:
        del conn, cursor
        await db.runtime.pause()
    assert real() is None, gc.get_referrers(real())
    assert caught == []


BUSY_ENDS = {
    "an exit code": ("import sys; sys.exit(3)", 3, ""),
    "an exception": ("raise SystemExit('last words')", 1, "last words\n"),
}


@pytest.mark.subprocess
@pytest.mark.runtimes("select")
@pytest.mark.parametrize("how", BUSY_ENDS)
@pytest.mark.parametrize(
    "holder", ["conn = conn", "import builtins; builtins.conn = conn", "a = [conn]; a.append(a)"]
)
def test_27_a_busy_connection_keeps_the_exit_code(db: Db, how: str, holder: str) -> None:
    end, code, words = BUSY_ENDS[how]
    program = (
        "import greenpg, sys\n"
        "conn = greenpg.connect(sys.argv[1])\n"
        "conn.pgconn.send_query(b'select pg_sleep(300)')\n"
        f"{holder}\n{end}\n"
    )
    ran = run(sys.executable, "-c", program, db.dsn, timeout=60)
    assert (ran.returncode, ran.stdout, ran.stderr) == (code, "", words), ran


@pytest.mark.subprocess
@pytest.mark.runtimes("asyncio")
def test_27_a_busy_async_connection_keeps_the_exit_code(db: Db) -> None:
    program = (
        "import asyncio, greenpg, sys\n"
        "async def main():\n"
        "    global conn\n"
        "    conn = await greenpg.AsyncConnection.connect(sys.argv[1])\n"
        "    task = asyncio.ensure_future(conn.execute('select pg_sleep(300)'))\n"
        "    await asyncio.wait([task], timeout=0.1)\n"
        "asyncio.run(main())\nsys.exit(3)\n"
    )
    ran = run(sys.executable, "-c", program, db.dsn, timeout=60)
    assert (ran.returncode, ran.stdout, ran.stderr) == (3, "", ""), ran
