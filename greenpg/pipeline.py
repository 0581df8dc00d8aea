"""Pipelines, blocking and async, twin by twin: each method is one line over a generator of `BasePipeline`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenpg._core.pipeline import BasePipeline

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from greenpg.abc import Gen


class Pipeline(BasePipeline):
    """A block in which statements are sent without waiting for results; made by `Connection.pipeline()`.

    Results are waited for as they are fetched, by `sync()`, and at the end of the block. When a statement
    fails, those after it are skipped up to the next `sync()`, and fail with `PipelineAborted`. A block within
    a block is a synchronisation point at its beginning and its end.
    """

    __module__ = "greenpg"

    def sync(self, *, timeout: float | None = None) -> None:
        """Set a synchronisation point and wait until it is reached.

        :param timeout: seconds; then the pipeline is over
        :raises greenpg.DatabaseError: the first error since the last one that was raised
        :raises greenpg.InterfaceError: the pipeline is over
        """
        self._run(self.sync_gen(), timeout)

    def _run(self, gen: Gen[Any], timeout: float | None = None) -> None:
        self._conn._run(gen, timeout)

    def __enter__(self) -> Self:
        self._run(self.enter_gen())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ending = self._ending(error)
        if ending is not None:
            self._run(ending)


class AsyncPipeline(BasePipeline):
    """Async `Pipeline`."""

    __module__ = "greenpg"

    async def sync(self, *, timeout: float | None = None) -> None:
        """Async `Pipeline.sync()`."""
        await self._run(self.sync_gen(), timeout)

    async def _run(self, gen: Gen[Any], timeout: float | None = None) -> None:
        await self._conn._run(gen, timeout)

    async def __aenter__(self) -> Self:
        await self._run(self.enter_gen())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ending = self._ending(error)
        if ending is not None:
            await self._run(ending)
