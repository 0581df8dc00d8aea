"""What a cursor executes, and how, apart from who waits for it; what comes of it is in `results`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from greenpg._core.prepare import READ_BY
from greenpg._core.protocol import execute_gen, leave_copy_gen
from greenpg._core.query import PostgresQuery
from greenpg._core.results import Results
from greenpg.errors import ProgrammingError, error_from_result
from greenpg.pq.enums import COPY_STATES, ExecStatus, Format, PipelineStatus, TransactionStatus
from greenpg.rows import Row
from greenpg.sql import SQL, Identifier, Placeholder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greenpg._core.connection import BaseConnection
    from greenpg._core.pipeline import Answer, BasePipeline
    from greenpg._core.prepare import Settings, Statement
    from greenpg.abc import Gen
    from greenpg.pq.abc import PGresult
    from greenpg.rows import RowFactory


_IDLE = TransactionStatus.IDLE  # looked at for each statement
_CHANGEABLE = list, dict  # parameters, which others may change while their statement is under way


class BaseCursor(Results[Row]):
    """One execution after the other; `_run()` of the shells carries the generators."""

    _query_class = PostgresQuery

    def __init__(self, connection: BaseConnection[Any], row_factory: RowFactory[Row]) -> None:
        super().__init__(connection, row_factory)
        self.format = Format.TEXT
        self._wants_binary: bool | None = None
        self._query: PostgresQuery | None = None

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else "no result"
        if not self._is_closed and self.pgresult is not None:
            state = ExecStatus(self.pgresult.status).name
        return f"<{type(self).__module__}.{type(self).__qualname__} [{state}] of {self._conn!r}>"

    # What it is about

    @property
    def closed(self) -> bool:
        """Whether the cursor was closed. Rows that have come can be fetched when its connection is closed."""
        return self._is_closed

    def setinputsizes(self, sizes: Sequence[object]) -> None:
        """Do nothing (PEP 249 allows it): types are found out from the values."""

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """Do nothing (PEP 249 allows it): columns of any size are fetched whole."""

    # Executing

    def _execute_gen(
        self, query: Any, params: Any = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> Gen[None]:
        """Execute one command, or several without parameters, and take in all results."""
        conn = self._conn
        if conn._trace is not None:
            conn._trace.begin("execute", query, self)
        if self._is_closed:
            self._check_open()
        before = self._chunked
        self._forget()
        if before is not None:
            yield from before.drop_gen(conn.pgconn, conn._slice)
        if binary is None:
            binary = self._wants_binary
        if conn._pipeline is not None:
            converted = self._convert(query, params)
            yield from conn._begin_gen()
            self._answer = self._queue(conn._pipeline, converted, prepare, binary, self._arrived)
            yield from conn._pipeline.flush_gen()
            return
        pgconn, statement = conn.pgconn, None
        if (
            binary is None
            and prepare is not False
            and (conn._autocommit or pgconn.transaction_status is not _IDLE)
        ):
            statement = conn._repeats.send(query, params, self._query_class, self._tx)
        if statement is None:
            results, statement = yield from self._execute_anew_gen(query, params, prepare, binary)
        else:
            given = params if type(params) not in _CHANGEABLE else params.copy()
            results = yield from execute_gen(pgconn) if statement.is_small else self._receiving()
            if not statement.is_as_before(results):
                results = yield from self._look_gen(results, statement, partial(self._convert, query, given))
        self._results = results
        self._select(0)
        if not statement.is_learned:
            yield from self._learn_gen()

    def _execute_anew_gen(
        self, query: Any, params: Any, prepare: bool | None, binary: bool | None
    ) -> Gen[tuple[list[PGresult], Statement]]:
        """Execute a command of which something has to be found out or done first."""
        conn, converted = self._conn, self._convert(query, params)
        if not conn._autocommit:
            yield from conn._begin_gen()
        settings = self._tx.settings if conn._autocommit else None  # else BEGIN may have changed them
        results = yield from self._conduct_gen(converted, prepare, binary, settings)
        return results, converted.statement

    def _asked(self, binary: bool | None) -> bool | None:
        """Return whether the call or the cursor asks for binary results; `None`: nobody cares."""
        return self._wants_binary if binary is None else binary

    def _convert(self, query: Any, params: Any) -> PostgresQuery:
        """Return the query as the server takes it; every error in it or in its parameters comes out here."""
        converted, tx = self._query, self._tx
        if converted is not None and converted.is_same(query, params, tx):
            converted.dump(params)
        else:
            converted = self._query_class(tx)
            converted.convert(query, params)
            self._query = converted
        return converted

    def _conduct_gen(
        self,
        query: PostgresQuery,
        prepare: bool | None,
        binary: bool | None,
        settings: Settings | None = None,
    ) -> Gen[list[PGresult]]:
        """Send a converted query, prepared if it is time for it, and return its results.

        :param settings: if they are known to be these
        """
        conn = self._conn
        statements = conn._statements
        query.statement = statement = statements.find(query.query, query.types)
        name = statements.name_of(statement, prepare, conn.pgconn, settings)
        if statements.given_up:
            yield from conn._close_statements_gen()
        if name is None and statements.shall_prepare(statement, prepare):
            name = yield from self._prepare_gen(statement)
        self._send(query, name, binary)
        if name is not None:
            conn._repeats.remember(query, self._tx, conn.pgconn)
        results = yield from execute_gen(conn.pgconn) if statement.is_small else self._receiving()
        if not statement.is_as_before(results):
            results = yield from self._look_gen(results, statement, lambda: query)
        return results

    def _look_gen(
        self, results: list[PGresult], statement: Statement, converted: Callable[[], PostgresQuery]
    ) -> Gen[list[PGresult]]:
        """Return results after a look at what is new in them, or those of another try.

        :param converted: returns what to try, in case that it comes to that
        """
        conn = self._conn
        error = next((r for r in results if r.status == ExecStatus.FATAL_ERROR), None)
        if error is not None:
            return (yield from self._failed_gen(error, statement, converted))
        conn._check(results)
        conn._statements.saw(statement, results)
        if results[-1].status in COPY_STATES:
            yield from self._refuse_copy_gen()
        return results

    def _prepare_gen(self, statement: Statement) -> Gen[bytes]:
        """Have the server prepare a statement, and return its name."""
        conn = self._conn
        name, settings = conn._statements.new_name(), conn.pgconn.parameter_statuses(READ_BY)
        if conn._trace is not None:
            conn._trace.begin("prepare", statement.key[0])
        conn.pgconn.send_prepare(name, *statement.key)
        conn._check((yield from execute_gen(conn.pgconn)))
        if conn._trace is not None:
            conn._trace.end()
        conn._statements.was_prepared(statement, name, settings)
        return name

    def _send(self, query: PostgresQuery, name: bytes | None, binary: bool | None) -> None:
        """Send a converted query.

        :param name: under which it is prepared; `None` if it is not
        :param binary: whether to ask for binary results; `None`: if every column has a loader for that
        """
        pgconn = self._conn.pgconn
        statement = query.statement.judged(self._tx.adapters)
        if binary is None:
            binary = statement.is_binary
        result_format = Format.BINARY if binary else Format.TEXT
        if name is not None:
            pgconn.send_query_prepared(name, query.params, query.formats, result_format)
        elif query.params is not None or binary or self._is_piped:
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
        statements, execution = self._conn._statements, self._execution
        query.statement = statement = statements.find(query.query, query.types)
        name = statements.name_of(statement, prepare, self._conn.pgconn)
        if name is None and statements.shall_prepare(statement, prepare):
            name = statements.new_name()
            self._conn.pgconn.send_prepare(name, *statement.key)
            pipeline.expect(fail=lambda _: statements.forget(statement))
            statements.was_prepared(statement, name, self._conn.pgconn.parameter_statuses(READ_BY))
        self._send(query, name, binary)

        def came(results: list[PGresult]) -> None:
            statements.saw(statement, results)
            take(execution, results)

        def failed(error: Exception) -> None:
            statements.was_outdated(statement, error)

        return pipeline.expect(came, failed)

    def _failed_gen(
        self, result: PGresult, statement: Statement, converted: Callable[[], PostgresQuery]
    ) -> Gen[list[PGresult]]:
        """Raise the server's error; but execute a statement anew if what was known of it is out of date."""
        conn = self._conn
        # in the encoding that it was sent under: what has failed may have taken a change of that back
        error = error_from_result(result, encoding=self._tx.encoding)
        if not conn._statements.was_outdated(statement, error):
            raise error
        if conn.pgconn.transaction_status != TransactionStatus.IDLE:
            raise error  # the transaction has failed with it
        query = converted()
        yield from conn._begin_gen()
        return (yield from self._conduct_gen(query, False, False))

    def _refuse_copy_gen(self) -> Gen[NoReturn]:
        """End the COPY that `execute()` has begun, and say what to do instead."""
        pgconn = self._conn.pgconn
        yield from leave_copy_gen(pgconn, "COPY by execute(): use copy()")
        yield from execute_gen(pgconn)
        raise ProgrammingError("execute() cannot do COPY: use copy()")

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
