"""Tracers: what they are told of each kind, in which order, with which seconds; that they harm nothing."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import pytest

from greenpg import sql, tracing
from greenpg.pq.enums import Trace
from greenpg.tracing import Call, MultiTracer, Tracer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.driver.bed import Db

pytestmark = pytest.mark.beyond


class Log(Tracer):
    """Keeps what it is told, but waits."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.ended: list[Call] = []
        self.is_waiting = False
        self.waits = 0

    def start(self, call: Call) -> None:
        """Something begins."""
        if call.kind == "wait":
            self.is_waiting = True
        else:
            self.told.append(f"{call.kind} {call.statement or ''}".rstrip())

    def end(self, call: Call) -> None:
        """It has ended."""
        if call.kind == "wait":
            self.is_waiting = False
            self.waits += 1
        else:
            self.told.append(f"/{call.kind}")
            self.ended.append(call)

    def last(self, kind: str) -> Call:
        """Return what has ended last of a kind."""
        return [call for call in self.ended if call.kind == kind][-1]


@pytest.fixture
def log() -> Log:
    """A tracer."""
    return Log()


@pytest.fixture
def process_wide(log: Log) -> Iterator[Log]:
    """A tracer of the whole process."""
    tracing.set_tracer(log)
    yield log
    tracing.set_tracer(None)


async def kept_waiting(db: Db, conn: Any, is_waiting: Callable[[], object]) -> tuple[str, float]:
    """Execute a statement that takes its time; return it, and how many seconds it was waited for at least."""
    is_active = db.asks_active(conn)
    with db.hold() as held:
        query = f"select %s::text from {held}"
        task = db.spawn(conn.execute, query, ("not told",))
        await db.until(lambda: is_active() and is_waiting())
        began = time.monotonic()
        await db.runtime.pause(0.05)
        seconds = time.monotonic() - began
    await task.get()
    return query, seconds


async def test_a_connect(db: Db, log: Log) -> None:
    conn = await db.connect(tracer=log, password="not told")
    assert log.told == ["connect", "/connect"]
    [call] = log.ended
    assert call.options["application_name"] == db.label
    assert "not told" not in str(vars(call))
    assert call.connection.info.backend_pid == conn.info.backend_pid
    assert call.seconds is not None
    assert 0 < call.seconds_waited < call.seconds
    assert call.waits == log.waits > 0


async def test_a_connect_that_fails(db: Db, log: Log) -> None:
    with pytest.raises(db.errors.OperationalError) as caught:
        await db.call(db.kind("Connection").connect, "host=127.0.0.1 port=1 dbname=none", tracer=log)
    [call] = log.ended
    assert call.error is caught.value
    assert call.connection is None
    assert call.options["port"] == "1"


async def test_of_the_process(db: Db, process_wide: Log) -> None:
    conn = await db.connect()
    assert tracing.get_tracer() is conn.tracer is process_wide
    assert process_wide.told == ["connect", "/connect"]


async def test_a_statement(db: Db, log: Log) -> None:
    conn = await db.connect(tracer=log, autocommit=True)
    log.told.clear()
    query, waited = await kept_waiting(db, conn, lambda: log.is_waiting)
    assert log.told == [f"execute {query}", "/execute"]
    call = log.last("execute")
    assert call.rows == 1
    assert call.error is None
    assert call.seconds is not None
    assert waited <= call.seconds_waited < call.seconds
    assert "not told" not in str(vars(call))


async def test_parts(db: Db, log: Log) -> None:
    conn = await db.connect(tracer=log)
    log.told.clear()
    await conn.execute("select 1", prepare=True)
    await conn.commit()
    begin = ["execute BEGIN", "/execute"]
    prepare = ["prepare select 1", "/prepare"]
    commit = ["execute COMMIT", "/execute"]
    assert log.told == ["execute select 1", *begin, *prepare, "/execute", *commit]
    whole = log.ended[-2]
    assert [call.parent for call in log.ended[1:]] == [whole, whole, None, None]
    assert whole.waits == sum(call.waits for call in log.ended[1:3]) + 1


async def test_literals_are_not_told(db: Db, log: Log) -> None:
    conn = await db.connect(tracer=log, autocommit=True)
    query = sql.SQL("select {}, {} as {}").format("not told", 42, sql.Identifier("a"))
    await conn.execute(query)
    assert log.last("execute").statement == 'select ?, ? as "a"'


async def test_a_client_cursor_tells_no_parameters(db: Db, log: Log) -> None:
    conn = await db.connect(tracer=log, autocommit=True, cursor_factory=db.kind("ClientCursor"))
    await conn.execute("select %s", ("not told",))
    assert log.last("execute").statement == "select %s"


