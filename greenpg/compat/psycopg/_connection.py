"""What a green connection does otherwise than psycopg's: it can be closed while it waits, and cancelled."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from psycopg import Connection
from psycopg import errors as e

from greenpg._core.protocol import cancel_gen
from greenpg.compat.psycopg._session import borrowed, cancel_unattended, limits, session_of
from greenpg.errors import Error
from greenpg.waiters import drive, get_wait_callback

if TYPE_CHECKING:
    from collections.abc import Callable

_plain_closed: Any = Connection.closed


def _closed(self: Any) -> bool:
    """`True` if the connection is closed, by whomever, or belongs to the parent of this process."""
    session = session_of(self)
    return session.closed_by is not None or session.forked or _plain_closed.__get__(self)


closed = property(_closed, doc=_closed.__doc__)


def closing(plain: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return the replacement of `Connection.close()`, which ends the wait of whoever waits."""

    @wraps(plain)
    def close(self: Any) -> None:
        session = session_of(self)
        if getattr(getattr(self, "_pool", None), "close_returns", False):
            plain(self)
        elif session.waits and not self.closed:
            self._closed = True
            session.close_under_waiter(self)
        elif session.closed_by is None:
            self._closed = True
            session.finish(self)

    return close


def cancel(self: Any) -> None:
    """Cancel the statement under way, from any green thread; return when the server has dealt with it.

    :raises psycopg.errors.CancellationTimeout: the server did not answer in time
    :raises psycopg.OperationalError: the request could not be delivered
    """
    _cancel(self, limits.cancel)


def cancel_safe(self: Any, *, timeout: float = 30.0) -> None:
    """Do as `cancel()` does, within a limit of its own.

    :param timeout: seconds; 0 waits for ever
    """
    _cancel(self, timeout or None)


def trying_to_cancel(plain: Callable[..., None]) -> Callable[..., None]:
    """Return the replacement of `Connection._try_cancel()`, with which psycopg ends streams and COPY itself.

    It waits for the cancelling, not for the connection: what is thrown in there has to be dealt with here.
    """

    @wraps(plain)
    def try_cancel(self: Any, **limit: Any) -> None:
        try:
            plain(self, **limit)
        except BaseException:
            session_of(self).recover(self)
            raise

    return try_cancel


def _cancel(conn: Any, timeout: float | None) -> None:
    if not conn._should_cancel():
        return
    try:
        drive(cancel_gen(borrowed(conn)), get_wait_callback(), timeout)
    except TimeoutError as exc:
        raise e.CancellationTimeout("cancellation timeout expired") from exc
    except (OSError, Error) as exc:
        raise e.OperationalError(f"the statement could not be cancelled: {exc}") from exc
    except (AssertionError, RuntimeError):  # a signal handler in the hub: there, nobody can wait
        cancel_unattended(conn)
