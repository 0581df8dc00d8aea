"""A pipeline: statements are sent without waiting for the answers to those before.

What was sent is remembered in order, each with what is to be done with its answer. Answers are taken in
whenever something is sent, so that two sides that both only write cannot wait for each other. An error makes
the server skip everything up to the next synchronisation point; it is raised where answers are waited for.

See libpq, "Pipeline Mode".
"""

from __future__ import annotations

import logging
import re
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

from greenpg._core.protocol import wait_gen
from greenpg.abc import Ready, Wait
from greenpg.errors import InterfaceError, NotSupportedError, PipelineAborted, error_from_result
from greenpg.pq import library
from greenpg.pq.enums import COPY_STATES, ExecStatus, PipelineStatus, TransactionStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenpg.abc import Gen
    from greenpg.pq.abc import PGconn, PGresult
    from greenpg.pq.many import Tally

T = TypeVar("T")

_log = logging.getLogger("greenpg")
_CLIENT_COPY = re.compile(rb"\s*copy\b.*\b(?:from\s+stdin|to\s+stdout)\b", re.IGNORECASE | re.DOTALL)
_NO_COPY = "COPY cannot be done in a pipeline: leave its block first"


def _nothing(*_: object) -> None:
    """Take results or an error that nobody cares for."""


class Answer:
    """What the server says, or is to say, to one thing that was sent in a pipeline."""

    __slots__ = ("_fail", "_take", "error", "has_come", "pipeline")

    def __init__(
        self,
        pipeline: BasePipeline,
        take: Callable[[list[PGresult]], object],
        fail: Callable[[Exception], object],
    ) -> None:
        self.pipeline = pipeline
        self._take = take
        self._fail = fail
        self.has_come = False
        self.error: Exception | None = None

    def come(self, results: list[PGresult], encoding: str) -> None:
        """Do what is to be done with the results."""
        self.has_come = True
        try:
            _check(results[-1], encoding)
            self._take(results)
            self._let_go()
        except Exception as error:  # a row factory may raise anything
            self.fail(error)
            self.pipeline.note(error)

    def fail(self, error: Exception) -> None:
        """Have it end with an error."""
        self.has_come = True
        self.error = error
        self._fail(error)
        self._let_go()

    def _let_go(self) -> None:
        """Forget what was to be done: it is a cursor's, which has this answer."""
        self._take = self._fail = _nothing


class Answers(Answer):
    """What the server says to one statement that was sent many times."""

    __slots__ = ("_give", "_tally")

    def __init__(
        self,
        pipeline: BasePipeline,
        tally: Tally,
        give: Callable[[int, bytes | None, list[PGresult]], object],
        take: Callable[[list[PGresult]], object],
        fail: Callable[[Exception], object],
    ) -> None:
        """Make one.

        :param give: called with what has come as usual, as `Tally.give()` returns it
        :param take: called with the results of each other execution
        :param fail: called with the first error
        """
        super().__init__(pipeline, take, fail)
        self._tally = tally
        self._give = give

    def expect(self, count: int) -> None:
        """Take note of so many executions more."""
        self._tally.expect(count)

    def collect(self, pgconn: PGconn) -> PGresult | None:
        """Do what is to be done with what has come, up to a result that is not as usual; return that."""
        result = self._tally.collect(pgconn, self.error is not None)
        self._do(self._give_on)
        return result

    def _give_on(self) -> None:
        self._give(*self._tally.give())

    def come(self, results: list[PGresult], encoding: str) -> None:
        """Do what is to be done with the results of one execution."""

        def take() -> None:
            _check(results[-1], encoding)
            self._take(results)

        self._tally.skip()
        self._do(take)

    def _do(self, what: Callable[[], object]) -> None:
        try:
            what()
        except Exception as error:
            if self.error is None:
                self.error = error
                self._fail(error)
                self.pipeline.note(error)
        self.has_come = not self._tally.left
        if self.has_come:
            self._let_go()

    def _let_go(self) -> None:
        super()._let_go()
        self._give = _nothing


