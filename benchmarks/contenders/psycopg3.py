"""psycopg 3 as it comes, in native threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from benchmarks.contenders.plain import Plain

if TYPE_CHECKING:
    from benchmarks.contenders.base import Job


class Psycopg3(Plain):
    """psycopg 3, blocking; what it has in common with psycopg2 is inherited."""

    name = "psycopg3"
    title = "psycopg 3, threads"
    packages: ClassVar[tuple[str, ...]] = ("psycopg",)
    rivals: ClassVar[tuple[str, ...]] = ()
    can_copy = True

    def start(self) -> None:
        """Import psycopg."""
        import psycopg

        self._connect: Any = psycopg.connect

    def copying_in(self, connection: Any, sql: str, data: bytes, count: int) -> Job:
        """Return a job that writes what is in memory, all at once."""

        def copy() -> None:
            with connection.cursor() as cursor:
                for _ in range(count):
                    with cursor.copy(sql) as copying:
                        copying.write(data)

        return copy

    def copying_out(self, connection: Any, sql: str, count: int) -> Job:
        """Return a job that keeps what it reads in memory."""

        def copy() -> None:
            with connection.cursor() as cursor:
                for _ in range(count):
                    with cursor.copy(sql) as copying:
                        b"".join(copying)

        return copy
