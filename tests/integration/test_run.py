"""`greenpg run`: unmodified programs and servers that become green by it, in real processes."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from tests import fresh
from tests.integration.served import APPS, Served, libpq_variables
from tests.integration.test_gunicorn_workers import overlap, replaced, wait_until

pytestmark = [pytest.mark.subprocess, pytest.mark.slow]

RUNTIMES = [pytest.param(name, marks=getattr(pytest.mark, name)) for name in ("gevent", "eventlet")]
LAUNCHER = ("-m", "greenpg", "run")
GREEN = 2.0
"""Seconds within which ten queries of 0.3 s are answered, on a busy machine too."""


@pytest.fixture(params=RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> str:
    """Each runtime that a program can be started in."""
    return str(request.param)


@pytest.mark.parametrize("program", [["ten_threads.py"], ["-m", "ten_threads", "child"]], ids=["", "child"])
def test_a_program_of_threads(runtime: str, program: list[str], dsn: str) -> None:
    command = (sys.executable, *LAUNCHER, f"--{runtime}", "--", sys.executable, *program)
    ran = fresh.run(*command, env={"GREENPG_AUTO": "0", **libpq_variables(dsn)}, cwd=APPS)
    assert (ran.returncode, ran.stderr) == (0, ""), ran
    answered, seconds = ran.stdout.split()
    assert (int(answered), float(seconds) < GREEN) == (10, True)


WORKERS = [
    pytest.param("gevent", ["-k", "gevent"], marks=pytest.mark.gevent, id="gevent"),
    pytest.param(
        "gevent", ["-k", "gthread", "--threads", "10"], marks=pytest.mark.gevent, id="gevent-gthread"
    ),
    pytest.param(
        "eventlet",
        ["-k", "greenpg.contrib.gunicorn.EventletWorker"],
        marks=pytest.mark.eventlet,
        id="eventlet",
    ),
]


@pytest.mark.parametrize(("runtime", "options"), WORKERS)
def test_gunicorn(runtime: str, options: list[str], dsn: str) -> None:
    """Its master process is green then, and must do its work all the same."""
    command = (
        *LAUNCHER,
        f"--{runtime}",
        "--",
        sys.executable,
        "-m",
        "gunicorn",
        "-b",
        "127.0.0.1:0",
        *options,
    )
    env = {"GREENPG_AUTO": "0", "RUNTIME": runtime}
    with Served(*command, "--preload", "--no-control-socket", "worker_app:app", dsn=dsn, env=env) as server:
        assert overlap(server)
        assert server.get("/limited") == "42", server.log
        killed = server.get("/pid")
        os.kill(int(killed), signal.SIGKILL)
        wait_until(lambda: replaced(server, killed))
        assert overlap(server)
        server.send(signal.SIGTERM)
        assert server.ended() == 0
        assert "Traceback" not in server.log
