"""Which of two modules is used: the compiled one where it is built, unless `$GREENPG_IMPL` says otherwise."""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from typing import Any


@cache
def implementation(compiled: str, python: str) -> Any:
    """Return one of two modules of this package that do the same.

    :param compiled: the name of an extension module, such as `_libpq`
    :param python: the name of the module in its place, such as `_ctypes.library`
    :raises ImportError: `$GREENPG_IMPL` asks for one that is not there. `c` is the compiled one, `python` the
        other; unset, it is the compiled one where that can be imported
    """
    wanted = os.environ.get("GREENPG_IMPL")
    if wanted not in (None, "", "c", "python"):
        raise ImportError(f"GREENPG_IMPL is {wanted!r}, set it to c or python")
    if wanted != "python":
        try:
            return import_module(f"greenpg.pq.{compiled}")
        except ImportError as e:
            if wanted == "c":
                raise ImportError(f"{_reason(e)}, or unset GREENPG_IMPL") from e
    return import_module(f"greenpg.pq.{python}")


def why_not_compiled() -> str:
    """Return why libpq is not used through the compiled binding, and what to do; empty if it is."""
    if os.environ.get("GREENPG_IMPL") == "python":
        return "GREENPG_IMPL is python: unset it to use the compiled binding"
    try:
        import_module("greenpg.pq._libpq")
    except ImportError as e:
        return _reason(e)
    return ""


def _reason(error: ImportError) -> str:
    if isinstance(error, ModuleNotFoundError):
        return "this greenpg has no compiled binding: install a C compiler and Python's headers, and it anew"
    return f"the compiled binding cannot be loaded ({error}): install greenpg anew"
