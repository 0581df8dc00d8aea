"""eventlet, monkey-patched as its users do."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from benchmarks.runtimes.base import TICK, Blocking, Ticker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.runtimes.base import Job


class Eventlet(Blocking):
    """Each job in a green thread."""

    packages = ("eventlet",)

    def start(self) -> None:
        """Monkey-patch, psycopg2 included."""
        # Advice to leave eventlet, at every import: not what this is about.
        warnings.filterwarnings("ignore", message="\nEventlet is deprecated")
        import eventlet

        eventlet.monkey_patch()

    def run(self, jobs: Sequence[Job]) -> list[Any]:
        """Run the jobs."""
        import eventlet

        return [thread.wait() for thread in [eventlet.spawn(job) for job in jobs]]

    def watching(self, job: Job) -> Job:
        """Return a job that has a second green thread tick."""
        import eventlet

        def ticking(ticker: Ticker) -> None:
            while ticker.running:
                eventlet.sleep(TICK)
                ticker.tick()

        def watched() -> float:
            ticker = Ticker()
            thread = eventlet.spawn(ticking, ticker)
            try:
                job()
            finally:
                ticker.running = False
            thread.wait()
            return ticker.longest

        return watched
