"""What a contender is: a driver in a runtime, and how both do what the workloads are made of.

Its rule: importing a contender imports neither driver nor runtime; `start()` does, in a process of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Job = Callable[[], Any]
    """What one green thread does; only the contender that has made it knows how to run it."""


class Contender(ABC):
    """One driver in one runtime. The jobs hold the loops, so that nothing of ours is in the figures."""

    name: ClassVar[str]
    title: ClassVar[str]
    packages: ClassVar[tuple[str, ...]]
    """The modules that it needs."""
    rivals: ClassVar[tuple[str, ...]] = ()
    """Whom its figures are compared with: the first that has some."""
    can_copy: ClassVar[bool] = True

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    @abstractmethod
    def start(self) -> None:
        """Make this process what the contender is about: import, monkey-patch, install callbacks."""

    @abstractmethod
    def run(self, jobs: Sequence[Job]) -> None:
        """Run the jobs at the same time, each in a green thread of its own, to their ends."""

    @abstractmethod
    def connect(self) -> Any:
        """Return a connection where each statement is a transaction."""

    @abstractmethod
    def querying(self, connection: Any, sql: str, values: Sequence[object]) -> Job:
        """Return a job: execute `sql` for each value of its one parameter, `$1`, and fetch the rows."""

    @abstractmethod
    def copying_in(self, connection: Any, sql: str, data: bytes, count: int) -> Job:
        """Return a job: COPY `data` to the server `count` times."""

    @abstractmethod
    def copying_out(self, connection: Any, sql: str, count: int) -> Job:
        """Return a job: COPY from the server into memory `count` times."""

    @abstractmethod
    def connecting(self, count: int) -> Job:
        """Return a job: connect and close `count` times."""