@pytest.mark.parametrize(
    "query", ["select 1/0", "select %s", b"select \xff", 42, "select '\0'", sql.SQL("\0")]
)
async def test_an_error(db: Db, log: Log, query: Any) -> None:
    conn = await db.connect(tracer=log)
    with pytest.raises(db.errors.Error) as caught:
        await conn.execute(query, *([()] if query == "select %s" else []))
    call = log.last("execute")
    assert call.error is caught.value
    assert call.rows is None
    await conn.rollback()


async def test_a_timeout(db: Db, log: Log) -> None:
    conn = await db.connect(tracer=log, autocommit=True)
    log.told.clear()
    with pytest.raises(db.errors.StatementTimeout) as caught:
        await conn.execute("select pg_sleep(30)", timeout=0.05)
    assert log.told == ["execute select pg_sleep(30)", "cancel", "/cancel", "/execute"]
    assert log.last("execute").error is caught.value
    assert await db.value(conn) == 42  # whose seconds have those of settling in them
    assert log.last("execute").waits > 1


async def test_an_interruption(db: Db, log: Log) -> None:
    conn = await db.connect(tracer=log, autocommit=True)
    await db.interrupt(conn, conn.execute, "select pg_sleep(30)")
    assert isinstance(log.last("execute").error, db.runtime.Killed)
    assert await db.value(conn) == 42


async def test_a_lost_connection(db: Db, log: Log) -> None:
    conn = await db.connect(tracer=log, autocommit=True)
    db.sql("select pg_terminate_backend(%s)", conn.info.backend_pid)
    with pytest.raises(db.errors.OperationalError) as caught:
        await db.value(conn)
    assert log.last("execute").error is caught.value


async def test_a_refused_one_ends_nothing(db: Db, log: Log) -> None:
    conn = await db.connect(tracer=log, autocommit=True)
    with db.hold() as held:
        other = db.spawn(db.value, conn, f"select 42 from {held}")
        await db.under_way(conn)
        with pytest.raises(db.errors.InterfaceError, match="in use by"):
            await conn.execute("select 1")
        assert [call.kind for call in log.ended] == ["connect"]
    assert await other.get() == 42
    assert log.last("execute").error is None


async def test_many_and_streams(db: Db, log: Log) -> None:
    conn = await db.connect(tracer=log)
    cursor = conn.cursor()
    await cursor.execute("create temp table numbers (n int)")
    await cursor.executemany("insert into numbers values (%s)", [(1,), (2,), (3,)])
    assert log.last("execute").statement == "insert into numbers values (%s)"
    assert log.last("execute").rows == 3
    log.told.clear()
    rows = [row async for row in cursor.stream("select n from numbers")]
    assert len(rows) == 3
    assert log.told[0] == "execute select n from numbers"
    assert log.told[-1] == "/execute"
    assert log.last("execute").seconds_waited > 0


async def test_a_stream_left_early(db: Db, log: Log) -> None:
    conn = await db.connect(tracer=log, autocommit=True)
    stream = conn.cursor().stream("select generate_series(1, 10000)")
    async for _ in stream:
        break
    await stream.aclose()
    call = log.last("execute")
    assert call.statement == "select generate_series(1, 10000)"
    assert call.error is None


async def test_a_cursor_of_the_server(db: Db, log: Log) -> None:
    conn = await db.connect(tracer=log)
    async with conn.cursor("far") as cursor:
        await cursor.execute("select generate_series(1, 3)")
        assert log.last("execute").statement == "select generate_series(1, 3)"
        await cursor.fetchmany(2)
        assert log.last("execute").statement == 'FETCH FORWARD 2 FROM "far"'


async def test_copies(db: Db, log: Log) -> None:
    conn = await db.connect(tracer=log)
    await conn.execute("create temp table numbers (n int)")
    cursor = conn.cursor()
    async with cursor.copy("copy numbers from stdin") as copy:
        await copy.write_row((1,))
        await db.runtime.pause(0.05)
        assert log.told[-1] != "/copy"
    call = log.last("copy")
    assert call.statement == "copy numbers from stdin"
    assert call.rows == 1
    assert call.seconds is not None
    assert call.seconds - call.seconds_waited > 0.04
    with pytest.raises(ZeroDivisionError):
        async with cursor.copy("copy numbers from stdin"):
            raise ZeroDivisionError
    assert isinstance(log.last("copy").error, db.errors.QueryCanceled)
    await conn.rollback()


