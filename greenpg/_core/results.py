"""The results of what a cursor has executed: which there are, the one it is at, and the rows of that one."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Generic, NoReturn

from greenpg._core.chunks import CHUNK, ChunkedResult, receive_gen
from greenpg._core.column import Column
from greenpg._core.prepare import READ_BY
from greenpg._core.protocol import execute_gen
from greenpg.adapt import AdaptersMap, Transformer
from greenpg.errors import InterfaceError, NotSupportedError, ProgrammingError
from greenpg.pq.enums import ExecStatus
from greenpg.rows import Row, tuple_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from greenpg._core.connection import BaseConnection
    from greenpg._core.pipeline import Answer
    from greenpg.abc import Gen
    from greenpg.pq.abc import PGresult
    from greenpg.rows import RowFactory, RowMaker


_WITH_ROWS = frozenset({ExecStatus.TUPLES_OK, ExecStatus.SINGLE_TUPLE, ExecStatus.TUPLES_CHUNK})
BLOCK = 250
"""Rows that may be gone through without a look at the clock."""
_VALUES = 1500
"""Values that may be loaded without one."""
_HANDFUL = 50_000
"""Rows that may be handed out without one."""


class Results(Generic[Row]):
    """The half of a cursor that rows are fetched from; the other half executes."""

    def __init__(self, connection: BaseConnection[Any], row_factory: RowFactory[Row]) -> None:
        self._conn = connection
        self._row_factory = row_factory
        self._adapters: AdaptersMap | None = None
        self.arraysize = 1
        """Rows that `fetchmany()` fetches by default."""
        self._is_closed = False
        self._tx: Transformer = None  # type: ignore[assignment]  # right below
        self._result_number = -1
        self._position = 0
        self._make_row: RowMaker[Row] = _no_rows
        self._forget()

    def _forget(self) -> None:
        """Forget the results of what was executed before; without a result, nobody looks at the rest."""
        self.pgresult: PGresult | None = None
        """The result that rows are fetched from; `None` if there is none."""
        self._results: list[PGresult] = []
        self._execution: object = self._results  # another one each time
        self._rowcount = -1
        self._tag: bytes | None = None
        """What the server has said of the last execution whose result was not kept."""
        self._answer: Answer | None = None
        """What is still to come, or to be looked at, of a statement in a pipeline."""
        self._chunked: ChunkedResult | None = None
        """The same as `pgresult`, if that has come in chunks."""
        self._made: Sequence[Any] = ()
        """The first of the rows, where they have only to be handed out."""
        settings = self._conn.pgconn.parameter_statuses(READ_BY)
        if self._tx is None or not self._tx.is_for(settings, self._adapters or self._conn._adapters):
            self._convert_anew()

    def _convert_anew(self) -> None:
        """Convert values by the adapters and the settings that are in force now."""
        settings = self._conn.pgconn.parameter_statuses(READ_BY)
        self._tx = Transformer(self._conn if self._adapters is None else self, settings)

    # What it is about

    @property
    def connection(self) -> Any:
        """The connection that the cursor was made by."""
        return self._conn

    @property
    def adapters(self) -> AdaptersMap:
        """How this cursor converts values: the connection's way, and what was added for it alone."""
        if self._adapters is None:
            self._adapters = AdaptersMap(self._conn.adapters)
        return self._adapters

    @property
    def row_factory(self) -> RowFactory[Row]:
        """What makes a row of the values of one; it may be set at any time."""
        return self._row_factory

    @row_factory.setter
    def row_factory(self, row_factory: RowFactory[Row]) -> None:
        self._row_factory = row_factory
        if self.pgresult is not None and self._has_rows:
            self._choose_row_maker()

    @property
    def description(self) -> list[Column] | None:
        """A `Column` for each column of the result, or `None` if there are no rows."""
        if self.pgresult is None or not self._has_rows:
            return None
        return [Column(self._tx, self.pgresult, number) for number in range(self.pgresult.nfields)]

    @property
    def rowcount(self) -> int:
        """Rows that the command has returned or touched, -1 if that is not known."""
        return self._rowcount

    @property
    def rownumber(self) -> int | None:
        """The number of the next row in the result, counting from 0; `None` if there are no rows."""
        return self._position if self._has_rows else None

    @property
    def statusmessage(self) -> str | None:
        """The command tag of the server, such as `INSERT 0 1`; `None` if there is none."""
        tag = self._tag if self.pgresult is None else self.pgresult.command_status
        return None if tag is None else tag.decode()

    @property
    def _has_rows(self) -> bool:
        return self.pgresult is not None and self.pgresult.status in _WITH_ROWS

    def _check_open(self) -> None:
        if self._is_closed:
            raise InterfaceError("the cursor is closed")

    # Taking them in, and going from one to the next

    def _take_gen(self, results: list[PGresult]) -> Gen[None]:
        """Keep the results, the first of them current, with the types in it that are not known asked for."""
        self._results = results
        self._select(0)
        yield from self._learn_gen()

    def _receiving(self) -> Gen[list[PGresult]]:
        """Return what returns the results of what was just sent, a big one in chunks.

        Where they are known not to be big, `execute_gen()` saves the trouble.
        """
        conn = self._conn
        if conn._lacks_chunks:
            return execute_gen(conn.pgconn)
        try:
            conn.pgconn.set_chunked_rows_mode(CHUNK)
        except NotSupportedError:  # libpq before 17
            conn._lacks_chunks = True
        return receive_gen(conn.pgconn, self._tx, conn._slice)

    def _arrived(self, execution: object, results: list[PGresult]) -> None:
        """Keep results that have come out of a pipeline, unless something else was executed since."""
        if execution is self._execution:
            self._results += results
            if self.pgresult is None:
                self._select(0)

    def _counted(self, execution: object, results: list[PGresult]) -> None:
        """Keep of results that nobody asked for how many rows they are about, and what was done."""
        if execution is self._execution:
            self._tag = results[-1].command_status
            self._rowcount += results[-1].command_tuples or 0

    def _tallied(self, execution: object, touched: int, tag: bytes) -> None:
        """Keep of many results that nobody asked for what `_counted()` keeps of one."""
        if execution is self._execution:
            self._tag = tag
            self._rowcount += touched

    def _await_gen(self) -> Gen[None]:
        """Wait for the results of what was executed in a pipeline."""
        if self._answer is not None:
            yield from self._answer.pipeline.answer_gen(self._answer)
            self._answer = None
            yield from self._learn_gen()

    def _learn_gen(self) -> Gen[None]:
        """Have the types in all results asked for, so that going from one to the next takes no wait."""
        unknown = set[int]()
        for result in self._results:
            self._tx.set_pgresult(result, set_loaders=False)
            unknown |= self._tx.unknown_oids()
        self._tx.set_pgresult(self.pgresult, set_loaders=False)
        if unknown:
            yield from self._conn._learn_gen(unknown, self._tx.adapters)
            self._convert_anew()  # the one before has chosen its loaders
            self._select(self._result_number)

    def _select(self, number: int) -> None:
        """Make a result the current one."""
        self._result_number = number
        self.pgresult = result = self._results[number]
        self._position = 0
        self._chunked = result if type(result) is ChunkedResult else None
        self._tx.set_pgresult(result)
        if result.status in _WITH_ROWS:
            self._rowcount = result.ntuples
            self._choose_row_maker()
        else:
            touched = result.command_tuples
            self._rowcount = -1 if touched is None else touched
            self._make_row, self._made = _no_rows, ()

    def _choose_row_maker(self) -> None:
        factory: Any = self._row_factory
        make_row: Any = tuple if factory is tuple_row else factory(self)  # without a call for the usual one
        self._make_row = make_row
        self._made = () if self._chunked is None or make_row is not tuple else self._chunked.made

    def _set_result(self, index: int) -> None:
        """Go to a result by its number."""
        count = len(self._results)
        if not -count <= operator.index(index) < count:
            raise IndexError(f"there is no result {index}: there are {count}")
        self._select(index % count)

    def _nextset(self) -> bool | None:
        """Go to the next result; return whether there is one, `None` if not, as PEP 249 has it."""
        if self._result_number + 1 >= len(self._results):
            return None
        self._select(self._result_number + 1)
        return True

    def _check_rows(self) -> PGresult:
        """Return the current result.

        :raises ProgrammingError: there is none, or it has no rows
        """
        if self._is_closed:
            self._check_open()
        if self.pgresult is None:
            raise ProgrammingError("nothing to fetch from: execute a query first")
        if self.pgresult.status not in _WITH_ROWS:
            raise ProgrammingError(f"the command returned no rows ({self.statusmessage or 'empty query'})")
        return self.pgresult

    def _fetch_now(self, size: int | None) -> list[Row] | None:
        """Return the next rows, or `None` if that takes a wait, or so long that others need a turn."""
        result = self.pgresult
        if result is None or self._answer is not None or self._is_closed or self._make_row is _no_rows:
            if self._answer is not None:
                return None
            result = self._check_rows()
        start, stop = self._position, result.ntuples
        if size is not None:
            stop = min(start + max(operator.index(size), 0), stop)
        if stop < start:  # somebody has cleared the result
            stop = start
        if self._chunked is None:
            if (stop - start) * result.nfields > _VALUES:
                return None
            self._position = stop
            return self._tx.load_rows(start, stop, self._make_row)
        if stop <= len(self._made):
            is_much = stop - start > _HANDFUL
        else:
            is_much = (stop - start) * result.nfields > _VALUES
        if is_much:
            return None
        self._position = stop
        return self._load(start, stop)

    def _next_rows(self, size: int | None) -> tuple[int, int]:
        """Return the numbers of the next row and of the one after those to be fetched.

        :param size: how many at most; None for all that are left
        """
        count = self._check_rows().ntuples
        if size is not None:
            count = min(self._position + max(operator.index(size), 0), count)
        return self._position, max(count, self._position)

    def _load(self, start: int, stop: int) -> list[Row]:
        if self._chunked is None:
            rows: list[Row] = self._tx.load_rows(start, stop, self._make_row)
            return rows
        return self._chunked.load(self._tx, start, stop, self._make_row)

    def _fetchone(self) -> Row | None:
        return None if self._is_at_end() else self._next_row()

    def _blocks(self, size: int | None) -> Iterator[list[Row]]:
        """Yield the next rows block by block; the time is to be asked after each.

        :param size: how many at most; None for all that are left
        """
        start, stop = self._next_rows(size)
        self._conn._slice.begin()
        for first, after in self._conn._slice.pieces(start, stop):
            rows = self._load(first, after)
            self._position = after
            yield rows

    def _is_at_end(self) -> bool:
        return self._position >= self._check_rows().ntuples

    def _is_time_for_others(self) -> bool:
        """Return whether who goes from row to row keeps the others waiting; now and then the clock knows."""
        return self._position % BLOCK == 0 < self._position and self._conn._slice()

    def _next_row(self) -> Row:
        """Return the next row; there must be one."""
        self._position += 1
        return self._load(self._position - 1, self._position)[0]

    def _scroll(self, value: int, mode: str) -> None:
        result = self._check_rows()
        self._check_mode(mode)
        position = operator.index(value) + (0 if mode == "absolute" else self._position)
        if not 0 <= position < result.ntuples:
            raise IndexError(f"row {position} is not in the result, which has {result.ntuples}")
        self._position = position

    def _check_mode(self, mode: str) -> None:
        if mode not in ("relative", "absolute"):
            raise ProgrammingError(f"scroll() knows the modes relative and absolute, not {mode!r}")


def _no_rows(_values: Sequence[Any]) -> NoReturn:
    raise InterfaceError("the result has no rows")
