"""What a connection does besides executing statements, blocking and async, twin by twin.

Transactions, two-phase commit, notifications, the end of the session, large objects. `connection.py` adds how
it is opened, how it waits, and statements.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from greenpg._core.session import IsolationLevel
from greenpg._waiting import Waiting
from greenpg.lobject import AsyncLargeObject, LargeObject
from greenpg.rows import Row
from greenpg.transaction import AsyncTransaction, Transaction
from greenpg.waiters import adrive, current_async, drive, get_wait_callback

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from greenpg._core.messages import Notify
    from greenpg._core.xid import Xid
    from greenpg.abc import Gen, WaitCallback

T = TypeVar("T")


class Session(Waiting[Row]):
    """A blocking connection, but for statements."""

    if TYPE_CHECKING:

        def _run(self, gen: Gen[T], timeout: float | None = None, part_of: object | None = None) -> T: ...

        _own_wait: WaitCallback | None

    # Transactions

    def transaction(self, savepoint_name: str | None = None, force_rollback: bool = False) -> Transaction:
        """Return a context manager for a transaction, or for a savepoint where a transaction is open.

        Its body is committed at the end, and rolled back after an exception. Blocks may be nested.
        `Rollback`, raised in a block, rolls it back and goes no further. After an interruption
        (`gevent.Timeout`, a cancellation) the end of the block waits for nothing: the connection's next use
        does.

        :param savepoint_name: the savepoint's name; by default, one of our own
        :param force_rollback: whether to roll back even if all goes well
        """
        return Transaction(self, savepoint_name, force_rollback)

    def set_autocommit(self, value: bool) -> None:
        """Set whether each statement is a transaction of its own.

        :raises greenpg.ProgrammingError: a transaction is open
        """
        self._run(self._set_gen("autocommit", bool(value)))

    def set_isolation_level(self, value: IsolationLevel | None) -> None:
        """Set the isolation level of transactions to come; `None`: the server's default.

        :raises greenpg.ProgrammingError: a transaction is open
        :raises ValueError: there is no such level
        """
        self._run(self._set_gen("isolation_level", None if value is None else IsolationLevel(value)))

    def set_read_only(self, value: bool | None) -> None:
        """Set whether transactions to come only read; `None`: the server's default.

        :raises greenpg.ProgrammingError: a transaction is open
        """
        self._run(self._set_gen("read_only", None if value is None else bool(value)))

    def set_deferrable(self, value: bool | None) -> None:
        """Set whether transactions to come wait for a safe snapshot; `None`: the server's default.

        :raises greenpg.ProgrammingError: a transaction is open
        """
        self._run(self._set_gen("deferrable", None if value is None else bool(value)))

    def _assign(self, name: str, value: Any) -> None:
        getattr(self, f"set_{name}")(value)

    # Two-phase commit

    def tpc_begin(self, xid: Xid | str) -> None:
        """Begin a two-phase transaction (PEP 249).

        :param xid: its name: made by `xid()`, or any text of up to 199 bytes
        :raises greenpg.ProgrammingError: a transaction is open, or autocommit is on
        """
        self._run(self._tpc_begin_gen(xid))

    def tpc_prepare(self, *, timeout: float | None = None) -> None:
        """Do the first phase: the server keeps the transaction, even if it is shut down.

        Nothing else can be executed before `tpc_commit()` or `tpc_rollback()`.

        :raises greenpg.NotSupportedError: the server's `max_prepared_transactions` is 0
        """
        self._run(self._tpc_prepare_gen(), timeout)

    def tpc_commit(self, xid: Xid | str | None = None, *, timeout: float | None = None) -> None:
        """Commit a two-phase transaction, prepared or not.

        :param xid: a prepared transaction that `tpc_recover()` found; by default, this connection's own
        """
        self._run(self._tpc_end_gen("commit", xid), timeout)

    def tpc_rollback(self, xid: Xid | str | None = None, *, timeout: float | None = None) -> None:
        """Roll back a two-phase transaction, prepared or not.

        :param xid: a prepared transaction that `tpc_recover()` found; by default, this connection's own
        """
        self._run(self._tpc_end_gen("rollback", xid), timeout)

    def tpc_recover(self, *, timeout: float | None = None) -> list[Xid]:
        """Return all transactions that are prepared, in all databases of the server."""
        return self._run(self._tpc_recover_gen(), timeout)

    # Messages and the end

    def notifies(
        self, *, timeout: float | None = None, stop_after: int | None = None
    ) -> Generator[Notify, None, None]:
        """Yield notifications as they come; the connection is somebody else's to use in between.

        Without a notify handler, those that came while statements ran are kept for this, however many. With
        one, both get what comes from the first step on.

        :param timeout: seconds for all of it; 0: only what is there already
        :param stop_after: how many notifications to yield
        """
        deadline = None if timeout is None else monotonic() + timeout
        self._readers += 1
        try:
            while stop_after is None or stop_after > 0:
                left = None if deadline is None else max(deadline - monotonic(), 0.0)
                notify = self._run(self._next_notify_gen(), left)
                if notify is None:
                    return
                yield notify
                stop_after = None if stop_after is None else stop_after - 1
        finally:
            self._readers -= 1

    def wait_closed(self, timeout: float | None = None) -> bool:
        """Sleep until the session is over, by `close()` or because it was lost; return whether it is.

        Others may use the connection meanwhile. Any number may sleep, each in a green thread of its own.

        :param timeout: seconds
        :raises greenpg.InterfaceError: it belongs to the parent process
        """
        if self._is_closed:
            return True
        watch = self._watch()
        try:
            return drive(self._end_gen(watch), self._own_wait or get_wait_callback(), timeout)
        finally:
            self._unwatch(watch)

    # Large objects

    def lobject(
        self, oid: int = 0, mode: str = "r", new_oid: int = 0, new_file: str | None = None
    ) -> LargeObject:
        """Open a large object, or make one.

        It lives in the transaction, which must not be autocommit's: in a `transaction()` block, as a rule.

        :param oid: an object to open; 0: make a new one, open to be read and written
        :param mode: `r`, `w` or `rw`, and `b` for bytes or `t` for text (the default); `n`: do not open it
        :param new_oid: the number of a new one; 0: the server chooses
        :param new_file: a file of this machine to fill a new one with
        :raises greenpg.ProgrammingError: there is no such object, or no transaction
        """
        large_object = LargeObject(self, mode)
        self._run(large_object._make_gen(oid, new_oid, new_file))
        return large_object


class AsyncSession(Waiting[Row]):
    """Async `Session`."""

    if TYPE_CHECKING:

        async def _run(
            self, gen: Gen[T], timeout: float | None = None, part_of: object | None = None
        ) -> T: ...

    # Transactions

    def transaction(
        self, savepoint_name: str | None = None, force_rollback: bool = False
    ) -> AsyncTransaction:
        """Async `Session.transaction()`, which does not wait either."""
        return AsyncTransaction(self, savepoint_name, force_rollback)

    async def set_autocommit(self, value: bool) -> None:
        """Async `Session.set_autocommit()`."""
        await self._run(self._set_gen("autocommit", bool(value)))

    async def set_isolation_level(self, value: IsolationLevel | None) -> None:
        """Async `Session.set_isolation_level()`."""
        await self._run(self._set_gen("isolation_level", None if value is None else IsolationLevel(value)))

    async def set_read_only(self, value: bool | None) -> None:
        """Async `Session.set_read_only()`."""
        await self._run(self._set_gen("read_only", None if value is None else bool(value)))

    async def set_deferrable(self, value: bool | None) -> None:
        """Async `Session.set_deferrable()`."""
        await self._run(self._set_gen("deferrable", None if value is None else bool(value)))

    def _assign(self, name: str, value: Any) -> None:
        raise AttributeError(f"{name!r} of an async connection cannot be assigned: await set_{name}()")

    # Two-phase commit

    async def tpc_begin(self, xid: Xid | str) -> None:
        """Async `Session.tpc_begin()`."""
        await self._run(self._tpc_begin_gen(xid))

    async def tpc_prepare(self, *, timeout: float | None = None) -> None:
        """Async `Session.tpc_prepare()`."""
        await self._run(self._tpc_prepare_gen(), timeout)

    async def tpc_commit(self, xid: Xid | str | None = None, *, timeout: float | None = None) -> None:
        """Async `Session.tpc_commit()`."""
        await self._run(self._tpc_end_gen("commit", xid), timeout)

    async def tpc_rollback(self, xid: Xid | str | None = None, *, timeout: float | None = None) -> None:
        """Async `Session.tpc_rollback()`."""
        await self._run(self._tpc_end_gen("rollback", xid), timeout)

    async def tpc_recover(self, *, timeout: float | None = None) -> list[Xid]:
        """Async `Session.tpc_recover()`."""
        return await self._run(self._tpc_recover_gen(), timeout)

    # Messages and the end

    async def notifies(
        self, *, timeout: float | None = None, stop_after: int | None = None
    ) -> AsyncGenerator[Notify, None]:
        """Async `Session.notifies()`."""
        deadline = None if timeout is None else monotonic() + timeout
        self._readers += 1
        try:
            while stop_after is None or stop_after > 0:
                left = None if deadline is None else max(deadline - monotonic(), 0.0)
                notify = await self._run(self._next_notify_gen(), left)
                if notify is None:
                    return
                yield notify
                stop_after = None if stop_after is None else stop_after - 1
        finally:
            self._readers -= 1

    async def wait_closed(self, timeout: float | None = None) -> bool:
        """Async `Session.wait_closed()`."""
        if self._is_closed:
            return True
        watch = self._watch()
        try:
            return await adrive(self._end_gen(watch), current_async(), timeout)
        finally:
            self._unwatch(watch)

    # Large objects

    async def lobject(
        self, oid: int = 0, mode: str = "r", new_oid: int = 0, new_file: str | None = None
    ) -> AsyncLargeObject:
        """Async `Session.lobject()`."""
        large_object = AsyncLargeObject(self, mode)
        await self._run(large_object._make_gen(oid, new_oid, new_file))
        return large_object
