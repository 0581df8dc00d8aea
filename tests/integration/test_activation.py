"""Connections that were there before `patch()`, or are still there after `unpatch()`."""

from __future__ import annotations

import pytest

from tests import fresh
from tests.test_activation import MONKEY, PROLOGUE

pytestmark = pytest.mark.subprocess

# `others_run(connection)`: whether another green thread runs while the connection waits for the server.
PRELUDE = (
    PROLOGUE
    + """
import os, psycopg2

dsn = os.environ["DSN"]

def others_run(connection):
    import threading, time
    holder = psycopg2.connect(dsn)

    def release():
        time.sleep(0)  # not before somebody lets others run
        holder.cursor().execute("select pg_advisory_unlock(4713)")

    with connection.cursor() as cursor:
        holder.cursor().execute("select pg_advisory_lock(4713)")
        thread = threading.Thread(target=release)
        thread.start()
        cursor.execute("set statement_timeout = 1500")
        try:
            cursor.execute("select pg_advisory_xact_lock(4713)")
        except psycopg2.errors.QueryCanceled:
            return False
        finally:
            connection.rollback()
            thread.join()
            holder.close()
    return True
"""
)


@pytest.fixture(params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in MONKEY])
def runtime(request: pytest.FixtureRequest) -> str:
    """Each runtime that greenpg has a `patch()` for."""
    return str(request.param)


def run(code: str, runtime: str, dsn: str) -> None:
    """Run code after the prelude; its asserts are the test."""
    source = PRELUDE + code
    fresh.run_python(source, runtime, *MONKEY[runtime], env={"GREENPG_AUTO": "0", "DSN": dsn})


def test_connections_from_before_and_after(runtime: str, dsn: str) -> None:
    run(
        """
before, callers_own = psycopg2.connect(dsn), psycopg2.connect(dsn, async_=True)
monkey_patch()
psycopg2.extensions.set_wait_callback(None)  # eventlet's own
green.patch()
assert logged == [
    "WARNING 1 psycopg2 connection(s) opened before the patch: in a forked worker they are its parent's,"
    " and an interruption closes them; open connections in the worker",
    line,
], logged
after = psycopg2.connect(dsn)
assert others_run(before)
assert others_run(after)
green.patch()
assert len(logged) == 2
""",
        runtime,
        dsn,
    )


def test_green_connections_outlive_the_patch(runtime: str, dsn: str) -> None:
    run(
        """
monkey_patch()
psycopg2.extensions.set_wait_callback(None)
green.patch()
connection = psycopg2.connect(dsn)
cursor = connection.cursor()
assert others_run(connection)
green.unpatch()
assert not others_run(connection)
assert not others_run(psycopg2.connect(dsn))
cursor.execute("select 42")
assert cursor.fetchone() == (42,)
connection.commit()
green.patch()
assert others_run(connection)
connection.close()
""",
        runtime,
        dsn,
    )
