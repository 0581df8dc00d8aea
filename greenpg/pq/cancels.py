"""Requests to cancel, as every implementation of libpq has them: a part of `greenpg.pq.abc`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from greenpg.pq.enums import ConnStatus, PollingStatus


class PGcancelConn(Protocol):
    """A cancel request with the connection's own security, sent without blocking (libpq 17)."""

    __slots__ = ()

    def start(self) -> None:
        """Begin the request; then wait for `socket` to be writable and `poll()`."""

    def poll(self) -> PollingStatus:
        """Go on with the request and return what to wait for; `OK`: the server has taken it."""

    @property
    def status(self) -> ConnStatus:
        """The state of the request; `BAD` when closed."""

    @property
    def socket(self) -> int:
        """The file descriptor to wait for; it may change between polls."""

    @property
    def error_message(self) -> bytes:
        """What went wrong last, empty if nothing did."""

    def get_error_message(self, encoding: str = "utf-8") -> str:
        """Return `error_message` as text, without the newline at its end."""

    def reset(self) -> None:
        """Make the object ready for another `start()`."""

    def finish(self) -> None:
        """Close and free it; this also happens with the Python object, and twice does no harm."""


class PGcancel(Protocol):
    """A cancel request for libpq older than 17. It blocks, and it may be used in any thread."""

    __slots__ = ()

    def cancel(self) -> None:
        """Send the request in plain text and wait for the server to take it: call it off the hub."""

    def free(self) -> None:
        """Free it; this also happens with the Python object, and twice does no harm."""
