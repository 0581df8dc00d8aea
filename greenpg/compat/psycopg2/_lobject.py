"""psycopg2's large object class, green: its content moves by SQL functions, a chunk in a statement.

psycopg2 reaches large objects through libpq's blocking calls, and refuses to where a wait callback
is installed. Here every step is a statement of a cursor's: transactions, refusal and interruption are
the cursor's, and a long content lets the loop go round between two chunks.
See the PostgreSQL chapter "Large Objects".
"""

from __future__ import annotations

import contextlib
import io
import re
from codecs import getincrementaldecoder
from math import inf
from operator import index
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2 import _psycopg, extensions

from greenpg._core.lobject import CHUNK, INV_READ, INV_WRITE
from greenpg.abc import Wait
from greenpg.compat.psycopg2._cursor import GreenCursor
from greenpg.compat.psycopg2._twin import twin
from greenpg.waiters._slice import TimeSlice, time_slice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MODE = re.compile("(rw|r|w|n|)([tb]?)")
_autocommit: Any = vars(_psycopg.connection)["autocommit"].__get__


class GreenLobject(_psycopg.lobject):
    """psycopg2's large object, green; the C object that it also is stays empty.

    One that is dropped unclosed is closed by the end of the transaction: garbage collection must not wait.
    """

    _conn: Any = None
    _fd = -1
    _oid = 0
    _mode: str | None = None

    def __init__(
        self,
        conn: Any,
        oid: int = 0,
        mode: str | None = None,
        new_oid: int = 0,
        new_file: str | None = None,
    ) -> None:
        match = _MODE.fullmatch(mode or "")
        if match is None:
            raise ValueError(f"bad mode for lobject: '{mode}'")
        access, unit = match[1] or "r", match[2] or "t"
        self._conn = conn
        self._transaction = conn._greenpg.transactions
        self._refuse_autocommit()
        if oid:
            self._oid = index(oid)
        elif new_file is None:
            self._oid = self._call("lo_create", index(new_oid))
        else:
            self._oid = self._import(new_file)
        if not oid:
            access = "w"  # psycopg2's rule for whatever is new
        if access != "n":
            flags = ("r" in access and INV_READ) | ("w" in access and INV_WRITE)
            self._fd = self._call("lo_open", self._oid, flags)
        self._mode = access if access == "n" else access + unit

    @property
    def oid(self) -> int:
        """The object's OID."""
        return self._oid

    @property
    def mode(self) -> str | None:
        """How it was opened: `r`, `w` or `rw` followed by `t` or `b`; or `n`, not at all."""
        return self._mode

    @property
    def closed(self) -> bool:
        """Whether there is nothing to read from or write to."""
        return self._conn is None or self._fd < 0 or bool(self._conn.closed)

    def read(self, size: int = -1) -> Any:
        """Return `size` bytes, or all that is left if negative: `str` in text mode, `bytes` in binary."""
        if self._mode is not None and self._mode.endswith("b"):
            content = io.BytesIO()  # grows in place: no copy in the end, as a join would make
            for chunk in self._chunks(size):
                content.write(chunk)
            return content.getvalue()
        decoder = getincrementaldecoder(self._codec())()
        text = [decoder.decode(chunk) for chunk in self._chunks(size)]
        return "".join([*text, decoder.decode(b"", True)])

    def write(self, data: str | bytes) -> int:
        """Write bytes, or text in the connection's encoding, and return how many bytes it was."""
        self._check()
        if isinstance(data, bytes):
            pieces: Iterable[bytes | memoryview] = _pieces(memoryview(data))
        elif isinstance(data, str):
            pieces = self._encoded(data)
        else:
            raise TypeError(f"lobject.write requires a string; got {type(data).__name__} instead")
        return sum(self._step("lowrite", psycopg2.Binary(piece)) for piece in pieces)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a position, in bytes, as a file does; return the new one."""
        position: int = self._step("lo_lseek64", _int64(offset), index(whence))
        return position

    def tell(self) -> int:
        """Return the position, in bytes."""
        position: int = self._step("lo_tell64")
        return position

    def truncate(self, len: int = 0) -> None:
        """Cut the object, or extend it by zeros, to a length in bytes."""
        self._step("lo_truncate64", _int64(len))

    def close(self) -> None:
        """Close it; it does no harm to do so twice, or after the end of the transaction."""
        if not self.closed and self._is_current() and not _autocommit(self._conn):
            self._close()

    def unlink(self) -> None:
        """Close the object and remove it from the database."""
        if self._fd >= 0 and self._is_current() and not _autocommit(self._conn):
            self._close()
        self._call("lo_unlink", self._oid)

    def export(self, filename: str) -> None:
        """Write the whole content to a file of this machine."""
        self._refuse_autocommit()
        source = GreenLobject(self._conn, self._oid, "rb")
        with contextlib.ExitStack() as files:
            with _file_errors("open", filename):
                file = files.enter_context(open(filename, "wb"))
            for chunk in source._chunks():
                with _file_errors("write to", filename):
                    file.write(chunk)
        source.close()

    def _import(self, filename: str) -> int:
        """Return the OID of a new object with the content of a file of this machine."""
        with contextlib.ExitStack() as files:
            with _file_errors("open", filename):
                file = files.enter_context(open(filename, "rb"))
            target = GreenLobject(self._conn, mode="wb")
            while True:
                with _file_errors("read from", filename):
                    data = file.read(CHUNK)
                if not data:
                    break
                target.write(data)
        target.close()
        return target.oid

    def _chunks(self, size: int = -1) -> Iterator[bytes]:
        """Yield what is read from here on, `size` bytes at most."""
        left = inf if index(size) < 0 else size
        self._check()
        while left > 0:
            wanted = int(min(left, CHUNK))
            chunk = self._step("loread", wanted)
            yield chunk
            left -= wanted
            if len(chunk) < wanted:
                return

    def _encoded(self, text: str) -> list[bytes]:
        """Return `text` piece by piece in the connection's encoding.

        All of it, so that a character that has no place there is found before anything is written.
        """
        codec = self._codec()
        wait, fd = self._conn._greenpg.waiter(self._conn)
        slice_over = TimeSlice()
        pieces = []
        for piece in _pieces(text):
            pieces.append(piece.encode(codec))
            if slice_over():
                wait(fd, Wait.RW, time_slice())
        return pieces

    def _codec(self) -> str:
        """Return Python's name of the connection's encoding."""
        return extensions.encodings[self._conn.encoding]

    def _close(self) -> None:
        fd, self._fd = self._fd, -1
        try:
            self._call("lo_close", fd)
        except psycopg2.ProgrammingError:  # not even sent, since somebody waits on the connection
            self._fd = fd
            raise

    def _is_current(self) -> bool:
        """Return whether the transaction that opened the object goes on."""
        return self._conn is not None and self._conn._greenpg.transactions == self._transaction

    def _refuse_autocommit(self) -> None:
        if self._conn is not None and _autocommit(self._conn):
            raise psycopg2.ProgrammingError("can't use a lobject outside of transactions")

    def _check(self) -> None:
        """Raise what psycopg2 raises where there is nothing open."""
        if self.closed:
            raise psycopg2.InterfaceError("lobject already closed")
        self._refuse_autocommit()
        if not self._is_current():
            raise psycopg2.ProgrammingError("lobject isn't valid anymore")

    def _step(self, function: str, *args: Any) -> Any:
        """Call one of the server's functions for open objects."""
        self._check()
        return self._call(function, self._fd, *args)

    def _call(self, function: str, *args: Any) -> Any:
        """Call a function of the server's.

        :raises psycopg2.OperationalError: the server has refused; libpq's calls know no other class
        """
        if self._conn is None or self._conn.closed:
            raise psycopg2.InterfaceError("connection already closed")
        curs = GreenCursor(self._conn)
        extensions.register_type(psycopg2.BINARY, curs)  # bytea may have a caster of the user's
        try:
            curs.execute(f"SELECT pg_catalog.{function}({', '.join(['%s'] * len(args))})", args)
        except psycopg2.OperationalError:
            raise
        except psycopg2.DatabaseError as exc:
            if exc.pgcode is None:  # not the server's, but psycopg2's or ours
                raise
            raise psycopg2.OperationalError(exc.pgerror) from exc
        row: Any = curs.fetchone()
        return row[0]

    def __repr__(self) -> str:
        return f"<lobject object at {id(self):#x}; closed: {self.closed:d}>"

    __str__ = __repr__


def _int64(number: int) -> int:
    """Return a number that the server can take.

    :raises OverflowError: it cannot
    """
    index(number).to_bytes(8, "little", signed=True)
    return number


def _pieces(whole: Any) -> Iterator[Any]:
    """Yield a text or a view of bytes a chunk at a time."""
    return (whole[start : start + CHUNK] for start in range(0, len(whole), CHUNK))


@contextlib.contextmanager
def _file_errors(doing: str, filename: str) -> Iterator[None]:
    """Say what is wrong with a local file by the class and in the words of psycopg2."""
    try:
        yield
    except OSError as exc:
        raise psycopg2.OperationalError(f'could not {doing} file "{filename}": {exc.strerror}') from exc


def green_lobject(factory: Any) -> Any:
    """Return the green twin of a large object class; anything else that makes them as it is."""
    if not (isinstance(factory, type) and issubclass(factory, _psycopg.lobject)):
        return factory
    plain: type = factory
    return twin(plain, GreenLobject)
