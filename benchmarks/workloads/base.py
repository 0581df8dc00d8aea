"""What a workload is: jobs for green threads, and how many operations they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.contenders.base import Contender, Job


class Workload(ABC):
    """Something to do again and again, by any contender that can."""

    name: ClassVar[str]
    title: ClassVar[str]
    unit: ClassVar[str] = "µs"
    """Of the figures: µs or ms."""
    connections: ClassVar[int] = 1
    is_copy: ClassVar[bool] = False
    count: ClassVar[int]
    """Operations in a measurement."""
    quick_count: ClassVar[int]
    """The same with `--quick`: enough to see that it works."""

    def __init__(self, contender: Contender) -> None:
        """Connect, and make ready what is not to be measured; the contender has been started."""
        self.contender = contender

    def warm_up(self, count: int) -> Sequence[Job]:
        """Return the jobs that come before the `count` operations that are measured."""
        return self.jobs(max(self.connections, count // 10))

    @abstractmethod
    def jobs(self, count: int) -> Sequence[Job]:
        """Return the jobs that do `count` operations, to be run at the same time."""
