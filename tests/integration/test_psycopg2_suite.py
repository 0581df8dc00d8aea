"""psycopg2's own test suite, module by module, under every runtime; and that its runner sees all."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import re
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest
from psycopg2.extras import LogicalReplicationConnection

from tests import fresh
from tests.psycopg2_suite.database import ScratchDatabase
from tests.psycopg2_suite.job import PLAIN, Job, Outcome, Outcomes
from tests.psycopg2_suite.report import Report, flatten
from tests.psycopg2_suite.sdist import fetch, installed_version
from tests.psycopg2_suite.server import embedded
from tests.psycopg2_suite.verdict import ALLOWED, RUNTIMES, compare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.subprocess]

MODULES = """
    async bugX000 bug_gc cancel connection copy cursor dates errcodes errors extras_dictcursor
    fast_executemany green ipaddress lobject module notify psycopg2_dbapi20 quote replication sql
    transaction types_basic types_extras with
"""
PASSED = Outcome("passed")
OWN_DSN = os.environ.get("GREENPG_TEST_DSN")
VERSION = os.environ.get("GREENPG_TEST_VERSION", "16")


@pytest.fixture(scope="module")
def suite_dsn() -> Iterator[str]:
    """A server that can do what psycopg2's tests ask for; $GREENPG_TEST_DSN, if it is set, has to."""
    if OWN_DSN:
        yield OWN_DSN
    else:
        with embedded(int(VERSION)) as dsn:
            yield dsn


@pytest.fixture
def database(suite_dsn: str) -> Iterator[ScratchDatabase]:
    database = ScratchDatabase(suite_dsn, "greenpg_psycopg2_suite_runner")
    yield database
    database.drop()


