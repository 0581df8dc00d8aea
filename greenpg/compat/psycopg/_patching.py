"""Puts greenpg's waiting into psycopg, and takes it out again."""

from __future__ import annotations

import gc

from psycopg import Connection, _acompat, connection, waiting

from greenpg.compat._lock import Lock
from greenpg.compat._patch import Patch
from greenpg.compat.psycopg import _connection, _waiting
from greenpg.compat.psycopg import _fork as _fork
from greenpg.compat.psycopg._session import limits, session_of

_patch = Patch()


def patch(*, recovery_timeout: float = limits.recovery, cancel_timeout: float = limits.cancel) -> None:
    """Make psycopg's connections wait through greenpg's wait callback, those that are open already too.

    Doing it twice is doing it once, with the limits of the second time.

    :param recovery_timeout: seconds that cancelling and draining an interrupted statement may take
        before its connection is closed
    :param cancel_timeout: seconds that `connection.cancel()` may take
    :raises ImportError: this psycopg is too old
    :raises ValueError: a limit is not a positive number
    """
    for name, seconds in (("recovery_timeout", recovery_timeout), ("cancel_timeout", cancel_timeout)):
        if not seconds > 0:
            raise ValueError(f"{name} is a positive number of seconds, not {seconds!r}")
    limits.recovery, limits.cancel = recovery_timeout, cancel_timeout
    if _patch:
        return
    _patch.replace(waiting, "wait", _waiting.wait_fd)
    _patch.replace(waiting, "wait_conn", _waiting.wait_conn)
    _patch.replace(_acompat, "Lock", Lock)
    _patch.replace(connection, "Lock", Lock)
    if _waiting.KEEPS_TIME:
        # what notifies() is woken up by, though it needs not be before its time is over
        _patch.replace(connection, "_WAIT_INTERVAL", 1e6)
    _patch.replace(Connection, "wait", _waiting.wait)
    _patch.replace(Connection, "close", _connection.closing(Connection.close))
    _patch.replace(Connection, "closed", _connection.closed)
    _patch.replace(Connection, "cancel", _connection.cancel)
    _patch.replace(Connection, "cancel_safe", _connection.cancel_safe)
    for conn in gc.get_objects():
        if issubclass(type(conn), Connection):  # by type(), not isinstance(): that one wakes lazy proxies
            conn.lock = Lock()
            session_of(conn)


def unpatch() -> None:
    """Put everything back; connections that are open stay usable."""
    _patch.undo()


def is_patched() -> bool:
    """Return whether psycopg is green now."""
    return bool(_patch)
