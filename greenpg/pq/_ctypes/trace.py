"""The C stream that libpq writes a trace to."""

from __future__ import annotations

import ctypes
import os


class Trace:
    """A `FILE *` on a copy of a file descriptor."""

    def __init__(self, fileno: int):
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.fdopen.restype = ctypes.c_void_p
        self._libc.fclose.argtypes = [ctypes.c_void_p]
        fd = os.dup(fileno)
        self.address: int | None = self._libc.fdopen(fd, b"w")
        if not self.address:
            os.close(fd)
            raise OSError(ctypes.get_errno(), "the file descriptor cannot be written to")

    def close(self) -> None:
        """Write what is left and close the copy."""
        self._libc.fclose(self.address)
