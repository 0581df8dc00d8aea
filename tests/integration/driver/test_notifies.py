"""Notifications: handlers, and `notifies()` as a generator."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.driver.bed import Db


async def listening(db: Db, *channels: str) -> Any:
    """Return a connection that listens."""
    conn = await db.connect(autocommit=True)
    for channel in channels:
        await conn.execute(f'listen "{channel}"')
    return conn


def payloads(notifications: list[Any]) -> list[str]:
    """Return what was sent."""
    return [notify.payload for notify in notifications]


async def test_one(db: Db) -> None:
    conn = await listening(db, "über", "other")
    db.sql("""notify "über", 'Grüße'""")
    [notify] = [notify async for notify in conn.notifies(timeout=10, stop_after=1)]
    assert (notify.channel, notify.payload) == ("über", "Grüße")
    assert db.sql("select pg_backend_pid()") == [(notify.pid,)]


async def test_its_own(db: Db) -> None:
    conn = await listening(db, "ours")
    await conn.execute("notify ours, 'x'")
    [notify] = [notify async for notify in conn.notifies(timeout=10, stop_after=1)]
    assert notify.pid == conn.info.backend_pid


async def test_it_waits(db: Db) -> None:
    conn = await listening(db, "later")
    received: list[Any] = []

    async def receive() -> None:
        received.extend([notify async for notify in conn.notifies(timeout=10, stop_after=2)])

    task = db.spawn(receive)
    await db.until(lambda: db.sessions("state") == [("idle",)])
    for number in (1, 2):
        db.sql(f"notify later, '{number}'")
    await task.get()
    assert payloads(received) == ["1", "2"]


async def test_the_time_is_over(db: Db) -> None:
    conn = await listening(db, "silent")
    assert [notify async for notify in conn.notifies(timeout=0.05)] == []
    assert [notify async for notify in conn.notifies(timeout=0)] == []
    assert await db.value(conn) == 42


@pytest.mark.beyond
async def test_it_stops_after_as_many_and_loses_none(db: Db) -> None:
    conn = await listening(db, "many")
    for number in range(5):
        db.sql(f"notify many, '{number}'")
    assert payloads([notify async for notify in conn.notifies(stop_after=2)]) == ["0", "1"]
    assert [notify async for notify in conn.notifies(stop_after=0)] == []
    assert payloads([notify async for notify in conn.notifies(timeout=10, stop_after=3)]) == ["2", "3", "4"]


@pytest.mark.beyond
async def test_those_that_come_with_statements_are_kept(db: Db) -> None:
    conn = await listening(db, "kept")
    for number in range(3):
        db.sql(f"notify kept, '{number}'")
        await conn.execute("select 1")
    assert payloads([notify async for notify in conn.notifies(timeout=0)]) == ["0", "1", "2"]


@pytest.mark.beyond
async def test_statements_between_two_notifications(db: Db) -> None:
    conn = await listening(db, "busy")
    for number in range(3):
        db.sql(f"notify busy, '{number}'")
    received = []
    async for notify in conn.notifies(timeout=10, stop_after=4):
        received.append(notify.payload)
        assert await db.value(conn) == 42
        if notify.payload == "1":
            db.sql("notify busy, 'last'")
    assert received == ["0", "1", "2", "last"]


async def test_it_can_be_closed(db: Db) -> None:
    conn = await listening(db, "closed")
    db.sql("notify closed, '1'")
    notifications = conn.notifies()
    async for notify in notifications:
        assert notify.payload == "1"
        await notifications.aclose()
    assert await db.value(conn) == 42


@pytest.mark.beyond
async def test_an_interruption_loses_none(db: Db) -> None:
    conn = await listening(db, "patient")
    with pytest.raises(db.Timeout), db.timeout(0.05):
        async for _ in conn.notifies():
            raise AssertionError("nothing was sent")
    db.sql("notify patient, '1'")
    assert payloads([notify async for notify in conn.notifies(timeout=10, stop_after=1)]) == ["1"]


@pytest.mark.beyond
async def test_others_are_refused_while_it_waits(db: Db) -> None:
    conn = await listening(db, "alone")

    async def receive() -> list[Any]:
        return [notify async for notify in conn.notifies(timeout=10, stop_after=1)]

    task = db.spawn(receive)
    await db.until(lambda: conn._is_busy)
    with pytest.raises(db.errors.InterfaceError, match="in use"):
        await conn.execute("select 1")
    db.sql("notify alone, '1'")
    assert payloads(await task.get()) == ["1"]


@pytest.mark.beyond
async def test_close_ends_it(db: Db) -> None:
    conn = await listening(db, "ended")

    async def receive() -> list[Any]:
        return [notify async for notify in conn.notifies(timeout=10)]

    task = db.spawn(receive)
    await db.until(lambda: conn._is_busy)
    await conn.close()
    with pytest.raises(db.errors.Error):
        await task.get()


@pytest.mark.beyond
async def test_the_end_of_the_session_ends_it(db: Db) -> None:
    conn = await listening(db, "killed")

    async def receive() -> list[Any]:
        return [notify async for notify in conn.notifies()]

    task = db.spawn(receive)
    await db.until(lambda: conn._is_busy)
    db.sql("notify killed, '1'")
    db.sql("select pg_terminate_backend(%s)", conn.info.backend_pid)
    with pytest.raises(db.errors.AdminShutdown):
        await task.get()


async def test_a_handler_is_told(db: Db) -> None:
    conn = await listening(db, "handled")
    heard: list[Any] = []
    conn.add_notify_handler(heard.append)
    db.sql("notify handled, '1'")
    await conn.execute("select 1")
    assert payloads(heard) == ["1"]
    conn.remove_notify_handler(heard.append)
    await conn.execute("notify handled, '2'")
    assert payloads(heard) == ["1"]


@pytest.mark.beyond
async def test_a_handler_and_a_generator_are_both_told(db: Db) -> None:
    conn = await listening(db, "couple")
    heard: list[Any] = []
    conn.add_notify_handler(heard.append)
    db.sql("notify couple, '1'")
    notifications = conn.notifies(timeout=10)
    assert payloads([await anext(notifications)]) == ["1"]
    db.sql("notify couple, '2'")
    await conn.execute("select 1")
    assert payloads([await anext(notifications)]) == ["2"]
    await notifications.aclose()
    db.sql("notify couple, '3'")
    await conn.execute("select 1")
    assert payloads(heard) == ["1", "2", "3"]
    assert [notify async for notify in conn.notifies(timeout=0)] == []


@pytest.mark.beyond
async def test_nothing_wakes_up_in_vain(db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    conn = await listening(db, "quiet")
    waits = 0
    original = type(conn._real if not db.is_async else conn)._next_notify_gen

    def counting(self: Any) -> Any:
        nonlocal waits
        gen = original(self)
        ready = None
        while True:
            try:
                asked = gen.send(ready)
            except StopIteration as end:
                return end.value
            if not waits:
                timer.start()
            waits += 1
            ready = yield asked

    monkeypatch.setattr(type(conn._real if not db.is_async else conn), "_next_notify_gen", counting)
    timer = threading.Timer(0.3, db.sql, ["notify quiet, '1'"])
    assert payloads([notify async for notify in conn.notifies(stop_after=1)]) == ["1"]
    timer.join()
    assert waits == 1
