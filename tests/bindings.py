"""The two bindings to libpq, for tests that run over both whatever `$GREENPG_IMPL` says."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from greenpg import pq

if TYPE_CHECKING:
    from greenpg.pq import Library

MODULES = {"c": "greenpg.pq._libpq", "python": "greenpg.pq._ctypes"}


def module(name: str) -> Any:
    """Return a binding; the test is skipped if it is the compiled one and that is not built."""
    try:
        return import_module(MODULES[name])
    except ModuleNotFoundError:
        pytest.skip("the compiled binding is not built")


@cache
def library(name: str, path: str | None = None) -> Library:
    """Return the libpq at `path`, or the one that greenpg uses, through a binding."""
    loaded: Library = module(name).Library(path or pq.library().path)
    return loaded
