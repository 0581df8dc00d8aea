"""A headless run of locust: the how-to's visitors on psycopg2, others on psycopg 3, and greenpg installed."""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing

import psycopg2
import pytest

from tests import fresh
from tests.integration.served import APPS, libpq_variables

pytestmark = [pytest.mark.subprocess, pytest.mark.slow, pytest.mark.gevent]

COMMAND = "locust --headless --users=10 --spawn-rate=10 --run-time=4s"
SECONDS = 4.0
NAME = f"locust_{os.getpid()}"


def test_users_query_at_once(dsn: str) -> None:
    """Without greenpg it does not even end: nobody comes to look at the time."""
    ran = fresh.run(
        *(sys.executable, "-m", *COMMAND.split(), "--json", "--skip-log"),
        *("--locustfile", f"locustfile.py,{APPS / 'locust_psycopg.py'}"),
        env={**libpq_variables(dsn), "PGAPPNAME": NAME},
        cwd=fresh.ROOT / "docs" / "examples" / "locust",
    )
    assert ran.end == "ended with 0", ran
    requests = json.loads(ran.stdout)
    assert {request["name"] for request in requests} == {"look around", "read"}
    assert [request["num_failures"] for request in requests] == [0, 0]
    # ten users who have done nothing but wait; one after the other they would have the time there is
    assert sum(request["total_response_time"] for request in requests) / 1000 > 1.5 * SECONDS, ran
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select query from pg_stat_activity where application_name = %s and state = 'active'", [NAME]
        )
        assert cursor.fetchall() == []
