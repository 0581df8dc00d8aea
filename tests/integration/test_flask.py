"""Flask-SQLAlchemy under gunicorn's gevent worker: the how-to's application, and greenpg installed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psycopg2
import pytest

from tests.fresh import ROOT
from tests.integration.served import Served

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.subprocess, pytest.mark.slow, pytest.mark.gevent]

COMMAND = "gunicorn -k gevent app:app"
NAME = f"flask_{os.getpid()}"
REQUESTS = 10
"""As many as the pool has connections; each takes 0.3 s."""
GREEN = 2.0
"""Seconds within which all are answered; one after the other they take three."""


@pytest.fixture(scope="module")
def server(dsn: str) -> Iterator[Served]:
    """The application, behind one worker."""
    env = {"GUNICORN_CMD_ARGS": "--bind=127.0.0.1:0 --no-control-socket", "PGAPPNAME": NAME}
    folders = [ROOT / "docs" / "examples" / "flask"]
    with Served("-m", *COMMAND.split(), dsn=dsn, env=env, folders=folders) as server:
        yield server


def sessions(dsn: str) -> dict[int, str]:
    """Return the application's sessions, and what they do."""
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute("select pid, state from pg_stat_activity where application_name = %s", [NAME])
        found: dict[int, str] = dict(cursor.fetchall())
    connection.close()
    return found


def test_requests_overlap_and_give_their_sessions_back(server: Served, dsn: str) -> None:
    for _ in range(3):  # more than the pool has, and may have for a time
        answers, seconds = server.get_at_once("/slow", REQUESTS)
        assert answers == ["hello"] * REQUESTS, server.log
        assert seconds < GREEN
    assert set(sessions(dsn).values()) == {"idle"}  # in no transaction


def test_timeout_cancels_on_the_server(server: Served, dsn: str) -> None:
    server.get("/slow")
    before = sessions(dsn)
    assert server.get("/limited") == "HTTP Error 504: GATEWAY TIMEOUT", server.log
    assert sessions(dsn) == before
    assert server.get("/slow") == "hello", server.log
