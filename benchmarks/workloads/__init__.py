"""The workloads, by the names that `--workload` takes, in the order of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.workloads.connect import Connect
from benchmarks.workloads.copy import CopyIn, CopyOut
from benchmarks.workloads.idle import Idle
from benchmarks.workloads.many import Many
from benchmarks.workloads.one import One

if TYPE_CHECKING:
    from benchmarks.workloads.base import Workload

WORKLOADS: dict[str, type[Workload]] = {
    workload.name: workload for workload in (One, Many, CopyIn, CopyOut, Connect, Idle)
}
