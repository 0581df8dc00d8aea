"""The green twin of a driver's class, or of anybody's subclass of it.

The green layer goes *below* the users' classes, right above psycopg2's own: their `super()` calls
reach it, and what they override stays overridden.
"""

from __future__ import annotations

import contextlib
import types
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=1024)
def twin(factory: Any, base: Any, guard: Any = None, names: tuple[str, ...] = ()) -> Any:
    """Return `factory` with `base` put between it and psycopg2's class.

    :param factory: psycopg2's class, or a subclass of it
    :param base: our subclass of psycopg2's class
    :param guard: makes a guarded method of a plain one
    :param names: the methods to guard where they are a user's own: they may call psycopg2's by the name
        of its class, past ours
    """
    if issubclass(factory, base):
        return factory
    if issubclass(base, factory):
        return base

    def body(namespace: dict[str, Any]) -> None:
        for name in ("__module__", "__qualname__", "__doc__"):
            namespace[name] = getattr(factory, name)
        for name in names:
            method = _own(factory, name)
            if method is not None:
                namespace[name] = guard(method)

    return types.new_class(factory.__name__, (factory, base), exec_body=body)


def _own(factory: Any, name: str) -> Any:
    """Return the method `name` of `factory` where it is a user's; psycopg2's own classes call `super()`."""
    for cls in factory.__mro__:
        if name in vars(cls):
            return None if cls.__module__.startswith("psycopg2.") else vars(cls)[name]
    return None


def adopt(made: Any, green: Any) -> Any:
    """Turn an object that somebody's factory function has made into its green twin, where Python can.

    :param made: an instance of a driver's class; one of a class written in C stays what it is
    :param green: returns the green twin of a class
    """
    with contextlib.suppress(TypeError):
        made.__class__ = green(type(made))
    return made
