"""trio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.runtimes.base import TICK, Runtime, Ticker

if TYPE_CHECKING:
    from benchmarks.runtimes.base import Job, Steps


class Trio(Runtime):
    """Each job in a task of one nursery."""

    packages = ("trio",)

    def drive(self, steps: Steps) -> Any:
        """Run all steps in one loop."""
        import trio

        return trio.run(_drive, steps)

    def watching(self, job: Job) -> Job:
        """Return a job that has a second task tick."""
        import trio

        async def ticking(ticker: Ticker) -> None:
            while ticker.running:
                await trio.sleep(TICK)
                ticker.tick()

        async def watched() -> float:
            ticker = Ticker()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ticking, ticker)
                try:
                    await job()
                finally:
                    ticker.running = False
            return ticker.longest

        return watched


async def _drive(steps: Steps) -> Any:
    import trio

    results: list[Any] = []

    async def keep(number: int, job: Job) -> None:
        results[number] = await job()

    try:
        jobs = next(steps)
        while True:
            results = [None] * len(jobs)
            async with trio.open_nursery() as nursery:
                for number, job in enumerate(jobs):
                    nursery.start_soon(keep, number, job)
            jobs = steps.send(results)
    except StopIteration as end:
        return end.value
