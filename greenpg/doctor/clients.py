"""How each driver is made to connect, to COPY and to cancel: what differs between those that are tried.

Its rule: plain use, as an application's; a driver that is not here is not tried.
"""

from __future__ import annotations

import io
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenpg.doctor.server import Target


class Client(NamedTuple):
    """A driver, ready to be tried."""

    connect: Callable[[], Any]
    copy: Callable[[Any, str], object] | None = None
    """Runs a `COPY ... TO STDOUT` on a connection; `None` where it is not tried."""
    cancels: bool = False
    """Whether connections have `cancel()`."""


def client(name: str, target: Target) -> Client | None:
    """Return the driver as it is to be tried; `None` if the doctor does not know how."""
    make = _CLIENTS.get(name)
    return None if make is None else make(target)


def query(connection: Any, sql: str) -> Any:
    """Return the first column of the only row, and leave no transaction open."""
    cursor = connection.cursor()
    try:
        cursor.execute(sql)
        ((value, *_),) = cursor.fetchall()
    finally:
        cursor.close()
    return value


def _psycopg2(target: Target) -> Client:
    driver: Any = import_module("psycopg2")
    return Client(lambda: driver.connect(target.dsn), _copy_expert, cancels=True)


def _psycopg2cffi(target: Target) -> Client:
    driver: Any = import_module("psycopg2cffi")
    return Client(lambda: driver.connect(target.dsn))


def _psycopg(target: Target) -> Client:
    driver: Any = import_module("psycopg")
    return Client(lambda: driver.connect(target.dsn), _copy, cancels=True)


def _pg8000(target: Target) -> Client | None:
    driver: Any = import_module("pg8000.dbapi")
    told = target.parameters
    if target.server.encrypted:  # how to verify its certificate would be another question
        return None
    host, port = told.get("host", ""), int(told.get("port") or 5432)
    socket = (
        {"unix_sock": f"{host}/.s.PGSQL.{port}"} if host.startswith("/") else {"host": host or "localhost"}
    )
    options = {"user": told.get("user"), "password": told.get("password"), "database": told.get("dbname")}
    return Client(lambda: driver.connect(**options, **socket, port=port))


def _copy_expert(connection: Any, sql: str) -> None:
    connection.cursor().copy_expert(sql, io.BytesIO())


def _copy(connection: Any, sql: str) -> None:
    with connection.cursor().copy(sql) as rows:
        for _ in rows:
            pass


_CLIENTS: dict[str, Callable[[Target], Client | None]] = {
    "psycopg2": _psycopg2,
    "psycopg": _psycopg,
    "psycopg2cffi": _psycopg2cffi,
    "pg8000": _pg8000,
}
