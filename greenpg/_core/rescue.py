"""What becomes of a statement whose caller was interrupted: it is cancelled at once and settled later.

The interruption is delivered without waiting for the server, whatever state the network is in. The request
to cancel leaves by itself, in a native thread; the rest is done by the connection's next use.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from greenpg._core.protocol import drain_gen, execute_gen, leave_copy_gen
from greenpg.errors import DatabaseError, OperationalError
from greenpg.pq.enums import PipelineStatus, TransactionStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greenpg._core.offload import Offloaded
    from greenpg.abc import Gen, Steps
    from greenpg.pq.abc import PGconn

PATIENCE = 0.1
"""Seconds to wait for a cancelled statement's end before it is cancelled once more.

A server that has not read the statement yet drops the request to cancel it, and then runs it.
"""


def settle_steps(
    pgconn: PGconn,
    request: Offloaded[None] | None,
    debts: Sequence[bytes],
    again: Callable[[], Offloaded[None] | None],
) -> Steps[None]:
    """Bring the connection to rest after an interruption, and make up for what could not be sent then.

    :param request: the request to cancel that is under way; waited for, lest it hit a later statement
    :param debts: commands owed to the server, which roll back, sent once it is at rest
    :param again: sends one more, and keeps it to be waited for even if this is broken off
    :raises OperationalError: the connection is lost
    """
    patience = PATIENCE
    while True:
        if request is not None:
            with suppress(OSError, DatabaseError):  # not delivered: the statement's own end is waited for
                yield request.result_gen(), None
        if _is_at_rest(pgconn):
            break
        try:
            yield rest_gen(pgconn), patience
        except TimeoutError:
            patience *= 2
            request = again()
    for command in debts:
        if pgconn.transaction_status == TransactionStatus.IDLE:
            return  # a transaction is over that they were to roll back
        pgconn.send_query(command)
        yield execute_gen(pgconn), None


def rest_gen(pgconn: PGconn) -> Gen[None]:
    """Read what the server still says about what was sent, and leave pipeline mode."""
    if pgconn.pipeline_status != PipelineStatus.OFF and pgconn.transaction_status == TransactionStatus.ACTIVE:
        yield from _sync_gen(pgconn)  # else the server would not say how what is under way has ended
    yield from drain_gen(pgconn)
    if pgconn.pipeline_status != PipelineStatus.OFF:
        pgconn.exit_pipeline_mode()


def _sync_gen(pgconn: PGconn) -> Gen[None]:
    try:
        pgconn.pipeline_sync()
    except OperationalError:  # in a COPY, which libpq does not expect in a pipeline
        yield from leave_copy_gen(pgconn)
        pgconn.pipeline_sync()


def _is_at_rest(pgconn: PGconn) -> bool:
    return (
        pgconn.transaction_status != TransactionStatus.ACTIVE and pgconn.pipeline_status == PipelineStatus.OFF
    )
