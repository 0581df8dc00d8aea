"""The two bindings to libpq, for tests that run over both whatever `$GREENPG_IMPL` says.

And libpq's functions as a binding calls them, to be taken away or listened to.
"""

from __future__ import annotations

import ctypes
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from greenpg import pq
from greenpg.pq._ctypes import functions
from greenpg.pq._versions import too_old

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greenpg.pq import Library

MODULES = {"c": "greenpg.pq._libpq", "python": "greenpg.pq._ctypes.library"}


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


@contextmanager
def without(lib: Any, *names: str) -> Iterator[None]:
    """Have a libpq without these functions, as one that is too old for them."""
    if lib.implementation == "c":
        slots = [_slot(lib, name) for name in names]
        before = [slot.value for slot in slots]
        for slot in slots:
            slot.value = None
        yield
        for slot, value in zip(slots, before, strict=True):
            slot.value = value
        return

    def missing(name: str) -> Callable[..., None]:
        def refuse(*_: object) -> None:
            raise too_old(name, lib.version, lib.path)

        return refuse

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lib._pq, "missing", lib._pq.missing | set(names))
        for name in names:
            patch.setattr(lib._pq, name, missing(name))
        yield


_kept: list[object] = []  # what C calls must live


def listen(lib: Any, name: str, hear: Callable[[Any], None]) -> None:
    """Have `hear` called with what a function of libpq returns, for the rest of the process."""

    def heard(call: Callable[..., Any]) -> Callable[..., Any]:
        def listening(*args: Any) -> Any:
            value = call(*args)
            hear(value)
            return value

        return listening

    if lib.implementation == "python":
        setattr(lib._pq, name, heard(getattr(lib._pq, name)))
        return
    slot = _slot(lib, name)
    kind = ctypes.CFUNCTYPE(*{**functions.CALLS, **functions.ACCESSORS}[name])
    ours = kind(heard(kind(slot.value or 0)))
    _kept.append(ours)
    slot.value = ctypes.cast(ours, ctypes.c_void_p).value


def _slot(lib: Any, name: str) -> ctypes.c_void_p:
    """Return where the compiled binding has its pointer to a function."""
    number = module("c").NAMES.index(name)
    return ctypes.c_void_p.from_address(lib._functions + number * ctypes.sizeof(ctypes.c_void_p))
