"""Keeps a forked child away from the sessions of its parent.

In the child, right after the fork, the descriptor of each inherited connection is pointed at
nothing: whatever the child then does with it cannot reach the server.
"""

from __future__ import annotations

import contextlib
import os

from psycopg import errors as e

from greenpg.compat._forks import in_forked_children
from greenpg.compat._lock import Lock
from greenpg.compat.psycopg._session import connections


def _let_go() -> None:
    """Disconnect the inherited connections in a forked child."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for conn in list(connections.values()):
        session = conn._greenpg
        session.forked = True
        session.release()
        conn.lock = Lock()  # the one that it has may be held by a thread that is not here
        with contextlib.suppress(e.Error, OSError):  # closed
            os.dup2(nowhere, conn.pgconn.socket)
    os.close(nowhere)
    connections.clear()


in_forked_children(_let_go)
