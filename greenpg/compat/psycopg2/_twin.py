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
def twin(factory: Any, base: Any) -> Any:
    """Return `factory` with `base` put between it and psycopg2's class.

    :param factory: psycopg2's class, or a subclass of it
    :param base: our subclass of psycopg2's class
    """
    if issubclass(factory, base):
        return factory
    if issubclass(base, factory):
        return base

    def body(namespace: dict[str, Any]) -> None:
        for name in ("__module__", "__qualname__", "__doc__"):
            namespace[name] = getattr(factory, name)

    return types.new_class(factory.__name__, (factory, base), exec_body=body)


def adopt(made: Any, green: Any) -> Any:
    """Turn an object that somebody's factory function has made into its green twin, where Python can.

    :param made: an instance of a driver's class; one of a class written in C stays what it is
    :param green: returns the green twin of a class
    """
    with contextlib.suppress(TypeError):
        made.__class__ = green(type(made))
    return made
