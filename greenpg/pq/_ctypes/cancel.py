"""Cancel requests: `PGcancelConn` (libpq 17) goes through its steps like a connection, `PGcancel` blocks."""

from __future__ import annotations

from ctypes import create_string_buffer
from typing import TYPE_CHECKING, NoReturn

from greenpg.errors import OperationalError
from greenpg.pq import abc
from greenpg.pq.enums import ConnStatus, PollingStatus

if TYPE_CHECKING:
    from types import SimpleNamespace


def _closed() -> NoReturn:
    raise OperationalError("the cancel connection is closed")


class PGcancelConn(abc.PGcancelConn):
    """A `PGcancelConn *` that is finished with this object."""

    __slots__ = ("_pq", "_ptr")

    def __init__(self, pq: SimpleNamespace, address: int):
        self._pq = pq
        self._ptr: int | None = address

    def __del__(self) -> None:
        if hasattr(self, "_ptr"):  # a signal may come before the first line of __init__
            self.finish()

    def finish(self) -> None:
        ptr, self._ptr = self._ptr, None
        if ptr:
            self._pq.PQcancelFinish(ptr)

    def start(self) -> None:
        if not self._pq.PQcancelStart(self._ptr or _closed()):
            raise OperationalError(f"the cancel request failed to start: {self.get_error_message()}")

    def poll(self) -> PollingStatus:
        return PollingStatus(self._pq.PQcancelPoll(self._ptr or _closed()))

    def reset(self) -> None:
        self._pq.PQcancelReset(self._ptr or _closed())

    @property
    def status(self) -> ConnStatus:
        return ConnStatus(self._pq.PQcancelStatus(self._ptr)) if self._ptr else ConnStatus.BAD

    @property
    def socket(self) -> int:
        fd: int = self._pq.PQcancelSocket(self._ptr or _closed())
        if fd < 0:
            raise OperationalError("the cancel connection has no socket")
        return fd

    @property
    def error_message(self) -> bytes:
        return self._pq.PQcancelErrorMessage(self._ptr or _closed()) or b""

    def get_error_message(self, encoding: str = "utf-8") -> str:
        return self.error_message.decode(encoding, "replace").strip()


class PGcancel(abc.PGcancel):
    """A `PGcancel *` that is freed with this object."""

    __slots__ = ("_pq", "_ptr")

    def __init__(self, pq: SimpleNamespace, address: int):
        self._pq = pq
        self._ptr: int | None = address

    def __del__(self) -> None:
        if hasattr(self, "_ptr"):
            self.free()

    def free(self) -> None:
        ptr, self._ptr = self._ptr, None
        if ptr:
            self._pq.PQfreeCancel(ptr)

    def cancel(self) -> None:
        message = create_string_buffer(256)  # the size that libpq's chapter on cancelling recommends
        if not self._pq.PQcancel(self._ptr or _closed(), message, len(message)):
            reason = message.value.decode(errors="replace").strip()
            raise OperationalError(f"the cancel request failed: {reason}")
