"""What a transaction block is, apart from who waits for it: a BEGIN or a savepoint, and its end.

Leaving a block by an interruption waits for nothing: the rollback is on its way, or owed, and the next use of
the connection sees to it.
"""

from __future__ import annotations

import logging
from enum import Enum
from typing import TYPE_CHECKING, Any

from greenpg.errors import DatabaseError, ProgrammingError
from greenpg.pq.enums import TransactionStatus
from greenpg.sql import Identifier

if TYPE_CHECKING:
    from greenpg.abc import Gen

_log = logging.getLogger("greenpg")


class Rollback(Exception):
    """Raised in a `transaction()` block, it leaves the block and rolls it back, and goes no further.

    :param transaction: the block to roll back, with all that is in it; by default the innermost one
    """

    __module__ = "greenpg"

    def __init__(self, transaction: BaseTransaction | None = None) -> None:
        super().__init__(transaction)
        self.transaction = transaction


class OutOfOrderTransactionNesting(ProgrammingError):
    """A block was left that is not the innermost one; the transaction is still open."""

    __module__ = "greenpg"


class Status(str, Enum):
    """What has become of a transaction block."""

    NOT_STARTED = "not_started"
    ACTIVE = "active"
    COMMITTED = "committed"
    FAILED = "failed"
    ROLLED_BACK_EXPLICITLY = "rolled_back_explicitly"
    ROLLED_BACK_WITH_ERROR = "rolled_back_with_error"


class BaseTransaction:
    """One `transaction()` block."""

    Status = Status

    def __init__(
        self, connection: Any, savepoint_name: str | None = None, force_rollback: bool = False
    ) -> None:
        self._conn = connection
        self._savepoint_name = savepoint_name
        self._savepoint = b""
        """The name as SQL has it."""
        self._is_outermost = False
        self.force_rollback = force_rollback
        """Whether it is rolled back even if all goes well."""
        self.status = Status.NOT_STARTED
        """What has become of it."""

    def __repr__(self) -> str:
        name = f" {self._savepoint_name!r}" if self._savepoint_name else ""
        kind = f"{type(self).__module__}.{type(self).__qualname__}"
        return f"<{kind}{name} [{self.status.value}] of {self._conn!r}>"

    @property
    def savepoint_name(self) -> str | None:
        """The name of its savepoint; `None` if it is the transaction itself."""
        return self._savepoint_name

    # Entering

    def _check_new(self) -> None:
        if self.status != Status.NOT_STARTED:
            raise TypeError("a transaction block can be entered only once: call transaction() again")

    def _enter_gen(self) -> Gen[None]:
        """Begin the transaction, or set a savepoint in the one under way."""
        conn = self._conn
        conn._check_unprepared()
        yield from conn._sync_gen()
        self._is_outermost = conn.pgconn.transaction_status == TransactionStatus.IDLE
        if not self._is_outermost and self._savepoint_name is None:
            self._savepoint_name = f"_greenpg_{len(conn._blocks) + 1}"
        commands = [conn._begin_command()] if self._is_outermost else []
        if self._savepoint_name is not None:
            self._savepoint = Identifier(self._savepoint_name).as_bytes(conn)
            commands.append(b"SAVEPOINT " + self._savepoint)
        try:
            yield from conn._command_gen(b"; ".join(commands))
        except DatabaseError:
            if self._is_outermost and conn.pgconn.transaction_status == TransactionStatus.INERROR:
                yield from conn._command_gen(b"ROLLBACK")
            raise
        conn._blocks = (*conn._blocks, self)
        self.status = Status.ACTIVE

    # Leaving

    def _exit_gen(self, error: BaseException | None) -> Gen[bool]:
        """End the block, and return whether `error` has done its work and goes no further."""
        self._leave()
        if error is None and not self.force_rollback:
            yield from self._commit_gen()
            return False
        return (yield from self._rollback_gen(error))

    def _rollback_gen(self, error: BaseException | None) -> Gen[bool]:
        try:
            yield from self._conn._command_gen(self._undoing)
        except DatabaseError as failure:
            self.status = Status.FAILED
            if error is None:
                raise
            _log.warning("the rollback of %r has failed: %s", self, failure)
            return False
        return self._was_rolled_back(error)

    def _commit_gen(self) -> Gen[None]:
        self.status = Status.FAILED  # until it is known to have succeeded
        try:
            yield from self._conn._sync_gen()
        except DatabaseError as error:  # of a statement in the pipeline
            yield from self._rollback_gen(error)
            raise
        command = b"COMMIT" if self._is_outermost else b"RELEASE " + self._savepoint
        result = yield from self._conn._command_gen(command)
        # a COMMIT is a ROLLBACK where a statement has failed
        is_rollback = result.command_status == b"ROLLBACK"
        self.status = Status.ROLLED_BACK_WITH_ERROR if is_rollback else Status.COMMITTED
        self._conn._end_descriptors(is_rollback)

    def _leave(self) -> None:
        """Take the block out of the connection's.

        :raises OutOfOrderTransactionNesting: it is not the innermost one
        """
        conn = self._conn
        blocks = conn._blocks
        if blocks and blocks[-1] is self:
            conn._blocks = blocks[:-1]
            return
        if self in blocks:
            conn._blocks = blocks[: blocks.index(self)]
        self.status = Status.FAILED
        raise OutOfOrderTransactionNesting(
            f"{self!r} was left at the wrong level of nesting: the transaction is still open"
        )

    def _leave_at_once(self, error: BaseException | None) -> bool | None:
        """Leave without a wait if interrupted, and return what `_exit_gen()` would; else return `None`."""
        conn = self._conn
        if error is None or not (conn.closed or conn._is_interrupted_by(error)):
            return None
        self._leave()
        if not conn._owe(self._undoing):
            self.status = Status.FAILED
            return False
        return self._was_rolled_back(error)

    def _failed(self) -> None:
        """Entering or leaving has failed, or was interrupted: let go of what the server may have of it."""
        conn = self._conn
        conn._blocks = tuple([block for block in conn._blocks if block is not self])
        self.status = Status.FAILED
        if conn._rescue is not None and (self._is_outermost or self._savepoint):
            conn._owe(self._undoing)

    def _was_rolled_back(self, error: BaseException | None) -> bool:
        """Take note of how it came; return whether `error` goes no further."""
        self._conn._end_descriptors(is_rollback=True)
        explicit = isinstance(error, Rollback)
        self.status = (
            Status.ROLLED_BACK_EXPLICITLY
            if explicit or self.force_rollback
            else Status.ROLLED_BACK_WITH_ERROR
        )
        return isinstance(error, Rollback) and error.transaction in (None, self)

    @property
    def _undoing(self) -> bytes:
        """What rolls it back."""
        if self._is_outermost:
            return b"ROLLBACK"
        return b"ROLLBACK TO %b; RELEASE %b" % (self._savepoint, self._savepoint)
