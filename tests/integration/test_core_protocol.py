"""The core's generators against a real server, through every libpq there is; the fake has to be like them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from greenpg import pq
from greenpg._core.protocol import (
    cancel_gen,
    copy_in_gen,
    copy_out_gen,
    drain_gen,
    execute_gen,
    leave_copy_gen,
)
from greenpg.errors import OperationalError
from greenpg.pq.enums import DiagnosticField, ExecStatus, TransactionStatus
from greenpg.waiters import drive
from greenpg.waiters.select import wait
from tests import libraries
from tests.conversations import CONVERSATIONS, SETUP, never
from tests.faults import FaultProxy
from tests.integration.pq import loops

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenpg.pq import Library, PGconn

LIMIT = 20.0
MANY = b"copy (select generate_series(1, 300000)) to stdout"


def run(gen: Any) -> Any:
    """Drive a generator to its end, for a while."""
    return drive(gen, wait, LIMIT)


@pytest.fixture(params=libraries.ALL)
def lib(request: pytest.FixtureRequest) -> Library:
    """One of the libpqs."""
    path = libraries.ALL[request.param]
    if path is None:
        pytest.skip("not there")
    return pq.library(path)


@pytest.fixture
def conn(lib: Library, dsn: str) -> Iterator[PGconn]:
    """A connection in non-blocking mode, with the table `t`."""
    connection = loops.connect(lib, dsn)
    loops.execute(connection, SETUP)
    yield connection
    connection.finish()


def assert_usable(conn: PGconn) -> None:
    """Check that the next statement gets the next answer."""
    conn.send_query(b"select 42")
    [found] = run(execute_gen(conn))
    assert found.get_value(0, 0) == b"42"
    assert conn.transaction_status == TransactionStatus.IDLE


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversation(conn: PGconn, name: str) -> None:
    conversation, expected = CONVERSATIONS[name]
    assert conversation(conn, run) == expected
    assert_usable(conn)


def test_copy_both_ways(conn: PGconn) -> None:
    rows = [b"%d\n" % number for number in range(20_000)]
    conn.send_query(b"copy t from stdin")
    run(execute_gen(conn))
    left = iter([*rows, b""])
    run(copy_in_gen(conn, lambda: next(left), never))
    conn.put_copy_end()
    [found] = run(execute_gen(conn))
    assert found.command_tuples == len(rows)
    back: list[bytes] = []
    conn.send_query(b"copy t to stdout")
    run(execute_gen(conn))
    run(copy_out_gen(conn, back.append, never))
    [found] = run(execute_gen(conn))
    assert (found.command_tuples, b"".join(back)) == (len(rows), b"".join(rows))
    assert all(block.endswith(b"\n") for block in back)
    assert len(back) < len(rows) / 100


def test_a_notice_for_each_row(conn: PGconn) -> None:
    loops.execute(
        conn,
        b"create function pg_temp.shout() returns trigger language plpgsql as"
        b" $$begin raise notice '%', repeat('x', 300); return new; end$$",
    )
    loops.execute(
        conn, b"create trigger shout before insert on t for each row execute function pg_temp.shout()"
    )
    heard = []
    conn.notice_handler = lambda _notice: heard.append(1)
    conn.send_query(b"copy t from stdin")
    run(execute_gen(conn))
    left = [b"1\n" * 5000] * 10
    run(copy_in_gen(conn, lambda: left.pop() if left else b"", never))
    conn.put_copy_end()
    [found] = run(execute_gen(conn))
    assert (found.command_tuples, len(heard)) == (50_000, 50_000)


def test_a_server_that_reads_as_slowly_as_we_write(lib: Library, dsn: str) -> None:
    # a parameter and its echo, both bigger than all buffers between us
    with FaultProxy(dsn) as proxy:
        conn = loops.connect(lib, proxy.dsn)
        proxy.drip(size=50_000)
        text = b"x" * 3_000_000
        conn.send_query(b"select '" + text + b"'; select '" + text + b"'")
        assert [found.get_value(0, 0) for found in run(execute_gen(conn))] == [text, text]
        conn.finish()


def test_cancel_and_drain_in_the_midst_of_copy_out(conn: PGconn) -> None:
    conn.send_query(b"copy (select generate_series(1, 1000000000)) to stdout")
    [found] = run(execute_gen(conn))
    assert found.status == ExecStatus.COPY_OUT
    run(cancel_gen(conn))
    run(drain_gen(conn))
    assert_usable(conn)


def test_cancel_and_its_error_in_the_midst_of_copy_out(conn: PGconn) -> None:
    conn.send_query(b"copy (select generate_series(1, 1000000000)) to stdout")
    run(execute_gen(conn))
    run(cancel_gen(conn))
    run(leave_copy_gen(conn))
    [found] = run(execute_gen(conn))
    assert found.error_field(DiagnosticField.SQLSTATE) == b"57014"
    assert_usable(conn)


def test_cancel_in_the_midst_of_copy_in(conn: PGconn) -> None:
    conn.send_query(b"copy t from stdin")
    run(execute_gen(conn))
    conn.put_copy_data(b"1\n")
    run(cancel_gen(conn))
    run(drain_gen(conn))
    assert_usable(conn)


def test_cancel_a_statement(conn: PGconn, lib: Library, dsn: str) -> None:
    witness = loops.connect(lib, dsn)
    loops.begin_sleep(conn, witness)
    run(cancel_gen(conn))
    [found] = run(execute_gen(conn))
    assert found.error_field(DiagnosticField.SQLSTATE) == b"57014"
    witness.finish()


def test_cancel_that_gets_no_answer(lib: Library, dsn: str) -> None:
    with FaultProxy(dsn) as proxy:
        conn = loops.connect(lib, proxy.dsn)
        proxy.black_hole()
        with pytest.raises(TimeoutError):
            drive(cancel_gen(conn), wait, 0.1)
        proxy.cut()
        conn.finish()


def test_draining_takes_no_longer_than_it_may(conn: PGconn) -> None:
    conn.send_query(b"select pg_sleep(30)")
    with pytest.raises(TimeoutError):
        drive(drain_gen(conn), wait, 0.05)


@pytest.mark.parametrize("command", [b"select pg_sleep(30)", MANY, b"copy t from stdin"])
def test_a_cut_link_is_an_error(lib: Library, dsn: str, command: bytes) -> None:
    with FaultProxy(dsn) as proxy:
        conn = loops.connect(lib, proxy.dsn)
        loops.execute(conn, SETUP)
        conn.send_query(command)
        conn.flush()
        proxy.cut()

        def go_on() -> None:
            run(drain_gen(conn))
            assert_usable(conn)

        with pytest.raises(OperationalError):
            go_on()
        conn.finish()


def test_leaving_a_copy_whose_end_is_there_already(conn: PGconn) -> None:
    conn.send_query(b"copy (select 1) to stdout")
    run(execute_gen(conn))
    conn.consume_input()
    run(leave_copy_gen(conn))
    run(drain_gen(conn))
    assert_usable(conn)
