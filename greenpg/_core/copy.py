"""What a COPY is, apart from who waits for it: which way it goes, what is kept of it on our side.

It has the connection from its beginning to its end; in between, no call waits for more than it needs. What
the server has sent is taken in a block at a time, what it gets is kept until a block is full.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenpg._core.copy_rows import HEADER, TRAILER, parse_binary_row, row_writer, split_text_row
from greenpg._core.protocol import (
    COPY_BLOCK,
    copy_end_gen,
    copy_in_gen,
    drain_gen,
    execute_gen,
    give_way_gen,
    wait_gen,
)
from greenpg._core.query import ClientQuery
from greenpg.abc import Wait
from greenpg.adapt import PyFormat, encode
from greenpg.errors import DataError, InterfaceError, NotSupportedError, ProgrammingError
from greenpg.pq.enums import ExecStatus, Format, PipelineStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greenpg._core.cursor import BaseCursor
    from greenpg.abc import Gen
    from greenpg.pq.abc import Buffer, PGresult
    from greenpg.pq.params import RowWriter


class BaseCopy:
    """A COPY under way; `_run()` of the shells carries the generators."""

    def __init__(self, cursor: BaseCursor[Any], statement: Any, params: Any, timeout: float | None) -> None:
        self._cursor = cursor
        self._conn: Any = cursor._conn
        self._statement = statement, params
        self._timeout = timeout
        self._result: PGresult | None = None
        self._format = Format.TEXT
        self._is_over = False
        """Whether its end has come, and the server has said how."""
        self._is_left = False
        """Whether its block was left."""
        self._received, self._at = b"", 0
        """The block that has come last, and how much of it was given away."""
        self._is_received = False
        """Whether all its data has come; the server's last word may not have."""
        self._are_types_set = False
        self._unsent = bytearray()
        self._writer: RowWriter | None = None
        self._has_rows = False
        self._is_raw = False

    def __repr__(self) -> str:
        state = "over" if self._is_over or self._result is None else self._result.status.name
        return f"<{type(self).__module__}.{type(self).__qualname__} [{state}] at {id(self):#x}>"

    @property
    def cursor(self) -> Any:
        """The cursor that the COPY was made by; at its end, its `rowcount` is the number of rows."""
        return self._cursor

    @property
    def connection(self) -> Any:
        """The connection that the COPY has."""
        return self._conn

    def set_types(self, types: Sequence[int | str]) -> None:
        """Say what types the columns are of: rows are loaded, or dumped, accordingly.

        Text is read as `str`, and binary as `bytes`, without; and binary is written as the values' own types.

        :param types: OIDs or names (`int4`, `text[]`) of types that are registered
        :raises greenpg.ProgrammingError: there is no such type
        """
        result = self._check()
        tx = self._cursor._tx
        oids = [tx.adapters.types.oid_of(name) for name in types]
        if len(oids) != result.nfields:
            raise ProgrammingError(f"the COPY has {result.nfields} columns, but was given {len(oids)} types")
        if result.status == ExecStatus.COPY_IN:
            tx.set_dumper_types(oids, self._format)
            self._keep_rows()
            self._writer = None
        else:
            tx.set_loader_types(oids, self._format)
        self._are_types_set = True

    # Its beginning and end

    def _begin_gen(self) -> Gen[None]:
        """Execute the statement, which must be one COPY from or to the client."""
        cursor, conn = self._cursor, self._conn
        if conn._trace is not None:
            conn._trace.begin("copy", self._statement[0], cursor, self)
        cursor._check_open()
        if self._result is not None:
            raise InterfaceError("a COPY can be entered once: call copy() anew")
        if conn.pgconn.pipeline_status != PipelineStatus.OFF:
            raise NotSupportedError("COPY cannot be done in a pipeline: leave its block first")
        cursor._forget()
        query = ClientQuery(cursor._tx)  # the server takes no parameters in a COPY
        query.convert(*self._statement)
        yield from conn._begin_gen()
        conn.pgconn.send_query_params(query.query, [])  # which refuses several statements
        results = yield from execute_gen(conn.pgconn)
        conn._check(results)
        self._result = result = results[-1]
        if result.status not in (ExecStatus.COPY_IN, ExecStatus.COPY_OUT):
            yield from drain_gen(conn.pgconn)  # of a replication stream
            tag = (result.command_status or b"nothing").decode()
            raise ProgrammingError(f"copy() is for COPY ... FROM STDIN or COPY ... TO STDOUT, not for {tag}")
        self._format = Format(result.fformat(0)) if result.nfields else Format.TEXT
        conn._under_way = self

    def _end_gen(self) -> Gen[None]:
        """Take in what the server says of the COPY as a whole.

        :raises DatabaseError: the COPY has failed
        """
        results = yield from execute_gen(self._conn.pgconn)
        self._is_over = True
        self._conn._under_way = None
        self._conn._check(results)
        yield from self._cursor._take_gen(results)

    def _ending(self, error: BaseException | None) -> Gen[None] | None:
        """Return what is to be run at the end of the block; `None` if nothing is, or nobody may wait.

        A COPY OUT that is left early was cancelled then, for the next turn to settle.

        :param error: what has come out of the block
        """
        self._is_left = True
        if self._conn._under_way is not self:
            return None
        may_wait = error is None or isinstance(error, Exception)
        if self._is_cut or not may_wait:
            self._conn._interrupted()
        return self._finish_gen(error) if may_wait else None

    def _finish_gen(self, error: BaseException | None) -> Gen[None]:
        """End the COPY: a COPY IN with all that was written, or with an error."""
        if self._conn._under_way is not self:
            return  # it was given up
        if self._is_receiving:
            yield from self._end_gen()
        elif error is None:
            yield from self._send_gen(self._last_words())
            yield from copy_end_gen(self._conn.pgconn)
            yield from self._end_gen()
        else:
            yield from copy_end_gen(self._conn.pgconn, f"{type(error).__name__}: {error}")
            yield from self._end_gen()

    @property
    def _is_receiving(self) -> bool:
        return self._result is not None and self._result.status == ExecStatus.COPY_OUT

    @property
    def _is_cut(self) -> bool:
        """Whether an end now would leave data that is still to come."""
        return self._is_receiving and not self._is_received

    def _check(self, status: ExecStatus | None = None, instead: str = "") -> PGresult:
        """Return the result that the COPY began with.

        :param status: which way it must go
        :raises InterfaceError: it was not begun, or it is over
        :raises ProgrammingError: it goes the other way
        """
        if self._result is None or self._is_left:
            raise InterfaceError("a COPY is read and written within its block: with cursor.copy(...) as copy")
        if self._conn._under_way is not self and not (self._is_over and self._is_receiving):
            raise InterfaceError("the COPY is over: it has failed or was interrupted")
        if status is not None and self._result.status != status:
            raise ProgrammingError(f"this is not the way that the COPY goes: {instead}")
        return self._result

    # From the server

    def _check_receiving(self) -> None:
        self._check(ExecStatus.COPY_OUT, "write() to COPY ... FROM STDIN")

    def _block_now(self) -> bytes | None:
        """Return what has come, `b""` at the end; `None`: nothing yet."""
        self._check_receiving()
        at, self._at = self._at, len(self._received)
        block = self._received[at:]
        return block if block or self._is_over else None

    def _read_gen(self) -> Gen[bytes]:
        """Return the next block of data, `b""` at the end."""
        while (block := self._block_now()) is None:
            yield from self._receive_gen()
        return block

    def _row_now(self) -> tuple[Any, ...] | None:
        """Return the next row, `None` if none has come."""
        self._check_receiving()
        while self._at < len(self._received):
            values = self._next_values()
            if values is not None:
                return self._loaded(values)
        return None

    def _read_row_gen(self) -> Gen[tuple[Any, ...] | None]:
        """Return the next row, `None` at the end."""
        while (row := self._row_now()) is None and not self._is_over:
            yield from self._receive_gen()
        return row

    def _next_values(self) -> list[Any] | None:
        """Go on by a row of what has come, and return its values; `None` if it is no row but the format's.

        They are bytes, but for those of a text row whose types nobody has said, which are strings.
        """
        at, received = self._at, self._received
        self._at = len(received)  # nobody knows where the row after one that is none begins
        if self._format == Format.BINARY:
            values, self._at = parse_binary_row(received, at)
            return values
        try:
            found, self._at = split_text_row(received, at, self._cursor._tx.encoding, not self._are_types_set)
        except UnicodeError as error:
            self._at = received.find(b"\n", at) + 1 or len(received)
            row = received[at : self._at]
            raise DataError(f"the row {row!r} is not in the client encoding: {error}") from error
        return found

    def _loaded(self, values: list[Any]) -> tuple[Any, ...]:
        tx = self._cursor._tx
        columns = 0 if self._result is None else self._result.nfields
        if len(values) != columns > 0:
            found = str(values)[:99]
            raise DataError(
                f"a row of this COPY has {columns} values, not {len(values)}: {found}; read() gives CSV"
            )
        if self._are_types_set:
            row: tuple[Any, ...] = tx.load_sequence(values)
            return row
        return tuple(values)

    def _receive_gen(self) -> Gen[None]:
        """Take in a block, or the end; less if it takes its time: others get a turn, and the rows are had."""
        if self._is_received:
            yield from self._end_gen()
            return
        pgconn, slice_over = self._conn.pgconn, self._conn._slice
        if slice_over():  # what libpq has may be much
            yield from give_way_gen(pgconn)
        blocks: list[bytes] = []
        wanted = COPY_BLOCK
        while not self._is_received and wanted > 0 and not (blocks and slice_over()):
            rows, self._is_received = pgconn.get_copy_block(wanted)
            if rows:
                blocks.append(rows)
                wanted -= len(rows)
            elif not self._is_received:
                yield from wait_gen(pgconn.socket, Wait.R)
            if not self._is_received and wanted > 0:
                pgconn.consume_input()  # often there is more by now, and to look costs less than to wait
        self._received, self._at = b"".join(blocks), 0

    # To the server

    def _keep(self, data: Buffer | str) -> Buffer | None:
        """Keep data to be sent; return it instead if it is time to send it."""
        self._check(ExecStatus.COPY_IN, "read() from COPY ... TO STDOUT")
        self._is_raw = True
        data = self._in_bytes(data)
        self._keep_rows()
        if len(self._unsent) + len(data) >= COPY_BLOCK:
            return data
        self._unsent += data
        return None

    def _in_bytes(self, data: Any) -> Buffer:
        if isinstance(data, memoryview):
            return data.cast("B") if data.contiguous else data.tobytes()
        if isinstance(data, bytes | bytearray):
            return data
        if not isinstance(data, str):
            raise ProgrammingError(f"write() takes bytes or a str, not {type(data).__name__}")
        if self._format == Format.BINARY:
            raise ProgrammingError("write() takes bytes, not a str, to a COPY in binary format")
        try:
            return encode(data, self._cursor._tx.encoding)
        except UnicodeError as error:
            raise DataError(f"the client encoding does not have what is to be written: {error}") from error

    def _keep_row(self, row: Sequence[Any]) -> Buffer | None:
        """Convert a row and keep it; return what is kept if it is time to send it."""
        writer = self._writer
        if writer is None or self._is_left or self._conn._under_way is not self:
            writer = self._rows_from_here()
        return writer.take() if writer.add(row) else None

    def _rows_from_here(self) -> RowWriter:
        """Return what makes rows of values, and begin with them."""
        result = self._check(ExecStatus.COPY_IN, "rows() from COPY ... TO STDOUT")
        if self._writer is None:
            format = PyFormat.from_pq(self._format)
            self._writer = row_writer(self._cursor._tx, format, result.nfields, COPY_BLOCK)
            if self._format == Format.BINARY and not (self._has_rows or self._is_raw):
                self._unsent += HEADER
            self._has_rows = True
        return self._writer

    def _keep_rows(self) -> None:
        """Keep the rows so far before what comes after them."""
        if self._writer is not None:
            self._unsent += self._writer.take()

    def _last_words(self) -> bytes:
        """Return what has to end the data."""
        self._keep_rows()
        if self._format == Format.TEXT or (self._is_raw and not self._has_rows):
            return b""
        return TRAILER if self._has_rows else HEADER + TRAILER

    def _send_gen(self, data: Buffer) -> Gen[None]:
        """Send what was kept, and `data`."""
        blocks = iter([block for block in (self._unsent, data) if len(block)])
        self._unsent = bytearray()
        yield from copy_in_gen(self._conn.pgconn, lambda: next(blocks, b""), self._conn._slice)
