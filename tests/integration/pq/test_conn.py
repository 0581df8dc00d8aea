"""Connections: made, asked about, reset, lost, freed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from greenpg import OperationalError
from greenpg.pq import ConnStatus, DiagnosticField, Ping, PollingStatus, Trace, TransactionStatus
from tests.integration.pq import loops

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from greenpg.pq import Library, PGconn
    from tests.fresh import Ran


def test_connection_knows_how_it_was_made(lib: Library, conn: PGconn) -> None:
    assert conn.status is ConnStatus.OK
    assert conn.transaction_status == TransactionStatus.IDLE
    assert conn.protocol_version == 3
    options = {option.keyword: option.val for option in conn.info}
    assert (options[b"host"], options[b"port"], options[b"dbname"], options[b"user"]) == (
        conn.host,
        conn.port,
        conn.db,
        conn.user,
    )
    (row,) = loops.rows(
        loops.execute(
            conn,
            b"select current_database(), current_user, pg_backend_pid(),"
            b" current_setting('server_version_num'), host(inet_server_addr()), inet_server_port()",
        )
    )
    pid, version = str(conn.backend_pid).encode(), str(conn.server_version).encode()
    assert row == (conn.db, conn.user, pid, version, conn.hostaddr, conn.port)


def test_connection_knows_how_it_is_secured(
    conn: PGconn, lib: Library, dsn: str, needs: Callable[[str], None]
) -> None:
    assert (conn.ssl_in_use, conn.needs_password, conn.used_password) == (False, False, False)
    assert conn.password == b""
    other = loops.connect(lib, f"{dsn} password=secret options='-c search_path=other'")
    assert other.password == b"secret"
    assert other.options == b"-c search_path=other"
    needs("PQconnectionUsedGSSAPI")
    assert not conn.used_gssapi


def test_server_reports_settings(conn: PGconn) -> None:
    assert conn.parameter_status(b"server_encoding") == b"UTF8"
    assert conn.parameter_status(b"no_such_setting") is None
    loops.execute(conn, b"set application_name to 'mine'")
    assert conn.parameter_status(b"application_name") == b"mine"


def test_settings_are_the_same_object_until_one_changes(conn: PGconn) -> None:
    names = (b"application_name", b"no_such_setting", b"TimeZone")
    loops.execute(conn, b"set application_name to 'mine'")
    settings = conn.parameter_statuses(names)
    assert settings[:2] == (b"mine", None)
    loops.execute(conn, b"set application_name to 'mine'")
    assert conn.parameter_statuses(names) is settings
    loops.execute(conn, b"set application_name to 'mini'")
    assert conn.parameter_statuses(names)[0] == b"mini"
    assert conn.parameter_statuses(names[:1]) == (b"mini",)
    conn.finish()
    assert conn.parameter_statuses(names) == (None, None, None)


def test_transaction_is_followed(conn: PGconn) -> None:
    loops.execute(conn, b"begin")
    statuses = [conn.transaction_status]
    conn.send_query(b"select 1/0")
    statuses.append(conn.transaction_status)
    loops.results(conn)
    statuses.append(conn.transaction_status)
    assert statuses == [TransactionStatus.INTRANS, TransactionStatus.ACTIVE, TransactionStatus.INERROR]


def test_failed_connection_says_why(lib: Library, dsn: str) -> None:
    conn = lib.connect_start(f"{dsn} dbname=no_such_database".encode())
    assert loops.poll(conn.connect_poll, lambda: conn.socket) is PollingStatus.FAILED
    assert 'database "no_such_database" does not exist' in conn.get_error_message()


def test_reset_makes_a_new_session(conn: PGconn) -> None:
    before = conn.backend_pid
    conn.reset_start()
    assert loops.poll(conn.reset_poll, lambda: conn.socket) is PollingStatus.OK
    assert conn.backend_pid != before
    assert loops.rows(loops.execute(conn, b"select 1")) == [(b"1",)]


def test_connection_lost_while_idle_says_so_at_the_next_use(conn: PGconn, witness: PGconn) -> None:
    loops.execute(witness, b"select pg_terminate_backend(%d)" % conn.backend_pid)
    conn.send_query(b"select 1")
    with pytest.raises(OperationalError, match="from the server failed: FATAL:  terminating connection"):
        loops.results(conn)
    assert conn.status is ConnStatus.BAD
    with pytest.raises(OperationalError, match=r"^the connection is lost$"):
        conn.socket  # noqa: B018


def test_connection_lost_while_busy_gives_the_servers_last_words(conn: PGconn, witness: PGconn) -> None:
    loops.begin_sleep(conn, witness)
    loops.execute(witness, b"select pg_terminate_backend(%d)" % conn.backend_pid)
    last = loops.result(conn)
    assert last is not None
    assert last.error_field(DiagnosticField.SQLSTATE) == b"57P01"
    with pytest.raises(OperationalError, match="receiving from the server failed: "):
        loops.result(conn)
    assert conn.status is ConnStatus.BAD


def test_nonblocking_mode_can_be_set_and_asked(conn: PGconn) -> None:
    assert conn.nonblocking
    conn.nonblocking = False
    assert not conn.nonblocking


def test_ping(lib: Library, dsn: str) -> None:
    assert lib.ping(dsn.encode()) is Ping.OK
    assert lib.ping(b"host=/no/such/folder") is Ping.NO_RESPONSE
    assert lib.ping(b"no_such_option=1") is Ping.NO_ATTEMPT


def test_session_ends_with_the_object(lib: Library, dsn: str) -> None:
    conn = loops.connect(lib, dsn)
    fd = conn.socket
    os.fstat(fd)
    del conn
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_trace_is_written_while_it_is_on(lib: Library, conn: PGconn, tmp_path: Path) -> None:
    with (tmp_path / "trace").open("w") as file:
        conn.trace(file.fileno(), Trace.SUPPRESS_TIMESTAMPS)
        loops.execute(conn, b"select 'traced'")
        conn.untrace()
        loops.execute(conn, b"select 'untraced'")
    written = (tmp_path / "trace").read_text()
    assert "select 'traced'" in written
    assert "untraced" not in written
    assert written.startswith("F\t")


def test_trace_ends_with_the_connection(conn: PGconn, tmp_path: Path) -> None:
    with (tmp_path / "trace").open("w") as file:
        conn.trace(file.fileno())
    conn.finish()
    assert "Terminate" in (tmp_path / "trace").read_text()


def test_trace_needs_a_file_to_write_to(conn: PGconn, tmp_path: Path) -> None:
    (tmp_path / "trace").touch()
    with (tmp_path / "trace").open() as file, pytest.raises(OSError, match="cannot be written to"):
        conn.trace(file.fileno())
    assert loops.rows(loops.execute(conn, b"select 1")) == [(b"1",)]


def test_forked_childs_finish_leaves_the_parents_session_alone(
    lib: Library, dsn: str, run_python: Callable[..., Ran]
) -> None:
    run_python(
        """
        import gc, os, sys
        from greenpg import pq
        from tests.integration.pq import loops
        conns = [loops.connect(pq.library(sys.argv[1]), sys.argv[2]) for _ in range(2)]
        child = os.fork()
        if not child:
            fds = [conn.socket for conn in conns]
            conns.pop().finish()
            conns.clear()  # the other by garbage collection
            for fd in fds:
                try:
                    os.fstat(fd)
                except OSError:
                    pass
                else:
                    os._exit(1)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        for conn in conns:
            assert loops.rows(loops.execute(conn, b"select 1")) == [(b"1",)]
        """,
        lib.path,
        dsn,
        env={"GREENPG_IMPL": lib.implementation},
    )


def test_interpreter_ends_quietly_with_everything_open(
    lib: Library, dsn: str, run_python: Callable[..., Ran]
) -> None:
    ran = run_python(
        """
        import sys
        from greenpg import pq
        from tests.integration.pq import loops
        conn = loops.connect(pq.library(sys.argv[1]), sys.argv[2])
        conn.notice_handler = lambda notice, conn=conn: None  # a cycle
        result = loops.execute(conn, b"select 1")
        cancel = conn.get_cancel()
        conn.send_query(b"select pg_sleep(0.01)")
        """,
        lib.path,
        dsn,
        env={"GREENPG_IMPL": lib.implementation},
    )
    assert ran.stderr == ""
