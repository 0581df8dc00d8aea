"""The bed itself: what it promises to the tests of this folder."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.driver import bed, runtimes

if TYPE_CHECKING:
    from tests.faults import FaultProxy
    from tests.integration.driver.bed import Db
    from tests.integration.driver.runtimes import Runtime


async def test_awaits_everything_alike(db: Db) -> None:
    conn = await db.connect()
    async with conn.transaction(), conn.cursor() as cur:
        await cur.execute("select generate_series(1, 3)")
        assert [row async for row in cur] == [(1,), (2,), (3,)]
        assert cur.connection is conn
        assert db.runtime.name in ("select", "gevent", "eventlet") or "Async" in type(conn).__name__


async def test_tasks_run_at_the_same_time(db: Db) -> None:
    first, second = db.event(), db.event()

    async def ping() -> str:
        first.set()
        assert await second.wait()
        return "pong"

    task = db.spawn(ping)
    assert await first.wait()
    second.set()
    assert await task.get() == "pong"


async def test_a_task_raises_what_it_has_raised(db: Db) -> None:
    async def fail() -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await db.spawn(fail).get()


async def test_timeout_interrupts(db: Db) -> None:
    event = db.event()
    began = time.monotonic()
    with pytest.raises(db.Timeout), db.timeout(0.05):
        await event.wait()
    assert time.monotonic() - began < 20


@pytest.mark.runtimes("select")
async def test_timeout_in_the_midst_of_a_finalizer(db: Db) -> None:
    """Python loses what is raised there; it is raised again."""

    class Slow:
        def __del__(self) -> None:
            time.sleep(0.2)

    def finalize_and_sleep() -> None:
        Slow()
        time.sleep(30)

    with pytest.raises(db.Timeout), db.timeout(0.05):
        finalize_and_sleep()


@pytest.mark.runtimes("gevent", "eventlet", "asyncio", "uvloop", "trio")
async def test_cancel_interrupts(db: Db) -> None:
    begun = db.event()

    async def wait() -> None:
        begun.set()
        await db.event().wait()

    task = db.spawn(wait)
    await begun.wait()
    task.cancel()
    with pytest.raises(db.runtime.Killed):
        await task.get()


async def test_interrupt_comes_in_the_midst_of_a_statement(db: Db) -> None:
    conn = await db.connect()
    task = await db.interrupt(conn, conn.execute, "select pg_sleep(30)")
    assert isinstance(task.error, db.runtime.Killed)


async def test_proxy_leads_to_the_server(db: Db, proxy: FaultProxy) -> None:
    conn = await db.connect(proxy.dsn)
    assert await db.value(conn) == 42
    assert proxy.links == 1


async def test_a_table_is_there_for_all(db: Db) -> None:
    table = db.table()
    conn = await db.connect()
    assert await db.fetch(conn, f"select * from {table}") == []
    db.sql(f"insert into {table} values (1, 'x')")
    assert await db.fetch(conn, f"select * from {table}") == [(1, "x")]


@pytest.mark.runtimes("select", "trio")
def test_a_socket_left_open_fails_the_test(
    runtime: Runtime, dsn: str, observer: bed.Observer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bed, "CLEANING_UP", 0.1)
    kept: list[Any] = []

    async def leave() -> None:
        kept.append(socket.socket())

    with pytest.raises(AssertionError, match="left sockets open"):
        bed.Db(runtime, dsn, observer).run(leave)
    kept.pop().close()


async def test_within_is_only_for_what_we_ourselves_take(db: Db) -> None:
    with pytest.raises(AssertionError, match="it took"), bed.within(0.01):
        await db.runtime.pause(0.5)  # the machine would have to stand still for nearly all of it
    with bed.within(5):
        await db.runtime.pause(0.01)


# Not trio: it calls an exception out of a signal handler an internal error, at length.
@pytest.mark.runtimes("select", "gevent", "eventlet", "asyncio", "uvloop")
def test_a_test_that_hangs_is_ended(
    runtime: Runtime, dsn: str, observer: bed.Observer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bed, "WATCHDOG", 0.3)  # by then the runtime has begun, be the machine busy or not
    db = bed.Db(runtime, dsn, observer)

    async def hang() -> None:
        await db.event().wait()

    with pytest.raises(bed.HangError, match="has not ended within"):
        db.run(hang)


def test_a_blocking_test_must_not_suspend() -> None:
    async def suspend() -> None:
        await asyncio.sleep(0)

    with pytest.raises(AssertionError, match="does not block"):
        runtimes.finish(suspend())
