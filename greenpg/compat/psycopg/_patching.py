"""Puts greenpg's waiting into psycopg, and takes it out again.

Most of what is replaced has private names. So all of it is looked for first, and a psycopg that is not
known, or lacks some, has only its lock replaced, and the two functions that every version waits through.
"""

from __future__ import annotations

import gc
import logging
import re
from importlib import import_module
from operator import attrgetter

import psycopg
from psycopg import connection, waiting

from greenpg.compat._lock import Lock
from greenpg.compat._patch import Patch
from greenpg.compat._recovery import warn_of_old_libpq
from greenpg.compat.psycopg import _fork as _fork  # from now on it keeps forked children away
from greenpg.compat.psycopg import _loops
from greenpg.compat.psycopg._session import connections, libpq, limits, session_of
from greenpg.errors import Error

_log = logging.getLogger("greenpg")
_patch = Patch()

_OLDEST, _NEWEST = (3, 2), (3, 3)
_FOR_EVER = 1e6  # seconds: 11 days

# What is used of psycopg and has a private name, or may have another one some day: module, and attribute.
_NEEDED = (
    ("psycopg._conninfo_attempts", "socket.getaddrinfo"),
    ("psycopg._copy", "Copy.finish"),
    ("psycopg._copy", "LibpqWriter.finish"),
    ("psycopg._copy", "copy_to"),
    ("psycopg._pipeline", "Pipeline._exit"),
    ("psycopg._preparing", "PrepareManager.clear"),
    ("psycopg.connection", "Lock"),
    ("psycopg.connection", "_WAIT_INTERVAL"),
    ("psycopg.connection", "conninfo_attempts"),
    ("psycopg.connection", "Connection._should_cancel"),
    ("psycopg.connection", "Connection._try_cancel"),
    ("psycopg.connection", "Connection.wait"),
    ("psycopg.cursor", "Cursor._convert_query"),
    ("psycopg.errors", "CancellationTimeout" if _loops.WAKES_UP else "_WaitTimeout"),
    ("psycopg.transaction", "Transaction._exit_gen"),
)


def patch(*, recovery_timeout: float = limits.recovery, cancel_timeout: float = limits.cancel) -> None:
    """Make psycopg wait through greenpg's wait callback, in connections that are open already too.

    Doing it twice is doing it once, with the limits of the second time.

    :param recovery_timeout: seconds that cancelling and draining an interrupted statement may take
        before its connection is closed
    :param cancel_timeout: seconds that `connection.cancel()` may take
    :raises ImportError: this psycopg is too old
    :raises ValueError: a limit is not a positive number
    """
    limits.set(recovery_timeout=recovery_timeout, cancel_timeout=cancel_timeout)
    if _patch:
        return
    if _version() < _OLDEST:
        raise ImportError(
            f"psycopg {psycopg.__version__} is older than 3.2, which is not supported: upgrade it"
        )
    lack = _lack()
    if lack is None:
        _replace_all()
        warn_of_old_libpq("psycopg", libpq().version)
    else:
        _patch.replace(waiting, "wait", _loops.wait)
        _patch.replace(waiting, "wait_conn", _loops.wait_conn)
        _log.warning(
            "psycopg %s is not one that greenpg knows (%s): its queries let other green threads run, but an"
            " interruption closes the connection, and cancel() blocks",
            psycopg.__version__,
            lack,
        )
    if hasattr(connection, "Lock"):
        _patch.replace(connection, "Lock", Lock)
        _adopt()


def unpatch() -> None:
    """Put everything back; connections that are open stay usable."""
    _patch.undo()
    for conn in list(connections.values()):
        session_of(conn).release()


def is_patched() -> bool:
    """Return whether psycopg is green now."""
    return bool(_patch)


def _version() -> tuple[int, ...]:
    """Return psycopg's major and minor version."""
    return tuple(int(number) for number in re.findall(r"\d+", psycopg.__version__)[:2])


def _lack() -> str | None:
    """Return why this psycopg cannot have more than its waiting replaced; `None` if it can."""
    if _version() > _NEWEST:
        return "3.2 and 3.3 are"
    for module, attribute in _NEEDED:
        try:
            attrgetter(attribute)(import_module(module))
        except (ImportError, AttributeError):  # noqa: PERF203  # a dozen times, once in a process
            return f"it has no {module}.{attribute}"
    try:
        libpq()
    except (Error, AttributeError) as exc:
        return f"it does not lend its libpq: {exc}"
    return None


def _replace_all() -> None:
    """Replace what psycopg's connections, cursors, COPY and transaction blocks do."""
    from psycopg import Connection, Cursor, _conninfo_attempts, _copy, _pipeline, transaction

    from greenpg.compat.psycopg import _connection, _cursor, _names, _waiting

    replace = _patch.replace
    replace(waiting, "wait", _waiting.wait_fd)
    replace(waiting, "wait_conn", _waiting.wait_conn)
    replace(Connection, "wait", _waiting.wait)
    replace(Connection, "closed", _connection.closed)
    replace(Connection, "close", _connection.closing(Connection.close))
    replace(Connection, "cancel", _connection.cancel)
    replace(Connection, "cancel_safe", _connection.cancel_safe)
    replace(Connection, "_try_cancel", _connection.trying_to_cancel(Connection._try_cancel))
    attempts = vars(connection)["conninfo_attempts"]
    replace(connection, "conninfo_attempts", _names.attempting(attempts))
    replace(_conninfo_attempts, "socket", _names.Socket("socket"))
    replace(Cursor, "_convert_query", _cursor.converting(Cursor._convert_query))
    replace(_copy, "copy_to", _cursor.copying(vars(_copy)["copy_to"]))
    replace(_copy.Copy, "finish", _cursor.finishing(_copy.Copy.finish))
    replace(_copy.LibpqWriter, "finish", _cursor.finishing_writer(_copy.LibpqWriter.finish))
    replace(_pipeline.Pipeline, "_exit", _cursor.leaving(_pipeline.Pipeline._exit))
    replace(transaction.Transaction, "__enter__", _cursor.entering(transaction.Transaction.__enter__))
    if _loops.WAKES_UP:
        # notifies() asks to be woken up as often, though it has nothing to do before its time is over
        replace(connection, "_WAIT_INTERVAL", _FOR_EVER)


def _adopt() -> None:
    """Take up the connections that are open already, with locks of their own for green threads."""
    for conn in gc.get_objects():
        # by type(), not isinstance(): that one wakes lazy proxies
        if issubclass(type(conn), psycopg.Connection) and hasattr(conn, "lock"):
            session_of(conn)
            if not isinstance(conn.lock, Lock) and not conn.lock.locked():
                conn.lock = Lock()
