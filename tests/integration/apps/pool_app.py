"""A WSGI application on psycopg2's own pool, which connects under a lock."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from psycopg2.pool import ThreadedConnectionPool

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

pool = ThreadedConnectionPool(int(os.environ.get("MIN_CONNECTIONS", "0")), 20, "")


def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/":
        return [b"hello"]
    connection = pool.getconn()
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("select 42 from pg_sleep(0.3)")
            ((answer,),) = cursor.fetchall()
    finally:
        pool.putconn(connection)
    return [str(answer).encode()]
