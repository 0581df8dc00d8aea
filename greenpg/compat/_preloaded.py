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
    from collections.abc import Callable, Iterable

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
    if room is None:  # of a version that is left alone
        return pool._tasks
    room.take_back(pool)
    return None


_CONNECTION = ("psycopg2.extensions", "connection")

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
    for (module, name), owners in _instances(REPAIRS).items():
        repaired[f"{module}.{name}"] = sum(_renew(owner, REPAIRS[module, name]) for owner in owners)
    if +repaired:
        named = ", ".join(f"{count} {name}" for name, count in (+repaired).items())
        _log.info("made before the process was monkey-patched, and repaired: %s", named)


def leftovers() -> dict[str, int]:
    """Count by class what is still native in a monkey-patched process, and connections that are not green.

    It looks once at each object that there is: 0.1 s in a process with a million.
    """
    owners = _instances([*REPAIRS, _CONNECTION])
    counts = {".".join(_CONNECTION): len(_plain(owners.pop(_CONNECTION)))}
    for (module, name), objects in owners.items():
        first = next(iter(REPAIRS[module, name]))
        counts[f"{module}.{name}"] = sum(is_native(getattr(owner, first, None)) for owner in objects)
    return {name: count for name, count in counts.items() if count}


def warn_of_connections() -> None:
    """Say in one log line that there are connections which are not green, if there are."""
    plain = _plain(_instances([_CONNECTION])[_CONNECTION])
    if plain:
        _log.warning(
            "%d psycopg2 connection(s) opened before the patch: in a forked worker they are its parent's,"
            " and an interruption closes them; open connections in the worker",
            len(plain),
        )


def _plain(connections: list[Any]) -> list[Any]:
    """Return those of psycopg2's connections that are open and not green."""
    return [conn for conn in connections if not (hasattr(conn, "_greenpg") or conn.closed or conn.async_)]


def _instances(classes: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[Any]]:
    """Return all objects of each class, given by module and name; none if its module is not imported."""
    found: dict[tuple[str, str], list[Any]] = {key: [] for key in classes}
    wanted = [(getattr(sys.modules.get(key[0]), key[1], None), objects) for key, objects in found.items()]
    of_type: dict[int, list[list[Any]]] = {}
    for obj in gc.get_objects():
        cls = type(obj)  # not isinstance(): that one wakes lazy proxies
        lists = of_type.get(id(cls))
        if lists is None:
            lists = [objects for base, objects in wanted if base is not None and issubclass(cls, base)]
            of_type[id(cls)] = lists
        for objects in lists:
            objects.append(obj)
    return found


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
