"""pg8000: the protocol in pure Python."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from benchmarks.drivers.base import arguments
from benchmarks.drivers.dbapi import Psycopg2

if TYPE_CHECKING:
    from benchmarks.runtimes.base import Job


class Pg8000(Psycopg2):
    """pg8000 by its PEP 249 face."""

    packages = ("pg8000",)

    def start(self) -> None:
        """Import pg8000."""
        import pg8000.dbapi  # type: ignore[import-untyped]

        self._connect = pg8000.dbapi.connect
        parts = arguments(self.dsn)
        folder = parts.get("host", "").startswith("/")
        port = parts.get("port", "5432")
        self._arguments: dict[str, Any] = {
            "user": parts["user"],
            "password": parts.get("password"),
            "database": parts.get("dbname"),
            "startup_params": {"search_path": parts.get("search_path", "public")},
            **({"unix_sock": f"{parts['host']}/.s.PGSQL.{port}"} if folder else {}),
            **({} if folder else {"host": parts.get("host", "localhost"), "port": int(port)}),
        }

    def connect(self) -> Any:
        """Return a connection in autocommit mode."""
        connection = self._connect(**self._arguments)
        connection.autocommit = True
        return connection

    def copying_in(self, connection: Any, table: str, data: bytes) -> Job:
        """Return a job that has it read from memory."""
        return lambda: connection.cursor().execute(f"copy {table} from stdin", stream=BytesIO(data))

    def copying_out(self, connection: Any, table: str) -> Job:
        """Return a job that has it write to memory."""
        return lambda: connection.cursor().execute(f"copy {table} to stdout", stream=BytesIO())
