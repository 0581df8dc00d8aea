"""Connecting by the core alone, in the runtime of a test: no shell, no connection object."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from greenpg import waiters
from greenpg._core.connecting import connect_steps
from greenpg._core.offload import _lookups
from greenpg._core.protocol import execute_gen
from greenpg.conninfo import make_conninfo
from greenpg.errors import Error
from greenpg.waiters.select import wait as block

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenpg.pq.abc import PGconn
    from tests.integration.driver.bed import Db

BLOCKING = pytest.mark.runtimes("select")
"""For what does not depend on who waits."""
REFUSED = "1"
"""A port that nobody listens on."""
LITTLE = 1.5
"""Seconds for each host where some never answer; the others must be able to, also on a busy machine."""


async def connect(db: Db, conninfo: str, **options: Any) -> PGconn:
    """Connect in the runtime of the test."""
    steps = connect_steps(conninfo, **options)
    if db.is_async:
        return await waiters.adrive_steps(steps, waiters.current_async())
    return waiters.drive_steps(steps, waiters.get_wait_callback())


async def port_reached(db: Db, conninfo: str, **options: Any) -> str:
    """Return the port that was connected to, once a statement has been answered there."""
    with closing_conn(await connect(db, conninfo, **options)) as conn:
        conn.send_query(b"select 42")
        if db.is_async:
            [result] = await waiters.adrive(execute_gen(conn), waiters.current_async(), 20)
        else:
            [result] = waiters.drive(execute_gen(conn), waiters.get_wait_callback(), 20)
        assert result.get_value(0, 0) == b"42"
        return conn.port.decode()


@contextmanager
def closing_conn(conn: PGconn) -> Iterator[PGconn]:
    """Finish a connection."""
    try:
        yield conn
    finally:
        conn.finish()


async def error_of(db: Db, conninfo: str, **options: Any) -> Error:
    """Return the error that connecting ends with."""
    with pytest.raises(Error) as caught:
        (await connect(db, conninfo, **options)).finish()
    return caught.value


def places(dsn: str, *ports: Any, **options: Any) -> str:
    """Return `dsn` with 127.0.0.1 as often as there are ports."""
    return make_conninfo(
        dsn,
        **{
            "host": ",".join(["127.0.0.1"] * len(ports)),
            "port": ",".join(map(str, ports)),
            "connect_timeout": 20,
            "password": "se cret",  # for the server that stops after it has asked for one
            **options,
        },
    )


@contextmanager
def resolver(
    monkeypatch: pytest.MonkeyPatch, names: dict[bytes, list[str] | None], seconds: float = 0.0
) -> Iterator[list[bytes]]:
    """Resolve names by a table, after a time; `None` is never answered. Yield the names asked for."""
    asked: list[bytes] = []
    over = threading.Event()

    def getaddrinfo(name: bytes, _port: None, **_: object) -> list[Any]:
        asked.append(name)
        addresses = names[name]
        over.wait(20 if addresses is None else seconds)
        return [(None, None, None, "", (address, 0)) for address in addresses or ()]

    monkeypatch.setattr("_socket.getaddrinfo", getaddrinfo)
    try:
        yield asked
    finally:
        over.set()
        for (_, host), lookup in tuple(_lookups.items()):
            if host.encode() in names:  # or who asks for the name next waits for this one
                waiters.drive(lookup.result_gen(), block, 20)
