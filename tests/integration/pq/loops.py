"""libpq's documented loops, waiting with select: the least that a binding can be tested with."""

from __future__ import annotations

import select
from typing import TYPE_CHECKING

from greenpg.pq import ExecStatus, PollingStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenpg.pq import Library, PGcancelConn, PGconn, PGresult

LIMIT = 20.0  # seconds; only a failing test waits so long


def wait(fd: int, need: PollingStatus) -> None:
    """Wait until `fd` is ready for what a polling function asked for."""
    reading = need == PollingStatus.READING
    if not any(select.select([fd] if reading else [], [] if reading else [fd], [], LIMIT)):
        raise TimeoutError(f"{need!r} did not come within {LIMIT} s")


def poll(step: Callable[[], PollingStatus], socket: Callable[[], int]) -> PollingStatus:
    """Go through the steps of connecting, resetting or cancelling; return how it ended."""
    status = PollingStatus.WRITING
    while status not in (PollingStatus.OK, PollingStatus.FAILED):
        wait(socket(), status)
        status = step()
    return status


def connect(lib: Library, dsn: str) -> PGconn:
    """Return a new connection in non-blocking mode."""
    conn = lib.connect_start(dsn.encode())
    ended = poll(conn.connect_poll, lambda: conn.socket)
    assert ended == PollingStatus.OK, conn.get_error_message()
    conn.nonblocking = True
    return conn


def deliver(request: PGcancelConn) -> PollingStatus:
    """Send a cancel request; return how it ended."""
    request.start()
    return poll(request.poll, lambda: request.socket)


def flush(conn: PGconn) -> None:
    """Send all that is queued."""
    while conn.flush():
        wait(conn.socket, PollingStatus.WRITING)


def result(conn: PGconn) -> PGresult | None:
    """Return the next result."""
    flush(conn)
    while conn.is_busy():
        wait(conn.socket, PollingStatus.READING)
        conn.consume_input()
    return conn.get_result()


def results(conn: PGconn) -> list[PGresult]:
    """Return all results of what was sent."""
    found = []
    while (one := result(conn)) is not None:
        found.append(one)
    return found


def execute(conn: PGconn, command: bytes) -> PGresult:
    """Return the only result of a command that succeeds."""
    conn.send_query(command)
    (only,) = results(conn)
    assert only.status in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK), only.get_error_message()
    return only


def begin_sleep(conn: PGconn, witness: PGconn) -> None:
    """Run a statement that sleeps; a cancel request that comes before it runs would be for nothing."""
    conn.send_query(b"select pg_sleep(30)")
    flush(conn)
    asleep = b"select from pg_stat_activity where pid = %d and wait_event = 'PgSleep'" % conn.backend_pid
    while not execute(witness, asleep).ntuples:
        pass


def rows(answer: PGresult) -> list[tuple[bytes | None, ...]]:
    """Return all rows of a result."""
    return [tuple(answer.get_value(r, c) for c in range(answer.nfields)) for r in range(answer.ntuples)]
