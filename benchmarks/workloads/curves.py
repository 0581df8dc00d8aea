"""How cost grows: with connections, rows and columns, a power of ten at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.tables import WIDE
from benchmarks.workloads.base import Workload, closed, measured, opened
from benchmarks.workloads.queries import by_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from benchmarks.drivers.base import Driver
    from benchmarks.runtimes.base import Runtime, Steps

_WARM = 10
_ROWS = 10
"""Of a result with many columns."""


def _points(size: int) -> Iterator[int]:
    point = 1
    while point <= size:
        yield point
        point *= 10


class ByConnections(Workload):
    """The queries of W2, on ever more connections at once."""

    def steps(self, driver: Driver, runtime: Runtime, size: int) -> Steps:
        """Go up to `size` connections."""
        connections: list[Any] = []
        found = {}
        for point in _points(size):
            connections += yield from opened(driver, point - len(connections))
            yield by_key(driver, connections, _WARM * point)
            count = max(1000, 5 * point)
            found[point] = yield from measured(by_key(driver, connections, count), count)
        yield from closed(driver, connections)
        return found


class ByRows(Workload):
    """The rows of W3, ever more of them."""

    def steps(self, driver: Driver, runtime: Runtime, size: int) -> Steps:
        """Go up to `size` rows."""
        [connection] = yield from opened(driver, 1)
        sql = f"select * from {WIDE} where id <= $1"
        yield [driver.querying(connection, sql, [1] * _WARM)]
        found = {}
        for point in _points(size):
            count = max(1, min(300, 10_000 // point))
            job = driver.querying(connection, sql, [point] * count)
            found[point] = yield from measured([job], count, point)
        yield from closed(driver, [connection])
        return found


class ByColumns(Workload):
    """Ten rows of integers, ever wider."""

    def steps(self, driver: Driver, runtime: Runtime, size: int) -> Steps:
        """Go up to `size` columns."""
        [connection] = yield from opened(driver, 1)
        found = {}
        for point in _points(size):
            sql = f"select {', '.join('i' * point)} from generate_series(1, $1::int) i"
            yield [driver.querying(connection, sql, [_ROWS] * _WARM)]
            count = max(10, min(300, 3000 // point))
            found[point] = yield from measured([driver.querying(connection, sql, [_ROWS] * count)], count)
        yield from closed(driver, [connection])
        return found
