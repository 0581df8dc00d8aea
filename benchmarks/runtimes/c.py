"""C: jobs that are one call each, and several at the same time are one call together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from benchmarks.runtimes.base import Blocking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.runtimes.base import Job


class InC(Blocking):
    """Jobs of the driver `libpq`."""

    has_hub = False

    def run(self, jobs: Sequence[Any]) -> list[Any]:
        """Run the jobs, all of one kind, which knows how they run together."""
        if len(jobs) == 1:
            return [jobs[0]()]
        type(jobs[0]).run_together(jobs)
        return [None] * len(jobs)

    def watching(self, job: Job) -> NoReturn:
        """Refuse: there is nothing to keep waiting."""
        raise NotImplementedError("C has no hub to watch")
