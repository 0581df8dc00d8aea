"""The driver as it is without greenpg, in a process that has it: it tells what is right."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from psycopg2 import _psycopg, extensions

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def plain_psycopg2() -> Iterator[Any]:
    """Give psycopg2's own `connect(dsn)`; in the body no wait callback is set, and whatever waits blocks."""
    ours = extensions.get_wait_callback()
    extensions.set_wait_callback(None)
    try:
        yield _psycopg._connect
    finally:
        extensions.set_wait_callback(ours)
