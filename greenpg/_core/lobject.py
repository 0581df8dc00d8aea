"""What a large object is, apart from who waits for it: its content moves by SQL functions, a chunk in each.

An open one lives in the transaction that opened it, and knows when that is over.
See the PostgreSQL chapter "Large Objects".
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from greenpg._core.protocol import execute_gen
from greenpg.errors import DataError, InterfaceError, ProgrammingError
from greenpg.pq.enums import Format, TransactionStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenpg.abc import Gen

CHUNK = 256 * 1024
"""Bytes (or characters) that one statement moves: about a millisecond's work for this process."""

INV_WRITE, INV_READ = 0x20000, 0x40000  # of libpq-fs.h
_MODE = re.compile("(rw|r|w|n)([tb]?)")
_BYTEA, _OID = 17, 26


class BaseLargeObject:
    """An open large object, or the name of one."""

    def __init__(self, connection: Any, mode: str) -> None:
        match = _MODE.fullmatch(mode)
        if match is None:
            raise ProgrammingError(f"a large object's mode is r, w, rw or n, then b or t, not {mode!r}")
        self._conn = connection
        self._access, self._unit = match[1], match[2] or "t"
        self._oid = 0
        self._fd = -1
        self._opened: list[int] = []
        """How deep in transaction blocks it was opened; no other large object has this very list."""
        self._decoder = getincrementaldecoder(connection.info.encoding)()

    def __repr__(self) -> str:
        state = "closed" if self.closed else self.mode
        return f"<{type(self).__module__}.{type(self).__qualname__} {self._oid} [{state}] of {self._conn!r}>"

    @property
    def oid(self) -> int:
        """The object's number."""
        return self._oid

    @property
    def mode(self) -> str:
        """How it was opened: `r`, `w` or `rw`, and `b` for bytes or `t` for text; or `n`: not at all."""
        return self._access if self._access == "n" else self._access + self._unit

    @property
    def closed(self) -> bool:
        """Whether there is nothing to read from or write to: it was closed, or its transaction is over."""
        return self._fd < 0 or self._conn._is_closed or not self._is_current

    @property
    def _is_current(self) -> bool:
        return self._conn._descriptors.get(self._fd) is self._opened

    # Opening

    def _make_gen(self, oid: int, new_oid: int, new_file: str | None) -> Gen[None]:
        """Open an object, or make one and open it."""
        with ExitStack() as files:
            file = None if oid or new_file is None else files.enter_context(open(new_file, "rb"))
            yield from self._conn._begin_gen()
            self._oid = oid or (yield from self._call_gen("lo_create", new_oid))
            if not oid and self._access != "n":
                self._access = "rw"
            if file is not None:
                yield from self._fill_gen(file.read)
            elif self._access != "n":
                yield from self._open_gen()

    def _open_gen(self) -> Gen[None]:
        yield from self._conn._sync_gen()
        if self._conn.pgconn.transaction_status == TransactionStatus.IDLE:
            raise ProgrammingError("a large object is open in a transaction only: use transaction()")
        flags = ("r" in self._access and INV_READ) | ("w" in self._access and INV_WRITE)
        self._fd = yield from self._call_gen("lo_open", self._oid, flags)
        self._opened = [len(self._conn._blocks)]
        self._conn._descriptors = {**self._conn._descriptors, self._fd: self._opened}

    def _fill_gen(self, read: Callable[[int], bytes]) -> Gen[None]:
        """Write all of a file, and be at the beginning then, or closed if that is the mode."""
        access, self._access = self._access, "rw"
        yield from self._open_gen()
        while data := read(CHUNK):
            yield from self._step_gen("lowrite", data)
        self._access = access
        yield from self._close_gen() if access == "n" else self._seek_gen(0, 0)

    def _close_gen(self) -> Gen[None]:
        """Close it; where the transaction has failed or is over, there is nothing to do."""
        fd, is_open = self._fd, not self.closed
        self._fd = -1
        if is_open:
            self._conn._forget_descriptor(fd)
            if self._conn.pgconn.transaction_status == TransactionStatus.INTRANS:
                yield from self._call_gen("lo_close", fd)

    def _unlink_gen(self) -> Gen[None]:
        yield from self._close_gen()
        yield from self._conn._begin_gen()
        yield from self._call_gen("lo_unlink", self._oid)

    # Content

    def _read_gen(self, size: int) -> Gen[Any]:
        """Return `size` bytes, or all that is left if negative, as the mode has it."""
        chunks: list[bytes] = []
        left, is_end = size, False
        while not is_end and left:
            wanted = CHUNK if size < 0 else min(left, CHUNK)
            chunk = yield from self._step_gen("loread", wanted)
            chunks.append(chunk)
            left -= len(chunk)
            is_end = len(chunk) < wanted
        content = b"".join(chunks)
        if self._unit == "b":
            return content
        try:
            return self._decoder.decode(content, is_end)
        except UnicodeDecodeError as error:
            raise DataError(f"the large object {self._oid} is not text ({error}): use mode b") from error

    def _write_gen(self, data: str | bytes) -> Gen[int]:
        """Write text or bytes, and return how many bytes it was."""
        if isinstance(data, str):
            try:
                data = data.encode(self._conn.info.encoding)
            except UnicodeEncodeError as error:
                raise DataError(f"the text cannot be written to a large object: {error}") from error
        view = memoryview(data).cast("B")
        for start in range(0, len(view), CHUNK):
            yield from self._step_gen("lowrite", bytes(view[start : start + CHUNK]))
        return len(view)

    def _seek_gen(self, offset: int, whence: int) -> Gen[int]:
        self._decoder.reset()
        position: int = yield from self._step_gen("lo_lseek64", offset, whence)
        return position

    def _export_gen(self, filename: str) -> Gen[None]:
        """Write all of the content to a file of this machine."""
        source = BaseLargeObject(self._conn, "rb")
        source._oid = self._oid
        with open(filename, "wb") as file:
            yield from self._conn._begin_gen()
            yield from source._open_gen()
            while chunk := (yield from source._read_gen(CHUNK)):
                file.write(chunk)
        yield from source._close_gen()

    # Functions of the server's

    def _step_gen(self, function: str, *args: int | bytes) -> Gen[Any]:
        """Call a function for open objects.

        :raises InterfaceError: this one is not open
        """
        if self.closed:
            why = "it was opened in a transaction that is over" if self._fd >= 0 else "open it again"
            raise InterfaceError(f"the large object {self._oid} is closed: {why}")
        return (yield from self._call_gen(function, self._fd, *args))

    def _call_gen(self, function: str, *args: int | bytes) -> Gen[Any]:
        """Call a function, and return what it returns: an int, or bytes."""
        return (yield from self._conn._apart_gen(self._ask_gen(function, args)))

    def _ask_gen(self, function: str, args: tuple[int | bytes, ...]) -> Gen[Any]:
        pgconn = self._conn.pgconn
        places = ", ".join(f"${number}" for number in range(1, len(args) + 1))
        pgconn.send_query_params(
            f"SELECT pg_catalog.{function}({places})".encode(),
            [arg if isinstance(arg, bytes) else b"%d" % arg for arg in args],
            None,
            [Format.BINARY if isinstance(arg, bytes) else Format.TEXT for arg in args],
            Format.BINARY,
        )
        results = yield from execute_gen(pgconn)
        self._conn._check(results)
        kind, value = results[0].ftype(0), results[0].get_value(0, 0) or b""
        return value if kind == _BYTEA else int.from_bytes(value, "big", signed=kind != _OID)
