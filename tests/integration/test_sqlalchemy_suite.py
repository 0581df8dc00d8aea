"""SQLAlchemy's own compliance suite for dialects passes on ours: see `sqlalchemy_suite`."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import URL

import greenpg
from greenpg.conninfo import conninfo_to_dict
from tests.fresh import ROOT, run

if TYPE_CHECKING:
    from collections.abc import Iterator

SUITE = ROOT / "tests" / "integration" / "sqlalchemy_suite"
LIMIT = 300.0

pytestmark = [pytest.mark.slow, pytest.mark.subprocess]


@pytest.fixture
def url(dsn: str) -> Iterator[URL]:
    """An empty database with the schema that the suite wants to be there."""
    name = "sqlalchemy_suite"
    with greenpg.connect(dsn, autocommit=True) as conn:
        conn.execute(f"drop database if exists {name}")
        conn.execute(f"create database {name}")
        with greenpg.connect(dsn, dbname=name) as inside:
            inside.execute("create schema test_schema")
        parts = conninfo_to_dict(dsn)
        yield URL.create(
            "postgresql+greenpg",
            username=str(parts["user"]),
            password=str(parts.get("password", "")) or None,
            host=str(parts["host"]),
            port=int(str(parts["port"])),
            database=name,
        )
        conn.execute(f"drop database {name} with (force)")


@pytest.mark.parametrize(
    ("driver", "selected", "least"),
    [
        ("greenpg", "", 1800),
        ("greenpg_async", "Cursors or Returning or Isolation or Date or Array or JSON or Rowcount", 200),
    ],
)
def test_every_test_passes(url: URL, driver: str, selected: str, least: int) -> None:
    """There are none that may fail. Async, those that a connection could make a difference to."""
    database = url.set(drivername=f"postgresql+{driver}").render_as_string(hide_password=False)
    command = (sys.executable, "-m", "pytest", "-c", str(SUITE / "setup.cfg"), str(SUITE / "suite.py"))
    ran = run(*command, "--dburi", database, "-k", selected, timeout=LIMIT)
    assert ran.returncode == 0, ran
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert passed is not None, ran
    assert int(passed[1]) > least, ran
