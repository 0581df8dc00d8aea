"""asyncio's own loop, and uvloop in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.runtimes.base import TICK, Runtime, Ticker

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from benchmarks.runtimes.base import Job, Steps


class Asyncio(Runtime):
    """Each job in a task."""

    def run(self, main: Coroutine[Any, Any, Any]) -> Any:
        """Run the loop until `main` has ended."""
        import asyncio

        return asyncio.run(main)

    def drive(self, steps: Steps) -> Any:
        """Run all steps in one loop."""
        return self.run(self._drive(steps))

    async def _drive(self, steps: Steps) -> Any:
        import asyncio

        try:
            jobs = next(steps)
            while True:
                tasks = [asyncio.ensure_future(job()) for job in jobs]
                jobs = steps.send([await task for task in tasks])
        except StopIteration as end:
            return end.value

    def watching(self, job: Job) -> Job:
        """Return a job that has a second task tick."""
        import asyncio

        async def ticking(ticker: Ticker) -> None:
            while ticker.running:
                await asyncio.sleep(TICK)
                ticker.tick()

        async def watched() -> float:
            ticker = Ticker()
            task = asyncio.ensure_future(ticking(ticker))
            try:
                await job()
            finally:
                ticker.running = False
            await task
            return ticker.longest

        return watched


class Uvloop(Asyncio):
    """The same on uvloop."""

    packages = ("uvloop",)

    def run(self, main: Coroutine[Any, Any, Any]) -> Any:
        """Run the loop until `main` has ended."""
        import uvloop

        return uvloop.run(main)
