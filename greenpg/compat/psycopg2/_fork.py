"""Keeps a forked child away from the sessions of its parent.

In the child, right after the fork, the descriptor of each inherited connection is pointed at
nothing: whatever the child then does with it, garbage collection included, cannot reach the server.
"""

from __future__ import annotations

import contextlib
import os
import weakref
from typing import Any

import psycopg2
from psycopg2 import _psycopg

from greenpg.compat._forks import in_forked_children
from greenpg.compat.psycopg2._session import Forked

_connections: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
"""By id: a class of the user's may have made its connections unhashable."""


def watch(conn: Any) -> None:
    """Guard a green connection against forks for as long as it lives."""
    _connections[id(conn)] = conn


def _let_go() -> None:
    """Disconnect the inherited connections in a forked child."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for conn in list(_connections.values()):
        session = conn._greenpg
        session.holder = Forked(session.holder)
        with contextlib.suppress(psycopg2.Error, OSError):  # closed, or not connected yet
            fd = _psycopg.connection.fileno(conn)
            if fd >= 0:
                os.dup2(nowhere, fd)
    os.close(nowhere)
    _connections.clear()


in_forked_children(_let_go)
