"""Which libpq to use, and through which binding; nothing is loaded before the first call of `library()`."""

from __future__ import annotations

import os
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from typing import TYPE_CHECKING

from greenpg.errors import InterfaceError
from greenpg.pq._implementation import implementation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenpg.pq.abc import Library

# Extension modules that are linked to a libpq: a handle on one finds the symbols of the other.
EXTENSIONS = (
    ("psycopg2", "_psycopg"),
    ("psycopg_binary", "pq"),
    ("psycopg_c", "pq"),
)


def library(path: str | None = None) -> Library:
    """Return the libpq at `path`, always the same object for the same path; loaded at the first call.

    :param path: a shared library, or an extension module that is linked to one. None: the first of
        `$GREENPG_LIBPQ`, what psycopg2's extension is linked to, what psycopg's is, and the system's
    :raises InterfaceError: no libpq was found, or `path` or `$GREENPG_LIBPQ` is none
    :raises ImportError: `$GREENPG_IMPL` asks for a binding that is not there
    """
    path = path or os.environ.get("GREENPG_LIBPQ")
    return _load(path) if path else _discover()


@cache
def _discover() -> Library:
    failures = []
    for path in candidates():
        try:
            return _load(path)
        except InterfaceError as e:  # noqa: PERF203  # four times at most
            failures.append(f"; {e}")
    raise InterfaceError(
        "no libpq found: install psycopg2-binary, psycopg[binary] or the system's libpq, "
        "or set GREENPG_LIBPQ to the path of one" + "".join(failures)
    )


def candidates() -> Iterator[str]:
    """Yield the files where a libpq may be, the best first; no module is imported for it."""
    for package, module in EXTENSIONS:
        yield from _extension_files(package, module)
    from ctypes.util import find_library  # ctypes is a C library of its own: not before it is needed

    if system := find_library("pq"):
        yield system


def _extension_files(package: str, module: str) -> Iterator[str]:
    try:
        spec = find_spec(package)
    except ValueError:  # something put into sys.modules by hand
        return
    for folder in (spec and spec.submodule_search_locations) or ():
        for suffix in EXTENSION_SUFFIXES:
            path = os.path.join(folder, module + suffix)
            if os.path.exists(path):
                yield path


@cache
def _load(path: str) -> Library:
    loaded: Library = implementation("_libpq", "_ctypes.library").Library(path)
    return loaded
