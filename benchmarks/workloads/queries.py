"""W1, W2, idle: how much a statement costs, and how much it costs to wait for one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.tables import ACCOUNTS, ACCOUNTS_ROWS
from benchmarks.workloads.base import Workload, closed, measured, opened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from benchmarks.drivers.base import Driver
    from benchmarks.runtimes.base import Job, Runtime, Steps

_SMALLEST = "select $1::int"
_BY_KEY = f"SELECT id, abalance FROM {ACCOUNTS} WHERE id = $1"
_STRIDE = 7919  # a prime: every account, in no order that a cache likes
_EACH = 80
_SECONDS = 0.5
_WARM = 10
"""Queries on a connection after which every driver has prepared what it ever will."""


class One(Workload):
    """One connection, one query after the other."""

    def steps(self, driver: Driver, runtime: Runtime, size: int) -> Steps:
        """Execute `size` queries."""
        [connection] = yield from opened(driver, 1)
        yield [driver.querying(connection, _SMALLEST, range(max(_WARM, size // 10)))]
        values = yield from measured([driver.querying(connection, _SMALLEST, range(size))], size)
        yield from closed(driver, [connection])
        return {0: values}


class Many(Workload):
    """Many green threads or tasks, each with its own connection and 80 queries."""

    def steps(self, driver: Driver, runtime: Runtime, size: int) -> Steps:
        """Execute `size` queries in all."""
        connections = yield from opened(driver, size // _EACH)
        yield by_key(driver, connections, _WARM * len(connections))
        values = yield from measured(by_key(driver, connections, size), size)
        yield from closed(driver, connections)
        return {0: values}


def by_key(driver: Driver, connections: Sequence[Any], count: int) -> list[Job]:
    """Return a job for each connection, which are `count` queries in all."""
    each = count // len(connections)
    keys = [i * _STRIDE % ACCOUNTS_ROWS for i in range(count)]
    return [
        driver.querying(connection, _BY_KEY, keys[i * each : (i + 1) * each])
        for i, connection in enumerate(connections)
    ]


@dataclass(frozen=True)
class Idle(Workload):
    """Many connections, each in the midst of a statement that takes its time."""

    def steps(self, driver: Driver, runtime: Runtime, size: int) -> Steps:
        """Wait on `size` connections."""
        connections = yield from opened(driver, size)
        yield self._sleeping(driver, connections, 0)
        values = yield from measured(self._sleeping(driver, connections, _SECONDS), 1)
        yield from closed(driver, connections)
        return {0: values}

    @staticmethod
    def _sleeping(driver: Driver, connections: Sequence[Any], seconds: float) -> list[Job]:
        return [driver.querying(connection, "select pg_sleep($1)", [seconds]) for connection in connections]
