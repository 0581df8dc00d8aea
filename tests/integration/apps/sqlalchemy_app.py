"""A WSGI application on SQLAlchemy and $DRIVER."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, text

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

engine = create_engine(
    f"postgresql+{os.environ.get('DRIVER', 'psycopg2')}://",
    pool_size=int(os.environ.get("POOL_SIZE", "10")),
    max_overflow=0,
)


def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/":
        return [b"hello"]
    with engine.connect() as connection:
        answer = connection.execute(text("select 42 from pg_sleep(0.3)")).scalar_one()
    return [str(answer).encode()]