async def test_an_interrupted_copy(db: Db, log: Log) -> None:
    conn, copies = await db.connect(tracer=log), []

    async def wait() -> None:
        async with conn.cursor().copy("copy (select 1) to stdout") as copy:
            copies.append(copy)
            await db.event().wait()

    await db.interrupt_when(lambda: copies, wait)
    assert isinstance(log.last("copy").error, db.runtime.Killed)


async def test_a_copy_under_way_at_the_end(db: Db, log: Log) -> None:
    conn = await db.connect(tracer=log)
    async with conn.cursor().copy("copy (select 1) to stdout"):
        await conn.close()
    assert log.told[-1] == "/copy"


async def test_a_pipeline(db: Db, log: Log) -> None:
    conn = await db.connect(tracer=log, autocommit=True)
    log.told.clear()
    async with conn.pipeline():
        await conn.execute("select 1")
        await conn.execute("select 2")
    assert log.told[:4] == ["execute select 1", "/execute", "execute select 2", "/execute"]


async def test_a_request_to_cancel(db: Db, log: Log) -> None:
    conn = await db.connect(tracer=log, autocommit=True)
    await conn.cancel_safe()
    assert log.told[-2:] == ["cancel", "/cancel"]
    assert log.last("cancel").waits > 0


async def test_waits(db: Db) -> None:
    told: list[Call] = []

    class Waits(Tracer):
        """Hears of waits alone."""

        def wait_start(self, call: Call) -> None:
            """A wait begins."""
            told.append(call)

        def wait_end(self, call: Call) -> None:
            """It is over."""
            assert told[-1] is call

    conn = await db.connect(autocommit=True)
    conn.tracer = Waits()
    _, waited = await kept_waiting(db, conn, lambda: told)
    assert sum(call.seconds or 0 for call in told) >= waited
    assert {call.parent.kind for call in told if call.parent} == {"execute"}
    conn.tracer = None
    count = len(told)
    await conn.execute("select 1")
    assert len(told) == count


async def test_a_wait_that_is_interrupted(db: Db, log: Log) -> None:
    errors: list[Any] = []
    log.wait_end = lambda call: errors.append(call.error)  # type: ignore[method-assign]
    conn = await db.connect(autocommit=True)
    conn.tracer = MultiTracer(
        log, type("Waits", (Tracer,), {"wait_end": lambda _, call: log.wait_end(call)})()
    )
    await db.interrupt(conn, conn.execute, "select pg_sleep(30)")
    assert isinstance(errors[-1], db.runtime.Killed)


class Bad(Tracer):
    """Raises whatever it is told."""

    def start(self, call: Call) -> None:
        """Something begins."""
        raise ZeroDivisionError

    end = start


async def test_one_that_raises_is_logged(db: Db, log: Log, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "greenpg"):
        conn = await db.connect(tracer=MultiTracer(Bad(), log, Bad()))
        assert await db.value(conn) == 42
        conn.tracer = Bad()
        assert await db.value(conn) == 42
    assert "error in the tracer" in caplog.text
    assert log.last("execute").rows == 1


async def test_one_that_uses_the_connection(db: Db, caplog: pytest.LogCaptureFixture) -> None:
    class Using(Tracer):
        """Executes something, which is not possible."""

        def execute_end(self, call: Call) -> None:
            """Its results are here."""
            done = call.connection.execute("select 1")
            if db.is_async:
                done.send(None)

    conn = await db.connect(tracer=Using(), autocommit=True)
    with caplog.at_level(logging.ERROR, "greenpg"):
        assert await db.value(conn) == 42
    assert "cannot use the connection" in caplog.text


async def test_several_are_told_in_turn(db: Db) -> None:
    order: list[str] = []

    class Named(Tracer):
        """Says its name."""

        def __init__(self, name: str) -> None:
            self.name = name

        def execute_start(self, call: Call) -> None:
            """A statement is executed."""
            call.state[self] = self.name
            order.append(self.name)

        def execute_end(self, call: Call) -> None:
            """Its results are here."""
            order.append(f"/{call.state[self]}")

    conn = await db.connect(tracer=MultiTracer(Named("a"), Named("b")), autocommit=True)
    await conn.execute("select 1")
    assert order == ["a", "b", "/b", "/a"]


async def test_the_trace_of_libpq(db: Db, conn: Any, tmp_path: Path) -> None:
    with (tmp_path / "trace").open("w+b") as file:
        conn.pgconn.trace(file.fileno(), Trace.SUPPRESS_TIMESTAMPS)
        await conn.execute("select %s::text", ("told",))
        conn.pgconn.untrace()
        await conn.execute("select 'later'")
        file.seek(0)
        text = file.read()
    assert b"Bind" in text
    assert b"told" in text
    assert b"later" not in text
