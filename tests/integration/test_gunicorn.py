"""Unmodified applications in real servers: ten requests that take 0.3 s in PostgreSQL, at once.

In a process that is not green they take 3 s together. Here greenpg is installed, and that is all, unless
the test says otherwise.
"""

from __future__ import annotations

import os
from importlib.metadata import entry_points

import pytest

from tests.fresh import ROOT
from tests.integration.served import APPS, Served

pytestmark = [pytest.mark.subprocess, pytest.mark.slow]

UNMODIFIED = ("sqlalchemy_app", "django_app", "peewee_app")
REQUESTS = 10
GREEN = 2.0
"""Seconds within which all requests are answered, on a busy machine too."""
BLOCKING = 3.0
"""Seconds that they take one after the other."""


def gunicorn(app: str, *options: str, dsn: str, **env: str) -> Served:
    """Return gunicorn with one worker of gevent."""
    fixed = ("-k", "gevent", "-w", "1", "-b", "127.0.0.1:0", "--no-control-socket", "--timeout", "60")
    return Served("-m", "gunicorn", *fixed, *options, f"{app}:app", dsn=dsn, env=env)


def eventlet(app: str, *options: str, dsn: str, **env: str) -> Served:
    """Return a script that serves with eventlet."""
    return Served("serve_with_eventlet.py", app, *options, dsn=dsn, env=env)


def seconds(server: Served, count: int = REQUESTS) -> float:
    """Return how long that many requests took at once, all of them answered."""
    with server:
        answers, took = server.get_at_once("/sleep", count)
        assert answers == ["42"] * count, server.log
        return took


@pytest.fixture(scope="module", autouse=True)
def _greenpg_is_installed() -> None:
    """Say it once and clearly, where it would be ten applications that are too slow."""
    found = entry_points(group="gevent.plugins.monkey.did_patch_builtins", name="greenpg")
    assert found, "greenpg is not installed here: pip install --editable '.[test]'"


@pytest.mark.gevent
@pytest.mark.parametrize("options", [[], ["--preload"]], ids=["", "preload"])
@pytest.mark.parametrize("app", UNMODIFIED)
def test_installed_only(app: str, options: list[str], dsn: str) -> None:
    assert seconds(gunicorn(app, *options, dsn=dsn)) < GREEN


@pytest.mark.gevent
@pytest.mark.parametrize("options", [[], ["--preload"]], ids=["", "preload"])
@pytest.mark.parametrize("app", ["sqlalchemy_app", "django_app"])
def test_one_line(app: str, options: list[str], dsn: str) -> None:
    assert seconds(gunicorn("one_line", *options, dsn=dsn, APP=app, GREENPG_AUTO="0")) < GREEN


@pytest.mark.gevent
def test_without_greenpg_they_wait_for_each_other(dsn: str) -> None:
    assert seconds(gunicorn("sqlalchemy_app", dsn=dsn, GREENPG_AUTO="0")) >= BLOCKING


@pytest.mark.gevent
def test_more_requests_than_connections_after_preload(dsn: str) -> None:
    """SQLAlchemy's pool has native locks then, and its waiters are green all the same."""
    assert seconds(gunicorn("sqlalchemy_app", "--preload", dsn=dsn, POOL_SIZE="2"), 8) < 8 * 0.3


@pytest.mark.gevent
def test_pool_that_connects_under_a_native_lock(dsn: str) -> None:
    assert seconds(gunicorn("pool_app", "--preload", dsn=dsn)) < GREEN


@pytest.mark.gevent
@pytest.mark.parametrize("app", ["sqlalchemy_app", "psycopg_pool_app"])
def test_psycopg3_after_preload(app: str, dsn: str) -> None:
    """psycopg's own pool is even opened in the master."""
    path = os.pathsep.join(map(str, (APPS, ROOT)))
    assert seconds(gunicorn(app, "--preload", dsn=dsn, DRIVER="psycopg", PYTHONPATH=path)) < GREEN


@pytest.mark.gevent
def test_connections_opened_before_the_fork_are_warned_of(dsn: str) -> None:
    with gunicorn("pool_app", "--preload", dsn=dsn, MIN_CONNECTIONS="2") as server:
        server.until_it_says("2 psycopg2 connection(s) opened before the patch")


@pytest.mark.eventlet
@pytest.mark.parametrize("app", UNMODIFIED)
def test_eventlet(app: str, dsn: str) -> None:
    assert seconds(eventlet(app, "patch", dsn=dsn)) < GREEN
