"""A WSGI application that tells what its worker does; on $DRIVER, in the green threads of $RUNTIME."""

from __future__ import annotations

import os
from contextlib import closing, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

driver: Any = import_module(os.environ.get("DRIVER", "psycopg2"))


def query(connection: Any, sql: str) -> str:
    with closing(connection.cursor()) as cursor:
        cursor.execute(sql)
        return str(cursor.fetchone()[0])


def limited() -> str:
    """Ask for a minute, take a moment, and go on with the same connection."""
    runtime: Any = import_module(os.environ["RUNTIME"])
    with closing(driver.connect("")) as connection:
        with suppress(runtime.Timeout), runtime.Timeout(0.2):
            query(connection, "select 13 from pg_sleep(60)")
        connection.rollback()
        return query(connection, "select 42")


def answer(path: str) -> str:
    if path == "/sleep":
        with closing(driver.connect("")) as connection:
            return query(connection, "select 42 from pg_sleep(0.3)")
    if path == "/held":
        with closing(driver.connect("")) as connection:
            return query(connection, "select 42 from pg_advisory_xact_lock_shared(4715)")
    if path == "/minute":
        with closing(driver.connect("")) as connection:
            return query(connection, "select 42 from pg_sleep(60)")
    if path == "/limited":
        return limited()
    if path == "/pid":
        return str(os.getpid())
    while path == "/hold":
        pass
    return "hello"


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/file":
        file = open(os.environ["FILE"], "rb")  # noqa: SIM115 # the server closes it
        chunks: Iterable[bytes] = environ["wsgi.file_wrapper"](file)
        return chunks
    return [answer(environ["PATH_INFO"]).encode()]
