"""`greenpg.contrib.gunicorn`: both workers in a real gunicorn, where greenpg does not follow by itself."""

from __future__ import annotations

import re
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg2
import pytest

import greenpg.contrib.gunicorn
from tests import fresh
from tests.integration.served import APPS, Served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.subprocess, pytest.mark.slow]

WORKERS = {"gevent": "GeventWorker", "eventlet": "EventletWorker"}
RUNTIMES = [pytest.param(name, marks=getattr(pytest.mark, name)) for name in WORKERS]
REQUESTS = 10
GREEN = 2.0
"""Seconds within which all requests of 0.3 s are answered, on a busy machine too."""
LOG_LINE = re.compile(r"\[[^\]]+\] \[\d+\] \[[A-Z]+\] .+\n")


def gunicorn(runtime: str, *options: str, app: str = "worker_app", **given: Any) -> Served:
    """Return gunicorn with one worker of a runtime, whose advice to leave it is not asked for."""
    worker = f"greenpg.contrib.gunicorn.{WORKERS[runtime]}"
    fixed = ("-k", worker, "-b", "127.0.0.1:0", "--no-control-socket", "--timeout", "30")
    env = {"GREENPG_AUTO": "0", "RUNTIME": runtime, "PYTHONWARNINGS": "ignore", **given.pop("env", {})}
    return Served("-m", "gunicorn", *fixed, *options, f"{app}:app", env=env, **given)


def overlap(server: Served) -> bool:
    """Return whether ten requests are answered in the time of a few."""
    answers, took = server.get_at_once("/sleep", REQUESTS)
    assert answers == ["42"] * REQUESTS, server.log
    return took < GREEN


