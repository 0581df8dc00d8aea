"""A WSGI application with a health check: whether this very worker is green."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import psycopg2
from sqlalchemy import create_engine

from greenpg import doctor

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

engine = create_engine("postgresql+psycopg2://")


def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/":
        return [b"hello"]
    dsn = os.environ["TRIED"] if environ["PATH_INFO"] == "/try" else None
    report = doctor.examine(dsn, concurrency=3, seconds=0.3)
    return [json.dumps({"libpq": psycopg2.__libpq_version__, **report.as_dict()}).encode()]
