"""Who has monkey-patched this process: the one place that asks gevent and eventlet.

Its rule: what the process has not imported has not patched it, and is not imported for this.
"""

from __future__ import annotations

import sys
from typing import Any

_MODULES = ("socket", "select", "thread", "time", "os", "ssl", "subprocess", "signal")


def monkey_patched() -> dict[str, tuple[str, ...]]:
    """Return, by library, the standard modules that it has replaced; a library that has none is left out."""
    asks: dict[str, Any] = {
        "gevent": getattr(sys.modules.get("gevent.monkey"), "is_module_patched", None),
        "eventlet": getattr(sys.modules.get("eventlet.patcher"), "is_monkey_patched", None),
    }
    names = {"gevent": {"thread": "_thread"}}  # how gevent calls it
    found = {}
    for library, ask in asks.items():
        own = names.get(library, {})
        modules = tuple(name for name in _MODULES if ask is not None and ask(own.get(name, name)))
        if modules:
            found[library] = modules
    return found


def patched_for() -> tuple[str, ...]:
    """Return whose hub runs when this process waits: who has replaced its sockets or its threads."""
    found = monkey_patched().items()
    return tuple(library for library, modules in found if {"socket", "thread"} & set(modules))
