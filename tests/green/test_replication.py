"""Streaming replication: psycopg2's calls and messages, interrupted and shared, and the loop going round.

The server's own plug-in `pgoutput` also streams what `pg_logical_emit_message()` is given, without a
publication.
"""

from __future__ import annotations

import itertools
import select
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest
from psycopg2 import _psycopg, extras

from tests.green.sessions import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.green.runtimes import Runtime, Task

PREFIX = "greenpg"
OPTIONS = {"proto_version": "1", "publication_names": "none", "messages": "true"}


class Stream:
    """A replication connection with a slot that goes when it does, and another one to emit messages."""

    slot = "greenpg_tests"

    def __init__(self, connect: Callable[..., Any], **options: Any):
        self.source = connect()
        self.source.autocommit = True
        self._source = self.source.cursor()
        self._source.execute("show wal_level")
        if self._source.fetchone() != ("logical",):
            pytest.skip("the server's wal_level is not logical")
        self._source.execute("set synchronous_commit to on")  # so that the stream has it at once
        self.conn = connect(connection_factory=extras.LogicalReplicationConnection, **options)
        self.cursor = self.conn.cursor()

    def open(self) -> None:
        """Make the slot."""
        self.send(f"CREATE_REPLICATION_SLOT {self.slot} TEMPORARY LOGICAL pgoutput")

    def send(self, command: str) -> None:
        """Execute a command on the replication connection."""
        self.cursor.execute(command)

    def start(self, options: Any = OPTIONS, **others: Any) -> None:
        """Start to stream."""
        self.cursor.start_replication(self.slot, options=options, **others)

    def emit(self, *texts: str) -> None:
        """Put messages into the stream, in one transaction."""
        sql = "select pg_logical_emit_message(true, %s, text) from unnest(%s) text"
        self._source.execute(sql, (PREFIX, list(texts)))

    def ask(self, sql: str) -> Any:
        """Return a value from the server."""
        self._source.execute(sql)
        return self._source.fetchone()[0]

    def collect(self, count: int, into: list[str] | None = None) -> list[str]:
        """Consume until `into` has `count` texts."""
        texts = [] if into is None else into

        def consume(message: Any) -> None:
            texts.extend(content(message))
            if len(texts) >= count:
                raise extras.StopReplication

        with pytest.raises(extras.StopReplication):
            self.cursor.consume_stream(consume)
        return texts


def content(message: Any) -> list[str]:
    """Return the text that was emitted; none for what else `pgoutput` sends."""
    payload = message.payload
    if isinstance(payload, str):
        payload = payload.encode("latin1")
    if not payload.startswith(b"M"):
        return []
    return [payload.partition(PREFIX.encode() + b"\0")[2][4:].decode("latin1")]


@pytest.fixture
def stream(connect: Callable[..., Any]) -> Iterator[Stream]:
    """A stream with its slot, not started."""
    stream = Stream(connect)
    stream.open()
    yield stream
    stream.conn.close()
    busy = f"select count(*) = 0 from pg_replication_slots where slot_name = '{Stream.slot}'"
    wait_for(lambda: stream.ask(busy), time.sleep)


def nothing(_message: Any) -> None:
    """Take a message that nobody wants."""


def consuming(stream: Stream, runtime: Runtime, consume: Callable[[Any], None] = nothing) -> Task[None]:
    """Return a green thread that consumes, once it waits."""
    task = runtime.spawn(stream.cursor.consume_stream, consume)
    session = stream.conn._greenpg
    wait_for(lambda: session.holder is not None, runtime.sleep)
    return task


def meanwhile(task: Task[None], runtime: Runtime, condition: Callable[[], Any]) -> None:
    """Wait until a condition is true, or raise what has ended the green thread that consumes."""
    wait_for(lambda: task.get() if task.ended.is_set() else condition(), runtime.sleep)


