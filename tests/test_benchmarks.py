"""`python -m benchmarks`: its arithmetic, its answers to bad input, a quick run. No speed is judged."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest

from benchmarks.contenders import CONTENDERS
from benchmarks.contenders.plain import Plain
from benchmarks.contenders.psycopg3 import Psycopg3
from benchmarks.figures import Figure
from benchmarks.report import rival_of
from benchmarks.rounds import BenchmarkError, Pair, measure, pairs
from benchmarks.tables import COPY_IN, COPY_OUT, COPY_ROWS, tables
from benchmarks.workloads import WORKLOADS
from benchmarks.workloads.copy import CopyIn
from tests.fresh import Ran, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


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


def test_a_figure_is_the_middle_of_its_samples_and_so_is_its_spread() -> None:
    figure = Figure("plain", "W1", (1.0, 9.0, 2.0))
    assert (figure.median, figure.spread) == (2.0, 1.0)


def test_a_ratio_is_taken_within_each_round() -> None:
    ours = Figure("greenpg-gevent", "W1", (1.0, 20.0, 2.0))
    theirs = Figure("psycogreen", "W1", (2.0, 40.0, 2.0))
    assert ours.ratio(theirs) == 0.5


def test_a_rival_is_the_first_that_has_done_the_same_workload() -> None:
    ours, plain = Figure("greenpg-gevent", "W5in", (1.0,)), Figure("plain", "W5in", (1.0,))
    elsewhere = Figure("psycogreen", "W1", (1.0,))
    assert rival_of(ours, [ours, plain, elsewhere]) is plain
    assert rival_of(plain, [ours, plain, elsewhere]) is None


def test_every_rival_is_a_contender() -> None:
    assert {rival for contender in CONTENDERS.values() for rival in contender.rivals} <= set(CONTENDERS)


def test_whoever_refuses_copy_is_not_asked_for_it() -> None:
    assert [pair.contender for pair in pairs(["greenpg-gevent", "psycogreen", "plain"], ["W5in"])] == [
        "greenpg-gevent",
        "plain",
    ]


@pytest.mark.subprocess
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--rounds", "0"], "--rounds: must be a whole number from 1, not '0'"),
        (["--workload", "W99"], "'W99'"),
        (["--contender", "nobody"], "'nobody'"),
        (["--json", "/no/such/folder/x.json"], "cannot be written"),
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


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.subprocess
def test_a_quick_run_reports_every_contender(dsn: str, tmp_path: Path) -> None:
    ran = benchmarks("--quick", f"--json={tmp_path / 'found.json'}", "--workload=W1", dsn=dsn)
    assert ran.returncode == 0, ran
    assert all(contender.title in ran.stdout for contender in CONTENDERS.values())
    report = json.loads((tmp_path / "found.json").read_text())
    found = {(figure["contender"], figure["workload"]): figure for figure in report["figures"]}
    assert set(found) == {(contender, "W1") for contender in CONTENDERS}
    assert all(len(figure["samples"]) == 1 and figure["median"] > 0 for figure in found.values())
    assert found["greenpg-gevent", "W1"]["rival"] == "psycogreen"
    assert {"greenpg", "gevent", "psycogreen"} <= set(report["versions"])


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.subprocess
def test_a_quick_run_of_other_workloads_says_who_refuses_copy(dsn: str) -> None:
    options = [f"--workload={name}" for name in WORKLOADS if name != "idle"]
    options += [f"--contender={name}" for name in ("psycogreen", "greenpg-gevent")]
    ran = benchmarks("--quick", *options, dsn=dsn)
    assert ran.returncode == 0, ran
    assert ran.stdout.count("refused") == 2


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.subprocess
def test_to_wait_costs_next_to_nothing(dsn: str) -> None:
    """psycopg 3 alone wakes up ten times a second for each: 70 ms, where this is mostly the queries."""
    [figure] = measure(dsn, [Pair("greenpg-psycopg3-gevent", "idle")], 1, quick=True, done=lambda: None)
    assert figure.median < 0.020


@pytest.mark.integration
@pytest.mark.parametrize("driver", [Plain, Psycopg3])
def test_the_rows_that_are_copied_in_are_those_that_are_copied_out(dsn: str, driver: type[Plain]) -> None:
    with tables(dsn, copies=True) as inside:
        plain = driver(inside)
        plain.start()
        workload = CopyIn(plain)
        plain.run(workload.jobs(1))
        workload._connection.close()
        assert ask(inside, f"select count(*) from {COPY_IN}") == (COPY_ROWS,)
        assert ask(inside, f"select count(*) from (table {COPY_IN} except all table {COPY_OUT}) x") == (0,)
    assert ask(dsn, f"select to_regclass('{COPY_IN}')") == (None,)


@pytest.mark.integration
def test_a_contender_that_fails_ends_the_run_with_its_error(dsn: str) -> None:
    with pytest.raises(BenchmarkError, match=r"plain at W2 failed: .*accounts"):
        measure(dsn, [Pair("plain", "W2")], 1, quick=True, done=lambda: None)  # the tables are not there
