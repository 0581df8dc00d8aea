"""Native threads: for drivers that block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from benchmarks.runtimes.base import Blocking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.runtimes.base import Job


class Threads(Blocking):
    """One job runs here, several in a thread each."""

    has_hub = False

    def run(self, jobs: Sequence[Job]) -> list[Any]:
        """Run the jobs."""
        from concurrent.futures import ThreadPoolExecutor

        if len(jobs) == 1:
            return [jobs[0]()]
        with ThreadPoolExecutor(len(jobs)) as threads:
            return [future.result() for future in [threads.submit(job) for job in jobs]]

    def watching(self, job: Job) -> NoReturn:
        """Refuse: no thread keeps another one waiting."""
        raise NotImplementedError("threads have no hub to watch")
