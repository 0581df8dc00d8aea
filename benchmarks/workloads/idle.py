"""Idle: how much it costs to wait, which most connections do most of the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.workloads.base import Workload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.contenders.base import Contender, Job

_SECONDS = 4


class Idle(Workload):
    """Many connections, each in the midst of a statement that takes its time."""

    name = "idle"
    title = f"50 connections that wait for {_SECONDS} s at the same time, all of them together"
    unit = "ms"
    connections = 50
    count = 1
    quick_count = 1

    def __init__(self, contender: Contender) -> None:
        super().__init__(contender)
        self._connections = [contender.connect() for _ in range(self.connections)]

    def warm_up(self, count: int) -> Sequence[Job]:
        """Return jobs that do not wait."""
        return self._waiting(0)

    def jobs(self, count: int) -> Sequence[Job]:
        """Return a job for each connection."""
        return self._waiting(*[_SECONDS] * count)

    def _waiting(self, *seconds: int) -> Sequence[Job]:
        sql = "select pg_sleep($1)"
        return [self.contender.querying(connection, sql, seconds) for connection in self._connections]
