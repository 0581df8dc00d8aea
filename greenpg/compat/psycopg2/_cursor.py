"""psycopg2's cursor classes, green: refused while somebody else waits, interruptible, and able to COPY."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg2 import _psycopg

from greenpg.compat.psycopg2._copy import BUFFER_SIZE, copy_sql, copy_with
from greenpg.compat.psycopg2._guard import guarded_cursor, whole
from greenpg.compat.psycopg2._session import entry_points, wait_callback

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from greenpg.compat.psycopg2._session import Session

_plain: Any = _psycopg.cursor
_plain_execute = _plain.execute
_executemany = guarded_cursor(_plain.executemany)
_callproc = guarded_cursor(_plain.callproc)
_copy_from = guarded_cursor(_plain.copy_from)
_copy_to = guarded_cursor(_plain.copy_to)
_copy_expert = guarded_cursor(_plain.copy_expert)


class GreenCursor(_psycopg.cursor):
    """psycopg2's cursor, green."""

    def execute(self, query: Any, vars: Any = None) -> None:
        """Execute a statement, as psycopg2's cursor does."""
        # written out, not made by guarded_cursor(): this is the one method whose microseconds count
        try:
            session: Session = self.connection._greenpg  # type: ignore[attr-defined]
        except AttributeError:  # a cursor that was never initialized: psycopg2 says so itself
            _plain_execute(self, query, vars)
            return
        if session.holder is not None:
            session.refuse("execute")
        if type(query) is not str or "\0" in query:
            query = whole(query, self)
        try:
            _plain_execute(self, query, vars)
        except BaseException as exc:
            session.settle(self.connection, exc)
            raise
        finally:
            if session.interruption is not None:
                session.raise_interruption()

    def executemany(self, query: Any, vars_list: Any) -> None:
        """Execute a statement for each set of parameters, as psycopg2's cursor does."""
        _executemany(self, whole(query, self), _in_turn(self, vars_list))

    def callproc(self, procname: Any, *args: Any) -> Any:
        """Call a function, as psycopg2's cursor does."""
        return _callproc(self, whole(procname, self), *args)

    def copy_expert(self, sql: Any, file: Any, size: int = BUFFER_SIZE) -> None:
        """COPY by a statement of the caller's, as psycopg2's cursor does."""
        if not _is_ours():
            _copy_expert(self, sql, file, size)
            return
        if not (hasattr(file, "read") or hasattr(file, "write")):
            raise TypeError("COPY needs a file object: with read() to copy from, with write() to copy to")
        self._copy("copy_expert", sql, file, size)

    def copy_from(
        self,
        file: Any,
        table: str,
        sep: str = "\t",
        null: str = "\\N",
        size: int = BUFFER_SIZE,
        columns: Iterable[str] | None = None,
    ) -> None:
        """COPY a file into a table, as psycopg2's cursor does."""
        if not _is_ours():
            _copy_from(self, file, table, sep, null, size, columns)
            return
        if not hasattr(file, "read"):
            raise TypeError("argument 1 must have a .read() method")
        sql = copy_sql(self, table, "FROM stdin", sep, null, columns)
        self._copy("copy_from", sql, file, size)

    def copy_to(
        self, file: Any, table: str, sep: str = "\t", null: str = "\\N", columns: Iterable[str] | None = None
    ) -> None:
        """COPY a table into a file, as psycopg2's cursor does."""
        if not _is_ours():
            _copy_to(self, file, table, sep, null, columns)
            return
        if not hasattr(file, "write"):
            raise TypeError("argument 1 must have a .write() method")
        self._copy("copy_to", copy_sql(self, table, "TO stdout", sep, null, columns), file, BUFFER_SIZE)

    def _copy(self, what: str, sql: Any, file: Any, size: int) -> None:
        """Execute a statement that is expected to become a COPY."""
        session: Session = self.connection._greenpg  # type: ignore[attr-defined]
        if session.holder is not None:
            session.refuse(what)
        session.copy = copy_with(self.connection, file, size)
        try:
            # not self.execute(): a method that somebody has overridden is not part of COPY
            GreenCursor.execute(self, sql)
        finally:
            session.copy = None


class GreenNamedCursor(GreenCursor):
    """psycopg2's server-side cursor, green: its fetches speak with the server too."""

    fetchone = guarded_cursor(_plain.fetchone)
    fetchmany = guarded_cursor(_plain.fetchmany)
    fetchall = guarded_cursor(_plain.fetchall)
    scroll = guarded_cursor(_plain.scroll)
    close = guarded_cursor(_plain.close)
    __next__ = guarded_cursor(_plain.__next__)

    def _copy(self, what: str, sql: Any, file: Any, size: int) -> None:
        # execute() would declare a cursor for it
        GreenCursor(self.connection)._copy(what, sql, file, size)


def _in_turn(curs: Any, vars_list: Any) -> Iterator[Any]:
    """Yield the sets of parameters; getting one may let others run, and one of them use the connection."""
    for vars in vars_list:
        session: Session = curs.connection._greenpg
        if session.holder is not None:
            session.refuse("executemany")
        yield vars


def _is_ours() -> bool:
    """Return whether our wait callback is in force; under another, or none, psycopg2's methods serve."""
    return _psycopg.get_wait_callback() is wait_callback


entry_points.add(GreenCursor.execute.__code__)
