"""Puts the green classes and the wait callback into psycopg2, and takes them out again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2 import _psycopg, extensions

from greenpg.compat._patch import Patch
from greenpg.compat._recovery import warn_of_old_libpq
from greenpg.compat.psycopg2._connecting import connecting
from greenpg.compat.psycopg2._session import libpq, limits, wait_callback
from greenpg.errors import Error

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger("greenpg")
_patch = Patch()
_previous: Any = None
# What sets psycopg2's wait callback on behalf of the same green threads as we do, only less well.
_SUPERSEDED = ("psycogreen.", "eventlet.support.psycopg2_patcher")


def patch(*, recovery_timeout: float = limits.recovery, cancel_timeout: float = limits.cancel) -> None:
    """Make psycopg2 wait through greenpg's wait callback, in every connection opened from now on.

    Doing it twice is doing it once, with the limits of the second time.

    :param recovery_timeout: seconds that cancelling and draining an interrupted statement may take
        before its connection is closed
    :param cancel_timeout: seconds that `connection.cancel()` may take
    :raises ValueError: a limit is not a positive number
    """
    global _previous
    limits.set(recovery_timeout=recovery_timeout, cancel_timeout=cancel_timeout)
    if _patch:
        return
    _previous = _psycopg.get_wait_callback()
    _psycopg.set_wait_callback(wait_callback)
    _patch.replace(extensions, "set_wait_callback", _setting(extensions.set_wait_callback))
    if _libpq_serves():
        _patch.replace(psycopg2, "_connect", connecting(psycopg2._connect))  # type: ignore[attr-defined]


def unpatch() -> None:
    """Put everything back; connections that are open stay usable, as plain psycopg2 would have made them."""
    if not _patch:
        return
    _patch.undo()
    if _psycopg.get_wait_callback() is wait_callback:
        _psycopg.set_wait_callback(_previous)


def is_patched() -> bool:
    """Return whether psycopg2 is green now."""
    return bool(_patch)


def _setting(plain: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return the replacement of `set_wait_callback`, which passes over what greenpg stands in for."""

    def set_wait_callback(f: Any) -> None:
        """Set psycopg2's wait callback, as `psycopg2.extensions.set_wait_callback()`."""
        module = getattr(f, "__module__", None) or ""
        if module.startswith(_SUPERSEDED):
            _log.info("greenpg waits for psycopg2 already: %s.%s is not installed", module, f.__name__)
            return
        plain(f)

    return set_wait_callback


def _libpq_serves() -> bool:
    """Return whether psycopg2's libpq can be borrowed; say once, in one warning, what has to do without."""
    try:
        version = libpq().version
    except Error as exc:
        _log.warning(
            "psycopg2 %s does not lend its libpq (%s): queries let other green threads run, COPY and large"
            " objects are refused, an interrupted connection is closed; psycopg2-binary can do it all",
            _psycopg.__version__,  # type: ignore[attr-defined]
            exc,
        )
        return False
    warn_of_old_libpq("psycopg2", version)
    return True
