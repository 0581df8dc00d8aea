"""gevent, monkey-patched as its users do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.runtimes.base import TICK, Blocking, Ticker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.runtimes.base import Job


class Gevent(Blocking):
    """Each job in a greenlet."""

    packages = ("gevent",)

    def start(self) -> None:
        """Monkey-patch."""
        import gevent.monkey

        gevent.monkey.patch_all()

    def run(self, jobs: Sequence[Job]) -> list[Any]:
        """Run the jobs."""
        import gevent

        return [greenlet.get() for greenlet in [gevent.spawn(job) for job in jobs]]

    def watching(self, job: Job) -> Job:
        """Return a job that has a second greenlet tick."""
        import gevent

        def ticking(ticker: Ticker) -> None:
            while ticker.running:
                gevent.sleep(TICK)
                ticker.tick()

        def watched() -> float:
            ticker = Ticker()
            greenlet = gevent.spawn(ticking, ticker)
            try:
                job()
            finally:
                ticker.running = False
            greenlet.get()
            return ticker.longest

        return watched
