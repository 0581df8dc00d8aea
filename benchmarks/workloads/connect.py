"""W6: how much a connection costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.workloads.base import Workload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.contenders.base import Job


class Connect(Workload):
    """Connect and close."""

    name = "W6"
    title = "connect and close"
    count = 200
    quick_count = 5

    def jobs(self, count: int) -> Sequence[Job]:
        """Return one job."""
        return [self.contender.connecting(count)]
