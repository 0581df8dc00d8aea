"""Pools that were opened too early: in the parent of this process, or before it was monkey-patched.

Their workers are not there, or are native threads; their locks are native, or held by who is not there; and
in a forked child their connections are the parent's. Such a pool is taken back to where it was before it
was opened, and its first user opens it anew, with connections of this process. The parent's are let go of
without a word to the server: the parent's sessions go on.
"""

from __future__ import annotations

import gc
import os
import threading
import weakref
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg_pool import ConnectionPool

from greenpg.compat._forks import in_forked_children
from greenpg.compat.psycopg_pool._workers import close

if TYPE_CHECKING:
    from collections.abc import Callable

_opened: weakref.WeakSet[Any] = weakref.WeakSet()
"""Pools that were open once."""

_taken_back: weakref.WeakSet[Any] = weakref.WeakSet()
"""Pools that wait for their first user to open them anew."""

_plain_close: Any = ConnectionPool.close


def opening(plain: Any) -> Callable[..., Any]:
    """Return `_open()` that notes which pools are open."""

    @wraps(plain)
    def method(self: Any) -> None:
        plain(self)
        _opened.add(self)

    return method


def checking(plain: Any) -> Callable[..., Any]:
    """Return `_check_open_getconn()`, what each user comes by, that opens a pool anew."""

    @wraps(plain)
    def method(self: Any) -> None:
        if self in _taken_back:
            self.open()
            _taken_back.discard(self)
        plain(self)

    return method


def find_opened() -> None:
    """Note which pools are open already."""
    # by type(), not isinstance(): that one wakes lazy proxies
    pools = (obj for obj in gc.get_objects() if issubclass(type(obj), ConnectionPool))
    _opened.update(pool for pool in pools if not getattr(pool, "closed", True))


def take_back(pool: Any) -> None:
    """Take back a pool that was opened before the process was monkey-patched."""
    if pool.closed:
        return
    if pool._sched_runner.is_alive():
        _plain_close(pool)  # natively, as it was opened
    else:
        _disconnect(pool)
    _reset(pool)


def _disconnect(pool: Any) -> None:
    """Let go of a pool's connections; closing a descriptor that points nowhere is closing no session."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    while pool._pool:
        conn = pool._pool.pop()
        with suppress(psycopg.Error, OSError):
            os.dup2(nowhere, conn.pgconn.socket)
        close(conn)
    os.close(nowhere)


def _reset(pool: Any) -> None:
    """Bring a pool without connections to where it was before it was opened."""
    pool._closed, pool._opened = True, False
    pool._lock = threading.RLock()
    pool._waiting.clear()
    pool._sched._queue.clear()  # the scheduler's greenlet, if it is one, is in the child too
    pool._sched_runner, pool._workers = None, []
    pool._nconns = pool._nconns_min = pool._min_size
    pool._growing, pool._pool_full_event = False, None
    _taken_back.add(pool)


def _in_child() -> None:
    """Take back all open pools in a forked child."""
    for pool in list(_opened):
        if not pool.closed:
            _disconnect(pool)
            _reset(pool)


in_forked_children(_in_child)
