"""Executing one statement with each of many sets of parameters: in a pipeline, batch by batch.

A batch is sent before the answers to those before have come; all of it is done, or nothing. The first set of
parameters that has other types than those before goes the way of a single execution, which prepares the
statement for them and takes note of what comes back; those that follow are sent, and their answers counted,
in the loops of `greenpg.pq.many`.
"""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from greenpg._core.cursor import BaseCursor
from greenpg._core.pipeline import Answers, BasePipeline
from greenpg._core.query import in_order
from greenpg.errors import Error, NotSupportedError
from greenpg.pq.enums import Format
from greenpg.pq.many import Sent, loops
from greenpg.rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from greenpg._core.query import PostgresQuery
    from greenpg.abc import Gen
    from greenpg.pq.abc import PGresult
    from greenpg.pq.many import Names, Sender

_BATCH = 48 << 10
"""Bytes of parameters that are sent at a time; libpq would keep 64 kB."""
_OVERHEAD = 50
"""Bytes that an execution takes besides, about."""
_CONVERTED = object()


class BaseManyCursor(BaseCursor[Row]):
    """A cursor that executes a statement many times over."""

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
        rows = iter(params_seq)
        for params in rows:
            converted = self._convert(query, params)
            yield from self._conn._begin_gen()
            if converted.params is None:  # every set of parameters makes another command
                yield from self._queue_each_gen(pipeline, converted, rows, returning)
            else:
                yield from _Batches(self, pipeline, converted, returning).send_gen(rows)
            return

    def _queue_each_gen(
        self, pipeline: BasePipeline, converted: PostgresQuery, rows: Iterator[Any], returning: bool
    ) -> Gen[None]:
        """Send one command after the other."""
        unsent = 0
        for params in chain([_CONVERTED], rows):
            if params is not _CONVERTED:
                converted.dump(params)
            self._answer = self._queue(
                pipeline, converted, True, self._asked(None), self._arrived if returning else self._counted
            )
            unsent += _OVERHEAD + len(converted.query)
            if unsent >= _BATCH:
                unsent = 0
                yield from flush_gen(pipeline)
                if pipeline.has_failed:
                    return
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


class _Batches:
    """The executions of one statement, of which the first set of parameters was converted."""

    def __init__(
        self, cursor: BaseManyCursor[Any], pipeline: BasePipeline, query: PostgresQuery, returning: bool
    ) -> None:
        self._cursor, self._pipeline, self._query, self._returning = cursor, pipeline, query, returning
        self._take, self._execution = cursor._arrived if returning else cursor._counted, cursor._execution
        self._names: Names = {}
        self._answers: Answers | None = None
        pgconn, encoders = cursor._conn.pgconn, cursor._tx.adapters.encoders
        self._sender_class, self._tally_class = loops(pgconn, encoders)
        parsed = query._parsed
        self._sender: Sender = self._sender_class(
            pgconn,
            encoders,
            cursor._tx,
            query.query,
            parsed.formats,
            parsed.names,
            partial(in_order, parsed=parsed),
        )

    def send_gen(self, rows: Iterator[Any]) -> Gen[None]:
        """Send the set that was converted, and the others, until one has failed."""
        unsent = self._queue_one()
        sent = Sent.UNTIL_UNKNOWN
        while sent is not Sent.ALL:
            sent = self._send(rows, _BATCH - unsent)
            unsent += self._sender.taken
            if sent is Sent.UNTIL_UNKNOWN:
                query = self._query
                query.params, query.types, query.formats = self._sender.take()
                unsent += self._queue_one()
            if sent is Sent.ENOUGH or unsent >= _BATCH:
                unsent = 0
                yield from flush_gen(self._pipeline)
                if self._pipeline.has_failed:
                    return
                self._look_up()
        yield from self._pipeline.flush_gen()

    def _queue_one(self) -> int:
        """Send the command with the parameters that it has, and return how many bytes that is, about."""
        cursor, query = self._cursor, self._query
        cursor._answer = cursor._queue(self._pipeline, query, True, cursor._asked(None), self._take)
        self._names[query.types] = None, Format.TEXT
        self._look_up()
        return _OVERHEAD + sum(map(len, filter(None, query.params or ())))

    def _look_up(self) -> None:
        """Take the names that the statement is prepared under now: they may be given up."""
        conn, asked = self._cursor._conn, self._cursor._asked(None)
        statements = conn._statements
        for types in list(self._names):
            statement = statements.find(self._query.query, types)
            name = statements.name_of(statement, True, conn.pgconn)
            if name is None and statements.threshold is not None:
                del self._names[types]
            else:
                binary = statement.judged(self._cursor._tx.adapters).is_binary if asked is None else asked
                self._names[types] = name, Format.BINARY if binary else Format.TEXT

    def _send(self, rows: Iterator[Any], limit: int) -> Sent:
        sender = self._sender
        try:
            return sender.send(rows, self._names, limit)
        finally:
            if sender.sent:
                self._expect(sender.sent)

    def _expect(self, count: int) -> None:
        """Take note of executions that were sent."""
        cursor, answers = self._cursor, self._answers
        if answers is None or answers.has_come or answers is not cursor._answer:
            tally = self._tally_class(self._returning)
            answers = Answers(self._pipeline, tally, self._given, self._came, self._failed)
            self._answers = cursor._answer = answers
            self._pipeline.expect_answer(answers)
        answers.expect(count)

    def _given(self, touched: int, tag: bytes | None, kept: list[PGresult]) -> None:
        if kept:
            self._cursor._arrived(self._execution, kept)
        elif tag is not None:
            self._cursor._tallied(self._execution, touched, tag)

    def _came(self, results: list[PGresult]) -> None:
        # of a kind that says nothing of one statement: whose types those were does not matter
        self._cursor._conn._statements.saw(self._query.statement, results)
        self._take(self._execution, results)

    def _failed(self, error: Exception) -> None:
        statements = self._cursor._conn._statements
        for types in self._names:
            statements.was_outdated(statements.find(self._query.query, types), error)


def flush_gen(pipeline: BasePipeline) -> Gen[None]:
    """Send a batch, and take in what has come; others get a turn if it is time."""
    conn = pipeline._conn
    conn.pgconn.consume_input()
    yield from pipeline.flush_gen(give_way=conn._slice())
