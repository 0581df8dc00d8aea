"""psycopg 3 and greenpg's own driver, which has its names: both drivers in both colours."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from benchmarks.drivers.base import AsyncDriver, with_percent_s
from benchmarks.drivers.dbapi import Psycopg2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.runtimes.base import Job


class Psycopg3(Psycopg2):
    """psycopg 3, blocking; what it has in common with psycopg2 is inherited."""

    packages: ClassVar[tuple[str, ...]] = ("psycopg",)

    def start(self) -> None:
        """Import psycopg."""
        self._connect = import_module(*self.packages).Connection.connect

    def connect(self) -> Any:
        """Return a connection in autocommit mode."""
        return self._connect(self.dsn, autocommit=True)

    def copying_in(self, connection: Any, table: str, data: bytes) -> Job:
        """Return a job that writes what is in memory, all at once."""

        def copy() -> None:
            with connection.cursor().copy(f"copy {table} from stdin") as copying:
                copying.write(data)

        return copy

    def copying_out(self, connection: Any, table: str) -> Job:
        """Return a job that keeps what it reads in memory."""

        def copy() -> None:
            with connection.cursor().copy(f"copy {table} to stdout") as copying:
                b"".join(copying)

        return copy


class Greenpg(Psycopg3):
    """greenpg, blocking in style."""

    packages = ("greenpg",)


class AsyncPsycopg3(AsyncDriver):
    """psycopg 3, async."""

    packages: ClassVar[tuple[str, ...]] = ("psycopg",)

    def start(self) -> None:
        """Import psycopg."""
        self._connect: Any = import_module(*self.packages).AsyncConnection.connect

    async def connect(self) -> Any:
        """Return a connection in autocommit mode."""
        return await self._connect(self.dsn, autocommit=True)

    def querying(
        self, connection: Any, sql: str, values: Sequence[object], keep: list[Any] | None = None
    ) -> Job:
        """Return a job that uses one cursor."""
        statement = with_percent_s(sql)

        async def query() -> None:
            cursor = connection.cursor()
            execute, fetchall = cursor.execute, cursor.fetchall
            for value in values:
                await execute(statement, (value,))
                rows = await fetchall()
                if keep is not None:
                    keep.append(rows)
                del rows

        return query

    def inserting(self, connection: Any, sql: str, rows: Sequence[tuple[object, ...]]) -> Job:
        """Return a job, one transaction."""
        statement = with_percent_s(sql)

        async def insert() -> None:
            cursor = connection.cursor()
            await cursor.execute("begin")
            await cursor.executemany(statement, rows)
            await cursor.execute("commit")

        return insert

    def copying_in(self, connection: Any, table: str, data: bytes) -> Job:
        """Return a job that writes what is in memory, all at once."""

        async def copy() -> None:
            async with connection.cursor().copy(f"copy {table} from stdin") as copying:
                await copying.write(data)

        return copy

    def copying_out(self, connection: Any, table: str) -> Job:
        """Return a job that keeps what it reads in memory."""

        async def copy() -> None:
            async with connection.cursor().copy(f"copy {table} to stdout") as copying:
                b"".join([block async for block in copying])

        return copy


class AsyncGreenpg(AsyncPsycopg3):
    """greenpg, async."""

    packages = ("greenpg",)
