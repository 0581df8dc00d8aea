"""The results of what a cursor has executed: which there are, the one it is at, and the rows of that one."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Generic, NoReturn

from greenpg._core.column import Column
from greenpg._core.protocol import wait_gen
from greenpg.abc import Wait
from greenpg.adapt import AdaptersMap, Transformer
from greenpg.errors import InterfaceError, ProgrammingError
from greenpg.pq.enums import ExecStatus
from greenpg.rows import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greenpg._core.connection import BaseConnection
    from greenpg._core.pipeline import Answer
    from greenpg.abc import Gen
    from greenpg.pq.abc import PGresult
    from greenpg.rows import RowFactory, RowMaker


_WITH_ROWS = frozenset({ExecStatus.TUPLES_OK, ExecStatus.SINGLE_TUPLE, ExecStatus.TUPLES_CHUNK})
_BLOCK = 500
"""Rows made before the clock is asked whether others should have a turn."""


class Results(Generic[Row]):
    """The half of a cursor that rows are fetched from; the other half executes."""

    def __init__(self, connection: BaseConnection[Any], row_factory: RowFactory[Row]) -> None:
        self._conn = connection
        self._row_factory = row_factory
        self._adapters: AdaptersMap | None = None
        self.arraysize = 1
        """Rows that `fetchmany()` fetches by default."""
        self._is_closed = False
        self._forget()

    def _forget(self) -> None:
        """Forget the results of what was executed before."""
        self._results: list[PGresult] = []
        self._result_number = -1
        self.pgresult: PGresult | None = None
        """The result that rows are fetched from; `None` if there is none."""
        self._position = 0
        self._rowcount = -1
        self._tag: bytes | None = None
        """What the server has said of the last execution whose result was not kept."""
        self._answer: Answer | None = None
        """What is still to come, or to be looked at, of a statement in a pipeline."""
        self._execution = object()
        self._tx = self._transformer()
        self._make_row: RowMaker[Row] = _no_rows

    def _transformer(self) -> Transformer:
        return Transformer(self._conn if self._adapters is None else self)

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
            self._make_row = row_factory(self)

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
            self._tx = self._transformer()  # the one before has chosen its loaders
            self._select(self._result_number)

    def _select(self, number: int) -> None:
        """Make a result the current one."""
        self._result_number = number
        self.pgresult = result = self._results[number]
        self._position = 0
        self._tx.set_pgresult(result)
        if result.status in _WITH_ROWS:
            self._rowcount = result.ntuples
            self._make_row = self._row_factory(self)
        else:
            touched = result.command_tuples
            self._rowcount = -1 if touched is None else touched
            self._make_row = _no_rows

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
        self._check_open()
        if self.pgresult is None:
            raise ProgrammingError("nothing to fetch from: execute a query first")
        if self.pgresult.status not in _WITH_ROWS:
            raise ProgrammingError(f"the command returned no rows ({self.statusmessage or 'empty query'})")
        return self.pgresult

    def _fetch_now(self, size: int | None) -> list[Row] | None:
        """Return the next rows, or `None` if that takes a wait, or so long that others need a turn."""
        if self._answer is not None:
            return None
        result = self._check_rows()
        left = result.ntuples - self._position
        if (count := left if size is None else min(left, max(operator.index(size), 0))) > _BLOCK:
            return None
        self._position += count
        rows: list[Row] = self._tx.load_rows(self._position - count, self._position, self._make_row)
        return rows

    def _fetchone(self) -> Row | None:
        result = self._check_rows()
        if self._position >= result.ntuples:
            return None
        self._position += 1
        return self._tx.load_row(self._position - 1, self._make_row)

    def _is_before_end(self) -> bool:
        return self._position < self._check_rows().ntuples

    def _fetch_gen(self, size: int | None, is_time: Callable[[], bool]) -> Gen[list[Row]]:
        """Return the next rows, all that are left if `size` is `None`; others get a turn in between.

        :param is_time: asked after each block of rows: true when others should have their turn
        """
        yield from self._await_gen()
        result = self._check_rows()
        end = (
            result.ntuples
            if size is None
            else min(self._position + max(operator.index(size), 0), result.ntuples)
        )
        rows: list[Row] = []
        while self._position < end:
            stop = min(self._position + _BLOCK, end)
            rows += self._tx.load_rows(self._position, stop, self._make_row)
            self._position = stop
            if stop < end and is_time():
                yield from wait_gen(self._conn.pgconn.socket, Wait.RW)
        return rows

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
