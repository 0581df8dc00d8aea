"""Which green class stands in for which cursor class: the one place that knows them all."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from psycopg2 import _psycopg

from greenpg.compat.psycopg2._cursor import GreenCursor, GreenNamedCursor
from greenpg.compat.psycopg2._guard import guarded_cursor
from greenpg.compat.psycopg2._replication import GreenReplicationCursor
from greenpg.compat.psycopg2._twin import adopt, twin

_cursor: Any = _psycopg.cursor
_replication_cursor: Any = _psycopg.ReplicationCursor


@lru_cache(maxsize=1024)  # asked for each cursor
def green_cursor(factory: Any, named: bool) -> Any:
    """Return the green twin of a cursor class, or of what a cursor factory makes.

    :param factory: psycopg2's cursor class, a subclass, or a function `(connection, name) -> cursor`
    :param named: whether the cursor is a server-side one
    """
    if not isinstance(factory, type):
        return lambda *args: adopt(factory(*args), lambda made: green_cursor(made, named))
    if not issubclass(factory, _cursor):
        return factory
    green: Any = GreenNamedCursor if named else GreenCursor
    if issubclass(factory, _replication_cursor):
        green = GreenReplicationCursor
    return twin(factory, green, guarded_cursor, ("execute", "executemany", "callproc"))
