"""`greenpg demo` end to end: real server, real gevent and eventlet, few users and short waits."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from greenpg.demo.phases import KINDS, MODES, DemoError, Job, Phase, run_phase
from greenpg.demo.slowweb import slow_web
from tests.fresh import ROOT, Ran, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from greenpg.testing.server import EmbeddedServer

USERS = 3
SLEEP = 0.4
LIBRARIES = [
    pytest.param("gevent", marks=pytest.mark.gevent),
    pytest.param("eventlet", marks=pytest.mark.eventlet),
]
ROW = re.compile(r"\W(blocking|green)\s+\W\s+([\d.]+) s\s+\W\s+([\d.]+)\s+\W\s+(\d+) ms")

pytestmark = pytest.mark.subprocess


def demo(dsn: str, timeline: Path, *options: str) -> Ran:
    command = [sys.executable, "-m", "greenpg", "demo", f"--users={USERS}", f"--sleep={SLEEP}"]
    return run(*command, f"--timeline={timeline}", f"--dsn={dsn}", *options)


def phase(library: str, mode: str, dsn: str) -> Phase:
    with slow_web(SLEEP) as url:
        return run_phase(Job(library, USERS, SLEEP, url, dsn), mode, lambda done, waiting: None)


def queries(phase: Phase) -> list[tuple[float, float]]:
    """When the database was waited for: start and end, in order."""
    return sorted((span.start, span.end) for span in phase.spans if span.kind == "sql")


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_table_and_the_picture_tell_blocking_from_green(dsn: str, tmp_path: Path, library: str) -> None:
    timeline = tmp_path / "timeline.svg"
    ran = demo(dsn, timeline, *(["--eventlet"] if library == "eventlet" else []))
    assert (ran.returncode, ran.stderr) == (0, ""), ran
    assert str(timeline) in ran.stdout
    assert f"greenpg.{library}.patch()" in ran.stdout
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", ran.stdout), "control characters without a terminal"
    rows = {
        mode: (float(wall), float(overlap), int(ms)) for mode, wall, overlap, ms in ROW.findall(ran.stdout)
    }
    assert list(rows) == list(MODES), ran
    wall, overlap, pause = zip(*rows.values(), strict=True)
    assert wall[0] >= SLEEP * (1 + USERS), "one query after the other"
    assert wall[1] < wall[0]
    assert overlap[1] > overlap[0]
    assert pause[1] < pause[0]
    bars = {element.get("id") for element in ElementTree.parse(timeline).iter()}
    users = range(1, USERS + 1)
    assert bars >= {f"{mode}-{user}-{kind}" for mode in MODES for user in users for kind in KINDS}


@pytest.mark.parametrize("library", LIBRARIES)
def test_blocking_queries_come_one_by_one(dsn: str, library: str) -> None:
    blocking = phase(library, "blocking", dsn)
    assert len(blocking.spans) == USERS * len(KINDS)
    assert all(end <= start for (_, end), (start, _) in pairwise(queries(blocking)))
    assert blocking.pause >= SLEEP - 0.001


@pytest.mark.parametrize("library", LIBRARIES)
def test_green_queries_are_all_under_way_before_the_first_ends(dsn: str, library: str) -> None:
    green = phase(library, "green", dsn)
    assert len(green.spans) == USERS * len(KINDS)
    starts, ends = zip(*queries(green), strict=True)
    assert max(starts) < min(ends)
    assert all(span.served >= SLEEP for span in green.spans)


def test_the_progress_tells_who_waits_for_what(dsn: str) -> None:
    seen: list[tuple[int, dict[str, int]]] = []
    with slow_web(SLEEP) as url:
        job = Job("gevent", USERS, SLEEP, url, dsn)
        run_phase(job, "green", lambda done, waiting: seen.append((done, dict(waiting))))
    assert (0, {"http": USERS, "sql": 0}) in seen
    assert seen[-1] == (USERS * len(KINDS), {"http": 0, "sql": 0})


@pytest.fixture
def narrow_dsn(server: EmbeddedServer) -> Iterator[str]:
    """Connection string of a role that may have one session only."""
    admin = psycopg2.connect(server.dsn)
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute("create role demo_narrow login connection limit 1")
        yield make_dsn(server.dsn, user="demo_narrow")
        cursor.execute("drop role demo_narrow")
    admin.close()


def test_a_refused_user_ends_the_phase_with_the_servers_words(narrow_dsn: str) -> None:
    with pytest.raises(DemoError, match=r'user \d+: .*too many connections for role "demo_narrow"'):
        phase("gevent", "green", narrow_dsn)


# A job in a shell's background inherits a SIGINT that is ignored.
INTERRUPTIBLE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from greenpg.__main__ import main
sys.exit(main())
"""


def test_ctrl_c_ends_it_at_once_and_leaves_no_picture(dsn: str, tmp_path: Path) -> None:
    timeline = tmp_path / "t.svg"
    command = [sys.executable, "-c", INTERRUPTIBLE, "demo", "--sleep=30", f"--timeline={timeline}"]
    with subprocess.Popen(
        [*command, f"--dsn={dsn}"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert any(line.startswith("blocking") for line in child.stdout)
        child.send_signal(signal.SIGINT)
        rest, errors = child.communicate(timeout=60)
    assert (child.returncode, rest, errors) == (130, "", "")
    assert not timeline.exists()


def test_more_users_than_the_server_takes_is_one_line(dsn: str, tmp_path: Path) -> None:
    ran = demo(dsn, tmp_path / "t.svg", "--users=100000")
    assert ran.returncode == 2
    assert re.fullmatch(r"greenpg demo: error: --users 100000 .* max_connections is \d+\n", ran.stderr)
    assert not (tmp_path / "t.svg").exists()
