"""What a cursor is, apart from who waits for it: what was executed, its results, the row it is at."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, NoReturn

from greenpg._core.column import Column
from greenpg._core.pipeline import BasePipeline
from greenpg._core.prepare import settings_of
from greenpg._core.protocol import execute_gen, leave_copy_gen, wait_gen
from greenpg._core.query import PostgresQuery
from greenpg.abc import Wait
from greenpg.adapt import AdaptersMap, Transformer
from greenpg.errors import Error, InterfaceError, NotSupportedError, ProgrammingError, error_from_result
from greenpg.pq.enums import ExecStatus, Format, PipelineStatus, TransactionStatus
from greenpg.rows import Row
from greenpg.sql import SQL, Identifier, Placeholder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from greenpg._core.connection import BaseConnection
    from greenpg._core.pipeline import Answer
    from greenpg._core.prepare import Key
    from greenpg.abc import Gen
    from greenpg.pq.abc import PGresult
    from greenpg.rows import RowFactory, RowMaker


_COPIES = frozenset({ExecStatus.COPY_IN, ExecStatus.COPY_OUT, ExecStatus.COPY_BOTH})
_WITH_ROWS = frozenset({ExecStatus.TUPLES_OK, ExecStatus.SINGLE_TUPLE, ExecStatus.TUPLES_CHUNK})
_BLOCK = 500
"""Rows made before the clock is asked whether others should have a turn."""
_BATCH = 48 << 10
"""Bytes of parameters that are sent at a time; libpq would keep 64 kB."""
_OVERHEAD = 50
"""Bytes that an execution takes besides, about."""


class BaseCursor(Generic[Row]):
    """The results of one execution after the other; `_run()` of the shells carries the generators."""

    _query_class = PostgresQuery

    def __init__(self, connection: BaseConnection[Any], row_factory: RowFactory[Row]) -> None:
        self._conn = connection
        self._row_factory = row_factory
        self._adapters: AdaptersMap | None = None
        self.format = Format.TEXT
        self._wants_binary: bool | None = None
        self.arraysize = 1
        """Rows that `fetchmany()` fetches by default."""
        self._is_closed = False
        self._forget()
        self._query: PostgresQuery | None = None

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

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else "no result"
        if not self._is_closed and self.pgresult is not None:
            state = ExecStatus(self.pgresult.status).name
        return f"<{type(self).__module__}.{type(self).__qualname__} [{state}] of {self._conn!r}>"

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
    def closed(self) -> bool:
        """Whether the cursor was closed. Rows that have come can be fetched when its connection is closed."""
        return self._is_closed

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

    def setinputsizes(self, sizes: Sequence[object]) -> None:
        """Do nothing (PEP 249 allows it): types are found out from the values."""

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """Do nothing (PEP 249 allows it): columns of any size are fetched whole."""

    @property
    def _has_rows(self) -> bool:
        return self.pgresult is not None and self.pgresult.status in _WITH_ROWS

    def _check_open(self) -> None:
        if self._is_closed:
            raise InterfaceError("the cursor is closed")

    # Executing

    def _execute_gen(
        self, query: Any, params: Any = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> Gen[None]:
        """Execute one command, or several without parameters, and take in all results."""
        if self._conn._trace is not None:
            self._conn._trace.begin("execute", query, self)
        self._check_open()
        self._forget()
        converted = self._convert(query, params)
        yield from self._conn._begin_gen()
        pipeline = self._conn._pipeline
        if pipeline is None:
            results = yield from self._conduct_gen(converted, prepare, self._asked(binary))
            yield from self._take_gen(results)
        else:
            self._answer = self._queue(pipeline, converted, prepare, self._asked(binary), self._arrived)
            yield from pipeline.flush_gen()

    def _executemany_gen(self, query: Any, params_seq: Iterable[Any], returning: bool) -> Gen[None]:
        """Execute one command with each of many sets of parameters."""
        if self._conn._trace is not None:
            self._conn._trace.begin("execute", query, self)
        self._check_open()
        self._forget()
        pipeline = self._conn._pipeline
        if pipeline is not None:
            yield from self._queue_many_gen(pipeline, query, params_seq, returning)
            return
        pipeline = BasePipeline(self._conn)
        try:
            yield from pipeline.enter_gen()
        except NotSupportedError:
            yield from self._repeat_gen(query, params_seq, returning)
            return
        try:
            yield from self._queue_many_gen(pipeline, query, params_seq, returning)
        except Error as error:
            yield from pipeline.exit_gen(error)
            raise
        else:
            yield from pipeline.exit_gen(None)
        finally:
            self._answer = None
        yield from self._learn_gen()

    def _queue_many_gen(
        self, pipeline: BasePipeline, query: Any, params_seq: Iterable[Any], returning: bool
    ) -> Gen[None]:
        """Send one command with each of many sets of parameters, until one has failed."""
        self._rowcount = 0
        take = self._arrived if returning else self._counted
        converted, unsent = None, 0
        for params in params_seq:
            if converted is None:
                converted = self._convert(query, params)
                yield from self._conn._begin_gen()
            else:
                converted.dump(params)
            self._answer = self._queue(pipeline, converted, True, self._asked(None), take)
            unsent += _OVERHEAD + sum(map(len, filter(None, converted.params or [converted.query])))
            if unsent >= _BATCH:
                unsent = 0
                yield from pipeline.flush_gen(give_way=True)
                if pipeline.has_failed:
                    return
        if unsent:
            yield from pipeline.flush_gen()

    def _repeat_gen(self, query: Any, params_seq: Iterable[Any], returning: bool) -> Gen[None]:
        """Execute one command with each of many sets of parameters where there are no pipelines."""
        touched, kept, results = 0, [], []
        for params in params_seq:
            converted = self._convert(query, params)
            yield from self._conn._begin_gen()
            results = yield from self._conduct_gen(converted, None, self._asked(None))
            touched += results[-1].command_tuples or 0
            if returning:
                kept += results
        if kept:
            yield from self._take_gen(kept)
        elif results:
            self._rowcount, self._tag = touched, results[-1].command_status
        else:
            self._rowcount = 0

    def _asked(self, binary: bool | None) -> bool | None:
        """Return whether the call or the cursor asks for binary results; `None`: nobody cares."""
        return self._wants_binary if binary is None else binary

    def _convert(self, query: Any, params: Any) -> PostgresQuery:
        """Return the query as the server takes it; every error in it or in its parameters comes out here."""
        converted = self._query_class(self._tx)
        converted.convert(query, params)
        self._query = converted
        return converted

    def _conduct_gen(
        self, query: PostgresQuery, prepare: bool | None, binary: bool | None
    ) -> Gen[list[PGresult]]:
        """Send a converted query, prepared if it is time for it, and return its results."""
        statements = self._conn._statements
        key = query.query, query.types
        yield from self._conn._close_statements_gen()
        name = statements.name_of(key, prepare, self._conn.pgconn)
        if name is None and statements.shall_prepare(key, prepare):
            name = yield from self._prepare_gen(key)
        if binary is None:
            binary = statements.is_binary(key)
        self._send(query, name, Format.BINARY if binary else Format.TEXT)
        results = yield from execute_gen(self._conn.pgconn)
        error = next((r for r in results if r.status == ExecStatus.FATAL_ERROR), None)
        if error is not None:
            return (yield from self._failed_gen(error, query))
        self._conn._check(results)
        statements.saw(key, results, self._tx)
        if results[-1].status in _COPIES:
            yield from self._refuse_copy_gen()
        return results

    def _prepare_gen(self, key: Key) -> Gen[bytes]:
        """Have the server prepare a statement, and return its name."""
        conn = self._conn
        name, settings = conn._statements.new_name(), settings_of(conn.pgconn)
        if conn._trace is not None:
            conn._trace.begin("prepare", key[0])
        conn.pgconn.send_prepare(name, *key)
        conn._check((yield from execute_gen(conn.pgconn)))
        if conn._trace is not None:
            conn._trace.end()
        conn._statements.was_prepared(key, name, settings)
        return name

    def _send(self, query: PostgresQuery, name: bytes | None, result_format: Format) -> None:
        pgconn = self._conn.pgconn
        if name is not None:
            pgconn.send_query_prepared(name, query.params, query.formats, result_format)
        elif query.params is not None or result_format == Format.BINARY or self._is_piped:
            pgconn.send_query_params(query.query, query.params, query.types, query.formats, result_format)
        else:
            pgconn.send_query(query.query)

    @property
    def _is_piped(self) -> bool:
        return self._conn.pgconn.pipeline_status != PipelineStatus.OFF

    def _queue(
        self,
        pipeline: BasePipeline,
        query: PostgresQuery,
        prepare: bool | None,
        binary: bool | None,
        take: Callable[[object, list[PGresult]], object],
    ) -> Answer:
        """Send a converted query in a pipeline, prepared if it is time for it.

        :param take: called with its results as they come, and with the execution that they are of
        """
        pipeline.refuse_copy(query.query)
        statements, tx, execution = self._conn._statements, self._tx, self._execution
        key = query.query, query.types
        name = statements.name_of(key, prepare, self._conn.pgconn)
        if name is None and statements.shall_prepare(key, prepare):
            name = statements.new_name()
            self._conn.pgconn.send_prepare(name, *key)
            pipeline.expect(fail=lambda _: statements.forget(key))
            statements.was_prepared(key, name, settings_of(self._conn.pgconn))
        if binary is None:
            binary = statements.is_binary(key)
        self._send(query, name, Format.BINARY if binary else Format.TEXT)

        def came(results: list[PGresult]) -> None:
            statements.saw(key, results, tx)
            take(execution, results)

        def failed(error: Exception) -> None:
            statements.was_outdated(key, error)

        return pipeline.expect(came, failed)

    def _failed_gen(self, result: PGresult, query: PostgresQuery) -> Gen[list[PGresult]]:
        """Raise the server's error; but execute a statement anew if what was known of it is out of date."""
        conn = self._conn
        # in the encoding that it was sent under: what has failed may have taken a change of that back
        error = error_from_result(result, encoding=self._tx.encoding)
        if not conn._statements.was_outdated((query.query, query.types), error):
            raise error
        if conn.pgconn.transaction_status != TransactionStatus.IDLE:
            raise error  # the transaction has failed with it
        yield from conn._begin_gen()
        return (yield from self._conduct_gen(query, False, False))

    def _refuse_copy_gen(self) -> Gen[NoReturn]:
        """End the COPY that `execute()` has begun, and say what to do instead."""
        pgconn = self._conn.pgconn
        yield from leave_copy_gen(pgconn, "COPY by execute(): use copy()")
        yield from execute_gen(pgconn)
        raise ProgrammingError("execute() cannot do COPY: use copy()")

    # Results

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

    def _callproc_query(self, name: str, args: Any) -> tuple[Any, Any]:
        """Return the statement that calls a function, and its parameters; a mapping names them."""
        if not isinstance(name, str):
            raise TypeError(f"the name of a function is a str, not {type(name).__name__}")
        function = SQL(".").join(map(Identifier, name.split(".")))
        if isinstance(args, Mapping):
            named = [SQL("{} => {}").format(Identifier(key), Placeholder(key)) for key in args]
            return SQL("SELECT * FROM {}({})").format(function, SQL(", ").join(named)), args
        params = list(args)
        places = SQL(", ").join([Placeholder()] * len(params))
        return SQL("SELECT * FROM {}({})").format(function, places), params


def _no_rows(_values: Sequence[Any]) -> NoReturn:
    raise InterfaceError("the result has no rows")
