"""Nobody keeps the hub or the loop with data that is there already: the others get a turn when it is time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from greenpg.abc import Wait
from greenpg.waiters import _slice
from tests.integration.driver.blocking import bare

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.integration.driver.bed import Db

pytestmark = [pytest.mark.beyond, pytest.mark.runtimes("gevent", "asyncio")]


class Clock:
    """Every look at it takes its time: a fifth of a slice, or none."""

    def __init__(self) -> None:
        self.now = 0.0
        self.step = 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that time slices are measured by."""
    clock = Clock()
    monkeypatch.setattr(_slice, "monotonic", clock)
    return clock


async def turns(clock: Clock, conn: Any, use: Callable[[], Coroutine[Any, Any, object]]) -> tuple[int, int]:
    """Return how often `use` has given way, by waiting for what need not be waited for.

    :return: where that took its time, and where no time passed
    """
    count, [real] = 0, bare([conn])
    waiter = real._waiter

    def counting() -> Any:
        wait = waiter()

        def counted(fd: int, need: Wait, timeout: float | None) -> Any:
            nonlocal count
            count += need == Wait.RW
            return wait(fd, need, timeout)

        return counted

    real._waiter = counting
    had = []
    for clock.step in (0.002, 0.0):
        before = count
        await use()
        had.append(count - before)
    return had[0], had[1]


async def fetched(db: Db, conn: Any) -> tuple[Any, Any]:
    """Return two cursors with rows that are still to be made: of chunks, and of rows by a row factory."""
    kept = await conn.execute("select array[i] from generate_series(1, 5000) i")
    made = await conn.execute("select i from generate_series(1, 5000) i")
    made.row_factory = db.module("rows").scalar_row
    return kept, made


@pytest.mark.runtimes("gevent", "eventlet", "asyncio", "trio")
async def test_giving_way_lets_others_run(db: Db, clock: Clock, conn: Any) -> None:
    cursor, _ = await fetched(db, conn)
    turns, is_over = 0, False

    async def other() -> None:
        nonlocal turns
        while not is_over:
            turns += 1
            await db.runtime.pause()

    task = db.spawn(other)
    await db.runtime.pause(0.001)
    before = turns
    await cursor.fetchmany(2500)
    assert turns == before
    clock.step = 0.002
    await cursor.fetchall()
    assert turns > before
    is_over = True
    await task.get()


@pytest.mark.parametrize("way", ["fetchall", "fetchmany", "iteration"])
async def test_fetching_what_has_come(db: Db, clock: Clock, conn: Any, way: str) -> None:
    for cursor in await fetched(db, conn):

        async def fetch(cursor: Any = cursor) -> None:
            await cursor.scroll(0, mode="absolute")
            if way == "iteration":
                count = len([row async for row in cursor])
            else:
                count = len(await (cursor.fetchall() if way == "fetchall" else cursor.fetchmany(5000)))
            assert count == 5000

        some, none = await turns(clock, conn, fetch)
        assert some >= (3 if way == "iteration" else 20)
        assert none == 0


async def test_fetching_where_nobody_can_wait(db: Db, clock: Clock, conn: Any) -> None:
    for cursor in await fetched(db, conn):
        await cursor.fetchone()
        with db.hold() as lock:
            task = db.spawn(conn.execute, f"select {lock}")
            await db.under_way(conn)
            clock.step = 0.002
            assert len(await cursor.fetchall()) == 4999
        await task.get()


async def test_rows_of_many_columns(db: Db, clock: Clock, conn: Any) -> None:
    cursor = await conn.execute(f"select {', '.join(['i'] * 500)} from generate_series(1, 200) i")

    async def fetch() -> None:
        await cursor.scroll(0, mode="absolute")
        assert len(await cursor.fetchall()) == 200

    some, none = await turns(clock, conn, fetch)
    assert some >= 2
    assert none == 0


async def test_letting_go_of_the_result_before(db: Db, clock: Clock, conn: Any) -> None:
    cursor = conn.cursor()

    async def execute() -> None:
        clock.step, step = 0.0, clock.step
        await cursor.execute("select i from generate_series(1, 50000) i", binary=True)
        clock.step = step
        await cursor.execute("select 1")

    some, none = await turns(clock, conn, execute)
    assert some >= 2
    assert none == 0


async def test_a_result_as_it_comes(db: Db, clock: Clock, conn: Any) -> None:
    async def execute() -> None:
        await conn.execute("select i from generate_series(1, 20000) i", binary=True)

    await execute()
    some, none = await turns(clock, conn, execute)
    assert some >= 20
    assert none == 0


async def test_a_stream(db: Db, clock: Clock, conn: Any) -> None:
    for size in (1, 5000):

        async def stream(size: int = size) -> None:
            cursor = conn.cursor()
            assert (
                len([row async for row in cursor.stream("select generate_series(1, 5000)", size=size)])
                == 5000
            )

        some, none = await turns(clock, conn, stream)
        assert some >= 2
        assert none == 0


async def test_notices(db: Db, clock: Clock, conn: Any) -> None:
    said = []
    conn.add_notice_handler(lambda notice: said.append(notice.message_primary))

    async def flood() -> None:
        await conn.execute("do $$ begin for i in 1..100 loop raise notice '%', i; end loop; end $$")

    some, none = await turns(clock, conn, flood)
    assert some >= 10
    assert none == 0
    assert said == [str(i) for i in range(1, 101)] * 2


async def test_notices_before_an_error(db: Db, clock: Clock, conn: Any) -> None:
    said: list[Any] = []
    conn.add_notice_handler(said.append)

    async def fail() -> None:
        with pytest.raises(db.errors.RaiseException):
            await conn.execute(
                "do $$ begin for i in 1..100 loop raise notice '%', i; end loop; raise 'no'; end $$"
            )
        await conn.rollback()

    some, none = await turns(clock, conn, fail)
    assert some >= 10
    assert none == 0
    assert len(said) == 200


async def test_notifications(db: Db, clock: Clock, conn: Any) -> None:
    channel = db.name()
    await conn.execute(f"listen {channel}")
    await conn.commit()

    async def listen() -> None:
        db.sql(f"select pg_notify('{channel}', i::text) from generate_series(1, 100) i")
        assert len([_ async for _ in conn.notifies(stop_after=100)]) == 100

    some, none = await turns(clock, conn, listen)
    assert some >= 10
    assert none == 0
