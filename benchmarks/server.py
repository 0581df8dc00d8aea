"""The server of a run: the embedded one, made ready for measuring, or one that is given and left as it is."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.scheduling import share_one_processor
from benchmarks.tables import execute

if TYPE_CHECKING:
    from collections.abc import Iterator

_SETTINGS = {
    "max_connections": 1020,
    "autovacuum": "off",  # it would work while we measure
    "checkpoint_timeout": "1h",
    "max_wal_size": "8GB",
    "shared_buffers": "256MB",
}


@dataclass(frozen=True)
class Server:
    """A PostgreSQL that answers."""

    dsn: str
    version: str
    """What it says it is."""
    most_connections: int
    processors: frozenset[int] = frozenset()
    """Those of the machine, if client and server share one of them and take turns on it."""


@contextmanager
def serving(dsn: str | None) -> Iterator[Server]:
    """Give the server of `dsn`; without one, an embedded server that lasts as long as the context.

    :raises ServerUnavailableError: the embedded server cannot be started
    :raises psycopg2.Error: the server cannot be reached
    """
    from greenpg.testing.server import EmbeddedServer

    if dsn:
        yield _ask(dsn)
        return
    with EmbeddedServer(settings=_SETTINGS) as embedded:
        yield _ask(embedded.dsn, share_one_processor(embedded.pid))


def _ask(dsn: str, processors: frozenset[int] = frozenset()) -> Server:
    [(version, most)] = execute(dsn, "select version(), current_setting('max_connections')::int")
    return Server(dsn, version, most, processors)