def test_messages(stream: Stream) -> None:
    stream.start()
    stream.emit("one", "two", "three")
    messages: list[Any] = []

    def consume(message: Any) -> None:
        messages.append(message)
        if content(message) == ["three"]:
            raise extras.StopReplication

    with pytest.raises(extras.StopReplication):
        stream.cursor.consume_stream(consume)
    assert [text for message in messages for text in content(message)] == ["one", "two", "three"]
    for message in messages:
        assert isinstance(message, extras.ReplicationMessage)
        assert message.cursor is stream.cursor
        assert message.data_size == len(message.payload)
        assert message.data_start <= message.wal_end
        assert abs((datetime.now() - message.send_time).total_seconds()) < 60
    assert stream.cursor.wal_end == messages[-1].wal_end
    assert abs((datetime.now() - stream.cursor.io_timestamp).total_seconds()) < 60
    assert f"data_size: {messages[-1].data_size}; data_start: 0/" in repr(messages[-1])


def test_text_in_the_connections_encoding(stream: Stream) -> None:
    stream.conn.set_client_encoding("LATIN1")
    stream.start(decode=True)
    stream.emit("plain")
    assert stream.collect(1) == ["plain"]


def test_goes_on_after_it_was_stopped(stream: Stream) -> None:
    stream.start()
    stream.emit("one", "two")
    assert stream.collect(1) == ["one"]
    stream.emit("three")
    assert stream.collect(2) == ["two", "three"]


def test_goes_on_after_a_call_that_was_refused(stream: Stream) -> None:
    stream.start()
    with pytest.raises(psycopg2.ProgrammingError, match="empty query"):
        stream.conn.cursor().execute("")
    with pytest.raises(psycopg2.OperationalError, match="another command"):
        stream.conn.cursor().execute("IDENTIFY_SYSTEM")
    stream.emit("one")
    assert stream.collect(1) == ["one"]


@pytest.mark.runtimes("gevent", "eventlet")
def test_interrupted_start(stream: Stream, runtime: Runtime) -> None:
    for i in itertools.count():
        try:
            with runtime.timeout(0.0001 * i):
                stream.start()
                break
        except runtime.Timeout:
            stream.send("IDENTIFY_SYSTEM")
            if (
                stream.ask(f"select count(*) from pg_replication_slots where slot_name = '{stream.slot}'")
                == 0
            ):
                stream.open()  # a temporary slot goes with any error, being cancelled is one
    stream.emit("one")
    assert stream.collect(1) == ["one"]


def test_read_message(stream: Stream, runtime: Runtime) -> None:
    stream.start()
    while stream.cursor.read_message() is not None:
        pass
    stream.emit("one", "two")
    texts: list[str] = []

    def read() -> bool:
        message = stream.cursor.read_message()
        texts.extend([] if message is None else content(message))
        return len(texts) == 2

    wait_for(read, runtime.sleep)
    assert texts == ["one", "two"]


def test_timeout_in_the_wait(stream: Stream, runtime: Runtime) -> None:
    stream.start()
    with pytest.raises(runtime.Timeout) as caught, runtime.timeout(0.05) as bomb:
        stream.cursor.consume_stream(nothing)
    assert caught.value is bomb
    stream.emit("after")
    assert stream.collect(1) == ["after"]


@pytest.mark.runtimes("gevent", "eventlet")  # a signal may come when the message is the consumer's already
def test_timeouts_at_moving_moments_lose_no_message(stream: Stream, runtime: Runtime) -> None:
    stream.start()
    expected = [str(i) for i in range(400)]
    texts: list[str] = []
    timeouts = 0
    for i in range(40):
        stream.emit(*expected[i * 10 : i * 10 + 10])
        try:
            with runtime.timeout(0.0002 * (i % 20) + 0.0001):
                stream.cursor.consume_stream(lambda message: texts.extend(content(message)))
        except runtime.Timeout:
            timeouts += 1
    assert timeouts == 40
    stream.emit("end")
    assert stream.collect(401, texts) == [*expected, "end"]


@pytest.mark.runtimes("gevent", "eventlet")
def test_kill(stream: Stream, runtime: Runtime) -> None:
    stream.start()
    task = consuming(stream, runtime)
    runtime.kill(task)
    with pytest.raises(runtime.Killed):
        task.get()
    stream.emit("after")
    assert stream.collect(1) == ["after"]


