"""`greenpg doctor` with real servers, in real processes: what it measures, and its exit status."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from greenpg.compat._drivers import DRIVERS
from greenpg.doctor import DoctorError
from greenpg.doctor.clinic import examine_fresh
from greenpg.doctor.patient import Job
from greenpg.testing.server import EmbeddedServer
from tests import fresh
from tests.integration.test_gunicorn import gunicorn
from tests.test_activation import MONKEY

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.subprocess

CROWD = 3
SECONDS = 0.3
"""A hub that is held for half of it is one; a stall of the machine is not to be."""
ALL = [f"--driver={name}" for name in DRIVERS]


def doctor(dsn: str, *options: str, before: tuple[str, ...] = (), **env: str) -> fresh.Ran:
    command = (sys.executable, "-m", "greenpg", *before, "doctor", f"--dsn={dsn}", f"--concurrency={CROWD}")
    return fresh.run(*command, f"--seconds={SECONDS}", *options, env=env)


def steps(report: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """What was measured, by driver and step."""
    return {
        (measured["driver"], step["name"]): step
        for measured in report["measurements"]
        for step in measured["steps"]
    }


@pytest.fixture(params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in MONKEY])
def runtime(request: pytest.FixtureRequest) -> str:
    """Each runtime that greenpg has a `patch()` for."""
    return str(request.param)


@pytest.mark.parametrize("imported", ["too early", "in a process that is green"])
def test_a_green_process_overlaps(runtime: str, imported: str, dsn: str) -> None:
    launcher = ("run", f"--{runtime}", "--", sys.executable, "-m", "greenpg")
    if imported == "too early":
        ran = doctor(dsn, f"--{runtime}", "--preload", "--json", *ALL)
    else:
        ran = doctor(dsn, "--json", *ALL, before=launcher)
    assert ran.returncode == 0, ran
    [report] = json.loads(ran.stdout)["reports"]
    assert (report["how"] == "this process, as it is") == (imported != "too early")
    assert report["green"]
    assert report["process"]["runtime"] == report["process"]["greenpg"] == runtime
    assert {"socket", "select", "thread"} <= set(report["process"]["monkey_patched"][runtime])
    assert [driver["name"] for driver in report["drivers"]] == list(DRIVERS)
    for driver in report["drivers"]:
        assert (driver["state"], driver["waits"]) == ("green", f"greenpg.waiters.{runtime}.wait")
        assert re.fullmatch(r"\d+\.\d+", driver["libpq"]["version"])
        assert Path(driver["libpq"]["path"]).exists()
        assert "libpq" in Path(driver["libpq"]["path"]).name, "not the module that is linked to it"
    measured = steps(report)
    kinds = ("connect", "query", "COPY", "cancel()", "timeout")
    assert list(measured) == [(driver, kind) for driver in DRIVERS for kind in kinds]
    for (_, kind), step in measured.items():
        assert step["error"] is None
        assert step["at_once"] == (CROWD if kind in ("connect", "query") else None)
        assert step["held"] < SECONDS / 2


@pytest.mark.gevent
def test_what_blocks_is_measured(dsn: str) -> None:
    ran = doctor(dsn, "--gevent", "--preload", *ALL, GREENPG_AUTO="0")
    assert ran.returncode == 1, ran
    assert f"  psycopg2  query    1 of {CROWD}" in ran.stdout
    for driver in DRIVERS:
        line = rf"problem  {driver}: {CROWD} queries came one after the other, in ([\d.]+) s: .* for (\d+) ms"
        [(took, held)] = re.findall(line, ran.stdout)
        assert float(took) >= CROWD * SECONDS
        assert int(held) >= CROWD * SECONDS * 900


@pytest.mark.eventlet
def test_what_is_half_green_is_measured(dsn: str) -> None:
    ran = doctor(dsn, "--eventlet", "--driver=psycopg2", GREENPG_AUTO="0")
    assert ran.returncode == 1, ran
    assert f"  psycopg2  query     {CROWD} of {CROWD}" in ran.stdout
    assert "problem  psycopg2: COPY failed: copy_expert cannot be used" in ran.stdout
    assert "problem  psycopg2: timeout failed: connection already closed" in ran.stdout


@pytest.mark.gevent
@pytest.mark.parametrize(("waiter", "level"), [("gevent", "ok"), ("select", "problem")])
def test_a_wait_callback_of_somebodys_own_is_measured(
    waiter: str, level: str, dsn: str, tmp_path: Path
) -> None:
    (tmp_path / "own.py").write_text(f"""
import gevent.monkey
gevent.monkey.patch_all()
import greenpg.waiters

def own(fd, need, timeout):
    from greenpg.waiters.{waiter} import wait
    return wait(fd, need, timeout)

