"""Cursors of the server: the result stays there, and rows are fetched as they are asked for.

Which columns there are is asked of the portal, so that a cursor declared elsewhere works as well, and so that
rows come in binary where every column can be loaded from it.
"""

from __future__ import annotations

from collections import deque
from operator import index
from typing import TYPE_CHECKING, Any

from greenpg._core.chunks import CHUNK
from greenpg._core.column import Column
from greenpg._core.cursor import BaseCursor
from greenpg._core.protocol import execute_gen, wait_gen
from greenpg.abc import Wait
from greenpg.errors import DataError, NotSupportedError
from greenpg.pq.enums import Format, TransactionStatus
from greenpg.rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from greenpg.abc import Gen
    from greenpg.pq.abc import PGresult


class BaseServerCursor(BaseCursor[Row]):
    """A cursor by its name on the server; `_run()` of the shells carries the generators."""

    def _be(self, name: str, scrollable: bool | None, withhold: bool) -> None:
        """Stand for a cursor of the server, to be declared as told."""
        if not isinstance(name, str):
            raise TypeError(f"the name of a cursor is a str, not {type(name).__name__}")
        self._name = name
        self._scrollable = scrollable
        self._withhold = withhold
        self._described: PGresult | None = None
        """What the server has said of the columns; none before it was asked."""
        self._next = 0
        self._page: deque[Row] = deque()
        """Rows that iteration has fetched and nobody has taken."""
        self._is_exhausted = False
        self.itersize = 100
        """Rows that iteration fetches at a time."""

    def __repr__(self) -> str:
        return super().__repr__().replace(" [", f" {self._name!r} [", 1)

    @property
    def name(self) -> str:
        """The cursor's name on the server."""
        return self._name

    @property
    def scrollable(self) -> bool | None:
        """Whether it can be scrolled back; `None`: if that is cheap, as the server sees it."""
        return self._scrollable

    @property
    def withhold(self) -> bool:
        """Whether it outlives the transaction, once that is committed."""
        return self._withhold

    @property
    def rownumber(self) -> int | None:
        """The number of the row that is fetched next, counting from 0; `None` before a query is executed."""
        return None if self._described is None else self._next

    @property
    def rowcount(self) -> int:
        """Always -1: the server does not know how many rows there will be."""
        return -1

    @property
    def description(self) -> list[Column] | None:
        """A `Column` for each column of the query, or `None` if none was executed."""
        described = self._described
        if described is None:
            return None
        return [Column(self._tx, described, number) for number in range(described.nfields)]

    # Conversations

    def _execute_gen(
        self, query: Any, params: Any = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> Gen[None]:
        """Declare the cursor for a query; one that it was declared for before is closed."""
        if self._conn._trace is not None:
            self._conn._trace.begin("execute", query)
        self._check_open()
        self._refuse_pipeline()
        if self._described is not None:
            yield from self._drop_gen()
        self._forget()
        converted = self._convert(query, params)
        conn = self._conn
        yield from conn._begin_gen()
        conn.pgconn.send_query_params(
            self._declaring + converted.query, converted.params, converted.types, converted.formats
        )
        conn._check((yield from execute_gen(conn.pgconn)))
        yield from self._describe_gen(self._asked(binary))

    @property
    def _declaring(self) -> bytes:
        """The command up to the query."""
        scroll = b"SCROLL " if self._scrollable else b"" if self._scrollable is None else b"NO SCROLL "
        hold = b"WITH HOLD " if self._withhold else b""
        return b"DECLARE " + self._quoted_name + b" " + scroll + b"CURSOR " + hold + b"FOR "

    def _describe_gen(self, binary: bool | None) -> Gen[None]:
        """Ask what columns there are, learn their types, and choose the format of the rows."""
        conn = self._conn
        conn.pgconn.send_describe_portal(self._encoded_name)
        results = yield from execute_gen(conn.pgconn)
        conn._check(results)
        described = results[0]
        self._tx.set_pgresult(described)
        yield from conn._learn_gen(self._tx.unknown_oids(), self._tx.adapters)
        if binary is None:
            binary = self._tx.are_binary({described.ftype(i) for i in range(described.nfields)})
        self.format = Format.BINARY if binary else Format.TEXT
        self._convert_anew()
        self.pgresult = described
        self._turn_to(described)
        self._next = 0
        self._make_row = self._row_factory(self)

    def _fetch_gen(self, size: int | None) -> Gen[list[Row]]:
        """Return the next rows, all that are left if `size` is `None`; those of the page first."""
        count = len(self._page) if size is None else min(max(index(size), 0), len(self._page))
        rows = [self._page.popleft() for _ in range(count)]
        if size is None or len(rows) < size:
            rows += yield from self._pull_gen(None if size is None else size - len(rows))
        self._next += len(rows)
        return rows

    def _turn_page_gen(self) -> Gen[None]:
        """Fetch the rows that iteration gives next; none at the end."""
        if not self._is_exhausted:
            self._page.extend((yield from self._pull_gen(self.itersize)))
            self._is_exhausted = len(self._page) < self.itersize

    def _take(self) -> Row:
        self._next += 1
        return self._page.popleft()

    def _pull_gen(self, size: int | None) -> Gen[list[Row]]:
        """Fetch rows from the server."""
        yield from self._ready_gen()
        count = b"ALL" if size is None else b"%d" % max(index(size), 0)
        self._results = yield from self._command_gen(b"FETCH FORWARD " + count, size)
        self._select(0)
        rows: list[Row] = []
        for block in self._blocks(None):
            rows += block
            if self._conn._slice():
                yield from wait_gen(self._conn.pgconn.socket, Wait.RW)
        return rows

    def _scroll_gen(self, value: int, mode: str) -> Gen[None]:
        """Move on the server without fetching rows."""
        self._check_mode(mode)
        yield from self._ready_gen()
        ahead = len(self._page) if mode == "relative" else 0
        yield from self._command_gen(b"MOVE %s %d" % (mode.upper().encode(), index(value) - ahead))
        self._turn_to(self._described)
        self._next = value if mode == "absolute" else self._next + value

    def _ready_gen(self) -> Gen[None]:
        """Make sure that the columns are known; they are not of a cursor that was declared elsewhere."""
        self._check_open()
        self._refuse_pipeline()
        if self._described is None:
            yield from self._conn._begin_gen()
            yield from self._describe_gen(self._asked(None))

    def _command_gen(self, command: bytes, rows: int | None = 0) -> Gen[list[PGresult]]:
        conn = self._conn
        command += b" FROM " + self._quoted_name
        if conn._trace is not None:
            conn._trace.begin("execute", command, self)
        conn.pgconn.send_query_params(command, None, result_format=self.format)
        is_small = rows is not None and rows <= CHUNK
        results = yield from execute_gen(conn.pgconn) if is_small else self._receiving()
        conn._check(results)
        return results

    def _close_gen(self) -> Gen[None]:
        """Close the cursor on the server as well, if it can still be there."""
        self._end()
        conn = self._conn
        status = conn.pgconn.transaction_status
        if status == TransactionStatus.INTRANS or (status == TransactionStatus.IDLE and self._withhold):
            yield from conn._apart_gen(self._drop_gen())

    def _drop_gen(self) -> Gen[None]:
        """Close the cursor on the server; that it has gone with its transaction is no error."""
        conn = self._conn
        self._turn_to(None)
        try:
            conn.pgconn.send_close_portal(self._encoded_name)
        except NotSupportedError:  # libpq before 17
            query = b"select 1 from pg_catalog.pg_cursors where name = $1"
            if not (yield from conn._ask_gen(query, [self._encoded_name])):
                return
            conn.pgconn.send_query(b"CLOSE " + self._quoted_name)
        conn._check((yield from execute_gen(conn.pgconn)))

    def _needs_closing(self, error: BaseException | None) -> bool:
        """Return whether the server has something to close, and anybody may wait for that."""
        conn: Any = self._conn
        may_wait = error is None or not conn._is_interrupted_by(error)
        if may_wait and not self._is_closed and not conn._is_closed:
            return True
        self._end()
        return False

    def _end(self) -> None:
        self._forget()
        self._turn_to(None)
        self._is_closed = True

    def _turn_to(self, described: PGresult | None) -> None:
        """Have no rows of what there was before."""
        self._described, self._is_exhausted = described, False
        self._page.clear()

    def _executemany_gen(self, query: Any, params_seq: Iterable[Any], returning: bool) -> Gen[None]:
        raise NotSupportedError("a server-side cursor is for one query: use another cursor for executemany()")

    @property
    def _quoted_name(self) -> bytes:
        name: bytes = self._conn.pgconn.escape_identifier(self._encoded_name)
        return name

    @property
    def _encoded_name(self) -> bytes:
        try:
            return self._name.encode(self._tx.encoding)
        except UnicodeError as error:
            raise DataError(f"the client encoding does not have the cursor's name: {error}") from error

    def _refuse_pipeline(self) -> None:
        if self._conn._pipeline is not None:
            raise NotSupportedError("server-side cursors cannot be used in a pipeline: leave its block first")