def test_busy(stream: Stream, runtime: Runtime) -> None:
    def consume(message: Any) -> None:
        if content(message) == ["end"]:
            raise extras.StopReplication

    stream.start()
    task = consuming(stream, runtime, consume)
    cursor = stream.conn.cursor()
    for use in (cursor.read_message, stream.conn.commit, lambda: cursor.execute("IDENTIFY_SYSTEM")):
        with pytest.raises(psycopg2.ProgrammingError, match="waits for the server on this connection"):
            use()
    with pytest.raises(psycopg2.ProgrammingError, match="already in the consume loop"):
        stream.cursor.consume_stream(nothing)
    stream.emit("end")
    with pytest.raises(extras.StopReplication):
        task.get()


def test_feedback_while_another_one_consumes(stream: Stream, runtime: Runtime) -> None:
    seen: list[Any] = []
    stream.start()
    task = consuming(stream, runtime, seen.append)
    stream.emit("one")
    meanwhile(task, runtime, lambda: any(content(message) for message in seen))
    position = seen[-1].data_start
    stream.cursor.send_feedback(write_lsn=position, flush_lsn=position, apply_lsn=position, force=True)
    confirmed = (
        f"select confirmed_flush_lsn - '0/0' from pg_replication_slots where slot_name = '{Stream.slot}'"
    )
    meanwhile(task, runtime, lambda: stream.ask(confirmed) >= position)
    written = f"select replay_lsn - '0/0' from pg_stat_replication where pid = {stream.conn.info.backend_pid}"
    assert stream.ask(written) == position


def test_feedback_when_it_is_due(stream: Stream, runtime: Runtime) -> None:
    stream.start(status_interval=1)
    task = consuming(stream, runtime)
    first = stream.cursor.feedback_timestamp
    meanwhile(task, runtime, lambda: stream.cursor.feedback_timestamp > first)


def test_answer_to_a_keepalive_that_asks_for_one(stream: Stream, runtime: Runtime) -> None:
    stream.start()
    task = consuming(stream, runtime)
    stream.cursor.send_feedback(reply=True)  # the server answers by a keepalive
    meanwhile(task, runtime, lambda: stream.cursor.io_timestamp > stream.cursor.feedback_timestamp)


def test_error_in_the_stream(stream: Stream, runtime: Runtime) -> None:
    stream.start()
    task = consuming(stream, runtime)
    stream.conn.cancel()
    with pytest.raises(psycopg2.errors.QueryCanceled, match=r"^canceling statement") as caught:
        task.get()
    assert caught.value.pgcode == "57014"
    assert (caught.value.pgerror or "").startswith("ERROR:  canceling statement")
    stream.send("IDENTIFY_SYSTEM")
    assert stream.cursor.fetchone()[3] == stream.conn.info.dbname


def test_session_terminated(stream: Stream, runtime: Runtime) -> None:
    stream.start()
    task = consuming(stream, runtime)
    stream.ask(f"select pg_terminate_backend({stream.conn.info.backend_pid})")
    with pytest.raises(psycopg2.errors.AdminShutdown):
        task.get()
    stream.conn.close()


def test_connection_closed_by_another(stream: Stream, runtime: Runtime) -> None:
    stream.start()
    task = consuming(stream, runtime)
    stream.conn.close()
    with pytest.raises(psycopg2.InterfaceError, match="connection closed by"):
        task.get()
    with pytest.raises(psycopg2.InterfaceError, match="cursor already closed"):
        stream.cursor.read_message()
    assert stream.conn.pgconn_ptr is None


def test_consumer_uses_other_connections(stream: Stream, connect: Callable[..., Any]) -> None:
    other = connect().cursor()

    def consume(message: Any) -> None:
        other.execute("select pg_sleep(0.001), %s", (message.data_start,))
        if content(message) == ["two"]:
            raise extras.StopReplication

    stream.start()
    stream.emit("one", "two")
    with pytest.raises(extras.StopReplication):
        stream.cursor.consume_stream(consume)


def test_consumer_closes_the_connection(stream: Stream) -> None:
    stream.start()
    stream.emit("one")
    with pytest.raises(psycopg2.InterfaceError, match="cursor already closed"):
        stream.cursor.consume_stream(lambda _: stream.conn.close())


def test_not_started(stream: Stream) -> None:
    with pytest.raises(psycopg2.errors.UndefinedObject):
        stream.cursor.start_replication("no_such_slot", options=OPTIONS)
    with pytest.raises(psycopg2.ProgrammingError, match="not replicating"):
        stream.cursor.consume_stream(nothing)
    with pytest.raises(psycopg2.DatabaseError, match="no COPY in progress"):
        stream.cursor.read_message()