@pytest.fixture(params=RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> str:
    """Each runtime that there is a worker for."""
    return str(request.param)


@pytest.fixture
def statements(dsn: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """How many statements of this test's applications the server is at."""
    name = uuid4().hex
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # eventlet keeps something to itself where it finds this
    with closing(psycopg2.connect(dsn)) as observer:
        observer.autocommit = True
        monkeypatch.setenv("PGAPPNAME", name)

        def count() -> int:
            with observer.cursor() as cursor:
                cursor.execute(
                    "select count(*) from pg_stat_activity where application_name = %s and state = 'active'",
                    (name,),
                )
                return int(cursor.fetchall()[0][0])

        yield count


@pytest.fixture
def request_later() -> Iterator[Callable[[Served, str], Any]]:
    """Send a request in a thread; what is given back waits for the answer."""
    with ThreadPoolExecutor() as threads:
        yield lambda server, path: threads.submit(server.get, path).result


def wait_until(condition: Callable[[], object]) -> None:
    """Ask until the answer is yes."""
    limit = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit, "it has not come true"
        time.sleep(0.02)


def replaced(server: Served, old: str) -> bool:
    """Return whether another worker than the old one answers."""
    answer = server.get("/pid")
    return answer.isdecimal() and answer != old


@pytest.mark.parametrize(
    ("driver", "options"), [("psycopg2", []), ("psycopg", ["--preload"])], ids=["psycopg2", "psycopg-preload"]
)
def test_requests_overlap_and_a_timeout_cancels(
    runtime: str, driver: str, options: list[str], dsn: str, statements: Callable[[], int]
) -> None:
    with gunicorn(runtime, *options, dsn=dsn, env={"DRIVER": driver}, folders=[APPS]) as server:
        assert overlap(server)
        assert server.get("/limited") == "42", server.log
        assert statements() == 0
        server.send(signal.SIGTERM)
        assert server.ended() == 0
    assert LOG_LINE.sub("", server.log) == "", "something else on stderr"


def test_django_after_preload(runtime: str, dsn: str) -> None:
    with gunicorn(runtime, "--preload", app="django_app", dsn=dsn) as server:
        assert overlap(server)


def test_a_request_under_way_is_answered_after_sigterm(
    runtime: str, dsn: str, statements: Callable[[], int], request_later: Callable[[Served, str], Any]
) -> None:
    with gunicorn(runtime, dsn=dsn) as server:
        with closing(psycopg2.connect(dsn)) as holder:
            holder.cursor().execute("select pg_advisory_lock(4715)")
            answer = request_later(server, "/held")
            wait_until(statements)
            server.send(signal.SIGTERM)
            wait_until(lambda: "refused" in server.get("/"))
        assert answer() == "42", server.log
        assert server.ended() == 0


@pytest.mark.eventlet
def test_a_request_that_takes_too_long_after_sighup_is_cancelled(
    dsn: str, statements: Callable[[], int], request_later: Callable[[Served, str], Any]
) -> None:
    with gunicorn("eventlet", "--graceful-timeout", "1", dsn=dsn) as server:
        answer, old = request_later(server, "/minute"), server.get("/pid")
        wait_until(statements)
        server.send(signal.SIGHUP)
        answer()
        wait_until(lambda: not statements())
        wait_until(lambda: replaced(server, old))
        assert overlap(server)
        assert "Traceback" not in server.log


@pytest.mark.eventlet
def test_a_request_that_takes_too_long_after_sigterm_is_cancelled(
    dsn: str, statements: Callable[[], int], request_later: Callable[[Served, str], Any]
) -> None:
    with gunicorn("eventlet", "--graceful-timeout", "2", dsn=dsn) as server:
        answer = request_later(server, "/minute")
        wait_until(statements)
        server.send(signal.SIGTERM)
        answer()
        assert server.ended() == 0
        wait_until(lambda: not statements())
        assert "Traceback" not in server.log


@pytest.mark.eventlet
def test_a_request_that_waits_for_its_turn_survives_sighup(
    dsn: str, statements: Callable[[], int], request_later: Callable[[Served, str], Any]
) -> None:
    with gunicorn("eventlet", "--worker-connections", "1", dsn=dsn) as server:
        answers = [request_later(server, "/sleep") for _ in range(4)]
        wait_until(statements)
        server.send(signal.SIGHUP)
        assert [answer() for answer in answers] == ["42"] * 4, server.log


def refused(worker: str, prelude: str = "", *options: str, app: str = "one_line", status: int = 1) -> str:
    """Return what gunicorn says instead of starting, in a process where something came before."""
    code = f"""
import runpy
from tests.activation_process import Forbid
{prelude}
runpy.run_module("gunicorn", run_name="__main__")
"""
    ran = fresh.run(
        *(sys.executable, "-W", "ignore", "-c", code, "-b", "127.0.0.1:0", "--no-control-socket"),
        *("-k", f"greenpg.contrib.gunicorn.{worker}", *options, f"{app}:app"),
        cwd=APPS,
    )
    assert ran.returncode == status, ran
    return " ".join(ran.stderr.split())


def test_no_driver_is_an_error_of_the_master_process() -> None:
    said = refused("GeventWorker", "Forbid('psycopg2', 'psycopg')")
    assert said == 'Error: no driver is installed: pip install "greenpg[psycopg2]" or "greenpg[psycopg]"'


@pytest.mark.parametrize(("runtime", "worker"), WORKERS.items())
def test_no_runtime_is_an_error_of_the_master_process(runtime: str, worker: str) -> None:
    said = refused(worker, f"Forbid('{runtime}')")
    assert re.fullmatch(rf"Error: .*{runtime}.*", said)
    assert "Traceback" not in said


def test_a_misspelt_worker_is_an_error_of_the_master_process() -> None:
    workers = "its workers are GeventWorker, EventletWorker"
    assert refused("GeventWorkers") == f"Error: greenpg.contrib.gunicorn has no GeventWorkers: {workers}"
    assert not hasattr(greenpg.contrib.gunicorn, "pytest_plugins")


def test_another_runtime_is_an_error_of_the_master_process() -> None:
    said = refused("EventletWorker", "import greenpg.gevent; greenpg.gevent.patch()")
    assert said == "Error: this process waits in gevent, a worker cannot in eventlet"


@pytest.mark.gevent
@pytest.mark.eventlet
def test_an_application_of_another_runtime_is_an_error(tmp_path: Path) -> None:
    """Of the master process, at its start or, with `--preload`, before its first worker."""
    patch = "import os; os.environ['GREENPG_AUTO'] = '0'\nimport gevent.monkey; gevent.monkey.patch_all()"
    said = "this process waits in gevent, a worker cannot in eventlet"
    assert refused("EventletWorker", patch) == f"Error: {said}"
    (tmp_path / "late.py").write_text(f"{patch}\napp = print")
    options = ("--preload", "--pythonpath", str(tmp_path), "--log-level", "error")
    assert refused("EventletWorker", "", *options, app="late").endswith(f"Reason: {said}")
