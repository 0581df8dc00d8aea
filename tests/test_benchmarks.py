"""`python -m benchmarks`: its arithmetic, its answers to bad input, a quick run. No speed is judged."""

from __future__ import annotations

import itertools
import json
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from benchmarks import goals
from benchmarks.contenders import CONTENDERS
from benchmarks.drivers.asyncpg import Asyncpg
from benchmarks.drivers.base import arguments
from benchmarks.drivers.dbapi import Psycopg2
from benchmarks.drivers.pg8000 import Pg8000
from benchmarks.drivers.psycopg3 import AsyncGreenpg, Greenpg
from benchmarks.figures import Figure
from benchmarks.findings import Findings, read_json, write_json
from benchmarks.limit import building
from benchmarks.planning import Need, plan
from benchmarks.report import tables as drawn
from benchmarks.rounds import Rounds, Task, does, size_of, tasks
from benchmarks.runtimes.asyncio import Asyncio
from benchmarks.runtimes.threads import Threads
from benchmarks.server import Server
from benchmarks.tables import COPY_IN, COPY_OUT, tables
from benchmarks.workloads import WORKLOADS
from greenpg.__main__ import main as greenpg
from tests.fresh import Ran, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.drivers.base import Driver
    from benchmarks.runtimes.base import Runtime

ABOUT = {
    "python": "3.11",
    "server": "PostgreSQL",
    "libpq": 170005,
    "seconds": 1,
    "quick": False,
    "versions": {"greenpg": "1"},
    "processors": 2,
    "shares_processor": True,
}


def benchmarks(*options: str, python: tuple[str, ...] = (), dsn: str = "") -> Ran:
    env = {"GREENPG_TEST_DSN": dsn} if dsn else {}
    return run(sys.executable, *python, "-m", "benchmarks", *options, env=env, timeout=120)


def complaint(ran: Ran) -> str:
    """The last line of the answer to bad input."""
    assert (ran.returncode, ran.stdout) == (2, ""), ran
    assert "Traceback" not in ran.stderr, ran
    return ran.stderr.splitlines()[-1]


def ask(dsn: str, sql: str) -> Any:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


def figure(contender: str, workload: str, *samples: float, metric: str = "cpu") -> Figure:
    return Figure(contender, workload, metric, dict(enumerate(samples)))


def test_a_figure_is_the_middle_of_its_samples_and_so_is_its_spread() -> None:
    found = figure("psycopg2", "W1", 1.0, 9.0, 2.0)
    assert (found.median, found.spread) == (2.0, 1.0)


def test_a_ratio_is_taken_within_each_round() -> None:
    ours = figure("greenpg-gevent", "W1", 1.0, 20.0, 2.0)
    theirs = figure("psycopg2-psycogreen", "W1", 2.0, 40.0, 2.0, 9.0)
    assert ours.ratio(theirs) == 0.5


def test_without_a_common_round_there_is_no_ratio() -> None:
    theirs = Figure("psycopg2", "W1", "cpu", {7: 1.0})
    assert figure("greenpg-gevent", "W1", 1.0).ratio(theirs) is None


def test_who_is_slow_gets_fewer_rounds_and_who_matters_more() -> None:
    needs = {"quick": Need(1.0, 8), "slow": Need(10.0, 8), "main": Need(10.0, 8, 4.0)}
    assert plan(needs, 68.0) == {"quick": 8, "slow": 1, "main": 5}
    assert plan(needs, 1000.0) == dict.fromkeys(needs, 8)
    assert plan(needs, -1.0) == dict.fromkeys(needs, 0)


def test_a_plan_keeps_within_the_time() -> None:
    for seconds in (5.0, 50.0, 500.0):
        needs = {number: Need(0.1 * number, 9, 1 + number % 4) for number in range(1, 60)}
        given = plan(needs, seconds)
        assert sum(given[number] * needs[number].seconds for number in needs) <= seconds
        assert seconds < 500 or any(given.values())


def test_goals_are_about_what_there_is() -> None:
    for goal in goals.GOALS:
        assert does(goal.ours, goal.workload)
        assert goal.metric in WORKLOADS[goal.workload].units
        assert goal.rival in (goals.BEST_PEER, goals.NOBODY) or does(goal.rival, goal.workload)


def some_findings() -> Findings:
    return Findings(
        [
            figure("greenpg-gevent", "W5in", 1.0, 1.1),
            figure("psycopg2", "W5in", 2.0, 2.2),
            figure("asyncpg-uvloop", "W5in", 3.0, 3.3),
            figure("psycopg2-greenpg", "W5in", 0.1, 0.1),  # ours, too, in a way: no peer
            figure("greenpg-gevent", "W8", 0.016, metric="pause"),
        ],
        ABOUT,
        {"libpq": "no C compiler"},
        {("psycopg3", "W5in"): "it failed"},
    )


