"""Repairs what was made before the process was monkey-patched: gunicorn --preload, late patching.

A lock or a thread-local that was made by then is native, and to a native one all green threads of a
thread are the same. A lock that is held over a wait (psycopg2's pool connects under one) stops the
process for ever; a thread-local (Django's connections) gives every green thread the same connection.

Only the libraries named here are repaired, in objects that are found by the garbage collector. An
application's own locks and thread-locals are out of reach, and so are connections opened by then.
The repair is one of the monkey-patching and, like that, stays when the drivers are unpatched.
"""

from __future__ import annotations

import gc
import logging
import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger("greenpg")


def _lock(_owner: Any) -> Any:
    return threading.Lock()


def _rlock(_owner: Any) -> Any:
    return threading.RLock()


def _local(_owner: Any) -> Any:
    return threading.local()


def _condition(_owner: Any) -> Any:
    return threading.Condition(threading.RLock())


def _peewee_state(_database: Any) -> Any:
    bases = sys.modules["peewee"]._ConnectionState, threading.local
    return type("_ConnectionLocal", bases, {})()


def _pool_tasks(pool: Any) -> Any:
    room = sys.modules.get("greenpg.compat.psycopg_pool._renewal")
    if room is not None:
        room.take_back(pool)
    return None


# By module and class: the attributes to make anew, in this order, if the first of them is native.
REPAIRS: dict[tuple[str, str], dict[str, Callable[[Any], Any]]] = {
    ("psycopg2.pool", "ThreadedConnectionPool"): {"_lock": _lock},
    ("psycopg_pool", "ConnectionPool"): {"_tasks": _pool_tasks},  # of one that is open
    ("psycopg_pool.pool", "ConnectionPool"): {"_lock": _rlock},
    ("asgiref.local", "Local"): {"_storage": _local},
    ("sqlalchemy.util._collections", "ThreadLocalRegistry"): {"registry": _local},
    ("sqlalchemy.util.queue", "Queue"): {
        "not_empty": _condition,
        "mutex": lambda queue: queue.not_empty._lock,
        "not_full": lambda queue: threading.Condition(queue.mutex),
    },
    ("peewee", "Database"): {"_lock": _lock, "_state": _peewee_state},
    ("playhouse.pool", "PooledDatabase"): {
        "_pool_available": _condition,
        "_pool_lock": lambda database: database._pool_available._lock,
    },
}


def repair() -> None:
    """Give the green threads locks and thread-locals of their own, where they would share native ones.

    Says in one log line what was repaired.
    """
    if is_native(threading.local()):
        return  # not monkey-patched: native is what they should be
    repaired = Counter[str]()
    for (module, name), attributes in REPAIRS.items():
        owners = _instances(module, name)
        repaired[f"{module}.{name}"] = sum(_renew(owner, attributes) for owner in owners)
    if +repaired:
        named = ", ".join(f"{count} {name}" for name, count in (+repaired).items())
        _log.info("made before the process was monkey-patched, and repaired: %s", named)


def unrepaired() -> dict[str, int]:
    """Count by class, in a monkey-patched process, what `repair()` would make anew."""
    found = {}
    for (module, name), attributes in REPAIRS.items():
        first = next(iter(attributes))
        owners = [owner for owner in _instances(module, name) if is_native(getattr(owner, first, None))]
        found[f"{module}.{name}"] = len(owners)
    return {name: count for name, count in found.items() if count}


def plain_connections() -> list[Any]:
    """Return the open connections that are not green, though their driver may be by now."""
    opened = _instances("psycopg2.extensions", "connection")
    return [conn for conn in opened if not (hasattr(conn, "_greenpg") or conn.closed or conn.async_)]


def warn_of_connections() -> None:
    """Say in one log line that there are connections which are not green, if there are."""
    plain = plain_connections()
    if plain:
        _log.warning(
            "%d psycopg2 connection(s) opened before the patch: in a forked worker they are its parent's,"
            " and an interruption closes them; open connections in the worker",
            len(plain),
        )


def _instances(module: str, name: str) -> list[Any]:
    """Return all objects of a class, if its module is imported."""
    cls = getattr(sys.modules.get(module), name, None)
    if cls is None:
        return []
    # by type(), not isinstance(): that one wakes lazy proxies
    return [obj for obj in gc.get_objects() if issubclass(type(obj), cls)]


def is_native(made: Any) -> bool:
    """Return whether a lock, a condition, a queue or a thread-local is Python's own."""
    made = getattr(made, "mutex", made)
    if isinstance(made, threading.Condition):
        acquire: Any = made.acquire
        made = acquire.__self__  # not its `_lock`: eventlet may have replaced that, and half of it
    return any(cls.__module__ == "_thread" for cls in type(made).__mro__)


def _renew(owner: Any, attributes: dict[str, Callable[[Any], Any]]) -> bool:
    """Make the attributes of one object anew if they are native; return whether they were."""
    if not is_native(getattr(owner, next(iter(attributes)), None)):
        return False
    for name, make in attributes.items():
        object.__setattr__(owner, name, make(owner))  # asgiref's own is not about the object itself
    return True
