"""The conversation with the server, one generator a step.

Each generator speaks through a non-blocking `PGconn` and yields `(fd, need)` where libpq would
block. Two rules hold in all of them:

- While bytes are left to send, wait for read *or* write and take in what comes: a server that is
  itself blocked on writing (a trigger that raises a notice per row) reads nothing more, and two
  sides that both only write wait for each other for ever.
- `Ready.NONE` means that the time of the whole conversation is over: `TimeoutError` is raised
  and the caller, who owns the clock, decides what becomes of the connection.

See the libpq chapters "Asynchronous Command Processing", "Functions Associated with the COPY
Command" and "Canceling Queries in Progress".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenpg._core.offload import TimeIsOver as TimeIsOver
from greenpg._core.offload import offload_gen
from greenpg.abc import Gen, Ready, Wait
from greenpg.errors import NotSupportedError, OperationalError
from greenpg.pq.enums import COPY_STATES, ConnStatus, ExecStatus, PollingStatus, TransactionStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenpg.pq.abc import Buffer, PGcancelConn, PGconn, PGresult

COPY_BLOCK = (1 << 16) - 5
"""Bytes of COPY data that are moved at a time, some 20 µs of work. With its header that is 64 kB: libpq sends
pieces of 8 kB, and what is left over by itself."""


_PARTIAL = (ExecStatus.SINGLE_TUPLE, ExecStatus.TUPLES_CHUNK)


def wait_gen(fd: int, need: Wait) -> Gen[Ready]:
    """Wait for `fd`; the one place where a wait that came back empty becomes an error.

    :raises TimeIsOver: the time of the conversation is over
    """
    ready = yield fd, need
    if not ready:
        raise _too_late()
    return ready


def _too_late() -> TimeIsOver:
    return TimeIsOver("the server did not answer in time")


def flush_gen(pgconn: PGconn) -> Gen[None]:
    """Send what libpq has buffered, taking in what the server says meanwhile."""
    while pgconn.flush():
        ready = yield from wait_gen(pgconn.socket, Wait.RW)
        if ready & Ready.R:
            pgconn.consume_input()


def result_gen(pgconn: PGconn) -> Gen[PGresult | None]:
    """Return the next result of what was sent, or `None` after the last."""
    yield from flush_gen(pgconn)
    while pgconn.is_busy():
        yield from wait_gen(pgconn.socket, Wait.R)
        pgconn.consume_input()
    return pgconn.get_result()


def execute_gen(pgconn: PGconn) -> Gen[list[PGresult]]:
    """Return every result of the command just sent; in COPY, stop at the result that says so.

    An error with which the server has ended the session is a result like any other.
    """
    results: list[PGresult] = []
    try:
        need = pgconn.receive(results)
        while need is not None:
            ready = yield pgconn.socket, need  # `wait_gen()`, which every statement would pay for
            if not ready:
                raise _too_late()
            need = pgconn.receive(results, ready if need == Wait.RW else need)
    except OperationalError:
        if not results or results[-1].status != ExecStatus.FATAL_ERROR:
            raise
    return results


def drain_gen(pgconn: PGconn) -> Gen[None]:
    """Throw away what is left of the command under way, COPY included, until the session is idle."""
    while pgconn.transaction_status == TransactionStatus.ACTIVE:
        result = yield from result_gen(pgconn)
        if result is None:
            continue
        if result.status in COPY_STATES:
            yield from leave_copy_gen(pgconn)
        elif result.status in _PARTIAL:  # a stream has left a hundred thousand of them on their way
            while result is not None and not pgconn.is_busy():
                result = pgconn.get_result()


def leave_copy_gen(pgconn: PGconn, reason: str = "COPY was given up") -> Gen[None]:
    """End the COPY under way: fail it where we are the sender, read it to its end where we are not.

    :param reason: what the server is told, and tells back in its error
    """
    # in COPY, libpq hands out the result that the COPY began with as often as it is asked
    result = pgconn.get_result()
    if result is None:
        return
    if result.status == ExecStatus.COPY_IN:
        yield from copy_end_gen(pgconn, reason)
    elif result.status == ExecStatus.COPY_BOTH:
        # A replication stream that was cancelled ends by itself. Told to fail, the server would drop the
        # session; told that we are done, it would take the session's next stream to be done too.
        yield from copy_out_gen(pgconn, _throw_away, _never)
    elif result.status == ExecStatus.COPY_OUT:
        # What is under way may be a million rows: libpq is faster at dropping them. It would drop the
        # result too, were that in its buffer: so what is there is taken first.
        rows, is_over = pgconn.get_copy_block(COPY_BLOCK)
        while rows and not is_over:
            yield from give_way_gen(pgconn)
            rows, is_over = pgconn.get_copy_block(COPY_BLOCK)
        if not is_over:
            pgconn.end_copy()


def copy_in_gen(pgconn: PGconn, read: Callable[[], Buffer], slice_over: Callable[[], bool]) -> Gen[None]:
    """Send what `read()` gives until it gives nothing; `copy_end_gen()` is the caller's to run.

    :param read: returns the next block of COPY data; `b""` at the end
    :param slice_over: asked after each block: true when other green threads should have a turn
    """
    unsent = 0  # bytes at most: libpq sends by itself, but keeps in memory what the socket has no room for
    while data := read():
        view = data if len(data) <= COPY_BLOCK else memoryview(data)
        for start in range(0, len(data), COPY_BLOCK):
            piece = view[start : start + COPY_BLOCK]
            while not pgconn.put_copy_data(piece):
                yield from flush_gen(pgconn)
            unsent += len(piece)
            is_slice_over = slice_over()
            if unsent < COPY_BLOCK and not is_slice_over:
                continue
            unsent = 0
            if pgconn.flush():
                yield from flush_gen(pgconn)
            elif is_slice_over and (yield from give_way_gen(pgconn)) & Ready.R:
                pgconn.consume_input()


def copy_end_gen(pgconn: PGconn, error: str | None = None) -> Gen[None]:
    """Finish a COPY IN: successfully, or with the `error` that the server shall fail it with."""
    # what C or UTF-8 cannot take, or too long for the server (10 kB), must not become another error
    reason = None if error is None else error.partition("\0")[0][:1000].encode(errors="replace")
    while not pgconn.put_copy_end(reason):
        yield from flush_gen(pgconn)
    yield from flush_gen(pgconn)


def copy_out_gen(
    pgconn: PGconn,
    write: Callable[[bytes], object],
    slice_over: Callable[[], bool],
    limit: int = COPY_BLOCK,
) -> Gen[None]:
    """Pass the rows of a COPY OUT to `write()`; the results after the COPY are left to be read.

    :param write: takes some rows as the server sent them, line ends included
    :param slice_over: asked after each time: true when other green threads should have a turn
    :param limit: after how many bytes `write()` gets no more rows at once; 1: each by itself
    """
    is_over = False
    while not is_over:
        rows, is_over = pgconn.get_copy_block(limit)
        if rows:
            write(rows)
            if slice_over():
                # nothing is taken in: a file that is slower than the server would have it all in memory
                yield from give_way_gen(pgconn)
        elif not is_over:
            yield from wait_gen(pgconn.socket, Wait.R)
            pgconn.consume_input()


def give_way_gen(pgconn: PGconn) -> Gen[Ready]:
    """Let the loop go round once: a socket with room to write in is ready as soon as it is asked."""
    return (yield from wait_gen(pgconn.socket, Wait.RW))


def cancel_gen(pgconn: PGconn) -> Gen[None]:
    """Ask the server to cancel what `pgconn` runs; return once the request has been dealt with.

    Waiting for the server to close the cancel connection is what keeps a late request from
    hitting the next statement. Encrypted as the connection is with libpq 17; before that, libpq
    only has a blocking call, which runs in a native thread. What `pgconn` has to tell for it is read
    at once, so that the rest may run elsewhere.

    :raises OperationalError: the request could not be delivered
    :raises TimeoutError: the time of the conversation is over
    """
    try:
        return _cancel_conn_gen(pgconn.cancel_conn())
    except NotSupportedError:
        return offload_gen(pgconn.get_cancel().cancel)


def _cancel_conn_gen(cancel: PGcancelConn) -> Gen[None]:
    try:
        cancel.start()
        while True:
            need = _cancel_need(cancel)
            if need is None:
                return
            yield from wait_gen(cancel.socket, need)
    finally:
        cancel.finish()


def _cancel_need(cancel: PGcancelConn) -> Wait | None:
    """Move the cancel request one step on; return what it waits for, `None` when it is done."""
    status = cancel.poll()
    if status == PollingStatus.OK:
        return None
    if status == PollingStatus.FAILED or cancel.status == ConnStatus.BAD:
        raise OperationalError(f"the cancel request failed: {cancel.get_error_message()}")
    return Wait.R if status == PollingStatus.READING else Wait.W


def _throw_away(_row: bytes) -> None:
    """Take a row that nobody wants."""


def _never() -> bool:
    return False