def test_goals_are_judged_by_the_best_peer_and_by_seconds() -> None:
    copied, paused, beside = goals.results(some_findings())
    assert (copied.against, copied.measured, copied.met) == ("psycopg2", 0.5, True)
    assert (paused.measured, paused.met) == (0.016, False)
    assert (beside.measured, beside.met) == (None, None)  # no peer's pause was measured


def test_tables_say_who_did_not_and_why() -> None:
    found = {table.title: table for table in drawn(some_findings(), "psycopg2")}
    copies = {row[0]: row[1] for row in found["Many rows: client CPU"].rows}
    assert copies["greenpg, gevent"] == "1050 ± 50.0 (0.50)"
    assert copies["psycopg 3, threads"] == "failed"
    assert copies["C on libpq, no Python objects"] == "no C compiler"
    assert "asyncpg, asyncio" not in copies


def test_json_is_read_as_it_was_written(tmp_path: Path) -> None:
    found = some_findings()
    path = tmp_path / "x.json"
    write_json(path, found, [result.as_json() for result in goals.results(found)])
    assert read_json(path) == found
    assert [goal["met"] for goal in json.loads(path.read_text())["goals"]] == [True, False, None]


def test_whoever_refuses_copy_is_not_asked_for_it() -> None:
    asked = ["psycopg2-psycogreen", "psycopg2"]
    assert tasks(asked, ["W5in"], together=False) == [Task("psycopg2", ("W5in",))]
    assert tasks(asked, ["W1", "W5in"], together=True) == [
        Task("psycopg2-psycogreen", ("W1",)),
        Task("psycopg2", ("W1", "W5in")),
    ]


def test_a_server_of_few_connections_gets_fewer_or_is_refused() -> None:
    small = Server("", "", 50)
    assert size_of("memory", small, quick=False) < 50
    with pytest.raises(Exception, match="100 connections are needed and the server takes 50: raise"):
        size_of("W2", small, quick=False)


@pytest.mark.subprocess
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--rounds", "0"], "--rounds: must be a whole number from 1, not '0'"),
        (["--minutes", "long"], "--minutes: must be a number above 0, not 'long'"),
        (["--workload", "W99"], "'W99'"),
        (["--contender", "nobody"], "'nobody'"),
        (["--json", "/no/such/folder/x.json"], "cannot be written"),
        (["--from", "pyproject.toml"], "--from cannot be read"),
        (["--dsn", "nonsense"], "check --dsn"),
    ],
)
def test_bad_input_is_answered_in_one_line(options: list[str], words: str) -> None:
    assert words in complaint(benchmarks(*options))


@pytest.mark.subprocess
def test_missing_extras_are_named_with_what_to_install() -> None:
    line = complaint(benchmarks(python=("-S",)))  # no site-packages: nothing is installed
    assert "gevent" in line
    assert "pip install 'greenpg[bench]'" in line


@pytest.mark.subprocess
def test_the_command_runs_the_benchmarks_of_the_checkout(tmp_path: Path) -> None:
    line = complaint(run(sys.executable, "-m", "greenpg", "bench", "--rounds", "0", cwd=tmp_path))
    assert line == "greenpg bench: error: argument --rounds: must be a whole number from 1, not '0'"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has SCHED_BATCH")
def test_a_server_on_the_clients_processor_does_not_interrupt_it(run_python: Callable[..., Ran]) -> None:
    run_python("""
        import os, subprocess, sys
        from benchmarks.scheduling import share_one_processor

        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as server:
            assert share_one_processor(server.pid)
            assert os.sched_getaffinity(server.pid) == os.sched_getaffinity(0)
            assert len(os.sched_getaffinity(0)) == 1
            assert os.sched_getscheduler(server.pid) == os.SCHED_BATCH
            assert os.sched_getscheduler(0) == os.SCHED_OTHER
            server.communicate(b"the end\\n")
    """)


def test_without_a_checkout_the_command_says_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("greenpg.bench._ROOT", tmp_path)
    assert greenpg(["bench", "--quick"]) == 2
    assert "come with the source" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is for Linux")
def test_without_a_compiler_the_limit_is_said_to_be_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    assert CONTENDERS["libpq"].why_not() == "no C compiler"
    monkeypatch.setenv("CC", "false")
    with pytest.raises(OSError, match=r"refuses limit\.c"):
        building.build(tmp_path)


