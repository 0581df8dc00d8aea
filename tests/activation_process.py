"""What the activation tests run in fresh interpreters: `from tests.activation_process import *`.

Imports neither a driver nor a runtime.
"""

from __future__ import annotations

import logging
import sys
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

__all__ = ["LINE", "Forbid", "is_green", "logged", "state"]

LINE = "psycopg2 waits through {} now: queries, connects, COPY and large objects"

logged: list[str] = []
"""Level and text of what greenpg has logged."""


class _Keep(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        logged.append(f"{record.levelname} {record.getMessage()}")


logging.getLogger("greenpg").addHandler(_Keep())
logging.getLogger("greenpg").setLevel(logging.DEBUG)


class Forbid(MetaPathFinder):
    """A finder that refuses some modules, as test tools and bundlers do."""

    def __init__(self, *names: str) -> None:
        self._names = names
        sys.meta_path.insert(0, self)

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        """Refuse, or leave it to the others."""
        if fullname.partition(".")[0] in self._names:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None


def state() -> tuple[Any, ...]:
    """Return everything that a patch may touch, to be compared: all of it by identity."""
    from greenpg.waiters import get_wait_callback

    modules = {
        name: module
        for name, module in sys.modules.items()
        if name.partition(".")[0] in ("psycopg2", "psycopg") and module is not None
    }
    classes = {
        f"{name}.{key}": value
        for name, module in modules.items()
        for key, value in vars(module).items()
        if isinstance(value, type) and value.__module__.startswith("psycopg")
    }
    attributes = [
        (name, key, id(value))
        for name, holder in (modules | classes).items()
        for key, value in vars(holder).items()
    ]
    psycopg2 = sys.modules.get("psycopg2._psycopg")
    callback = None if psycopg2 is None else psycopg2.get_wait_callback()
    return sorted(attributes), callback, list(sys.meta_path), get_wait_callback()


def is_green(runtime: str) -> bool:
    """Return whether psycopg2 in this process is green, and waits in `runtime`."""
    from psycopg2 import _psycopg

    from greenpg.compat.psycopg2 import is_patched
    from greenpg.compat.psycopg2._session import wait_callback
    from greenpg.waiters import get_wait_callback

    ours: object = wait_callback
    return (
        is_patched()
        and _psycopg.get_wait_callback() is ours
        and get_wait_callback().__module__ == f"greenpg.waiters.{runtime}"
    )