def test_bad_arguments(stream: Stream) -> None:
    with pytest.raises(psycopg2.ProgrammingError, match="status_interval must be >= 1"):
        stream.start(status_interval=0.5)
    stream.start()
    with pytest.raises(psycopg2.ProgrammingError, match="keepalive_interval must be >= 1"):
        stream.cursor.consume_stream(nothing, keepalive_interval=0)
    with pytest.raises(psycopg2.ProgrammingError, match="keepalive_interval must be int or float"):
        stream.cursor.consume_stream(nothing, keepalive_interval="1")
    with pytest.raises(TypeError, match="callable"):
        stream.cursor.consume_stream(None)


def test_users_class(stream: Stream) -> None:
    class Terse(_psycopg.ReplicationCursor):
        def read_message(self) -> Any:
            message = super().read_message()
            return message and message.payload

    cursor: Any = stream.conn.cursor(cursor_factory=Terse)
    assert issubclass(type(cursor), Terse)
    options = "proto_version '1', publication_names 'none', messages"
    command = f"START_REPLICATION SLOT {stream.slot} LOGICAL 0/0 ({options})"
    cursor.start_replication_expert(command)
    stream.emit("one")
    assert wait_for(cursor.read_message, time.sleep).startswith(b"B")


def test_physical(stream: Stream, connect: Callable[..., Any]) -> None:
    conn = connect(connection_factory=extras.PhysicalReplicationConnection)
    cursor = conn.cursor()
    position = stream.ask("select pg_current_wal_flush_lsn()::text")
    cursor.start_replication(start_lsn=position)
    stream.emit("in the log")
    log = b""

    def consume(message: Any) -> None:
        nonlocal log
        log += message.payload
        if b"in the log" in log:
            raise extras.StopReplication

    with pytest.raises(extras.StopReplication):
        cursor.consume_stream(consume)


def test_asynchronous(stream: Stream, connect: Callable[..., Any], runtime: Runtime) -> None:
    conn = connect(connection_factory=extras.LogicalReplicationConnection, async_=True)
    extras.wait_select(conn)
    cursor = conn.cursor()
    cursor.execute(f"CREATE_REPLICATION_SLOT {stream.slot}_async TEMPORARY LOGICAL pgoutput")
    extras.wait_select(conn)
    cursor.start_replication(f"{stream.slot}_async", options=OPTIONS)
    extras.wait_select(conn)
    with pytest.raises(psycopg2.ProgrammingError, match="asynchronous mode"):
        cursor.consume_stream(nothing)
    stream.emit("one")
    texts: list[str] = []
    while texts != ["one"]:
        message = cursor.read_message()
        if message is None:
            assert select.select([cursor], [], [], 30) != ([], [], [])
        else:
            texts += content(message)
    cursor.send_feedback(flush_lsn=cursor.wal_end, force=True)
    conn.close()
    with pytest.raises(psycopg2.InterfaceError, match="cursor already closed"):
        cursor.read_message()


@pytest.mark.runtimes("gevent", "eventlet")
@pytest.mark.parametrize("way", ["consume_stream", "read_message"])
def test_the_loop_goes_round(stream: Stream, runtime: Runtime, way: str) -> None:
    count = 20_000
    stream.start()
    stream.ask(
        f"select count(pg_logical_emit_message(true, '{PREFIX}', 'x')) from generate_series(1, {count})"
    )
    # so that the whole of it waits in the socket and in libpq's buffer when its turn comes
    stream.emit("end")
    longest = 0.0
    done = False

    def tick() -> None:
        # in this process's own time: what the machine does besides is no matter of ours
        nonlocal longest
        last = time.process_time()
        while not done:
            time.sleep(0.001)
            now = time.process_time()
            longest, last = max(longest, now - last), now

    ticker = runtime.spawn(tick)
    runtime.sleep(0.01)
    if way == "consume_stream":
        texts = stream.collect(count + 1)
    else:
        texts = []
        while texts[-1:] != ["end"]:
            message = stream.cursor.read_message()
            texts += [] if message is None else content(message)
    done = True
    ticker.get()
    assert texts == ["x"] * count + ["end"]
    assert longest < 0.05
