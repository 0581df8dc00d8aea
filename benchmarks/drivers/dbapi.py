"""psycopg2, and what the drivers that block have in common: PEP 249."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar

from benchmarks.drivers.base import Driver, with_percent_s

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.runtimes.base import Job


class Psycopg2(Driver):
    """psycopg2: text both ways, no prepared statements."""

    packages: ClassVar[tuple[str, ...]] = ("psycopg2",)

    def start(self) -> None:
        """Import psycopg2."""
        import psycopg2

        self._connect: Any = psycopg2.connect

    def connect(self) -> Any:
        """Return a connection in autocommit mode."""
        connection = self._connect(self.dsn)
        connection.autocommit = True
        return connection

    def opening(self) -> Job:
        """Return `connect`."""
        return self.connect

    def connecting(self, count: int) -> Job:
        """Return a job that holds one connection at a time."""

        def connect() -> None:
            for _ in range(count):
                self.connect().close()

        return connect

    def executing(self, connection: Any, sql: str) -> Job:
        """Return a job."""
        return lambda: connection.cursor().execute(sql)

    def querying(
        self, connection: Any, sql: str, values: Sequence[object], keep: list[Any] | None = None
    ) -> Job:
        """Return a job that uses one cursor."""
        statement = with_percent_s(sql)

        def query() -> None:
            cursor = connection.cursor()
            execute, fetchall = cursor.execute, cursor.fetchall
            for value in values:
                execute(statement, (value,))
                rows = fetchall()
                if keep is not None:
                    keep.append(rows)
                del rows

        return query

    def inserting(self, connection: Any, sql: str, rows: Sequence[tuple[object, ...]]) -> Job:
        """Return a job, one transaction."""
        statement = with_percent_s(sql)

        def insert() -> None:
            cursor = connection.cursor()
            cursor.execute("begin")
            cursor.executemany(statement, rows)
            cursor.execute("commit")

        return insert

    def copying_in(self, connection: Any, table: str, data: bytes) -> Job:
        """Return a job that has it read from memory."""
        return lambda: connection.cursor().copy_expert(f"copy {table} from stdin", BytesIO(data))

    def copying_out(self, connection: Any, table: str) -> Job:
        """Return a job that has it write to memory."""
        return lambda: connection.cursor().copy_expert(f"copy {table} to stdout", BytesIO())
