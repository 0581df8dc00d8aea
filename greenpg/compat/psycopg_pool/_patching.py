"""Puts kill-safe users and workers and late-bound locks into psycopg_pool, and takes them out again."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

import psycopg_pool

from greenpg.compat._patch import Patch

if TYPE_CHECKING:
    from collections.abc import Callable

    Replacement = tuple[Any, str, Any]

_log = logging.getLogger("greenpg")
_patch = Patch()
_warned: list[str] = []
_KNOWN = ("3.2.", "3.3.")

# What psycopg_pool binds when it is imported, and would keep if the process is monkey-patched after that.
_LATE: dict[str, Callable[..., Any]] = {
    "Lock": lambda: threading.RLock(),
    "Event": lambda: threading.Event(),
    "Condition": lambda: threading.Condition(),
    "sleep": lambda seconds: time.sleep(seconds),
}


def patch(**_limits: float) -> None:
    """Make psycopg_pool's pools wait through the runtime, and safe from what interrupts their users.

    Doing it twice is doing it once. A version that is not known, or that is not built as we know it, is
    left alone, with one warning.

    :param _limits: the drivers' own, of which a pool has no use
    """
    if _patch:
        return
    version = getattr(psycopg_pool, "__version__", "")
    try:
        if not version.startswith(_KNOWN):
            raise ImportError("another version")
        replacements = _replacements()
    except (ImportError, LookupError, AttributeError) as exc:
        _warn(version, exc)
        return
    for holder, name, new in replacements:
        _patch.replace(holder, name, new)


def unpatch() -> None:
    """Put everything back; pools that are open go on."""
    _patch.undo()


def is_patched() -> bool:
    """Return whether psycopg_pool is green now."""
    return bool(_patch)


def _replacements() -> list[Replacement]:
    """Return what is replaced, where, and by what.

    :raises ImportError, KeyError, AttributeError: something is not there
    """
    from psycopg_pool import _acompat, null_pool, pool, sched

    from greenpg.compat.psycopg_pool import _renewal, _users, _workers

    modules = (_acompat, pool, null_pool, sched)
    late = [(module, name, new) for module in modules for name, new in _LATE.items() if name in vars(module)]
    wrapped: list[tuple[type, str, Callable[[Any], Any]]] = [
        (pool.ConnectionPool, "getconn", _users.getconn),
        (pool.ConnectionPool, "_getconn_unchecked", _users.getconn_unchecked),
        (pool.ConnectionPool, "_check_connection", _users.check_connection),
        (pool.ConnectionPool, "_maybe_grow_pool", _users.maybe_grow_pool),
        (pool.ConnectionPool, "_putconn", _users.putconn_of_getconn),
        (pool.ConnectionPool, "putconn", _users.putconn),
        (pool.ConnectionPool, "wait", _users.wait),
        (null_pool.NullConnectionPool, "wait", _users.wait),
        (pool.ConnectionPool, "check", _users.undisturbed),
        (pool.ConnectionPool, "close", _users.undisturbed),
        (pool.ConnectionPool, "_open", lambda plain: _renewal.opening(_users.undisturbed(plain))),
        (pool.ConnectionPool, "_check_open_getconn", _renewal.checking),
        (pool.MaintenanceTask, "run", _workers.run),
    ]
    _renewal.find_opened()
    return [
        *late,
        (pool, "WaitingClient", _users.Client),
        *((cls, name, wrap(vars(cls)[name])) for cls, name, wrap in wrapped),
    ]


def _warn(version: str, why: Exception) -> None:
    """Say once that this psycopg_pool is not known."""
    if not _warned:
        _warned.append(version)
        _log.warning(
            "psycopg_pool %s is not 3.2 or 3.3 as greenpg knows it (%s: %s): it is left as it is, and loses"
            " the connection of a green thread that is interrupted in getconn()",
            version,
            type(why).__name__,
            why,
        )
