"""W3, W8: how much big results cost, in CPU, in memory, and in pauses for everybody else."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.workloads.base import Workload, closed, measured, opened

if TYPE_CHECKING:
    from benchmarks.drivers.base import Driver
    from benchmarks.runtimes.base import Runtime, Steps

_WARM = [10] * 10


@dataclass(frozen=True)
class Result(Workload):
    """One result of many rows, as Python objects."""

    sql: str = ""
    """Its parameter is the number of rows."""

    def steps(self, driver: Driver, runtime: Runtime, size: int) -> Steps:
        """Fetch `size` rows."""
        [connection] = yield from opened(driver, 1)
        yield [driver.querying(connection, self.sql, _WARM)]
        values = yield from measured([driver.querying(connection, self.sql, [size])], 1, size)
        yield from closed(driver, [connection])
        return {0: values}


@dataclass(frozen=True)
class Pause(Result):
    """The same beside a ticker. The rows are kept: to let go of all at once is a pause of one's own."""

    def steps(self, driver: Driver, runtime: Runtime, size: int) -> Steps:
        """Fetch `size` rows."""
        [connection] = yield from opened(driver, 1)
        yield [driver.querying(connection, self.sql, _WARM)]
        gc.collect()  # the first full one of a process looks at every module: that is nobody's doing here
        rows: list[object] = []
        [pause] = yield [runtime.watching(driver.querying(connection, self.sql, [size], rows))]
        rows.clear()
        yield from closed(driver, [connection])
        return {0: {"pause": pause}}
