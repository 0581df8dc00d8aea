"""COPY for psycopg2's cursors: the same files, arguments and errors, with the hub free.

psycopg2 refuses COPY where a wait callback is installed. Here the statement is sent by an ordinary
`execute()`; when the server answers that it is in COPY, the wait callback moves the data, and
psycopg2 takes the result that follows as the statement's own: row count, status and errors are its.
"""

from __future__ import annotations

import contextlib
import io
from operator import index
from typing import TYPE_CHECKING, Any, SupportsIndex

import psycopg2
from psycopg2 import extensions

from greenpg._core.protocol import COPY_BLOCK, copy_end_gen, copy_in_gen, copy_out_gen
from greenpg.compat.psycopg2._guard import whole
from greenpg.compat.psycopg2._session import CopyFileError
from greenpg.errors import OperationalError
from greenpg.pq.enums import ExecStatus
from greenpg.waiters._slice import TimeSlice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from psycopg2.extensions import connection, cursor

    from greenpg.abc import Gen
    from greenpg.pq.abc import PGconn

BUFFER_SIZE = 8192
"""What psycopg2 asks a file for at a time, in the file's own unit."""

_FILES = frozenset(("_io", "bz2", "gzip", "lzma", "tempfile"))
"""The modules whose files take many rows at once for the same as one by one."""


def copy_with(conn: connection, file: Any, size: SupportsIndex) -> Callable[[PGconn], Gen[None]]:
    """Return what moves the data of a COPY in either direction between the server and `file`.

    :raises TypeError: `size` is not a whole number
    """
    size = index(size)

    def copy_gen(pgconn: PGconn) -> Gen[None]:
        # in COPY, libpq hands out the result that the COPY began with as often as it is asked
        result = pgconn.get_result()
        try:
            if result is not None and result.status == ExecStatus.COPY_IN:
                yield from _from_file_gen(pgconn, conn, file.read, size)
            elif result is not None and result.status == ExecStatus.COPY_OUT:
                yield from _to_file_gen(pgconn, conn, file)
        except OperationalError as exc:  # libpq's, about the way there: the caller knows psycopg2's
            raise psycopg2.OperationalError(str(exc)) from exc

    return copy_gen


def _codec(conn: connection) -> str:
    """Return Python's name of the connection's encoding."""
    return extensions.encodings[conn.encoding]


def _from_file_gen(pgconn: PGconn, conn: connection, read_file: Callable[[int], Any], size: int) -> Gen[None]:
    """Send the file; an exception in it fails the COPY on the server, whose error psycopg2 raises."""
    codec = _codec(conn)

    def read() -> bytes:
        try:
            data = read_file(size)
            if isinstance(data, str):
                return data.encode(codec)
            if not isinstance(data, bytes):
                raise TypeError(f"the file gave {type(data).__name__} instead of str or bytes")
        except Exception as exc:
            raise CopyFileError from exc
        return data

    reason = None
    try:
        yield from copy_in_gen(pgconn, read, TimeSlice())
    except CopyFileError as exc:
        reason = "error in .read() call"
        with contextlib.suppress(Exception):  # its __str__() may be as broken as the file
            reason += f": {type(exc.__cause__).__name__} {exc.__cause__}"
    yield from copy_end_gen(pgconn, reason)


def _to_file_gen(pgconn: PGconn, conn: connection, file: Any) -> Gen[None]:
    """Write the rows to the file; an exception in it is raised as it is."""
    write_file, codec = file.write, _codec(conn) if isinstance(file, io.TextIOBase) else None

    def write(rows: bytes) -> None:
        try:
            write_file(rows if codec is None else str(rows, codec))
        except Exception as exc:
            raise CopyFileError from exc

    # psycopg2 calls write() for each row, which an application's own file may count on
    limit = COPY_BLOCK if type(file).__module__ in _FILES else 1
    yield from copy_out_gen(pgconn, write, TimeSlice(), limit)


def copy_sql(
    curs: cursor, table: str, direction: str, sep: str, null: str, columns: Iterable[str] | None
) -> str:
    """Return the statement of `copy_from()` or `copy_to()`: `direction` is "FROM stdin" or "TO stdout"."""
    if curs.closed:  # before quoting says it in other words
        raise psycopg2.InterfaceError("cursor already closed")
    return f"COPY {_target(curs, table, columns)} {direction} WITH {_format(curs, sep, null)}"


def _target(curs: cursor, table: str, columns: Iterable[str] | None) -> str:
    """Return the quoted table, with the quoted columns if there are any."""
    quoted = extensions.quote_ident(whole(table), curs)
    if columns is None:
        return quoted
    names = [extensions.quote_ident(whole(name), curs) for name in columns]
    return f"{quoted}({','.join(names)})" if names else quoted


def _format(curs: cursor, sep: str, null: str) -> str:
    """Return the format options, as literals of the connection's encoding."""
    quoted = []
    for text in (sep, null):
        literal = extensions.QuotedString(whole(text))
        literal.prepare(curs.connection)
        quoted.append(literal.getquoted().decode(_codec(curs.connection)))
    return "DELIMITER AS {} NULL AS {}".format(*quoted)
