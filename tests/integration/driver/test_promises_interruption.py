"""Promises 1 to 6: an interruption is delivered at once and unchanged, and leaves no connection in doubt."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from greenpg import waiters
from tests.integration.driver.bed import within

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenpg.abc import Ready, Wait
    from tests.faults import FaultProxy
    from tests.integration.driver.bed import Db

DELIVERY = 0.5
"""Seconds within which an interruption is delivered; the promise is 0.05 on a machine that is not busy."""

SLEEP = "select pg_sleep(30)"


async def is_usable(db: Db, conn: Any) -> None:
    """Find the connection open, and in its right mind."""
    await conn.rollback()
    assert not conn.closed
    assert await db.value(conn) == 42


async def is_closed_or_usable(db: Db, conn: Any) -> None:
    """Find the connection in one of the two states that there are."""
    try:
        await conn.rollback()
    except db.errors.OperationalError:
        assert conn.closed
    else:
        await is_usable(db, conn)


async def test_1_a_timeout_leaves_the_connection_usable(db: Db, conn: Any) -> None:
    with within(0.1 + DELIVERY), pytest.raises(db.Timeout), db.timeout(0.1):
        await conn.execute(SLEEP)
    await is_usable(db, conn)


async def test_1_a_kill_leaves_the_connection_usable(db: Db, conn: Any) -> None:
    task = await db.interrupt(conn, conn.execute, SLEEP)
    assert isinstance(task.error, db.runtime.Killed)
    await is_usable(db, conn)


@pytest.mark.runtimes("asyncio", "uvloop")
async def test_1_wait_for(db: Db, conn: Any) -> None:
    with within(0.1 + DELIVERY), pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(conn.execute(SLEEP), 0.1)
    await is_usable(db, conn)


class Mine(BaseException):
    """An interruption that no list of exceptions knows."""


class RaisesAt:
    """A wait callback that raises at its n-th call."""

    def __init__(self, wait: Callable[..., Ready], number: int, error: BaseException) -> None:
        self._wait, self.left, self._error = wait, number, error

    def __call__(self, fd: int, need: Wait, timeout: float | None, /) -> Ready:
        self.left -= 1
        if self.left == 0:
            raise self._error
        return self._wait(fd, need, timeout)


async def work(db: Db, conn: Any) -> None:
    """Do some of everything that waits."""
    await conn.execute("create temp table worked (id int, data text)")
    await conn.execute("insert into worked values (%s, %s)", (1, "x" * 100_000), prepare=True)
    await conn.cursor().executemany("insert into worked values (%s, %s)", [(2, "y"), (3, "z")])
    assert len(await db.fetch(conn, "select * from worked; select 1")) == 3
    await conn.commit()
    await conn.execute("drop table worked")
    await conn.rollback()


@pytest.mark.beyond
@pytest.mark.runtimes("select", "gevent", "eventlet")
@pytest.mark.parametrize("kind", [Mine, KeyboardInterrupt, SystemExit, ValueError, TimeoutError, OSError])
async def test_1_at_every_single_wait(db: Db, kind: type[BaseException]) -> None:
    real = waiters.get_wait_callback()
    number, raised = 0, True
    while raised:
        number, error = number + 1, kind("thrown")
        wait = RaisesAt(real, 0, error)
        conn = await db.connect(wait_callback=wait)
        wait.left = number
        try:
            await work(db, conn)
        except kind as caught:
            assert caught is error  # noqa: PT017
            await is_closed_or_usable(db, conn)
        else:
            raised = False
        await conn.close()
    assert number > 6


@pytest.mark.beyond
async def test_2_is_delivered_at_once_whatever_the_network_does(
    db: Db, proxy: FaultProxy, short_limits: float
) -> None:
    conn = await db.connect(proxy.dsn)
    assert await db.value(conn) == 42
    proxy.black_hole()
    with within(0.1 + DELIVERY), pytest.raises(db.Timeout), db.timeout(0.1):
        await conn.execute("select 1")
    # within the one limit of cleaning up
    with within(short_limits + 1.0), pytest.raises(db.errors.OperationalError, match="closed"):
        await conn.execute("select 1")
    assert conn.closed
    proxy.heal()  # the request to cancel is in the hole as well


@pytest.mark.beyond
async def test_2_cleaning_up_waits_as_long_as_it_may(db: Db, proxy: FaultProxy) -> None:
    conn = await db.connect(proxy.dsn, autocommit=True)
    proxy.black_hole()
    with pytest.raises(db.Timeout), db.timeout(0.1):
        await conn.execute(SLEEP)
    proxy.heal()
    assert await db.value(conn) == 42


@pytest.mark.beyond
async def test_3_the_server_is_told_without_another_use(db: Db, conn: Any) -> None:
    await db.interrupt(conn, conn.execute, SLEEP)
    await db.until(lambda: db.sessions("state") == [("idle in transaction (aborted)",)])


@pytest.mark.beyond
async def test_3_one_session_however_many_interruptions(db: Db) -> None:
    conn = await db.connect(autocommit=True)
    most = 0
    for _ in range(20):
        task = await db.interrupt(conn, conn.execute, SLEEP)
        assert isinstance(task.error, db.runtime.Killed)
        most = max(most, len(db.sessions()))
        assert await db.value(conn) == 42
    assert most <= 2  # one, and one in cancelling


# A signal's exception that comes up in a __del__ is lost by Python itself.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.beyond
async def test_4_and_6_neither_late_cancels_nor_late_rows(db: Db) -> None:
    conn = await db.connect(autocommit=True)
    for number in range(60):
        try:
            with db.timeout(0.0002 + 0.0003 * (number % 20)):
                found = await db.value(conn, "select %s + 0 * length(pg_sleep(0.003)::text)", (number,))
            assert found == number
        except db.Timeout:
            if conn.closed:  # a signal may come where no `try` can be
                assert db.runtime.name == "select"
                conn = await db.connect(autocommit=True)
        query = "select %s + 0 * length(pg_sleep(0.001)::text)"
        assert await db.value(conn, query, (-number,)) == -number


@pytest.mark.beyond
@pytest.mark.runtimes("asyncio", "uvloop", "trio")  # the blocking `cancel()` waits for the request itself
async def test_4_a_request_that_nobody_waits_for_hits_no_later_statement(db: Db) -> None:
    conn = await db.connect(autocommit=True)
    for number in range(60):
        task = db.spawn(lambda: conn.execute("select pg_sleep(0.002)"))
        while not task.is_over and not conn._is_busy:
            await db.runtime.pause()
        conn.cancel()
        with suppress(db.errors.QueryCanceled):
            await task.get()
        assert await db.value(conn, "select %s + 0 * length(pg_sleep(0.002)::text)", (number,)) == number


@pytest.mark.beyond
async def test_5_what_is_raised_in_the_statement_is_the_interruption_itself(db: Db, conn: Any) -> None:
    caught: list[BaseException] = []

    async def sleep() -> None:
        try:
            await conn.execute(SLEEP)
        except BaseException as error:
            caught.append(error)
            raise

    await db.interrupt(conn, sleep)
    assert isinstance(caught[0], db.runtime.Killed)
    assert caught[0].__cause__ is None


@pytest.mark.beyond
async def test_5_an_exception_inside_of_the_block_is_the_users(db: Db) -> None:
    conn = await db.connect()
    with pytest.raises(db.Timeout), db.timeout(0.1):
        async with conn:
            await conn.execute(SLEEP)
    assert conn.closed
    await db.until(lambda: not db.sessions())


@pytest.mark.beyond
async def test_5_a_second_one_during_cleaning_up(
    db: Db, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("greenpg._turn.RECOVERY_LIMIT", 1.5)  # the second one comes within it
    conn = await db.connect(proxy.dsn)
    proxy.black_hole()
    for _ in range(2):
        with within(0.1 + DELIVERY), pytest.raises(db.Timeout), db.timeout(0.1):
            await conn.execute(SLEEP)
    with pytest.raises(db.errors.OperationalError, match="closed"):
        await conn.execute("select 1")
    assert conn.closed
    proxy.heal()


@pytest.mark.beyond
async def test_6_an_interrupted_fetch_of_several_results(db: Db) -> None:
    conn = await db.connect(autocommit=True)
    for _ in range(5):
        with pytest.raises(db.Timeout), db.timeout(0.02):
            await conn.execute("select 'old'; select pg_sleep(30); select 'older'")
        assert await db.value(conn, "select 'new'") == "new"


@pytest.mark.beyond
async def test_1_a_transaction_after_an_interruption_is_failed_and_not_gone(db: Db, conn: Any) -> None:
    table = db.table()
    await conn.execute(f"insert into {table} values (1)")
    await db.interrupt(conn, conn.execute, SLEEP)
    with pytest.raises(db.errors.InFailedSqlTransaction):
        await conn.execute(f"insert into {table} values (2)")
    await conn.rollback()
    await conn.commit()
    assert db.sql(f"select * from {table}") == []
