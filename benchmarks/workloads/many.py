"""W2: how much a query costs in a busy server's process, where the hub always has somebody to wake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.tables import ACCOUNTS, ACCOUNTS_ROWS
from benchmarks.workloads.base import Workload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.contenders.base import Contender, Job

_STRIDE = 7919  # a prime: every account, in no order that a cache likes


class Many(Workload):
    """A hundred green threads, each with its own connection."""

    name = "W2"
    title = "one account by its key, 100 green threads, each with its own connection"
    connections = 100
    count = 20_000
    quick_count = 200

    def __init__(self, contender: Contender) -> None:
        super().__init__(contender)
        self._connections = [contender.connect() for _ in range(self.connections)]

    def jobs(self, count: int) -> Sequence[Job]:
        """Return a job for each connection."""
        sql = f"SELECT id, abalance FROM {ACCOUNTS} WHERE id = $1"
        each = count // self.connections
        keys = [i * _STRIDE % ACCOUNTS_ROWS for i in range(count)]
        return [
            self.contender.querying(connection, sql, keys[i * each : (i + 1) * each])
            for i, connection in enumerate(self._connections)
        ]