@pytest.fixture(scope="module")
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the command reports of all modules that are asked for in this session."""
    faulthandler.cancel_dump_traceback_later()  # it takes its time, and has limits of its own
    asked = {
        item.callspec.params.get("module") for item in request.session.items if hasattr(item, "callspec")
    }
    written = tmp_path_factory.mktemp("psycopg2_suite") / "report.json"
    command = [sys.executable, "tests/run_psycopg2_suite.py", "--json", str(written)]
    command += ["--dsn", OWN_DSN] if OWN_DSN else ["--server", VERSION]
    for module in asked.intersection(MODULES.split()):
        command += ["--module", f"test_{module}"]
    ran = fresh.run(*command, timeout=1200)
    assert written.exists(), ran
    report: dict[str, Any] = json.loads(written.read_text())
    assert bool(report["differences"]) == bool(ran.returncode)
    return report


@pytest.mark.parametrize("module", MODULES.split())
def test_all_that_passes_plain_passes_green(module: str, report: dict[str, Any]) -> None:
    named = re.compile(rf"\btests\.test_{module}\b")
    for runtime in (PLAIN, *RUNTIMES):
        assert any(map(named.match, report["results"][runtime]))
    wrong = [each for each in report["differences"] if named.search(each["test"])]
    assert not wrong, "\n".join(f"{w['runtime']}: {w['test']}: {w['outcome']['detail']}" for w in wrong)


def test_no_module_is_left_out() -> None:
    suite = fetch(installed_version(), fresh.ROOT / ".cache")
    assert sorted(f"test_{name}" for name in MODULES.split()) == sorted(
        p.stem for p in suite.glob("tests/test_*.py")
    )


def run_sample(folder: Path, database: ScratchDatabase, body: str, runtime: str = PLAIN) -> Outcomes:
    """Run a suite of one module; the ids of the outcomes begin with `tests.test_sample.`."""
    (folder / "tests").mkdir()
    (folder / "tests" / "__init__.py").touch()
    header = "import os, threading, unittest\n"
    (folder / "tests" / "test_sample.py").write_text(header + textwrap.dedent(body))
    return Job(folder, runtime, "test_sample", limit=1.0).run(database)


def test_a_test_that_hangs_or_dies_is_told_from_those_around_it(
    tmp_path: Path, database: ScratchDatabase
) -> None:
    outcomes = run_sample(
        tmp_path,
        database,
        """
        class T(unittest.TestCase):
            def test_1_passes(self): pass
            def test_2_hangs(self): threading.Event().wait()
            def test_3_fails(self): self.fail("as it should")
            def test_4_dies(self): os.abort()
            def test_5_skips(self): self.skipTest("no need")
            def test_6_passes(self): pass

        class Unready(unittest.TestCase):
            @classmethod
            def setUpClass(cls): raise OSError("not today")
            def test(self): pass
        """,
    )
    verdicts = {test.rpartition(".")[2]: outcome.verdict for test, outcome in outcomes.items()}
    assert verdicts == {
        "test_1_passes": "passed",
        "test_2_hangs": "hung",
        "test_3_fails": "failed",
        "test_4_dies": "failed",
        "test_5_skips": "skipped",
        "test_6_passes": "passed",
        "Unready)": "failed",
        "test": "failed",
    }
    assert "in test_2_hangs" in outcomes["tests.test_sample.T.test_2_hangs"].detail
    assert outcomes["tests.test_sample.Unready.test"].detail == "never ran"


def test_a_hang_shows_where_the_green_threads_wait(tmp_path: Path, database: ScratchDatabase) -> None:
    body = """
        import psycopg2, socket
        class T(unittest.TestCase):
            def test(self): (here, there) = socket.socketpair(); here.recv(1)
    """
    hung = run_sample(tmp_path, database, body, runtime="gevent")["tests.test_sample.T.test"]
    assert hung.verdict == "hung"
    assert "here.recv(1)" in hung.detail


def test_a_process_that_does_not_end_well_is_a_failure(tmp_path: Path, database: ScratchDatabase) -> None:
    outcomes = run_sample(
        tmp_path,
        database,
        """
        class T(unittest.TestCase):
            def test(self): threading.Thread(target=threading.Event().wait).start()
        """,
    )
    assert outcomes["tests.test_sample.T.test"].verdict == "passed"
    assert outcomes["tests.test_sample (exit)"].verdict == "hung"


def test_a_runtime_that_cannot_be_set_up_is_a_failure(tmp_path: Path, database: ScratchDatabase) -> None:
    body = """
        class T(unittest.TestCase):
            def test(self): pass
        """
    outcomes = run_sample(tmp_path, database, body, runtime="no such runtime")
    assert list(outcomes) == ["tests.test_sample (import)"]
    assert "KeyError: 'no such runtime'" in outcomes["tests.test_sample (import)"].detail


def test_a_new_database_has_nothing_of_the_old_one(database: ScratchDatabase) -> None:
    database.renew()
    replication = psycopg2.connect(database.dsn, connection_factory=LogicalReplicationConnection)
    active = replication.cursor()
    active.create_replication_slot("left_behind", output_plugin="test_decoding")
    active.start_replication("left_behind")
    prepared = psycopg2.connect(database.dsn)
    prepared.tpc_begin("left behind")
    prepared.cursor().execute("create table left_behind ()")
    prepared.tpc_prepare()

    database.renew()

    with contextlib.closing(psycopg2.connect(database.dsn)) as connection:
        cursor = connection.cursor()
        cursor.execute(
            "select count(*) from pg_replication_slots where slot_name = 'left_behind'"
            " union all select count(*) from pg_prepared_xacts where gid = 'left behind'"
            " union all select count(*) from pg_class where relname = 'left_behind'"
        )
        assert cursor.fetchall() == [(0,)] * 3
    for abandoned in (prepared, replication):
        abandoned.close()


@pytest.mark.parametrize(
    ("plain", "green", "wrong"),
    [
        (PASSED, PASSED, []),
        (PASSED, Outcome("failed"), ["gevent"]),
        (PASSED, Outcome("hung"), ["gevent"]),
        (PASSED, Outcome("skipped", "green"), ["gevent"]),
        (PASSED, None, ["gevent"]),
        (Outcome("skipped", "old server"), Outcome("skipped", "old server"), []),
        (Outcome("skipped", "replication db not configured"), PASSED, ["plain"]),
        (Outcome("failed"), PASSED, ["plain"]),
    ],
)
def test_what_is_wrong(plain: Outcome, green: Outcome | None, wrong: list[str]) -> None:
    results = {"plain": {"a test": plain}, "gevent": {} if green is None else {"a test": green}}
    assert [difference.runtime for difference in compare(results)] == wrong


def test_an_excuse_holds_for_its_runtimes_alone() -> None:
    test = next(test for test, allowance in ALLOWED.items() if allowance.runtimes == ("gevent", "eventlet"))
    results = {PLAIN: {test: PASSED}, **{runtime: {test: Outcome("hung")} for runtime in RUNTIMES}}
    assert [difference.runtime for difference in compare(results)] == ["select"]


def test_the_report_names_what_is_wrong_even_if_nothing_ran() -> None:
    ran = {"test_copy": {"a test": PASSED, "a copy": PASSED}}
    crashed = {"test_copy": {"(import)": Outcome("failed", "no module named greenpg")}}
    results = {PLAIN: ran, "gevent": crashed}
    wrong = compare({runtime: flatten(modules) for runtime, modules in results.items()})
    lines = "\n".join(Report("psycopg2 2.9", results, {"a copy"}, wrong).lines())
    assert "gevent: (import): failed\n    no module named greenpg" in lines
    assert "gevent: 2 tests were not there" in lines
    assert "alone: 1 tests; passed here:\n  plain     1\n  gevent    0\n" in lines
