"""Promises 9, 17 and 23: a server that breaks the protocol gets one clear error.

The scenarios, and what each means, are the tables of `tests.hostile_protocol`.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import hostile_protocol as scenarios
from tests.integration.driver.bed import within

if TYPE_CHECKING:
    from tests.faults import FaultServer
    from tests.integration.driver.bed import Db

pytestmark = pytest.mark.beyond

LIMIT = 30.0
"""Seconds that a statement may take to fail; generous, the machine may be busy."""


async def attacked(db: Db, hostile: FaultServer, scenario: str) -> Any:
    """Return a connection on which the statement `attack` meets the scenario."""
    return await db.connect(hostile.dsn, dbname=scenario, autocommit=True)


async def attack(db: Db, conn: Any) -> list[Any]:
    """Run the statement; it takes a second or two at most."""
    began = time.monotonic()
    try:
        return await db.fetch(conn, "attack")
    finally:
        assert time.monotonic() - began < LIMIT


async def is_closed_or_works(db: Db, conn: Any) -> None:
    """Find the connection in one of the two states that promise 1 allows."""
    if not conn.closed:
        assert await db.fetch(conn, "select 1") == [(1,)]


@pytest.mark.parametrize("scenario", scenarios.GOOD_ANSWERS)
async def test_23_what_is_odd_but_allowed_is_taken(db: Db, hostile: FaultServer, scenario: str) -> None:
    conn = await attacked(db, hostile, scenario)
    assert await attack(db, conn) == [(1,)]
    assert await db.fetch(conn, "select 1") == [(1,)]


@pytest.mark.parametrize("scenario", scenarios.ERRORS)
async def test_23_an_error_leaves_the_connection_usable(db: Db, hostile: FaultServer, scenario: str) -> None:
    conn = await attacked(db, hostile, scenario)
    with pytest.raises(db.errors.DatabaseError) as caught:
        await attack(db, conn)
    assert str(caught.value).strip()
    assert not conn.closed
    assert await db.fetch(conn, "select 1") == [(1,)]


@pytest.mark.parametrize("scenario", scenarios.FATAL_ANSWERS)
async def test_23_what_cannot_be_understood_closes(db: Db, hostile: FaultServer, scenario: str) -> None:
    conn = await attacked(db, hostile, scenario)
    before = resident()
    with pytest.raises(db.errors.OperationalError) as caught:
        await attack(db, conn)
    assert str(caught.value).strip()
    assert conn.closed
    assert resident() - before < 100 << 20  # not the 900 MB that a length on the wire claims
    with pytest.raises(db.errors.OperationalError, match="closed"):
        await conn.execute("select 1")


@pytest.mark.parametrize("scenario", scenarios.WRONG)
async def test_23_what_is_wrong_is_an_error_and_never_a_wrong_row(
    db: Db, hostile: FaultServer, scenario: str
) -> None:
    conn = await attacked(db, hostile, scenario)
    with contextlib.suppress(db.errors.Error):
        assert await attack(db, conn) == [(1,)]
    await is_closed_or_works(db, conn)


@pytest.mark.parametrize("scenario", scenarios.ENDLESS)
async def test_9_what_never_ends_can_be_interrupted(
    db: Db, hostile: FaultServer, scenario: str, short_limits: float
) -> None:
    conn = await attacked(db, hostile, scenario)
    before = resident()
    with within(1.5):
        # what a signal handler raises is lost where libpq calls us, or in a `__del__`: Python ignores it
        if db.runtime.name == "select":
            with pytest.raises(db.errors.StatementTimeout):
                await conn.execute("attack", timeout=0.1)
        else:
            with pytest.raises(db.Timeout), db.timeout(0.1):
                await db.fetch(conn, "attack")
    if scenario.startswith("silence"):
        assert resident() - before < 100 << 20  # not the 900 MB that a length on the wire claims
    with pytest.raises(db.errors.OperationalError):  # it cannot be settled
        await conn.execute("select 1")
    assert conn.closed


@pytest.mark.parametrize("scenario", scenarios.STARTUPS)
async def test_23_a_hostile_greeting_is_an_operational_error(
    db: Db, hostile: FaultServer, scenario: str
) -> None:
    began = time.monotonic()
    with pytest.raises(db.errors.OperationalError) as caught:
        await attacked(db, hostile, scenario)
    assert str(caught.value).strip()
    assert time.monotonic() - began < LIMIT


def resident() -> int:
    """Return the bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
