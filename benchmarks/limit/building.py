"""Building the limit with the system's C compiler."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).with_name("limit.c")
VARIABLE = "GREENPG_BENCH_LIMIT"
"""The environment variable that tells a worker where the library is."""


def why_not() -> str:
    """Return why it cannot be built here; nothing, if it can."""
    if sys.platform != "linux":
        return "needs epoll"
    return "" if _compiler() else "no C compiler"


def _compiler() -> str | None:
    return shutil.which(os.environ.get("CC", "cc"))


def build(folder: Path) -> Path:
    """Build the shared library in `folder` and return its path.

    :raises OSError: the compiler refuses, or there is none; the message is its own
    """
    library = folder / "limit.so"
    command = [
        _compiler() or "cc",
        "-O2",
        "-Wall",
        "-shared",
        "-fPIC",
        "-o",
        str(library),
        str(SOURCE),
        "-ldl",
    ]
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode:
        raise OSError(f"the C compiler refuses limit.c: {ran.stderr[-500:]}")
    return library
