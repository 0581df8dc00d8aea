"""psycopg 3: what waits lets others run, sleeps until there is something to do, and still does its work."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import errors as e

from greenpg.waiters import get_wait_callback, using
from tests.green.psycopg_statements import prepared, slow_table, under_way, value, works
from tests.green.ticker import LONGEST, Ticker

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.green.runtimes import Runtime

CHANNEL = f"fruits_{os.getpid()}"  # not to hear what others say on the same server


class Counter:
    """A wait callback that counts the waits, and notes the longest that was asked for."""

    def __init__(self) -> None:
        self._wait = get_wait_callback()
        self.waits = 0
        self.limits: list[float | None] = []

    def __call__(self, fd: int, need: Any, timeout: float | None, /) -> Any:
        self.waits += 1
        self.limits.append(timeout)
        return self._wait(fd, need, timeout)


def test_ten_at_once(runtime: Runtime, connect3: Callable[..., Any]) -> None:
    conns = [connect3(autocommit=True) for _ in range(10)]
    began = time.monotonic()
    runtime.join_all([runtime.spawn(value, conn, "select pg_sleep(0.3)") for conn in conns])
    assert time.monotonic() - began < 2  # one after the other, it would be 3


def test_a_wait_is_one_wait(runtime: Runtime, connect3: Callable[..., Any]) -> None:
    conn = connect3(autocommit=True)
    with using(Counter()) as counter:
        value(conn, "select pg_sleep(0.5)")
    assert isinstance(counter, Counter)
    assert counter.limits == [None]


@pytest.mark.runtimes("gevent")
def test_fifty_that_wait_cost_nothing(runtime: Runtime, connect3: Callable[..., Any]) -> None:
    holder, *conns = [connect3(autocommit=True) for _ in range(51)]
    holder.execute("select pg_advisory_lock(4710)")
    tasks = [runtime.spawn(value, conn, "select 1 from pg_advisory_lock_shared(4710)") for conn in conns]
    for conn in conns:
        under_way(conn, runtime)
    before = time.process_time()
    runtime.sleep(4)
    used = time.process_time() - before
    assert used < 0.01
    holder.execute("select pg_advisory_unlock(4710)")
    assert runtime.join_all(tasks) == [1] * 50


def test_notifies_waits_once(runtime: Runtime, connect3: Callable[..., Any]) -> None:
    conn, other = connect3(autocommit=True), connect3(autocommit=True)
    conn.execute(f"listen {CHANNEL}")

    def notify() -> None:
        runtime.sleep(0.4)
        other.execute(f"notify {CHANNEL}, 'pear'")

    task = runtime.spawn(notify)
    with using(Counter()) as counter:
        assert next(conn.notifies()).payload == "pear"
    task.get()
    assert isinstance(counter, Counter)
    assert counter.waits == 1


def test_notifies_ends_when_its_time_is_over(runtime: Runtime, connect3: Callable[..., Any]) -> None:
    conn = connect3(autocommit=True)
    conn.execute(f"listen {CHANNEL}")
    began = time.monotonic()
    with using(Counter()) as counter:
        assert list(conn.notifies(timeout=0.4)) == []
        assert 0.4 <= time.monotonic() - began < 10
        assert list(conn.notifies(timeout=0)) == []
    assert isinstance(counter, Counter)
    assert counter.waits < 5


def test_notifications_as_they_come(runtime: Runtime, connect3: Callable[..., Any]) -> None:
    conn, other = connect3(autocommit=True), connect3(autocommit=True)
    conn.execute(f"listen {CHANNEL}")
    task = runtime.spawn(lambda: [each.payload for each in conn.notifies(timeout=20, stop_after=3)])
    for fruit in ("apple", "pear", "plum"):
        runtime.sleep(0.01)
        other.execute("select pg_notify(%s, %s)", (CHANNEL, fruit))
    assert task.get() == ["apple", "pear", "plum"]


def test_copy_into_a_server_that_writes_too(runtime: Runtime, conn3: Any) -> None:
    notices: list[object] = []
    conn3.add_notice_handler(notices.append)
    slow_table(conn3, "raise notice '%', repeat('x', 200)")
    with runtime.timeout(30), Ticker(runtime) as ticker:
        with conn3.cursor().copy("copy slow from stdin") as copy:
            for i in range(100_000):
                copy.write(f"{i}\n")
        assert value(conn3, "select count(*) from slow") == 100_000
    assert len(notices) == 100_000
    if runtime.green:
        assert ticker.ticks > 10


@pytest.mark.parametrize("kind", ["blocks", "queued"])
def test_copy_in_and_out(runtime: Runtime, conn3: Any, kind: str) -> None:
    conn3.execute("create temp table numbers (i int, t text)")
    cursor = conn3.cursor()
    writer = None if kind == "blocks" else psycopg.copy.QueuedLibpqWriter(cursor)
    with cursor.copy("copy numbers from stdin", writer=writer) as copy:
        for i in range(2000):
            copy.write_row((i, "x" * 1000))
    assert cursor.rowcount == 2000
    with conn3.cursor().copy("copy numbers to stdout (format binary)") as copy:
        copy.set_types(["int4", "text"])
        assert sum(i for i, _ in copy.rows()) == sum(range(2000))
    with conn3.cursor().copy("copy numbers to stdout") as copy:
        assert b"".join(copy).count(b"\n") == 2000
    assert works(conn3)


def test_copy_that_fails_in_the_block(runtime: Runtime, conn3: Any) -> None:
    conn3.execute("create temp table numbers (i int)")
    with pytest.raises(ZeroDivisionError), conn3.cursor().copy("copy numbers from stdin") as copy:
        copy.write_row((1 / 0,))
    assert works(conn3)


def test_copy_goes_on_after_a_value_that_cannot_be_read(runtime: Runtime, conn3: Any) -> None:
    class Moody(psycopg.adapt.Loader):
        def load(self, data: Any) -> int:
            return 100 // int(bytes(data))

    cursor = conn3.cursor()
    cursor.adapters.register_loader("int4", Moody)
    answers = []
    with cursor.copy("copy (select i from generate_series(-2, 2) i) to stdout") as copy:
        copy.set_types(["int4"])
        for _ in range(6):
            with suppress(ZeroDivisionError):
                answers.append(copy.read_row())
    assert answers == [(-50,), (-100,), (100,), (50,), None]
    assert works(conn3)


def test_a_batch_that_fails_at_home_is_kept_so_far(runtime: Runtime, conn3: Any) -> None:
    def rows() -> Any:
        yield from ((i,) for i in range(5))
        raise ZeroDivisionError

    conn3.execute("create temp table numbers (i int)")
    with pytest.raises(ZeroDivisionError):
        conn3.cursor().executemany("insert into numbers select %s from pg_sleep(0.02)", rows())
    conn3.commit()
    assert value(conn3, "select count(*) from numbers") == 5


def test_others_run_while_rows_are_copied(runtime: Runtime, conn3: Any) -> None:
    conn3.execute("create temp table numbers (i int)")
    with Ticker(runtime) as writing, conn3.cursor().copy("copy numbers from stdin") as copy:
        runtime.sleep(0.01)  # it must have begun to tick
        for i in range(300_000):
            copy.write_row((i % 10,))
    with Ticker(runtime) as reading, conn3.cursor().copy("copy numbers to stdout") as copy:
        runtime.sleep(0.01)
        assert sum(1 for _ in copy) == 300_000
    for each in (writing, reading):
        if runtime.green:
            assert each.longest < LONGEST
            assert each.ticks > 1


def test_others_run_while_a_pipeline_is_filled(runtime: Runtime, conn3: Any) -> None:
    conn3.execute("create temp table numbers (i int)")
    with Ticker(runtime) as ticker:
        conn3.cursor().executemany("insert into numbers values (%s)", ((i,) for i in range(20_000)))
    assert value(conn3, "select count(*) from numbers") == 20_000
    if runtime.green:
        assert ticker.longest < 2 * LONGEST
        assert ticker.ticks > 3


def test_stream(runtime: Runtime, conn3: Any) -> None:
    rows = conn3.cursor().stream("select i from generate_series(0, 999) i")
    assert [i for (i,) in rows] == list(range(1000))
    unfinished = conn3.cursor().stream("select i, pg_sleep(0.001) from generate_series(0, 99999) i")
    assert next(unfinished)[0] == 0
    unfinished.close()
    assert works(conn3)


def test_pipeline(runtime: Runtime, conn3: Any) -> None:
    with conn3.pipeline() as pipe:
        cursors = [conn3.execute("select %s", (i,)) for i in range(100)]
        pipe.sync()
        assert [cursor.fetchone()[0] for cursor in cursors] == list(range(100))
        with pytest.raises(e.DivisionByZero):
            conn3.execute("select 1 / 0").fetchone()
        conn3.rollback()
        assert value(conn3) == 42
    assert works(conn3)


def test_server_side_cursor(runtime: Runtime, conn3: Any) -> None:
    with conn3.cursor("numbers", scrollable=True) as cursor:
        cursor.execute("select i from generate_series(0, 999) i")
        assert cursor.fetchone() == (0,)
        cursor.scroll(10)
        assert cursor.fetchmany(2) == [(11,), (12,)]
        assert len(cursor.fetchall()) == 987
    assert works(conn3)


def test_two_phase_commit(runtime: Runtime, conn3: Any, connect3: Callable[..., Any]) -> None:
    xid = prepared(f"green-{runtime.name}")
    conn3.tpc_begin(xid)
    conn3.execute("create table never (i int)")
    conn3.tpc_prepare()
    assert str(xid) in map(str, connect3().tpc_recover())
    conn3.tpc_rollback()
    assert works(conn3)


def test_transaction_blocks(runtime: Runtime, conn3: Any) -> None:
    with conn3.transaction():
        with pytest.raises(e.DivisionByZero), conn3.transaction():
            conn3.execute("select 1 / 0")
        assert value(conn3) == 42
    assert works(conn3)


class Watching(psycopg.Connection[Any]):
    """A connection that overrides what subclasses are told to override."""

    waits = 0

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        self.waits += 1
        return super().wait(gen, *args, **kwargs)


def test_a_class_that_waits_through_super(runtime: Runtime, dsn: str) -> None:
    with Watching.connect(dsn) as conn:
        assert value(conn) == 42
        assert conn.waits
        with pytest.raises(runtime.Timeout), runtime.timeout(0.05):
            value(conn, "select pg_sleep(30)")
        assert works(conn)


@pytest.mark.parametrize("statement", ["copy (select 1) to stdout", "copy numbers from stdin"])
@pytest.mark.parametrize("way", ["execute", "stream", "many", "pipeline"])
def test_copy_by_mistake(runtime: Runtime, conn3: Any, statement: str, way: str) -> None:
    def pipeline() -> None:
        with conn3.pipeline():
            conn3.execute(statement)

    conn3.execute("create temp table numbers (i int)")
    conn3.commit()
    ways: dict[str, Callable[[], object]] = {
        "execute": lambda: conn3.execute(statement),
        "stream": lambda: list(conn3.cursor().stream(statement)),
        "many": lambda: conn3.cursor().executemany(statement, [()] * 3),
        "pipeline": pipeline,
    }
    with pytest.raises(psycopg.Error):
        ways[way]()
    if way in ("execute", "stream"):
        assert works(conn3)
    else:  # libpq knows no way out of COPY in pipeline mode
        assert conn3.closed or works(conn3)


def test_copy_by_mistake_that_the_server_does_not_read_yet(runtime: Runtime, conn3: Any) -> None:
    conn3.execute("create temp table slow (i int)")
    conn3.execute(
        "create function pg_temp.pause() returns trigger language plpgsql as"
        " 'begin perform pg_sleep(0.2); return null; end'"
    )
    conn3.execute("create trigger t before insert on slow execute function pg_temp.pause()")
    conn3.commit()
    with pytest.raises(psycopg.Error):
        list(conn3.cursor().stream("copy slow from stdin"))
    assert works(conn3)


def test_big_copy_by_mistake(runtime: Runtime, conn3: Any) -> None:
    with runtime.timeout(10), pytest.raises(psycopg.ProgrammingError, match="use copy"):
        conn3.execute("copy (select generate_series(1, 1000000000)) to stdout")
    assert works(conn3)


def server_cursor_with_nul(conn: Any) -> None:
    with conn.cursor("server_side") as cursor:
        cursor.execute("select * from numbers\0 where false")


NULS: dict[str, Callable[[Any], object]] = {
    "execute": lambda conn: conn.execute("delete from numbers\0 where false"),
    "bytes": lambda conn: conn.execute(b"delete from numbers\0 where false"),
    "parameters": lambda conn: conn.execute("delete from numbers\0 where %s", (False,)),
    "client": lambda conn: psycopg.ClientCursor(conn).execute("delete from numbers\0 where %s", (False,)),
    "raw": lambda conn: psycopg.RawCursor(conn).execute("delete from numbers\0 where $1", (False,)),
    "composed": lambda conn: conn.execute(
        psycopg.sql.SQL("delete from {}\0").format(psycopg.sql.Identifier("numbers"))
    ),
    "many": lambda conn: conn.cursor().executemany("delete from numbers\0 where %s", [(False,)]),
    "stream": lambda conn: list(conn.cursor().stream("delete from numbers returning 1\0")),
    "copy": lambda conn: conn.cursor().copy("copy numbers to stdout\0").__enter__(),
    "server": server_cursor_with_nul,
}


@pytest.mark.parametrize("way", NULS)
def test_nul(runtime: Runtime, conn3: Any, way: str) -> None:
    conn3.execute("create temp table numbers (i int)")
    conn3.execute("insert into numbers values (1)")
    with pytest.raises(psycopg.ProgrammingError, match="NUL"):
        NULS[way](conn3)
    assert value(conn3, "select count(*) from numbers") == 1


def test_asyncio_is_left_alone(runtime: Runtime) -> None:
    from psycopg import AsyncConnection, AsyncCursor, connection_async

    from greenpg.compat import psycopg as room

    green = [
        vars(psycopg.waiting)["wait"],
        *vars(psycopg.Connection).values(),
        *vars(psycopg.Cursor).values(),
    ]
    room.unpatch()
    try:
        asynchronous = {name: getattr(AsyncConnection, name) for name in dir(AsyncConnection)}
        cursor = {name: getattr(AsyncCursor, name) for name in dir(AsyncCursor)}
        module, waits = vars(connection_async).copy(), psycopg.waiting.wait_async
        plain = [
            vars(psycopg.waiting)["wait"],
            *vars(psycopg.Connection).values(),
            *vars(psycopg.Cursor).values(),
        ]
    finally:
        room.patch()
    assert green != plain
    assert {name: getattr(AsyncConnection, name) for name in dir(AsyncConnection)} == asynchronous
    assert {name: getattr(AsyncCursor, name) for name in dir(AsyncCursor)} == cursor
    assert (vars(connection_async), psycopg.waiting.wait_async) == (module, waits)