@pytest.mark.parametrize(
    ("dsn", "parts"),
    [
        ("host=::1 port=5 user=a", {"host": "::1", "port": "5", "user": "a"}),
        (r"password='it\'s \\ x' user=a", {"password": r"it's \ x", "user": "a"}),
        ("options='-c geqo=off -c search_path=x' user=a", {"user": "a", "search_path": "x"}),
    ],
)
def test_a_connection_string_is_read_without_libpq(dsn: str, parts: dict[str, str]) -> None:
    assert arguments(dsn) == arguments(make_dsn(dsn)) == parts


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.subprocess
def test_a_quick_run_reports_every_driver(dsn: str, tmp_path: Path) -> None:
    """In one runtime each: all of them together would take minutes."""
    asked = ["greenpg-gevent-ctypes", "psycopg2-psycogreen", "psycopg3-uvloop", "asyncpg-asyncio"]
    chosen = ["W1", "W3", "W5in", "W5out", "W8"]
    options = [f"--contender={name}" for name in asked] + [f"--workload={name}" for name in chosen]
    ran = benchmarks("--quick", f"--json={tmp_path / 'x.json'}", f"--plots={tmp_path}", *options, dsn=dsn)
    assert ran.returncode == 0, ran
    assert all(CONTENDERS[name].title in ran.stdout for name in asked)
    assert "refused" in ran.stdout  # COPY, by psycopg2 under psycogreen
    found = read_json(tmp_path / "x.json")
    for name, workload in itertools.product(asked, chosen):
        measured = found.find(name, workload, next(iter(WORKLOADS[workload].units)))
        assert (measured is not None and measured.median > 0) == does(name, workload), (name, workload)
    assert {f"{name}.svg" for name in chosen} < {path.name for path in tmp_path.iterdir()}
    assert "COPY OUT" in (tmp_path / "table.rst").read_text()


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.subprocess
@pytest.mark.skipif(building.why_not() != "", reason=f"the limit cannot be built: {building.why_not()}")
def test_the_limit_does_what_the_drivers_do(dsn: str, tmp_path: Path) -> None:
    options = [f"--workload={name}" for name in WORKLOADS if does("libpq", name) and name != "memory"]
    ran = benchmarks("--quick", f"--json={tmp_path / 'x.json'}", "--contender=libpq", *options, dsn=dsn)
    assert ran.returncode == 0, ran
    found = read_json(tmp_path / "x.json")
    assert [point for point in (1, 10, 100) if found.find("libpq", "by-rows", "cpu", point)] == [1, 10, 100]


@pytest.mark.integration
def test_to_wait_costs_next_to_nothing(run_python: Callable[..., Ran], dsn: str) -> None:
    """psycopg 3 alone wakes up ten times a second, in each green thread."""
    ran = run_python(
        """
        import gevent.monkey; gevent.monkey.patch_all()
        import greenpg.gevent; greenpg.gevent.patch()
        import os, psycopg, resource

        def wakings(seconds):
            before = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
            connection.execute("select pg_sleep(%s)", [seconds])
            return resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - before

        connection = psycopg.connect(os.environ["DSN"], autocommit=True)
        wakings(0)
        print(wakings(1) - wakings(0))
        """,
        env={"DSN": dsn},
    )
    assert int(ran.stdout) < 5


@pytest.mark.integration
@pytest.mark.parametrize(
    ("driver", "runtime"),
    [(Psycopg2, Threads), (Greenpg, Threads), (Pg8000, Threads), (AsyncGreenpg, Asyncio), (Asyncpg, Asyncio)],
)
def test_the_rows_that_are_copied_in_are_those_that_are_copied_out(
    dsn: str, driver: type[Driver], runtime: type[Runtime]
) -> None:
    with tables(dsn, {COPY_OUT: 1000}) as inside:
        tested = driver(inside)
        tested.start()
        runtime().drive(WORKLOADS["W5in"].steps(tested, runtime(), 1000))
        assert ask(inside, f"select count(*) from {COPY_IN}") == (1000,)
        assert ask(inside, f"select count(*) from (table {COPY_IN} except all table {COPY_OUT}) x") == (0,)
    assert ask(dsn, f"select to_regclass('{COPY_IN}')") == (None,)


@pytest.mark.integration
def test_a_contender_that_fails_is_named_and_the_others_go_on(dsn: str) -> None:
    rounds = Rounds(dsn, (), {"W1": 10, "W2": 100}, say=str)
    rounds.run(0, [Task("psycopg2", ("W2", "W1"))], float("inf"))  # the tables of W2 are not there
    assert "accounts" in rounds.failures.pop(("psycopg2", "W2"))
    assert not rounds.failures
    assert {figure.workload for figure in rounds.figures} == {"W1"}
