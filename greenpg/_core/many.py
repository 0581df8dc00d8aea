"""Executing one statement with each of many sets of parameters: in a pipeline, batch by batch.

A batch is sent before the answers to those before have come; all of it is done, or nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenpg._core.cursor import BaseCursor
from greenpg._core.pipeline import BasePipeline
from greenpg.errors import Error, NotSupportedError
from greenpg.rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from greenpg.abc import Gen

_BATCH = 48 << 10
"""Bytes of parameters that are sent at a time; libpq would keep 64 kB."""
_OVERHEAD = 50
"""Bytes that an execution takes besides, about."""


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
