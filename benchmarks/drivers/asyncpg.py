"""asyncpg: the protocol in Cython, binary both ways, every statement prepared and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.drivers.base import AsyncDriver, arguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.runtimes.base import Job


class Asyncpg(AsyncDriver):
    """asyncpg by its own names."""

    packages = ("asyncpg",)

    def start(self) -> None:
        """Import asyncpg."""
        import asyncpg  # type: ignore[import-untyped]

        self._connect: Any = asyncpg.connect
        parts = arguments(self.dsn)
        names = {"host": "host", "port": "port", "user": "user", "password": "password", "dbname": "database"}
        self._arguments: dict[str, Any] = {names[name]: parts[name] for name in names if name in parts}
        if "search_path" in parts:
            self._arguments["server_settings"] = {"search_path": parts["search_path"]}

    async def connect(self) -> Any:
        """Return a connection, where each statement is a transaction as it is."""
        return await self._connect(**self._arguments)

    def querying(
        self, connection: Any, sql: str, values: Sequence[object], keep: list[Any] | None = None
    ) -> Job:
        """Return a job."""

        async def query() -> None:
            fetch = connection.fetch
            for value in values:
                rows = await fetch(sql, value)
                if keep is not None:
                    keep.append(rows)
                del rows

        return query

    def inserting(self, connection: Any, sql: str, rows: Sequence[tuple[object, ...]]) -> Job:
        """Return a job; executemany() is one transaction by itself."""
        return lambda: connection.executemany(sql, rows)

    def copying_in(self, connection: Any, table: str, data: bytes) -> Job:
        """Return a job that gives what is in memory, but not as bytes: those would be a file name."""
        return lambda: connection.copy_to_table(table, source=memoryview(data))

    def copying_out(self, connection: Any, table: str) -> Job:
        """Return a job that keeps what it is given in memory."""

        async def copy() -> None:
            blocks: list[bytes] = []

            async def keep(block: bytes) -> None:
                blocks.append(block)

            await connection.copy_from_table(table, output=keep)
            b"".join(blocks)

        return copy
