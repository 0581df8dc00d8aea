"""W6, storm, memory: how much a connection costs, alone, with many others at once, and while it is there."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from benchmarks import memory
from benchmarks.workloads.base import Workload, closed, measured, opened

if TYPE_CHECKING:
    from benchmarks.drivers.base import Driver
    from benchmarks.runtimes.base import Runtime, Steps

_WARM = 5


class Connect(Workload):
    """Connect and close, one after the other."""

    def steps(self, driver: Driver, runtime: Runtime, size: int) -> Steps:
        """Connect `size` times."""
        yield [driver.connecting(_WARM)]
        values = yield from measured([driver.connecting(size)], size)
        return {0: values}


class Storm(Workload):
    """Connect and close, all at once."""

    def steps(self, driver: Driver, runtime: Runtime, size: int) -> Steps:
        """Connect `size` times."""
        yield [driver.connecting(_WARM)]
        values = yield from measured([driver.connecting(1) for _ in range(size)], size)
        return {0: values}


class Resident(Workload):
    """Connections that have done something, and now do nothing."""

    def steps(self, driver: Driver, runtime: Runtime, size: int) -> Steps:
        """Open `size` connections."""
        first = yield from opened(driver, 1)
        yield [driver.querying(first[0], "select $1::int", [1])]
        gc.collect()
        before = memory.resident()
        connections = yield from opened(driver, size)
        for connection in connections:
            yield [driver.querying(connection, "select $1::int", [1])]
        gc.collect()
        after = memory.resident()
        yield from closed(driver, [*first, *connections])
        if before is None or after is None:
            return {}
        return {0: {"memory": (after - before) / size}}
