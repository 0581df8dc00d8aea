"""How the transactions of a connection are: their characteristics, what ends them, two-phase commit.

One rule: what a `transaction()` block or a two-phase transaction has begun, nothing else ends.
"""

from __future__ import annotations

from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from greenpg._core.connection import BaseConnection
from greenpg._core.xid import Xid
from greenpg.errors import InFailedSqlTransaction, ProgrammingError
from greenpg.pq.enums import TransactionStatus
from greenpg.rows import Row
from greenpg.sql import Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greenpg.abc import Gen

_RECOVER = b"SELECT gid, prepared, owner, database FROM pg_catalog.pg_prepared_xacts"


class IsolationLevel(IntEnum):
    """How much a transaction sees of others; see PostgreSQL, "Transaction Isolation"."""

    __module__ = "greenpg"

    READ_UNCOMMITTED = 1
    READ_COMMITTED = 2
    REPEATABLE_READ = 3
    SERIALIZABLE = 4


class BaseSession(BaseConnection[Row]):
    """A connection that knows about its transactions."""

    _isolation_level: IsolationLevel | None = None
    _read_only: bool | None = None
    _deferrable: bool | None = None
    _two_phase: Xid | None = None
    _is_prepared = False
    _blocks: tuple[object, ...] = ()
    """The `transaction()` blocks that are open, innermost last."""
    _descriptors: Mapping[int, list[int]] = MappingProxyType({})
    """The large objects that are open, by the server's number: how deep in blocks each one was opened."""

    # Characteristics

    @property
    def autocommit(self) -> bool:
        """Whether each statement is a transaction of its own; false: the first one begins a transaction.

        To be assigned outside of transactions (async: `set_autocommit()`), as the others below.
        """
        return self._autocommit

    @autocommit.setter
    def autocommit(self, value: bool) -> None:
        self._assign("autocommit", value)

    @property
    def isolation_level(self) -> IsolationLevel | None:
        """The isolation level of transactions that the connection begins; `None`: the server's default."""
        return self._isolation_level

    @isolation_level.setter
    def isolation_level(self, value: IsolationLevel | None) -> None:
        self._assign("isolation_level", value)

    @property
    def read_only(self) -> bool | None:
        """Whether the transactions that the connection begins only read; `None`: the server's default."""
        return self._read_only

    @read_only.setter
    def read_only(self, value: bool | None) -> None:
        self._assign("read_only", value)

    @property
    def deferrable(self) -> bool | None:
        """Whether transactions wait for a safe snapshot; `None`: the server's default.

        It matters to serializable ones that only read.
        """
        return self._deferrable

    @deferrable.setter
    def deferrable(self, value: bool | None) -> None:
        self._assign("deferrable", value)

    def _assign(self, name: str, value: Any) -> None:
        """Set a characteristic by an assignment, if that is possible."""
        raise NotImplementedError

    def _set_gen(self, name: str, value: Any) -> Gen[None]:
        """Set a characteristic; a conversation, since it takes a turn, but one without words.

        :raises ProgrammingError: a transaction is open
        """
        yield from self._sync_gen()
        status = self.pgconn.transaction_status
        if self._blocks or self._two_phase is not None or status != TransactionStatus.IDLE:
            raise ProgrammingError(
                f"{name} cannot be set within a transaction ({status.name}): commit it or roll it back first"
            )
        setattr(self, f"_{name}", value)

    def _begin_command(self) -> bytes:
        """Return the command that begins a transaction of the characteristics wanted."""
        parts = ["BEGIN"]
        if self._isolation_level is not None:
            parts.append("ISOLATION LEVEL " + self._isolation_level.name.replace("_", " "))
        if self._read_only is not None:
            parts.append("READ ONLY" if self._read_only else "READ WRITE")
        if self._deferrable is not None:
            parts.append("DEFERRABLE" if self._deferrable else "NOT DEFERRABLE")
        return " ".join(parts).encode()

    # The end of a transaction

    def _begin_gen(self) -> Gen[None]:
        """Begin a transaction unless one is under way, or none is wanted."""
        self._check_unprepared()
        yield from super()._begin_gen()

    def _check_unprepared(self) -> None:
        if self._is_prepared:
            raise ProgrammingError("the transaction is prepared: tpc_commit() or tpc_rollback() comes next")

    def _commit_gen(self) -> Gen[None]:
        """Commit the transaction, if there is one.

        :raises ProgrammingError: it is for a block or for two-phase commit to end it
        """
        self._check_free("commit")
        yield from super()._commit_gen()

    def _rollback_gen(self) -> Gen[None]:
        """Roll the transaction back, if there is one.

        :raises ProgrammingError: it is for a block or for two-phase commit to end it
        """
        self._check_free("rollback")
        yield from super()._rollback_gen()

    def _check_free(self, verb: str) -> None:
        if self._blocks:
            raise ProgrammingError(f"{verb}() has no place in a transaction() block: leave the block")
        if self._two_phase is not None:
            raise ProgrammingError(f"{verb}() has no place in a two-phase transaction: use tpc_{verb}()")

    def _end_descriptors(self, is_rollback: bool) -> None:
        """Take note that a block has ended: large objects that were opened in it are closed, or passed on."""
        depth = len(self._blocks)
        for number, opened in tuple(self._descriptors.items()):
            if opened[0] > depth:
                opened[0] = depth
                if is_rollback:
                    self._forget_descriptor(number)

    def _forget_descriptor(self, number: int) -> None:
        """Take note that a large object is closed."""
        self._descriptors = {key: opened for key, opened in self._descriptors.items() if key != number}

    # Two-phase commit

    def xid(self, format_id: int, gtrid: str, bqual: str) -> Xid:
        """Make a transaction identifier of XA's parts.

        :param format_id: a number from 0 to 2**31 - 1
        :param gtrid: the global transaction, up to 64 characters
        :param bqual: the branch, up to 64 characters
        """
        return Xid.from_parts(format_id, gtrid, bqual)

    def _tpc_begin_gen(self, xid: Xid | str) -> Gen[None]:
        name = _xid(xid)
        self._check_open()
        if self._autocommit:
            raise ProgrammingError("two-phase transactions need autocommit off: nothing would be in them")
        yield from self._sync_gen()
        status = self.pgconn.transaction_status
        if status != TransactionStatus.IDLE or self._two_phase is not None:
            raise ProgrammingError(f"tpc_begin() has no place in a transaction ({status.name}): end it first")
        yield from self._command_gen(self._begin_command())
        self._two_phase = name

    def _tpc_prepare_gen(self) -> Gen[None]:
        if self._two_phase is None:
            raise ProgrammingError("tpc_prepare() comes after tpc_begin()")
        if self._is_prepared:
            raise ProgrammingError("the transaction is prepared already")
        self._check_blocks("tpc_prepare")
        result = yield from self._command_gen(b"PREPARE TRANSACTION " + self._quoted(self._two_phase))
        if result.command_status == b"ROLLBACK":
            raise InFailedSqlTransaction(
                "a statement had failed: the transaction was rolled back, not prepared"
            )
        self._is_prepared = True

    def _tpc_end_gen(self, verb: str, xid: Xid | str | None) -> Gen[None]:
        """Commit or roll back a two-phase transaction: the one of this connection, or a prepared one by name.

        :param verb: `commit` or `rollback`
        """
        self._check_blocks(f"tpc_{verb}")
        if xid is None:
            if self._two_phase is None:
                raise ProgrammingError(f"tpc_{verb}() without a name comes after tpc_begin()")
            name = self._two_phase
            if not self._is_prepared:
                self._two_phase = None
                if verb == "commit" and self.pgconn.transaction_status == TransactionStatus.IDLE:
                    raise ProgrammingError("there is nothing to commit: the transaction was rolled back")
                yield from self._commit_gen() if verb == "commit" else self._rollback_gen()
                return
        elif self._two_phase is not None:
            raise ProgrammingError(f"tpc_{verb}() by name has no place in another two-phase transaction")
        else:
            name = _xid(xid)
        yield from self._command_gen(verb.upper().encode() + b" PREPARED " + self._quoted(name))
        self._two_phase, self._is_prepared = None, False

    def _tpc_recover_gen(self) -> Gen[list[Xid]]:
        self._check_open()
        rows = yield from self._apart_gen(self._ask_gen(_RECOVER, []))
        return [Xid.from_record(*row) for row in rows]

    def _check_blocks(self, name: str) -> None:
        if self._blocks:
            raise ProgrammingError(f"{name}() has no place in a transaction() block: leave the block")

    def _quoted(self, xid: Xid) -> bytes:
        return Literal(str(xid)).as_bytes(self)


def _xid(name: Xid | str) -> Xid:
    return name if isinstance(name, Xid) else Xid.from_string(name)