greenpg.waiters.set_wait_callback(own)
""")
    path = os.pathsep.join(map(str, (tmp_path, fresh.ROOT)))
    ran = doctor(dsn, "--import=own", "--driver=psycopg2", "--json", PYTHONPATH=path)
    [report] = json.loads(ran.stdout)["reports"]
    found = [each for each in report["findings"] if each["about"] == "psycopg2"]
    assert {each["level"] for each in found} == {level}, found
    assert "queries" in found[-1]["text"]


@pytest.mark.gevent
@pytest.mark.eventlet
def test_a_muddled_process_is_not_tried(dsn: str, tmp_path: Path) -> None:
    """It would hold the hub for ever, and nothing else would be said."""
    (tmp_path / "muddled.py").write_text(
        "import greenpg.gevent; greenpg.gevent.patch()\nimport eventlet; eventlet.monkey_patch()"
    )
    path = os.pathsep.join(map(str, (tmp_path, fresh.ROOT)))
    ran = doctor(dsn, "--import=muddled", "--driver=psycopg2", PYTHONPATH=path)
    assert ran.returncode == 1, ran
    assert "problem  greenpg: patched for gevent, but the process is monkey-patched by eventlet" in ran.stdout
    assert "note     drivers: not tried: that might hold the hub for ever" in ran.stdout


@pytest.mark.gevent
def test_pg8000_overlaps_and_does_not_outlive_a_timeout(dsn: str) -> None:
    ran = doctor(dsn, "--gevent", "--driver=pg8000", "--driver=asyncpg", "--json")
    assert ran.returncode == 0, ran
    [report] = json.loads(ran.stdout)["reports"]
    measured = steps(report)
    assert measured["pg8000", "query"]["at_once"] == CROWD
    assert measured["pg8000", "timeout"]["error"]
    levels = {(each["about"], each["level"]) for each in report["findings"] if each["level"] != "note"}
    assert levels == {("pg8000", "warning"), ("asyncpg", "warning")}


@pytest.mark.gevent
def test_a_worker_of_gunicorn_examines_itself(dsn: str) -> None:
    with gunicorn("doctor_app", "--preload", dsn=dsn, TRIED=dsn) as server:
        look, tried = json.loads(server.get("/look")), json.loads(server.get("/try"))
    assert look["green"], look
    assert [driver["state"] for driver in look["drivers"] if driver["name"] == "psycopg2"] == ["green"]
    assert look["measurements"] == []
    assert look["process"]["pid"] == tried["process"]["pid"]
    assert tried["green"], tried
    assert steps(tried)["psycopg2", "query"]["at_once"] == 3
    with gunicorn("doctor_app", "--preload", dsn=dsn, GREENPG_AUTO="0") as server:
        look = json.loads(server.get("/look"))
    assert not look["green"]
    problems = {each["about"] for each in look["findings"] if each["level"] == "problem"}
    assert problems == {"psycopg2", "sqlalchemy.util.queue.Queue"}


@pytest.fixture(scope="module")
def guarded() -> Iterator[EmbeddedServer]:
    """A server that wants a password."""
    with EmbeddedServer(password="geheim") as server:
        yield server


@pytest.mark.gevent
def test_a_wrong_password_is_one_line_without_it(guarded: EmbeddedServer) -> None:
    ran = doctor(guarded.dsn.replace("geheim", "verraten"), "--gevent", *ALL)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert re.fullmatch(
        r"greenpg doctor: error: cannot connect to PostgreSQL: .*password authentication failed.*\n",
        ran.stderr,
    )
    assert "verraten" not in ran.stderr
    ran = doctor(guarded.dsn, "--gevent", *ALL)
    assert ran.returncode == 0, ran
    assert "geheim" not in ran.stdout + ran.stderr


@pytest.mark.gevent
def test_more_connections_than_the_server_takes(dsn: str) -> None:
    ran = doctor(dsn, "--gevent", "--driver=psycopg2", "--concurrency=1000")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert re.fullmatch(
        r"greenpg doctor: error: 1000 connections at once are more than max_connections, \d+\n", ran.stderr
    )


@pytest.fixture
def narrow_dsn(dsn: str) -> Iterator[str]:
    """Connection string of a role that may have one session only."""
    admin = psycopg2.connect(dsn)
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute("create role doctor_narrow login connection limit 1")
        yield make_dsn(dsn, user="doctor_narrow")
        cursor.execute("drop role doctor_narrow")
    admin.close()


@pytest.mark.gevent
def test_more_connections_than_the_role_may_have(narrow_dsn: str) -> None:
    ran = doctor(narrow_dsn, "--gevent", "--driver=psycopg2")
    assert ran.returncode == 1, ran
    assert re.search(
        'problem  psycopg2: connect failed: .* too many connections for role "doctor_narrow"', ran.stdout
    )


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module `app` to be written, in the folder that this process is in now."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(fresh.ROOT))
    return tmp_path / "app.py"


@pytest.mark.gevent
def test_a_hub_that_is_held_for_ever_ends_the_examination(app: Path, dsn: str) -> None:
    app.write_text(
        "import psycopg2.extensions\n"
        "from gevent.monkey import get_original\n"
        "sleep = get_original('time', 'sleep')\n"
        "psycopg2.extensions.set_wait_callback(lambda connection: sleep(1000))\n"
    )
    job = Job("gevent", ("app",), drivers=("psycopg2",), dsn=dsn, concurrency=2, seconds=0.05, limit=0.5)
    with pytest.raises(
        DoctorError, match="did not end within 1 s: something holds the hub for ever"
    ) as error:
        examine_fresh(job)
    assert error.value.status == 1


# A job in a shell's background inherits a SIGINT that is ignored.
INTERRUPTIBLE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from greenpg.__main__ import main
sys.exit(main())
"""


@pytest.mark.gevent
def test_ctrl_c_ends_what_was_started_too(app: Path) -> None:
    app.write_text("import sys, time; print('imported', file=sys.stderr, flush=True); time.sleep(60)")
    command = [sys.executable, "-c", INTERRUPTIBLE, "doctor", "--gevent", "--import=app"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        assert child.stderr.readline() == "imported\n"
        child.send_signal(signal.SIGINT)
        output = child.communicate(timeout=60)  # until the last one that has its stderr is gone
    assert (child.returncode, *output) == (130, "", "")
