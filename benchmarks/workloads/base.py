"""What a workload is: steps of jobs, and how what is measured is measured."""

from __future__ import annotations

import gc
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks import memory

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from benchmarks.drivers.base import Driver
    from benchmarks.runtimes.base import Job, Runtime, Steps

    Values = dict[str, float]
    """What was measured, by metric: seconds, bytes, or things per second."""


@dataclass(frozen=True)
class Workload(ABC):
    """Something to do, by any contender that can."""

    name: str
    title: str
    size: int
    """How much of it is measured; what it counts is the workload's own affair."""
    quick_size: int
    """The same with `--quick`: enough to see that it works."""
    units: Mapping[str, str] = field(default_factory=lambda: {"cpu": "µs", "wall": "µs"})
    """The unit that a metric is shown in. The first is what the workload is about."""
    needs: tuple[str, ...] = ()
    """What not all contenders have: `copy`, a `hub`, `sleep`."""
    connections: int = 1
    """How many it opens at once; 0: as many as its size says, or fewer if the server takes no more."""
    rounds: int = 9
    """How often to measure it at most: what is always the same need not be measured often."""
    only: tuple[str, ...] = ()
    """The contenders that it is for; all, if there are none."""
    apart: bool = False
    """Whether the client needs a processor of its own, since it is about time and not about CPU."""
    is_curve: bool = False
    """Whether it has many points, for a picture, and no place in a table."""

    @property
    def main_metric(self) -> str:
        """What it is about."""
        return next(iter(self.units))

    def heading(self, metric: str) -> str:
        """Return what a column is called: its name, and the metric if that is not its first."""
        return self.name if metric in ("wall", self.main_metric) else f"{self.name} {metric}"

    @abstractmethod
    def steps(self, driver: Driver, runtime: Runtime, size: int) -> Steps:
        """Do it. Returns `{point: values}`; the one point of what is no curve is 0."""


def opened(driver: Driver, count: int) -> Generator[Sequence[Job], list[Any], list[Any]]:
    """Open connections, one after the other."""
    connections = []
    for _ in range(count):
        connections += yield [driver.opening()]
    return connections


def closed(driver: Driver, connections: Sequence[Any]) -> Generator[Sequence[Job], list[Any], None]:
    """Close connections, one after the other."""
    for connection in connections:
        yield [driver.closing(connection)]


def measured(
    jobs: Sequence[Job], operations: int, items: int = 1
) -> Generator[Sequence[Job], list[Any], Values]:
    """Run the jobs and return what one of their operations took.

    :param items: how many things an operation is about, for the throughput
    """
    gc.collect()
    memory.forget_peak()
    before = memory.resident()
    cpu, wall = time.process_time(), time.perf_counter()
    yield jobs
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    values = {"cpu": cpu / operations, "wall": wall / operations, "throughput": operations * items / wall}
    peak = memory.peak()
    if before is not None and peak is not None:
        values["memory"] = float(peak - before)
    return values
