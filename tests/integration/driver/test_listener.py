"""`Listener`: it goes on whatever becomes of its connection, and says what may have been missed."""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING, Any

import pytest

from greenpg import listener as module

if TYPE_CHECKING:
    from tests.faults import FaultProxy
    from tests.integration.driver.bed import Db

pytestmark = pytest.mark.beyond


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lost connections are what this is about; and nobody wants to wait for long."""
    caplog.set_level(logging.CRITICAL, "greenpg")
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.05)


def listener(db: Db, conninfo: str, *channels: str, **options: Any) -> Any:
    """Return a listener in this runtime's colour."""
    made = db.kind("Listener")(conninfo, channels, application_name=db.label, **options)
    return made if db.is_async else db._facades.wrap(made)


async def several(listening: Any, count: int) -> list[Any]:
    """Return the next items."""
    found: list[Any] = []
    async for item in listening:
        found.append(item)
        if len(found) == count:
            break
    return found


async def test_it_listens(db: Db) -> None:
    async with listener(db, db.dsn, "one", "the other") as listening:
        db.sql("notify one, '1'")
        db.sql("notify \"the other\", '2'")
        items = await several(listening, 2)
        assert [(item.channel, item.payload) for item in items] == [("one", "1"), ("the other", "2")]
    assert listening.closed
    assert await several(listening, 1) == []


async def test_it_reports_a_gap(db: Db, proxy: FaultProxy) -> None:
    began = dt.datetime.now(dt.timezone.utc)
    async with listener(db, proxy.dsn, "cut") as listening:
        db.sql("notify cut, '1'")
        [first] = await several(listening, 1)
        heard = dt.datetime.now(dt.timezone.utc)
        proxy.cut()
        [gap] = await several(listening, 1)
        db.sql("notify cut, '2'")
        [second] = await several(listening, 1)
    assert (first.payload, second.payload) == ("1", "2")
    assert isinstance(gap, db.driver.Gap)
    assert began <= gap.since <= heard <= gap.until
    assert gap.reason


async def test_it_tries_again_and_again(db: Db, proxy: FaultProxy) -> None:
    async with listener(db, proxy.dsn, "patience", connect_timeout=2) as listening:
        proxy.cut_after(10)  # each connection that is opened from now on, too
        db.sql("notify patience, 'a payload that is longer than ten bytes'")
        task = db.spawn(several, listening, 1)
        await db.until(lambda: listening._failures >= 3)
        proxy.heal()
        [gap] = await task.get()
        assert isinstance(gap, db.driver.Gap)
        db.sql("notify patience, 'x'")
        assert [item.payload for item in await several(listening, 1)] == ["x"]


async def test_the_server_ends_it(db: Db) -> None:
    async with listener(db, db.dsn, "killed") as listening:
        task = db.spawn(several, listening, 1)
        [[pid]] = db.sessions()
        db.sql("select pg_terminate_backend(%s)", pid)
        [gap] = await task.get()
        assert "administrator command" in gap.reason


async def test_a_callback_gets_the_gaps(db: Db, proxy: FaultProxy) -> None:
    gaps: list[Any] = []
    async with listener(db, proxy.dsn, "told", on_gap=gaps.append) as listening:
        proxy.cut()
        task = db.spawn(several, listening, 1)
        await db.until(lambda: gaps)
        db.sql("notify told, 'x'")
        assert [item.payload for item in await task.get()] == ["x"]
    assert len(gaps) == 1


@pytest.mark.runtimes("asyncio", "uvloop", "trio")
async def test_the_callback_may_be_async(db: Db, proxy: FaultProxy) -> None:
    gaps: list[Any] = []

    async def on_gap(gap: Any) -> None:
        await db.runtime.pause()
        gaps.append(gap)

    async with listener(db, proxy.dsn, "told", on_gap=on_gap) as listening:
        proxy.cut()
        task = db.spawn(several, listening, 1)
        await db.until(lambda: gaps)
        db.sql("notify told, 'x'")
        await task.get()


async def test_close_ends_it(db: Db) -> None:
    async with listener(db, db.dsn, "silent") as listening:
        task = db.spawn(several, listening, 1)
        await db.until(lambda: listening._connection._is_busy)
        await listening.close()
        await listening.close()
        assert await task.get() == []


async def test_close_ends_a_pause(db: Db, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHORTEST_PAUSE", 3600)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 3600)
    async with listener(db, proxy.dsn, "silent") as listening:
        proxy.cut_after(10)
        proxy.cut()
        task = db.spawn(several, listening, 1)
        await db.until(lambda: listening._signal)
        await listening.close()
        assert await task.get() == []


async def test_an_interruption_loses_nothing(db: Db, proxy: FaultProxy) -> None:
    async with listener(db, proxy.dsn, "patient") as listening:
        with pytest.raises(db.Timeout), db.timeout(0.05):
            await several(listening, 1)
        db.sql("notify patient, '1'")
        assert [item.payload for item in await several(listening, 1)] == ["1"]


async def test_what_came_before_the_end_is_not_lost(db: Db) -> None:
    async with listener(db, db.dsn, "burst") as listening:
        [[pid]] = db.sessions()
        db.sql("select pg_notify('burst', repeat('x', 7000) || n) from generate_series(1, 20) as n")
        await several(listening, 1)
        db.sql("select pg_terminate_backend(%s)", pid)
        await db.until(lambda: not db.sessions())
        items = await several(listening, 20)
        assert [item.payload.lstrip("x") for item in items[:19]] == [str(n) for n in range(2, 21)]
        assert isinstance(items[19], db.driver.Gap)


async def test_the_first_connection_must_succeed(db: Db) -> None:
    with pytest.raises(db.errors.OperationalError):
        async with listener(db, db.dsn, "nowhere", dbname="nothing_of_this_name"):
            raise AssertionError("this is no database")


async def test_without_channels(db: Db) -> None:
    with pytest.raises(db.errors.ProgrammingError, match="channels"):
        listener(db, db.dsn)


async def test_one_channel_is_no_list_of_letters(db: Db) -> None:
    made = db.kind("Listener")(db.dsn, "single", application_name=db.label)
    async with made if db.is_async else db._facades.wrap(made) as listening:
        db.sql("notify single, '1'")
        assert [item.channel for item in await several(listening, 1)] == ["single"]


@pytest.mark.parametrize(("given", "seconds"), [("", b"10"), ("connect_timeout=7", b"7")])
async def test_an_attempt_is_limited(db: Db, given: str, seconds: bytes) -> None:
    async with listener(db, f"{db.dsn} {given}", "limited") as listening:
        options = {item.keyword: item.val for item in listening._connection.pgconn.info}
        assert options[b"connect_timeout"] == seconds
        assert options[b"keepalives_idle"] == b"30"  # a dead network is noticed: it only ever reads
