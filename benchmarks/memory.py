"""How much memory this process has in use, and had at most; on Linux alone."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

_STATUS = Path("/proc/self/status")


def resident() -> int | None:
    """Return the bytes that are in memory now; None if the system does not say."""
    return _read("VmRSS")


def peak() -> int | None:
    """Return the most bytes that were in memory since `forget_peak()`; None if the system does not say."""
    return _read("VmHWM")


def forget_peak() -> None:
    """Begin anew: from now on, `peak()` is about what comes (see proc_pid_clear_refs(5))."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _read(name: str) -> int | None:
    try:
        found = re.search(rf"^{name}:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found.group(1)) * 1024 if found else None
