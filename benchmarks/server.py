"""The server of a run: the embedded one, made ready for measuring, or one that is given and left as it is."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.scheduling import share_one_processor
from benchmarks.tables import execute

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Server:
    """A PostgreSQL that answers."""

    dsn: str
    version: str
    """What it says it is."""
    most_connections: int
    shares_processor: bool
    """Whether client and server have one processor and take turns on it."""


@contextmanager
def serving(dsn: str | None) -> Iterator[Server]:
    """Give the server of `dsn`; without one, an embedded server that lasts as long as the context.

    :raises ServerUnavailableError: the embedded server cannot be started
    :raises psycopg2.Error: the server cannot be reached
    """
    from greenpg.testing.server import EmbeddedServer

    if dsn:
        yield _ask(dsn, shares_processor=False)
        return
    with EmbeddedServer() as embedded:
        yield _ask(embedded.dsn, shares_processor=share_one_processor(embedded.pid))


def _ask(dsn: str, *, shares_processor: bool) -> Server:
    [(version, most)] = execute(dsn, "select version(), current_setting('max_connections')::int")
    return Server(dsn, version, most, shares_processor)
