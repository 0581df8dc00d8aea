"""The rows of one statement as they come, without the whole result in memory.

A stream has the connection from its beginning to its end. Whoever leaves it before has the statement
cancelled, and waits for nothing; the next use of the connection settles that.
"""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING, Any

from greenpg._core.protocol import drain_gen, execute_gen, give_way_gen, result_gen
from greenpg._core.results import BLOCK
from greenpg.errors import NotSupportedError, ProgrammingError, error_from_result
from greenpg.pq.enums import ExecStatus, Format

if TYPE_CHECKING:
    from greenpg._core.cursor import BaseCursor
    from greenpg._core.query import PostgresQuery
    from greenpg.abc import Gen
    from greenpg.pq.abc import PGresult

_AT_A_TIME = 500
"""Rows that are made before they are handed out, if so many are there."""
_MOST_ROWS = (1 << 31) - 1
_PARTIAL = frozenset({ExecStatus.SINGLE_TUPLE, ExecStatus.TUPLES_CHUNK})


class Stream:
    """A statement whose rows are coming in; `_run()` of the shells carries the generators."""

    def __init__(self, cursor: BaseCursor[Any]) -> None:
        self._cursor = cursor
        self._conn: Any = cursor._conn
        self._failure: PGresult | None = None
        """How the statement has failed, once the rows before that are handed out."""
        self._is_received = False
        """Whether all has come; what else is executed is refused until the rows are handed out, too."""

    def __repr__(self) -> str:
        return f"<the stream() of {self._cursor!r}>"

    def begin_gen(self, query: Any, params: Any, binary: bool | None, size: int) -> Gen[None]:
        """Execute the statement, and have its rows come in chunks.

        :param size: rows in each; libpq before 17 knows only chunks of one
        """
        cursor, conn = self._cursor, self._conn
        if conn._trace is not None:
            conn._trace.begin("execute", query, cursor, self)
        cursor._check_open()
        if conn._pipeline is not None:
            raise ProgrammingError("stream() cannot be used in a pipeline: leave its block first")
        if not 1 <= index(size) <= _MOST_ROWS:
            raise ProgrammingError(f"stream() takes a size from 1 to {_MOST_ROWS}, not {size}")
        cursor._forget()
        converted = cursor._convert(query, params)
        yield from conn._begin_gen()
        if conn.prepare_threshold is not None:  # else the next round trip may go to another server
            yield from self._describe_gen(converted)
        binary = cursor._asked(binary)
        if binary is None:
            statement = conn._statements.find(converted.query, converted.types)
            binary = statement.judged(cursor._tx.adapters).is_binary
        form = Format.BINARY if binary else Format.TEXT
        conn.pgconn.send_query_params(
            converted.query, converted.params, converted.types, converted.formats, form
        )
        self._set_mode(size)
        conn._under_way = self

    def _set_mode(self, size: int) -> None:
        pgconn = self._conn.pgconn
        try:
            if size > 1:
                pgconn.set_chunked_rows_mode(size)
                return
        except NotSupportedError:
            pass
        pgconn.set_single_row_mode()

    def _describe_gen(self, query: PostgresQuery) -> Gen[None]:
        """Find out the columns before they come: types to be asked for, whether all can be had in binary."""
        conn = self._conn
        statement = conn._statements.find(query.query, query.types)
        if statement.is_known:
            return
        conn.pgconn.send_prepare(b"", *statement.key)
        conn._check((yield from execute_gen(conn.pgconn)))
        conn.pgconn.send_describe_prepared(b"")
        results = yield from execute_gen(conn.pgconn)
        conn._check(results)
        if not results[0].nfields:
            raise ProgrammingError("stream() is for statements that return rows: this one does not")
        tx = self._cursor._tx
        tx.set_pgresult(results[0])
        yield from conn._learn_gen(tx.unknown_oids(), tx.adapters)
        statement.saw_columns(results[0])
        self._cursor._convert_anew()

    def rows_gen(self) -> Gen[list[Any]]:
        """Return the next rows, those that are there already; none at the end.

        :raises DatabaseError: the statement has failed
        """
        pgconn = self._conn.pgconn
        rows: list[Any] = []
        if self._failure is not None:
            yield from self._fail_gen(self._failure)
        if self._conn._slice():  # there may be rows whenever they are asked for
            yield from give_way_gen(pgconn)
        while not self._is_received and len(rows) < _AT_A_TIME and not (rows and pgconn.is_busy()):
            result = pgconn.get_result() if rows else (yield from result_gen(pgconn))
            if result is None:
                self._is_received = True
                break
            if result.status in _PARTIAL:
                self._turn_to(result)
                rows += yield from self._load_gen(result.ntuples)
            elif result.status != ExecStatus.TUPLES_OK:  # which is the end
                self._failure = result
                if rows:
                    break
                yield from self._fail_gen(result)
        if not rows:
            self._conn._under_way = None
        return rows

    def leave(self) -> None:
        """End the stream, wherever it is."""
        self._cursor.pgresult = None
        if self._conn._under_way is self:
            self._conn._interrupted()

    def _turn_to(self, result: PGresult) -> None:
        """Have the next rows be those of a result."""
        cursor = self._cursor
        is_first = cursor.pgresult is None
        cursor.pgresult = result
        cursor._tx.set_pgresult(result, set_loaders=is_first)
        if is_first:
            cursor._make_row = cursor._row_factory(cursor)

    def _load_gen(self, count: int) -> Gen[list[Any]]:
        """Return the next rows, made; others get a turn when it is time."""
        load, make_row, is_time = self._cursor._tx.load_rows, self._cursor._make_row, self._conn._slice
        if count <= BLOCK:
            return load(0, count, make_row)
        rows: list[Any] = []
        for start, stop in is_time.pieces(0, count):
            rows += load(start, stop, make_row)
            if is_time():
                yield from give_way_gen(self._conn.pgconn)
        return rows

    def _fail_gen(self, result: PGresult) -> Gen[None]:
        yield from drain_gen(self._conn.pgconn)
        self._conn._under_way = None
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result, encoding=self._conn.info.encoding)
        raise ProgrammingError("stream() is for statements that return rows: this one does not")
