"""A WSGI application on psycopg 3's pool, which is open from the start: --preload opens it in the master."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg_pool import ConnectionPool

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

pool: ConnectionPool[Any] = ConnectionPool("", min_size=2, max_size=10, open=True)
pool.wait()


def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/":
        return [b"hello"]
    with pool.connection() as connection:
        (answer,) = connection.execute("select 42 from pg_sleep(0.3)").fetchone() or [None]
    return [str(answer).encode()]
