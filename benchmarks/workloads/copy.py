"""W5: how much it costs to move many rows at once, in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.tables import COPY_IN, COPY_OUT, COPY_ROWS, copy_data
from benchmarks.workloads.base import Workload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.contenders.base import Contender, Job


class _Copy(Workload):
    unit = "ms"
    is_copy = True
    count = 3
    quick_count = 1

    def __init__(self, contender: Contender) -> None:
        super().__init__(contender)
        self._connection = contender.connect()


class CopyIn(_Copy):
    """COPY FROM STDIN."""

    name = "W5in"
    title = f"COPY IN of {COPY_ROWS} rows from prepared bytes"

    def __init__(self, contender: Contender) -> None:
        super().__init__(contender)
        self._connection.cursor().execute(f"truncate {COPY_IN}")
        self._data = copy_data()

    def jobs(self, count: int) -> Sequence[Job]:
        """Return one job."""
        return [self.contender.copying_in(self._connection, f"copy {COPY_IN} from stdin", self._data, count)]


class CopyOut(_Copy):
    """COPY TO STDOUT."""

    name = "W5out"
    title = f"COPY OUT of {COPY_ROWS} rows into memory"

    def jobs(self, count: int) -> Sequence[Job]:
        """Return one job."""
        return [self.contender.copying_out(self._connection, f"copy {COPY_OUT} to stdout", count)]
