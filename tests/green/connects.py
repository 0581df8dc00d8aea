"""Connecting, and what there is to see of it afterwards."""

from __future__ import annotations

import gc
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from tests.green.plain import plain_psycopg2
from tests.green.sessions import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REFUSED = "1"
"""A port that nobody listens on."""


@contextmanager
def nothing_left() -> Iterator[None]:
    """Check that the body leaves no file descriptor open.

    Native threads that cancel what tests before have left behind open and close theirs, so it is asked again.
    """
    time.sleep(0.001)  # the hub, if this is its first time, opens files of its own
    gc.collect()
    before = set(os.listdir("/proc/self/fd"))
    yield
    gc.collect()
    wait_for(lambda: set(os.listdir("/proc/self/fd")) <= before, time.sleep)


def hosts(dsn: str, *ports: Any, **options: Any) -> str:
    """Return `dsn` with 127.0.0.1 as often as there are ports, and a second for each."""
    return make_dsn(
        dsn,
        **{
            "host": ",".join(["127.0.0.1"] * len(ports)),
            "port": ",".join(map(str, ports)),
            "connect_timeout": 1,
            "password": "none",  # for the server that stops after it has asked for one
            **options,
        },
    )


def error_of(dsn: str) -> psycopg2.Error:
    """Return the error that connecting ends with."""
    with pytest.raises(psycopg2.Error) as caught:
        psycopg2.connect(dsn).close()
    return caught.value


def port_reached(dsn: str, **options: Any) -> str:
    """Return the port that was connected to."""
    conn = psycopg2.connect(dsn, **options)
    try:
        with conn.cursor() as cursor:
            cursor.execute("select 42")
            assert cursor.fetchone() == (42,)
        return str(conn.info.port)
    finally:
        conn.close()


def outcome(connect: Callable[..., Any], dsn: str) -> dict[str, Any]:
    """Return how connecting ended: all that a connection says of how it was made, or the error."""
    try:
        conn = connect(dsn)
    except psycopg2.Error as error:
        return {"error": (type(error), str(error), error.pgcode)}
    try:
        return {
            "dsn": conn.dsn,
            "parameters": conn.get_dsn_parameters(),
            **{
                name: getattr(conn.info, name)
                for name in ("host", "port", "dbname", "user", "options", "password")
            },
            "info": conn.info.dsn_parameters.keys() - {"hostaddr"},
            "in use": (conn.info.needs_password, conn.info.used_password, conn.info.ssl_in_use),
        }
    finally:
        conn.close()


def outcome_of_plain(dsn: str) -> dict[str, Any]:
    """Return the `outcome()` of psycopg2 itself."""
    with plain_psycopg2() as connect:
        return outcome(connect, dsn)
