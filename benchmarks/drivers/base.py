"""What a driver does for a workload: it makes jobs. They hold the loops: nothing of ours is measured."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.runtimes.base import Job


class Driver(ABC):
    """One driver in one colour. SQL comes with `$1`, `$2`, in that order and once each."""

    packages: ClassVar[tuple[str, ...]]
    """The modules that it needs."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    @abstractmethod
    def start(self) -> None:
        """Import what is needed; the runtime has been started."""

    @abstractmethod
    def opening(self) -> Job:
        """Return a job: connect. Its result is a connection where each statement is a transaction."""

    def closing(self, connection: Any) -> Job:
        """Return a job: close the connection."""
        close: Job = connection.close
        return close

    @abstractmethod
    def connecting(self, count: int) -> Job:
        """Return a job: connect and close `count` times."""

    @abstractmethod
    def executing(self, connection: Any, sql: str) -> Job:
        """Return a job: execute a statement that gives no rows."""

    @abstractmethod
    def querying(
        self, connection: Any, sql: str, values: Sequence[object], keep: list[Any] | None = None
    ) -> Job:
        """Return a job: execute `sql` for each value of its one parameter, and fetch all rows.

        :param keep: where to put the rows of each; by default, they are let go of
        """

    @abstractmethod
    def inserting(self, connection: Any, sql: str, rows: Sequence[tuple[object, ...]]) -> Job:
        """Return a job: execute `sql` for every row of parameters, by one executemany()."""

    @abstractmethod
    def copying_in(self, connection: Any, table: str, data: bytes) -> Job:
        """Return a job: COPY `data`, in text format, into a table."""

    @abstractmethod
    def copying_out(self, connection: Any, table: str) -> Job:
        """Return a job: COPY a table, in text format, into memory."""


class AsyncDriver(Driver):
    """A driver whose jobs make awaitables."""

    @abstractmethod
    async def connect(self) -> Any:
        """Return a connection where each statement is a transaction."""

    def opening(self) -> Job:
        """Return `connect`."""
        return self.connect

    def connecting(self, count: int) -> Job:
        """Return a job that holds one connection at a time."""

        async def connect() -> None:
            for _ in range(count):
                await (await self.connect()).close()

        return connect

    def executing(self, connection: Any, sql: str) -> Job:
        """Return a job."""
        return lambda: connection.execute(sql)


def with_percent_s(sql: str) -> str:
    """Return SQL with the placeholders of most drivers."""
    return re.sub(r"\$\d+", "%s", sql)


def arguments(dsn: str) -> dict[str, str]:
    """Return a connection string's parts, with `search_path` taken out of its `options`.

    :param dsn: keywords and values, as `tables()` gives it. It is read here, and not by libpq, for the
        process may be that of a driver which has none.
    """
    parts = {name: _unquoted(value) for name, value in re.findall(r"(\w+)=('(?:\\.|[^'])*'|\S*)", dsn)}
    if found := re.search(r"-c search_path=(\S+)", parts.pop("options", "")):
        parts["search_path"] = found.group(1)
    return parts


def _unquoted(value: str) -> str:
    inner = value[1:-1] if value.startswith("'") else value
    return re.sub(r"\\(.)", r"\1", inner)
