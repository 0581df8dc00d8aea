"""For a psycopg without its compiled part: lets it find the libpq that $GREENPG_TEST_LIBPQ names."""

from __future__ import annotations

import ctypes.util
import os

_find_library = ctypes.util.find_library


def find_library(name: str) -> str | None:
    """Return where a library is, as ctypes would."""
    return os.environ.get("GREENPG_TEST_LIBPQ") if name == "pq" else _find_library(name)


ctypes.util.find_library = find_library
