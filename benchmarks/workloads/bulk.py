"""W4, W5: how much it costs to move many rows at once, in and out."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from benchmarks.tables import COPY_IN, COPY_OUT, INSERTED, copy_data
from benchmarks.workloads.base import Workload, closed, measured, opened

if TYPE_CHECKING:
    from benchmarks.drivers.base import Driver
    from benchmarks.runtimes.base import Runtime, Steps

_START = datetime(2026, 1, 1, tzinfo=timezone.utc)
_INSERT = f"insert into {INSERTED} values ($1, $2, $3, $4)"
_WARM = 10


class Insert(Workload):
    """executemany() of an INSERT."""

    def steps(self, driver: Driver, runtime: Runtime, size: int) -> Steps:
        """Insert `size` rows."""
        rows = [
            (i, f"name of the row {i}", i * 1.5, _START + timedelta(seconds=i)) for i in range(1, size + 1)
        ]
        [connection] = yield from opened(driver, 1)
        yield [driver.inserting(connection, _INSERT, rows[:_WARM])]
        yield [driver.executing(connection, f"truncate {INSERTED}")]
        values = yield from measured([driver.inserting(connection, _INSERT, rows)], size)
        yield from closed(driver, [connection])
        return {0: values}


class CopyIn(Workload):
    """COPY FROM STDIN."""

    def steps(self, driver: Driver, runtime: Runtime, size: int) -> Steps:
        """Copy `size` rows."""
        data = copy_data(size)
        [connection] = yield from opened(driver, 1)
        yield [driver.copying_in(connection, COPY_IN, copy_data(_WARM))]
        yield [driver.executing(connection, f"truncate {COPY_IN}")]
        values = yield from measured([driver.copying_in(connection, COPY_IN, data)], 1, size)
        yield from closed(driver, [connection])
        return {0: values}


class CopyOut(Workload):
    """COPY TO STDOUT."""

    def steps(self, driver: Driver, runtime: Runtime, size: int) -> Steps:
        """Copy the table, whose rows are `size`."""
        [connection] = yield from opened(driver, 1)
        values = yield from measured([driver.copying_out(connection, COPY_OUT)], 1, size)
        yield from closed(driver, [connection])
        return {0: values}
