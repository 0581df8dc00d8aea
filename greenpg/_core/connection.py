"""What a connection is, apart from who waits for it: its state, and each thing it does as a generator."""

from __future__ import annotations

from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from greenpg import errors
from greenpg._core.info import ConnectionInfo
from greenpg._core.messages import Messages
from greenpg._core.pipeline import BasePipeline
from greenpg._core.prepare import Statements
from greenpg._core.protocol import execute_gen
from greenpg._core.repeats import Repeats
from greenpg.adapt import AdaptersMap, Transformer
from greenpg.errors import OperationalError, ProtocolError, class_for_state, error_from_result
from greenpg.pq import library
from greenpg.pq.enums import ConnStatus, ExecStatus, TransactionStatus
from greenpg.rows import Row
from greenpg.types import _introspection as introspection
from greenpg.types import adapters as global_adapters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from greenpg.abc import Gen
    from greenpg.adapt import AdaptContext
    from greenpg.pq.abc import PGconn, PGresult
    from greenpg.rows import RowFactory

T = TypeVar("T")


class BaseConnection(Messages, Generic[Row]):
    """The state of one session, and its conversations; `_run()` of the shells carries them."""

    # PEP 249, "Optional DB API Extensions"
    Warning = errors.Warning
    Error = errors.Error
    InterfaceError = errors.InterfaceError
    DatabaseError = errors.DatabaseError
    DataError = errors.DataError
    OperationalError = errors.OperationalError
    IntegrityError = errors.IntegrityError
    InternalError = errors.InternalError
    ProgrammingError = errors.ProgrammingError
    NotSupportedError = errors.NotSupportedError

    _type_rows: Mapping[int, tuple[Any, ...]] = MappingProxyType({})
    """What the server has told of types, by OID."""
    _nameless_types: frozenset[int] = frozenset()
    """Those that it knew nothing of."""
    _was_closed = False
    """Whether `close()` has ended it."""
    _has_ended = False
    """Whether those who wait for the end were told."""
    _lacks_chunks = False
    """Whether libpq is too old to hand out rows in chunks."""

    def __init__(self, pgconn: PGconn, row_factory: RowFactory[Row]) -> None:
        super().__init__(pgconn)
        self.row_factory = row_factory
        self._statements = Statements()
        self._repeats = Repeats(self._statements)
        self._adapters: AdaptersMap | None = None
        self._autocommit = False
        self._under_way: object | None = None
        """The COPY or the stream that has the connection between its own calls."""
        self._pipeline: BasePipeline | None = None
        self._trace: Any = None
        """Takes note of what is begun and ended, for a tracer; `None` if there is none."""

    def __repr__(self) -> str:
        name = f"{type(self).__module__}.{type(self).__qualname__}"
        if self._is_closed:
            return f"<{name} [closed] at {id(self):#x}>"
        where = f"host={self.info.host} port={self.info.port} user={self.info.user} dbname={self.info.dbname}"
        return f"<{name} [{self._state}] {where} at {id(self):#x}>"

    @property
    def _state(self) -> str:
        return "closed" if self._is_closed else self.pgconn.transaction_status.name

    @property
    def adapters(self) -> AdaptersMap:
        """How this connection converts values: the package's own, and what was added for it alone."""
        if self._adapters is None:
            self._adapters = AdaptersMap(global_adapters)
        return self._adapters

    @property
    def connection(self) -> BaseConnection[Row]:
        """The connection itself (of an `AdaptContext`)."""
        return self

    @property
    def info(self) -> ConnectionInfo:
        """What is known of the session: where, who, which server, which state."""
        return ConnectionInfo(self.pgconn)

    @property
    def _is_closed(self) -> bool:
        return self.pgconn.status == ConnStatus.BAD

    def _check_open(self) -> None:
        if self._is_closed:
            raise self._told_lost(OperationalError("the connection is closed", safe_to_retry=self._was_lost))

    def _set_up(
        self,
        autocommit: bool,
        cursor_factory: Any,
        prepare_threshold: int | None,
        context: AdaptContext | None,
    ) -> None:
        """Take the options of `connect()`."""
        self._autocommit = autocommit
        if cursor_factory is not None:
            self.cursor_factory = cursor_factory
        if prepare_threshold is not self._statements.threshold:
            self.prepare_threshold = prepare_threshold
        if context is not None:
            self._adapters = AdaptersMap(context.adapters)

    @property
    def closed(self) -> bool:
        """Whether the session is over, by `close()` or because it was lost; a lost one is seen at once."""
        if not self._is_closed and self.pgconn.transaction_status != TransactionStatus.ACTIVE:
            self._look()
            if self._is_closed:
                self._deliver()
        return self._is_closed

    @property
    def broken(self) -> bool:
        """Whether the session was lost."""
        return self.closed and self._was_lost

    @property
    def _was_lost(self) -> bool:
        return self._is_closed and not self._was_closed

    def fileno(self) -> int:
        """Return the file descriptor of the socket, to wait for elsewhere.

        :raises greenpg.OperationalError: the connection is closed
        """
        self._check_open()
        return self.pgconn.socket

    def _look(self) -> None:
        """Take in what the server has said unasked; that it has gone is noticed so."""
        with suppress(errors.DatabaseError):  # which was told to those who wait for the end
            self._take_in()

    def _take_in(self) -> None:
        """Take in what the server has said unasked; the session is let go of if it is over.

        :raises DatabaseError: it is, by the server's last words if it had any, or the way there is broken
        """
        try:
            self.pgconn.consume_input()
            if (notify := self.pgconn.notifies()) is not None:
                self._gather(notify)
            if self._last_words is not None:
                raise OperationalError("the server has ended the session")
        except OperationalError as error:
            error.safe_to_retry = True
            raise self._lost(error) from error

    @property
    def prepare_threshold(self) -> int | None:
        """Executions of a statement before it is prepared; 0: at once, `None`: never."""
        return self._statements.threshold

    @prepare_threshold.setter
    def prepare_threshold(self, value: int | None) -> None:
        self._statements.threshold = _number("prepare_threshold", value)

    @property
    def prepared_max(self) -> int | None:
        """Statements prepared at a time; `None`: any number."""
        return self._statements.maximum

    @prepared_max.setter
    def prepared_max(self, value: int | None) -> None:
        self._statements.maximum = _number("prepared_max", value)

    # Commands

    def _close_statements_gen(self) -> Gen[None]:
        """Have the server forget the statements that were given up for others."""
        names = self._statements.given_up
        if self._pipeline is not None or self.pgconn.transaction_status == TransactionStatus.INERROR:
            return
        if names and not library().has("PQsendClosePrepared"):
            command = b"; ".join(b"DEALLOCATE " + name for name in names)
            names.clear()
            yield from self._command_gen(command)
        elif names:  # no error if one is not there any more, and poolers know what it means
            pipeline = BasePipeline(self)
            yield from pipeline.enter_gen()
            while names:
                self.pgconn.send_close_prepared(names.pop())
                pipeline.expect()
            yield from pipeline.exit_gen(None)

    def _type_info_gen(self, kind: Any, name: Any) -> Gen[Any]:
        """Return what the server knows of the type called `name`, as an info of the class `kind`."""
        self._check_open()
        query, params = kind._query(name)
        asked = self._ask_gen(query.encode(), [str(param).encode() for param in params])
        return kind._from_rows(name, (yield from self._apart_gen(asked)))

    def _ask_gen(self, query: bytes, params: list[bytes]) -> Gen[list[tuple[Any, ...]]]:
        """Execute a query of our own and return its rows."""
        if self._trace is not None:
            self._trace.begin("execute", query)
        self.pgconn.send_query_params(query, params)
        results = yield from execute_gen(self.pgconn)
        self._check(results)
        if self._trace is not None:
            self._trace.end()
        transformer = Transformer(self)
        transformer.set_pgresult(results[0])
        return transformer.load_rows(0, results[0].ntuples, tuple)

    def _command_gen(self, command: bytes) -> Gen[PGresult]:
        """Execute a command of our own, without parameters, and return its result.

        :raises DatabaseError: the server's refusal
        """
        if self._pipeline is not None:
            yield from self._sync_gen(is_dropped=command.startswith(b"ROLLBACK"))
        return (yield from self._apart_gen(self._simple_gen(command)))

    def _simple_gen(self, command: bytes) -> Gen[PGresult]:
        if self._trace is not None:
            self._trace.begin("execute", command)
        self.pgconn.send_query(command)
        results = yield from execute_gen(self.pgconn)
        self._check(results)
        self._statements.saw_changes(results)
        if self._trace is not None:
            self._trace.end()
        return results[-1]

    def _apart_gen(self, gen: Gen[T]) -> Gen[T]:
        """Run a conversation outside of the pipeline, if there is one: it cannot be part of it."""
        if self._pipeline is not None:
            gen = self._pipeline.apart_gen(gen)
        return (yield from gen)

    def _sync_gen(self, *, is_dropped: bool = False) -> Gen[None]:
        """Take in the results of what is in the pipeline, so that the state of the transaction is known.

        :param is_dropped: whether all of it is rolled back next, so that nobody cares for errors in it
        :raises DatabaseError: the first error among them
        """
        if self._pipeline is not None:
            yield from self._pipeline.sync_gen(is_dropped=is_dropped)

    def _begin_gen(self) -> Gen[None]:
        """Begin a transaction unless one is under way, or none is wanted."""
        if not self._autocommit and self.pgconn.transaction_status == TransactionStatus.IDLE:
            if self._pipeline is not None:
                self._pipeline.command(self._begin_command())
            else:
                yield from self._command_gen(self._begin_command())

    def _begin_command(self) -> bytes:
        return b"BEGIN"

    def _commit_gen(self) -> Gen[None]:
        """Commit the transaction, if there is one."""
        yield from self._sync_gen()
        if self.pgconn.transaction_status != TransactionStatus.IDLE:
            yield from self._command_gen(b"COMMIT")

    def _rollback_gen(self) -> Gen[None]:
        """Roll the transaction back, if there is one."""
        yield from self._sync_gen(is_dropped=True)
        if self.pgconn.transaction_status != TransactionStatus.IDLE:
            yield from self._command_gen(b"ROLLBACK")

    def _check(self, results: Sequence[PGresult]) -> None:
        """Raise the first error among the results; that there are none is one too."""
        if not results:
            raise ProtocolError("the server has ended a command without an answer")
        for result in results:
            if result.status == ExecStatus.FATAL_ERROR:
                raise error_from_result(result, encoding=self.info.encoding)

    # Types that nobody registered

    def _learn_gen(self, oids: Iterable[int], adapters: AdaptersMap) -> Gen[None]:
        """Ask the server what types these are, and register how to load and dump them on this connection.

        What cannot be asked for now (in a failed transaction) is loaded as text.

        :param adapters: where they are not known; those of a cursor learn them too
        """
        unknown = set(oids) - self._nameless_types
        if unknown:
            yield from self._apart_gen(self._ask_types_gen(unknown))
            introspection.learn(adapters, self._type_rows.values())

    def _ask_types_gen(self, unknown: set[int]) -> Gen[None]:
        if self.pgconn.transaction_status == TransactionStatus.INERROR:
            return
        rows = yield from self._ask_gen(introspection.QUERY, [introspection.parameter(unknown)])
        introspection.learn(self.adapters, rows)
        self._type_rows = {**self._type_rows, **{row[0]: row for row in rows}}
        self._nameless_types |= unknown - self._type_rows.keys()

    # The end

    def _finish(self) -> None:
        """Let go of the session; what waits for the end of the connection is told."""
        self._under_way = None
        if self._pipeline is not None:
            self._forget_pipeline()
        self.pgconn.finish()
        if not self._has_ended:
            self._has_ended = True
            self._tell(self._termination_listeners, self)

    def _forget_pipeline(self) -> None:
        """Forget what is expected of a pipeline whose results are thrown away."""
        pipeline, self._pipeline = self._pipeline, None
        if pipeline is not None:
            pipeline.give_up()

    def _lost(self, error: errors.DatabaseError) -> errors.DatabaseError:
        """Let go of a lost session, and return how its loss is told."""
        if self.pgconn.pgconn_ptr is not None:
            with suppress(OperationalError):
                self._gather_last_words()
        self._finish()
        return self._told_lost(error)

    def _told_lost(self, error: errors.DatabaseError) -> errors.DatabaseError:
        """Return an error of a session that is over: in the last words of the server, if it had any."""
        words = self._last_words
        if words is None or error.sqlstate is not None or not self._was_lost:
            error.connection_lost = self._was_lost
            return error
        said = class_for_state(words.sqlstate or "")
        message = f"{words.message_primary} (the connection is lost)"
        return cast(
            "errors.DatabaseError",
            said(message, diag=words, safe_to_retry=error.safe_to_retry, connection_lost=True),
        )


def _number(name: str, value: int | None) -> int | None:
    if value is not None and not isinstance(value, int):
        raise TypeError(f"{name} is an int or None, not {type(value).__name__}")
    return value
