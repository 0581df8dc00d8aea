"""A WSGI application on peewee and psycopg2."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from peewee import PostgresqlDatabase

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

database: Any = PostgresqlDatabase(os.environ["PGDATABASE"])


def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/":
        return [b"hello"]
    with database.connection_context():
        (answer,) = database.execute_sql("select 42 from pg_sleep(0.3)").fetchone()
    return [str(answer).encode()]
