"""psycopg 3.2 and 3.3, the newest and the oldest of each, in C and in Python, imported before and after."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version

import pytest

from tests import fresh
from tests.psycopg_versions import ALL, Psycopg

pytestmark = [pytest.mark.subprocess, pytest.mark.slow]

LIMIT = 1.0
"""Seconds for ten sleeps of 0.3 s; one after the other they take 3."""


@pytest.fixture(params=ALL, ids=str)
def psycopg(request: pytest.FixtureRequest) -> Psycopg:
    """Each version, in C and in Python."""
    driver: Psycopg = request.param
    if driver.missing is not None:
        pytest.skip(driver.missing)
    return driver


@pytest.mark.parametrize("order", ["before", "after"])
@pytest.mark.parametrize(
    "runtime", [pytest.param(name, marks=getattr(pytest.mark, name)) for name in ("gevent", "eventlet")]
)
def test_ten_sleep_at_once(psycopg: Psycopg, runtime: str, order: str, dsn: str) -> None:
    """Straight, through psycopg_pool, and through SQLAlchemy."""
    env = {**psycopg.variables(), "GREENPG_TEST_DSN": dsn, "GREENPG_AUTO": "0"}
    ran = fresh.run(sys.executable, "-W", "ignore", "-m", "tests.psycopg_process", runtime, order, env=env)
    assert ran.returncode == 0, ran
    found, impl, _, took = json.loads(ran.stdout)
    assert found.startswith(version("psycopg") if psycopg.folder is None else psycopg.version)
    assert impl == psycopg.impl
    assert set(took) == {"straight", "pool", "sqlalchemy"}
    assert max(took.values()) < LIMIT, took
