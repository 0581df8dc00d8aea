"""What psycopg 3's chapter "Asynchronous operations" shows, in our words, with our name: it does the same.

Connecting, `async with`, Ctrl-C, notices, notifications by generator and by handler, disconnections. See
https://www.psycopg.org/psycopg3/docs/advanced/async.html
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenpg import AsyncConnection
    from tests.fresh import Ran
    from tests.integration.driver.bed import Db

pytestmark = pytest.mark.runtimes("asyncio", "uvloop")

with_trio = pytest.mark.runtimes("asyncio", "uvloop", "trio")


@with_trio
async def test_connecting_and_blocks(db: Db) -> None:
    table = db.table("num int, data text")
    async with await db.driver.AsyncConnection.connect(db.dsn) as connection:
        async with connection.cursor() as cursor:
            await cursor.execute(f"insert into {table} (num, data) values (%s, %s)", (100, "abc'def"))
            await cursor.execute(f"select num, data from {table}")
            assert await cursor.fetchone() == (100, "abc'def")
            found = [row async for row in await cursor.execute(f"select data from {table}")]
            assert found == [("abc'def",)]
        assert cursor.closed
    assert connection.closed
    assert db.sql(f"select num from {table}") == [(100,)]  # the block has committed


@with_trio
async def test_await_before_async_with(db: Db) -> None:
    connecting = db.driver.AsyncConnection.connect(db.dsn)
    assert not hasattr(connecting, "__aenter__")
    async with await connecting as connection, connection.cursor() as cursor:
        await cursor.execute("select 1")


async def test_one_connection_for_several_blocks(db: Db) -> None:
    connection = await db.connect()
    async with connection.transaction():
        async with connection.cursor() as cursor:
            await cursor.execute("select 1")
        assert not connection.closed
    await connection.close()


CTRL_C = """
import asyncio, os, signal, sys, threading
import greenpg

async def work(dsn):
    async with await greenpg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        await connection.execute("set application_name to 'ctrl-c'")
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            await connection.execute("select pg_sleep(300)")
        finally:
            pids.append(connection.info.backend_pid)

async def main(dsn):
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work(dsn))
    loop.add_signal_handler(signal.SIGINT, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        print("cancelled")

async def left(dsn):
    async with await greenpg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        query = "select count(*) from pg_stat_activity where pid = any(%s) and state = 'active'"
        for _ in range(2000):
            cursor = await connection.execute(query, (pids,))
            if await cursor.fetchone() == (0,):
                return "nothing left"
            await asyncio.sleep(0.01)

pids = []
asyncio.run(main(sys.argv[1]))
print(asyncio.run(left(sys.argv[1])))
"""


@pytest.mark.subprocess
@pytest.mark.runtimes("asyncio")
@pytest.mark.beyond  # the program says greenpg
def test_ctrl_c_by_a_signal_handler(db: Db, run_python: Callable[..., Ran]) -> None:
    ran = run_python(CTRL_C, db.dsn, timeout=60)
    assert (ran.stdout, ran.stderr) == ("cancelled\nnothing left\n", "")


async def test_ctrl_c_keeps_the_connection(db: Db) -> None:
    connection = await db.connect(autocommit=True)
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(connection.execute("select pg_sleep(30)"))
    loop.add_signal_handler(signal.SIGUSR1, task.cancel)
    try:
        await db.under_way(connection)
        signal.raise_signal(signal.SIGUSR1)
        with pytest.raises(asyncio.CancelledError):
            await task
    finally:
        loop.remove_signal_handler(signal.SIGUSR1)
    assert await db.value(connection) == 42


@with_trio
async def test_notices(db: Db) -> None:
    connection = await db.connect(autocommit=True)
    told: list[str] = []

    def log_notice(diag: Any) -> None:
        told.append(f"The server says: {diag.severity} - {diag.message_primary}")

    connection.add_notice_handler(log_notice)
    cursor = await connection.execute("do $$ begin raise notice 'hello %', 42; end $$")
    assert cursor.statusmessage == "DO"
    assert told == ["The server says: NOTICE - hello 42"]


@with_trio
async def test_notifications_by_a_generator(db: Db) -> None:
    channel = db.name()
    connection = await db.connect(autocommit=True)
    await connection.execute(f"listen {channel}")

    async def talk() -> None:
        for payload in ("hi", "stop"):
            db.sql("select pg_notify(%s, %s)", channel, payload)

    talking = db.spawn(talk)
    heard = []
    notifies = connection.notifies()
    async for notify in notifies:
        heard.append((notify.channel, notify.payload))
        if notify.payload == "stop":
            await notifies.aclose()
    assert heard == [(channel, "hi"), (channel, "stop")]
    await talking.get()
    assert await db.value(connection) == 42


@with_trio
async def test_notifications_until_a_time_or_a_number(db: Db) -> None:
    channel = db.name()
    connection = await db.connect(autocommit=True)
    await connection.execute(f"listen {channel}")
    for payload in "abc":
        db.sql("select pg_notify(%s, %s)", channel, payload)
    assert [n.payload async for n in connection.notifies(timeout=5, stop_after=3)] == ["a", "b", "c"]
    assert [n.payload async for n in connection.notifies(timeout=0.01)] == []


@with_trio
async def test_notifications_by_a_handler(db: Db) -> None:
    channel = db.name()
    connection = await db.connect(autocommit=True)
    got: list[Any] = []
    connection.add_notify_handler(got.append)
    await connection.execute(f"listen {channel}")
    db.sql("select pg_notify(%s, 'hi')", channel)
    await connection.execute("select 1")
    assert [(n.channel, n.payload) for n in got] == [(channel, "hi")]


async def test_disconnections_by_the_file_descriptor(db: Db) -> None:
    connection: AsyncConnection = await db.connect(autocommit=True)
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(connection.fileno(), readable.set)
    try:
        db.sql("select pg_terminate_backend(%s)", connection.info.backend_pid)
        await asyncio.wait_for(readable.wait(), 10)
    finally:
        loop.remove_reader(connection.fileno())
    with pytest.raises(db.errors.OperationalError):
        await connection.execute("select 1")
    assert connection.closed


@with_trio
@pytest.mark.beyond
async def test_disconnections_by_wait_closed(db: Db) -> None:
    connection = await db.connect(autocommit=True)
    waiting = db.spawn(connection.wait_closed)
    assert await db.value(connection) == 42  # it is somebody else's to use meanwhile
    db.sql("select pg_terminate_backend(%s)", connection.info.backend_pid)
    assert await waiting.get() is True
    assert connection.broken
