"""Transaction blocks, blocking and async, twin by twin; what they do is the core's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenpg._core.transaction import BaseTransaction
from greenpg._core.transaction import OutOfOrderTransactionNesting as OutOfOrderTransactionNesting
from greenpg._core.transaction import Rollback as Rollback

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self


class Transaction(BaseTransaction):
    """A transaction, or a savepoint in one, as a context manager. Made by `Connection.transaction()`."""

    __module__ = "greenpg"

    @property
    def connection(self) -> Any:
        """The connection that it is about."""
        return self._conn

    def __enter__(self) -> Self:
        self._check_new()
        try:
            self._conn._run(self._enter_gen())
        except BaseException:
            self._failed()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        handled = self._leave_at_once(error)
        if handled is not None:
            return handled
        try:
            return bool(self._conn._run(self._exit_gen(error)))
        except BaseException:
            self._failed()
            raise


class AsyncTransaction(BaseTransaction):
    """Async `Transaction`."""

    __module__ = "greenpg"

    @property
    def connection(self) -> Any:
        """Async `Transaction.connection()`."""
        return self._conn

    async def __aenter__(self) -> Self:
        self._check_new()
        try:
            await self._conn._run(self._enter_gen())
        except BaseException:
            self._failed()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        handled = self._leave_at_once(error)
        if handled is not None:
            return handled
        try:
            return bool(await self._conn._run(self._exit_gen(error)))
        except BaseException:
            self._failed()
            raise
