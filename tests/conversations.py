"""What the core and a server say to each other, and how it ends: the same with a fake and with a real one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from greenpg._core.protocol import (
    copy_end_gen,
    copy_in_gen,
    copy_out_gen,
    drain_gen,
    execute_gen,
    flush_gen,
    leave_copy_gen,
    result_gen,
    wait_gen,
)
from greenpg.abc import Wait
from greenpg.pq.enums import ExecStatus, TransactionStatus
from tests.fake_pgconn import COPY_DONE, READY, Message, result

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenpg.abc import Gen

OK, ERROR, TUPLES = ExecStatus.COMMAND_OK, ExecStatus.FATAL_ERROR, ExecStatus.TUPLES_OK
IN, OUT = ExecStatus.COPY_IN, ExecStatus.COPY_OUT
IDLE = TransactionStatus.IDLE

SETUP = b"create temp table t (i int)"
"""What a real server needs before."""

QUERY = b"select 42"
TWO = b"select 1; create temp table if not exists u (i int)"
WRONG = b"select 1/0"
COPY_OUT = b"copy (select generate_series(1, 5)) to stdout"
COPY_OUT_WRONG = b"copy (select 1/(3 - g) from generate_series(1, 5) g) to stdout"
COPY_IN = b"copy t from stdin"
TABLE = b"copy t to stdout"

_rows: list[Message] = [("d", b"%d\n" % number) for number in range(1, 6)]
ANSWERS: dict[bytes, list[Message]] = {
    QUERY: [result(TUPLES), READY],
    TWO: [result(TUPLES), result(OK), READY],
    WRONG: [result(ERROR, "division by zero"), READY],
    COPY_OUT: [result(OUT), *_rows, COPY_DONE, result(OK), READY],
    COPY_OUT_WRONG: [result(OUT), ("d", b"0\n"), ("d", b"1\n"), result(ERROR, "division by zero"), READY],
    COPY_IN: [result(IN)],
    b"the end": [result(OK), READY],
}


class Run(Protocol):
    """Drives a generator to its end."""

    def __call__(self, gen: Gen[Any], /) -> Any: ...


def never() -> bool:
    """Be a time slice that is never over."""
    return False


def statuses(pgconn: Any, run: Run) -> list[ExecStatus]:
    """Return what the results of the statement under way are."""
    return [found.status for found in run(execute_gen(pgconn))]


def blocks(*data: bytes) -> Callable[[], bytes]:
    """Return what reads the given blocks, then nothing more."""
    left = list(data)
    return lambda: left.pop(0) if left else b""


def query(pgconn: Any, run: Run) -> Any:
    pgconn.send_query(QUERY)
    return statuses(pgconn, run)


def two_results(pgconn: Any, run: Run) -> Any:
    pgconn.send_query(TWO)
    return statuses(pgconn, run)


def error(pgconn: Any, run: Run) -> Any:
    pgconn.send_query(WRONG)
    [found] = run(execute_gen(pgconn))
    return found.status, "division by zero" in found.get_error_message()


def copy_out(pgconn: Any, run: Run) -> Any:
    rows: list[bytes] = []
    pgconn.send_query(COPY_OUT)
    began = statuses(pgconn, run)
    run(copy_out_gen(pgconn, rows.append, never, 1))
    return began, rows, statuses(pgconn, run)


def copy_out_fails(pgconn: Any, run: Run) -> Any:
    rows: list[bytes] = []
    pgconn.send_query(COPY_OUT_WRONG)
    began = statuses(pgconn, run)
    run(copy_out_gen(pgconn, rows.append, never, 1))
    return began, rows, statuses(pgconn, run)


def copy_in(pgconn: Any, run: Run) -> Any:
    pgconn.send_query(COPY_IN)
    began = statuses(pgconn, run)
    run(copy_in_gen(pgconn, blocks(b"1\n", b"2\n3", b"\n"), never))
    run(copy_end_gen(pgconn))
    return began, statuses(pgconn, run)


def copy_in_fails(pgconn: Any, run: Run) -> Any:
    pgconn.send_query(COPY_IN)
    began = statuses(pgconn, run)
    run(copy_in_gen(pgconn, blocks(b"1\n"), never))
    run(copy_end_gen(pgconn, "enough\0 of it"))
    [found] = run(execute_gen(pgconn))
    return began, found.status, "COPY from stdin failed: enough" in found.get_error_message()


def leave_copy_out(pgconn: Any, run: Run) -> Any:
    pgconn.send_query(COPY_OUT)
    began = statuses(pgconn, run)
    run(leave_copy_gen(pgconn))
    return began, statuses(pgconn, run)[-1:] in ([OK], [])


def leave_copy_in(pgconn: Any, run: Run) -> Any:
    pgconn.send_query(COPY_IN)
    began = statuses(pgconn, run)
    run(leave_copy_gen(pgconn, "never mind"))
    [found] = run(execute_gen(pgconn))
    return began, found.status, "never mind" in found.get_error_message()


def drain_from(command: bytes, *steps: Callable[[Any], Gen[Any]]) -> Callable[[Any, Run], Any]:
    """Return the conversation that sends a command, takes some steps, and drains what is left."""

    def drain(pgconn: Any, run: Run) -> Any:
        pgconn.send_query(command)
        for step in steps:
            run(step(pgconn))
        run(drain_gen(pgconn))
        return pgconn.transaction_status, pgconn.get_result()

    return drain


def some_rows(pgconn: Any) -> Gen[None]:
    """Take two rows of a COPY OUT."""
    taken = 0
    while taken < 2:
        size, _row = pgconn.get_copy_data(1)
        if size > 0:
            taken += 1
        else:
            yield from wait_gen(pgconn.socket, Wait.R)
            pgconn.consume_input()


def some_data(pgconn: Any) -> Gen[None]:
    """Send two rows of a COPY IN."""
    return copy_in_gen(pgconn, blocks(b"1\n", b"2\n"), never)


DRAINED = IDLE, None
CONVERSATIONS: dict[str, tuple[Callable[[Any, Run], Any], Any]] = {
    "query": (query, [TUPLES]),
    "two results": (two_results, [TUPLES, OK]),
    "error": (error, (ERROR, True)),
    "copy out": (copy_out, ([OUT], [b"1\n", b"2\n", b"3\n", b"4\n", b"5\n"], [OK])),
    "copy out fails": (copy_out_fails, ([OUT], [b"0\n", b"1\n"], [ERROR])),
    "copy in": (copy_in, ([IN], [OK])),
    "copy in fails": (copy_in_fails, ([IN], ERROR, True)),
    "leave copy out": (leave_copy_out, ([OUT], True)),
    "leave copy in": (leave_copy_in, ([IN], ERROR, True)),
    "drain an unsent query": (drain_from(QUERY), DRAINED),
    "drain a sent query": (drain_from(QUERY, flush_gen), DRAINED),
    "drain the second result": (drain_from(TWO, result_gen), DRAINED),
    "drain an error": (drain_from(WRONG, flush_gen), DRAINED),
    "drain an unsent copy out": (drain_from(COPY_OUT), DRAINED),
    "drain a copy out": (drain_from(COPY_OUT, execute_gen), DRAINED),
    "drain the rest of a copy out": (drain_from(COPY_OUT, execute_gen, some_rows), DRAINED),
    "drain a copy out that fails": (drain_from(COPY_OUT_WRONG, execute_gen), DRAINED),
    "drain an unsent copy in": (drain_from(COPY_IN), DRAINED),
    "drain a copy in": (drain_from(COPY_IN, execute_gen), DRAINED),
    "drain a copy in with data": (drain_from(COPY_IN, execute_gen, some_data), DRAINED),
    "drain a copy in that has ended": (drain_from(COPY_IN, execute_gen, some_data, copy_end_gen), DRAINED),
}
"""Each with what it returns."""
