"""The driver as it is without greenpg, in a process that has it: it tells what is right."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2 import _psycopg, extensions

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def plain_psycopg2() -> Iterator[Any]:
    """Give `psycopg2.connect`, plain; in the body no wait callback is set, and whatever waits blocks."""
    driver: Any = psycopg2
    callback, connect = extensions.get_wait_callback(), driver._connect
    extensions.set_wait_callback(None)
    driver._connect = _psycopg._connect
    try:
        yield psycopg2.connect
    finally:
        driver._connect = connect
        extensions.set_wait_callback(callback)
