"""docs/examples/uwsgi/app.py with psycopg 3."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def application(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    if environ["PATH_INFO"] == "/slow":
        with psycopg.connect("") as connection:
            connection.execute("select pg_sleep(0.3)")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]
