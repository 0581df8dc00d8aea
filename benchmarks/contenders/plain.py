"""psycopg2 as it comes, in native threads: the reference, and what the green contenders are made of."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar

from benchmarks.contenders.base import Contender

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.contenders.base import Job


class Plain(Contender):
    """psycopg2, blocking."""

    name = "plain"
    title = "psycopg2, threads"
    packages: ClassVar[tuple[str, ...]] = ("psycopg2",)

    def start(self) -> None:
        """Import psycopg2."""
        import psycopg2

        self._connect: Any = psycopg2.connect

    def run(self, jobs: Sequence[Job]) -> None:
        """Run one job here, several in native threads."""
        if len(jobs) == 1:
            jobs[0]()
            return
        with ThreadPoolExecutor(len(jobs)) as threads:
            for future in [threads.submit(job) for job in jobs]:
                future.result()

    def connect(self) -> Any:
        """Return a connection in autocommit mode."""
        connection = self._connect(self.dsn)
        connection.autocommit = True
        return connection

    def querying(self, connection: Any, sql: str, values: Sequence[object]) -> Job:
        """Return a job that uses one cursor."""
        statement = sql.replace("$1", "%s")

        def query() -> None:
            cursor = connection.cursor()
            execute, fetchall = cursor.execute, cursor.fetchall
            for value in values:
                execute(statement, (value,))
                fetchall()

        return query

    def copying_in(self, connection: Any, sql: str, data: bytes, count: int) -> Job:
        """Return a job that reads from memory."""

        def copy() -> None:
            with connection.cursor() as cursor:
                for _ in range(count):
                    cursor.copy_expert(sql, BytesIO(data))

        return copy

    def copying_out(self, connection: Any, sql: str, count: int) -> Job:
        """Return a job that writes to memory."""

        def copy() -> None:
            with connection.cursor() as cursor:
                for _ in range(count):
                    cursor.copy_expert(sql, BytesIO())

        return copy

    def connecting(self, count: int) -> Job:
        """Return a job that holds one connection at a time."""

        def connect() -> None:
            for _ in range(count):
                self._connect(self.dsn).close()

        return connect
