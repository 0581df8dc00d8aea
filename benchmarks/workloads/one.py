"""W1: how much the smallest query costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.workloads.base import Workload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.contenders.base import Contender, Job


class One(Workload):
    """One connection, one query after the other."""

    name = "W1"
    title = "select $1::int on one connection, one after the other"
    count = 10_000
    quick_count = 200

    def __init__(self, contender: Contender) -> None:
        super().__init__(contender)
        self._connection = contender.connect()

    def jobs(self, count: int) -> Sequence[Job]:
        """Return one job."""
        return [self.contender.querying(self._connection, "select $1::int", range(count))]