def _check(result: PGresult, encoding: str) -> None:
    if result.status == ExecStatus.PIPELINE_ABORTED:
        raise PipelineAborted("not executed: a statement before it in the pipeline has failed")
    if result.status == ExecStatus.FATAL_ERROR:
        raise error_from_result(result, encoding=encoding)


class BasePipeline:
    """A connection's pipeline; `_run()` of the shells carries the generators."""

    def __init__(self, connection: Any) -> None:
        self._conn = connection
        self._depth = 0
        self._awaited: deque[Answer] = deque()
        self._results: list[PGresult] = []
        """Those of the first answer awaited that have come."""
        self._is_open = False
        """Whether something was sent after the last synchronisation point."""
        self._errors: list[Exception] = []
        """Those that nobody was told of; of skipped statements, the first."""

    @staticmethod
    def is_supported() -> bool:
        """Return whether libpq is new enough: 14."""
        return library().has("PQenterPipelineMode")

    def __repr__(self) -> str:
        kind = f"{type(self).__module__}.{type(self).__qualname__}"
        return f"<{kind} [{self.status.name}] of {self._conn!r}>"

    @property
    def status(self) -> PipelineStatus:
        """Whether the pipeline is open, or a statement in it has failed and the next ones will be skipped."""
        return PipelineStatus.OFF if self._is_over else PipelineStatus(self._conn.pgconn.pipeline_status)

    @property
    def _is_over(self) -> bool:
        """Whether it has ended, or was given up."""
        return self._conn._pipeline is not self

    # Its block

    def enter_gen(self) -> Gen[None]:
        """Begin the pipeline, or a block within it, which is a synchronisation point."""
        if self._depth:
            yield from self.sync_gen()
        else:
            self._conn._check_open()
            if self._conn._pipeline is not None:
                raise InterfaceError("the connection has a pipeline already")
            self._start()
        self._depth += 1

    def _ending(self, error: BaseException | None) -> Gen[None] | None:
        """Return what is to be run at the end of a block; `None` if nothing is, or nobody may wait.

        :param error: what has come out of the block
        """
        if self._is_over:
            return None
        if error is not None and not isinstance(error, Exception):
            self._conn._interrupted()
            return None
        return self.exit_gen(error)

    def exit_gen(self, error: BaseException | None) -> Gen[None]:
        """End a block: wait for all answers; the pipeline is over at the end of the outermost.

        :param error: what has come out of the block; an error of the pipeline itself is only logged then
        """
        yield from self._rest_gen()
        self._depth -= 1
        if not self._depth and not self._conn._is_closed:
            self._stop()
        if error is None:
            self._raise_first()
        elif self._errors and not isinstance(self._errors[0], PipelineAborted):
            _log.warning("error in %r, ignored for %r: %s", self, error, self._errors[0])
        self._errors.clear()

    def _start(self) -> None:
        self._conn.pgconn.enter_pipeline_mode()
        self._conn._pipeline = self

    def _stop(self) -> None:
        self._conn.pgconn.exit_pipeline_mode()
        self._conn._pipeline = None

    def apart_gen(self, gen: Gen[T]) -> Gen[T]:
        """Run a conversation that cannot be part of the pipeline: outside of it, once it is at rest."""
        yield from self._rest_gen()
        self._stop()
        try:
            return (yield from gen)
        finally:
            conn = self._conn
            if not conn._is_closed and conn.pgconn.transaction_status != TransactionStatus.ACTIVE:
                self._start()

    def give_up(self) -> None:
        """Fail all that is awaited: the answers are thrown away."""
        while self._awaited:
            self._awaited.popleft().fail(PipelineAborted("the pipeline was interrupted"))

    # What is sent

    def expect(
        self,
        take: Callable[[list[PGresult]], object] = _nothing,
        fail: Callable[[Exception], object] = _nothing,
    ) -> Answer:
        """Take note of something that was just sent.

        :param take: called with its results as they come
        :param fail: called with the error instead, if it fails or is skipped
        """
        return self.expect_answer(Answer(self, take, fail))

    def expect_answer(self, answer: Answer) -> Answer:
        """Take note of what was just sent, by the answer that there will be to it."""
        self._awaited.append(answer)
        self._is_open = True
        return answer

    def command(self, command: bytes) -> None:
        """Send a command without parameters."""
        self._conn.pgconn.send_query_params(command, None)
        self.expect()

    @staticmethod
    def refuse_copy(query: bytes) -> None:
        """Raise an error for a COPY from or to the client.

        libpq ends one with a Sync of its own, and takes the answer to that for the next command's end.
        """
        if _CLIENT_COPY.match(query):
            raise NotSupportedError(_NO_COPY)

    def flush_gen(self, *, give_way: bool = False) -> Gen[None]:
        """Send what libpq has buffered, and take in what has come.

        :param give_way: whether others get a turn even if there is nothing to wait for
        """
        yield from self._exchange_gen(None, give_way)

    # What is waited for

    def answer_gen(self, answer: Answer) -> Gen[None]:
        """Wait for an answer.

        :raises DatabaseError: it was an error; if it was skipped, the error that made the server skip it
        """
        if not answer.has_come:
            self._conn.pgconn.send_flush_request()
            yield from self._exchange_gen(answer)
        if answer.error is None:
            return
        error = answer.error
        if isinstance(error, PipelineAborted) and self._errors:
            error = self._errors[0]
        self._errors = [other for other in self._errors if other not in (error, answer.error)]
        raise error

    def sync_gen(self, *, is_dropped: bool = False) -> Gen[None]:
        """Wait for all answers.

        :param is_dropped: whether nobody cares for the errors so far, as what failed is rolled back
        :raises DatabaseError: the first error that was not raised yet
        """
        if self._is_over:
            raise InterfaceError("the pipeline is over")
        yield from self._rest_gen()
        if is_dropped:
            self._errors.clear()
        self._raise_first()

    @property
    def has_failed(self) -> bool:
        """Whether there is an error that nobody was told of."""
        return bool(self._errors)

    def _rest_gen(self) -> Gen[None]:
        """Set a synchronisation point and wait until it is reached."""
        if self._is_open:
            self._conn.pgconn.pipeline_sync()
            yield from self._exchange_gen(self.expect())
            self._is_open = False

    def _raise_first(self) -> None:
        errors, self._errors = self._errors, []
        if errors:
            raise errors[0]

    def _exchange_gen(self, answer: Answer | None, give_way: bool = False) -> Gen[None]:
        """Send and take in until all is sent and `answer`, if it is given, has come."""
        pgconn = self._conn.pgconn
        while True:
            is_unsent = pgconn.flush()
            self._collect()
            if not (is_unsent or give_way or (answer is not None and not answer.has_come)):
                return
            ready = yield from wait_gen(pgconn.socket, Wait.RW if is_unsent or give_way else Wait.R)
            give_way = False
            if ready & Ready.R:
                pgconn.consume_input()

    def _collect(self) -> None:
        """Deal with the answers that have come whole."""
        while self._awaited:
            answer = self._awaited[0]
            if not self._results and isinstance(answer, Answers):
                result = answer.collect(self._conn.pgconn)
                if answer.has_come:
                    self._leave(answer)
                    continue
            elif self._conn.pgconn.is_busy():
                return
            else:
                result = self._conn.pgconn.get_result()
            if result is None and not self._results:
                return
            self._came(result)

    def _came(self, result: PGresult | None) -> None:
        """Take a result of the first answer awaited, or its end."""
        if result is not None:
            if result.status in COPY_STATES:
                self._conn._interrupted()
                raise NotSupportedError(_NO_COPY)
            self._results.append(result)
        if result is None or result.status == ExecStatus.PIPELINE_SYNC:
            results, self._results = self._results, []
            answer = self._awaited[0]
            answer.come(results, self._conn.info.encoding)
            self._leave(answer)

    def _leave(self, answer: Answer) -> None:
        """Stop awaiting an answer that has come, unless it was given up from within a row factory."""
        if answer.has_come and self._awaited and self._awaited[0] is answer:
            self._awaited.popleft()

    def note(self, error: Exception) -> None:
        """Keep an error that nobody was told of; of skipped statements, the first."""
        if not (
            isinstance(error, PipelineAborted) and any(isinstance(e, PipelineAborted) for e in self._errors)
        ):
            self._errors.append(error)
