"""What comes besides results: COPY data, notices, notifications; and cancelling."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest

from greenpg import NotSupportedError, OperationalError
from greenpg.pq import ConnStatus, DiagnosticField, ExecStatus, PollingStatus, TransactionStatus
from tests import bindings
from tests.hostile_protocol import message
from tests.integration.driver.scripted import Scripted
from tests.integration.pq import loops

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greenpg.pq import Library, PGconn, PGresult
    from tests.integration.driver.scripted import Talk

NOTICE = b"do $$ begin raise notice 'look: %', 'here'; end $$"


def begin_copy(conn: PGconn, command: bytes, status: ExecStatus) -> None:
    conn.send_query(command)
    begun = loops.result(conn)
    assert begun is not None
    assert begun.status is status, begun.get_error_message()


def copy_out(conn: PGconn, command: bytes) -> list[bytes]:
    begin_copy(conn, command, ExecStatus.COPY_OUT)
    rows = []
    while (got := conn.get_copy_data(1))[0] >= 0:
        if got == (0, b""):
            loops.wait(conn.socket, PollingStatus.READING)
            conn.consume_input()
        else:
            assert got[0] == len(got[1])
            rows.append(got[1])
    assert got == (-1, b"")
    assert loops.results(conn)[0].status is ExecStatus.COMMAND_OK
    return rows


def copy_blocks(conn: PGconn, command: bytes, limit: int) -> list[bytes]:
    begin_copy(conn, command, ExecStatus.COPY_OUT)
    blocks, is_over = [], False
    while not is_over:
        rows, is_over = conn.get_copy_block(limit)
        if rows:
            blocks.append(rows)
        elif not is_over:
            loops.wait(conn.socket, PollingStatus.READING)
            conn.consume_input()
    return blocks


def test_copy_goes_in_and_out(conn: PGconn) -> None:
    loops.execute(conn, b"create temp table t (id int, data text)")
    begin_copy(conn, b"copy t from stdin", ExecStatus.COPY_IN)
    assert conn.put_copy_data(b"1\tbytes\n2\tby") == 1
    assert conn.put_copy_data(bytearray(b"tes\n3\tbytearray\n")) == 1
    assert conn.put_copy_data(memoryview(b"-4\tmemoryview\n-")[1:-1]) == 1
    assert conn.put_copy_data(b"") == 1
    assert conn.put_copy_end() == 1
    assert loops.results(conn)[0].command_tuples == 4
    rows = copy_out(conn, b"copy t to stdout")
    assert rows == [b"1\tbytes\n", b"2\tbytes\n", b"3\tbytearray\n", b"4\tmemoryview\n"]


def test_copy_keeps_binary_data_whole(conn: PGconn) -> None:
    rows = copy_out(conn, b"copy (select 0, null) to stdout (format binary)")
    data = b"".join(rows[:-1])  # counted as a row of its own is the end of the format
    assert rows[0].startswith(b"PGCOPY\n\xff\r\n\0")
    loops.execute(conn, b"create temp table t (a int, b text)")
    begin_copy(conn, b"copy t from stdin (format binary)", ExecStatus.COPY_IN)
    conn.put_copy_data(data)
    conn.put_copy_data(rows[-1])
    conn.put_copy_end()
    assert loops.results(conn)[0].status is ExecStatus.COMMAND_OK
    assert loops.rows(loops.execute(conn, b"select * from t")) == [(b"0", None)]


def test_long_copy_arrives_whole(conn: PGconn) -> None:
    loops.execute(conn, b"create temp table t (id int, data text)")
    begin_copy(conn, b"copy t from stdin", ExecStatus.COPY_IN)
    for number in range(20_000):
        conn.put_copy_data(b"%d\t%s\n" % (number, b"x" * 100))
        loops.flush(conn)
    conn.put_copy_end()
    assert loops.results(conn)[0].command_tuples == 20_000
    rows = copy_out(conn, b"copy (select id from t order by id) to stdout")
    assert rows == [b"%d\n" % number for number in range(20_000)]


def test_a_copy_block_has_whole_rows(conn: PGconn) -> None:
    # rows of sizes around the room for them, and one that is many times as long
    sizes = [size + more for size in (1, 8191, 16383, 65536, 73727) for more in range(-1, 3)] + [3 << 20]
    sizes += [10] * 20_000
    command = b"copy (select repeat('x', n) from unnest('{%b}'::int[]) n) to stdout" % (
        b",".join(b"%d" % size for size in sizes)
    )
    expected = [b"x" * size + b"\n" for size in sizes]
    assert copy_blocks(conn, command, 1) == expected
    assert loops.results(conn)[0].command_tuples == len(sizes)
    for limit in (8192, 1 << 16):
        blocks = copy_blocks(conn, command, limit)
        assert loops.results(conn)[0].command_tuples == len(sizes)
        assert b"".join(blocks) == b"".join(expected)
        assert all(block.endswith(b"\n") for block in blocks)
        assert len(blocks) < 1000


def test_a_copy_block_comes_before_the_error_after_it(conn: PGconn) -> None:
    command = b"copy (select 1 / (n - 3) from generate_series(1, 3) n) to stdout"
    assert b"".join(copy_blocks(conn, command, 1 << 16)) == b"0\n-1\n"
    (failed,) = loops.results(conn)
    assert "division by zero" in failed.get_error_message()


def told(lib: Library, *messages: bytes) -> bytes:
    """Return the data of a COPY OUT in which a server says all of this at once."""

    def script(talk: Talk) -> None:
        talk.startup()
        talk.welcome()
        talk.answer()
        talk.sock.sendall(message(b"H", b"\0\0\1\0\0") + b"".join(messages))

    with Scripted(script) as server:
        conn = loops.connect(
            lib, f"host=127.0.0.1 port={server.port} user=me sslmode=disable gssencmode=disable"
        )
        try:
            return b"".join(copy_blocks(conn, b"copy nothing to stdout", 1 << 16))
        finally:
            conn.finish()


def test_a_copy_block_goes_on_after_a_row_without_bytes(lib: Library) -> None:
    rows = [message(b"d", row) for row in (b"", b"1\n", b"", b"", b"2\n", b"")]
    assert told(lib, *rows, message(b"c"), message(b"C", b"COPY 6\0"), message(b"Z", b"I")) == b"1\n2\n"


def test_a_copy_block_that_is_none_is_an_error(lib: Library) -> None:
    with pytest.raises(OperationalError, match=r"receiving copy data failed: lost sync"):
        told(lib, message(b"d", b"1\n"), message(b"d", length=-1), message(b"c"))


def test_copy_in_fails_with_the_reason_given(conn: PGconn) -> None:
    loops.execute(conn, b"create temp table t (a int)")
    begin_copy(conn, b"copy t from stdin", ExecStatus.COPY_IN)
    conn.put_copy_data(b"1\n")
    assert conn.put_copy_end(b"no more wanted") == 1
    (failed,) = loops.results(conn)
    assert failed.status is ExecStatus.FATAL_ERROR
    assert "no more wanted" in failed.get_error_message()
    assert loops.execute(conn, b"select * from t").ntuples == 0


@pytest.mark.parametrize("call", [
    lambda c: c.put_copy_data(b"x"),
    lambda c: c.put_copy_end(),
    lambda c: c.get_copy_data(1),
])  # fmt: skip
def test_copy_data_without_a_copy_is_refused(conn: PGconn, call: Callable[[PGconn], object]) -> None:
    with pytest.raises(OperationalError, match=r"copy.* failed: no COPY in progress"):
        call(conn)


def test_notice_goes_to_the_handler(conn: PGconn, capfd: pytest.CaptureFixture[str]) -> None:
    taken: list[Any] = []

    def take(notice: PGresult) -> None:
        taken.append((notice.status, notice.error_field(DiagnosticField.MESSAGE_PRIMARY), notice))

    conn.notice_handler = take
    loops.execute(conn, NOTICE)
    ((status, message, notice),) = taken
    assert (status, message) == (ExecStatus.NONFATAL_ERROR, b"look: here")
    assert notice.error_field(DiagnosticField.MESSAGE_PRIMARY) is None  # libpq has freed it
    conn.notice_handler = None
    loops.execute(conn, NOTICE)
    assert len(taken) == 1
    assert capfd.readouterr().err == ""


def test_failing_handler_is_reported_and_its_notice_void(
    conn: PGconn, monkeypatch: pytest.MonkeyPatch
) -> None:
    notices: list[PGresult] = []
    reported: list[object] = []

    def fail(notice: PGresult) -> None:
        notices.append(notice)
        raise RuntimeError("handler")

    monkeypatch.setattr(sys, "unraisablehook", lambda report: reported.append(repr(report.exc_value)))
    conn.notice_handler = fail
    loops.execute(conn, NOTICE)
    assert reported == ["RuntimeError('handler')"]
    assert notices[0].error_field(DiagnosticField.MESSAGE_PRIMARY) is None


def test_handler_cannot_close_its_connection(conn: PGconn, monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda report: reported.append(str(report.exc_value)))
    conn.notice_handler = lambda _notice: conn.finish()
    loops.execute(conn, NOTICE)
    assert reported == ["the connection cannot be closed by the handler of its notices"]
    conn.finish()
    assert conn.pgconn_ptr is None


@pytest.fixture
def compiled(dsn: str) -> Iterator[PGconn]:
    """A connection of the compiled binding, which looks whether a call is under way on it."""
    connection = loops.connect(bindings.library("c"), dsn)
    yield connection
    connection.finish()


def test_handler_cannot_go_on_with_its_connection(compiled: PGconn, monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda report: reported.append(str(report.exc_value)))
    for call in (compiled.consume_input, compiled.is_busy, compiled.get_result, compiled.notifies):
        compiled.notice_handler = lambda _notice, call=call: call()
        loops.execute(compiled, NOTICE)
    assert reported == ["the connection is in the middle of another call: use it in one thread at a time"] * 4


def ask_until(conn: PGconn, end: float) -> None:
    """Ask again and again, by a call that keeps the GIL: no other can find us in the midst of it."""
    while monotonic() < end:
        conn.is_busy()


def test_other_thread_cannot_come_into_a_call(compiled: PGconn, dsn: str) -> None:
    holder = loops.connect(bindings.library("c"), dsn)
    loops.execute(holder, b"select pg_advisory_lock(1947)")
    compiled.send_query(b"select pg_advisory_xact_lock(1947)")
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(compiled.get_result)
        try:
            with pytest.raises(OperationalError, match="in the middle of another call"):
                ask_until(compiled, monotonic() + 10)
            with pytest.raises(OperationalError, match="in the middle of another call"):
                compiled.flush()
            with pytest.raises(OperationalError, match="cannot be closed while another thread"):
                compiled.finish()
        finally:
            loops.execute(holder, b"select pg_advisory_unlock(1947)")
        result = waiting.result(10)
    assert result is not None
    assert result.status is ExecStatus.TUPLES_OK
    assert compiled.get_result() is None
    holder.finish()


def test_each_connection_has_its_own_handler(lib: Library, dsn: str) -> None:
    taken: list[int] = []
    for number in range(3):  # later ones likely have the address of earlier ones
        conn = loops.connect(lib, dsn)
        conn.notice_handler = lambda _notice, number=number: taken.append(number)
        loops.execute(conn, NOTICE)
        conn.finish()
    assert taken == [0, 1, 2]


def test_notification_arrives(lib: Library, dsn: str, conn: PGconn) -> None:
    loops.execute(conn, b"listen news")
    assert conn.notifies() is None
    other = loops.connect(lib, dsn)
    loops.execute(other, b"select pg_notify('news', 'good'), pg_notify('news', '')")
    while (first := conn.notifies()) is None:
        loops.wait(conn.socket, PollingStatus.READING)
        conn.consume_input()
    assert first == (b"news", other.backend_pid, b"good")
    assert conn.notifies() == (b"news", other.backend_pid, b"")
    assert conn.notifies() is None


def cancelled(conn: PGconn) -> bool:
    (failed,) = loops.results(conn)
    return failed.error_field(DiagnosticField.SQLSTATE) == b"57014"


def test_cancel_goes_without_blocking(conn: PGconn, witness: PGconn, needs: Callable[[str], None]) -> None:
    if not conn.can_cancel_without_blocking:
        with pytest.raises(NotSupportedError, match="PQcancelCreate needs libpq 17 or newer"):
            conn.cancel_conn()
    needs("PQcancelCreate")
    request = conn.cancel_conn()
    assert request.status is ConnStatus.ALLOCATED
    for _ in range(2):
        loops.begin_sleep(conn, witness)
        assert loops.deliver(request) is PollingStatus.OK
        assert request.error_message == b""
        assert cancelled(conn)
        request.reset()
    assert conn.transaction_status == TransactionStatus.IDLE


def test_cancel_that_cannot_be_delivered_says_why(conn: PGconn, needs: Callable[[str], None]) -> None:
    needs("PQcancelCreate")
    request = conn.cancel_conn()
    request.start()
    with pytest.raises(OperationalError, match=r"the cancel request failed to start: .*already being sent"):
        request.start()
    request.finish()
    conn.finish()


def test_cancel_of_the_older_kind_blocks_until_it_is_taken(conn: PGconn, witness: PGconn) -> None:
    request = conn.get_cancel()
    loops.begin_sleep(conn, witness)
    request.cancel()
    assert cancelled(conn)
    request.free()
    request.free()
    with pytest.raises(OperationalError, match="the cancel connection is closed"):
        request.cancel()
