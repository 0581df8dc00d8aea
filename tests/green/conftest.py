"""Runs this folder's tests in children, and reports them as if they had run here.

To the session they are ordinary tests, one per runtime, to be chosen by `-k gevent` or by node id. When the
first of a module and runtime is due, a child runs all that were chosen of the same (`alone`: only that one)
and sends back its reports. A test over its limit, or a crash, ends the child; the rest then gets another. In
the child (`runtimes.installed`) these hooks stand back and the fixtures below work.
"""

from __future__ import annotations

import faulthandler
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import conftest, fresh
from tests.green import reports, runtimes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER = Path(__file__).parent
START_AND_END = 60.0
"""Seconds that a child may take besides its tests, on a busy machine."""

_done = pytest.StashKey[dict[str, list[pytest.TestReport]]]()


@pytest.hookimpl(tryfirst=True)  # or a test's id would depend on when this file was loaded
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test per runtime, or only the installed one's; `runtimes(*names)` narrows it down."""
    if not metafunc.definition.path.is_relative_to(FOLDER):
        return
    marker = metafunc.definition.get_closest_marker("runtimes")
    names = marker.args if marker else tuple(runtimes.RUNTIMES)
    if runtimes.installed is not None:
        names = tuple(name for name in names if name == runtimes.installed.name)
    metafunc.parametrize("runtime", names, indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """In the session: report what the child said of the test, running the child first if need be."""
    if runtimes.installed is not None or not item.path.is_relative_to(FOLDER):
        return None
    done = item.config.stash.setdefault(_done, {})
    if item.nodeid not in done:
        faulthandler.cancel_dump_traceback_later()  # ours would cover the whole module; the child has its own
        done.update(_run_child(item.config, _companions(item, done)))
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in done[item.nodeid]:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _companions(item: pytest.Item, done: dict[str, Any]) -> list[pytest.Item]:
    """Return the tests that share a child with `item`, itself first."""

    def home(other: pytest.Item) -> tuple[object, ...]:
        alone = other.nodeid if other.get_closest_marker("alone") else None
        return runtime_of(other), alone

    waiting = (other for other in item.session.items if other.path == item.path and other.nodeid not in done)
    return [item, *(other for other in waiting if other is not item and home(other) == home(item))]


def runtime_of(item: pytest.Item) -> str:
    """Return the name of the runtime that a test of this folder is to run in."""
    name: str = item.callspec.params["runtime"]  # type: ignore[attr-defined]
    return name


def _run_child(config: pytest.Config, items: list[pytest.Item]) -> dict[str, list[pytest.TestReport]]:
    """Run the tests in one child and return how they ended, but for those that a crash left out."""
    with tempfile.NamedTemporaryFile(prefix="greenpg-") as file:
        ran = fresh.run(
            *(sys.executable, "-m", "tests.green", runtime_of(items[0]), "-q"),
            *(f"--tb={config.option.tbstyle}", f"--verbosity={config.get_verbosity()}"),
            *(item.nodeid for item in items),
            env={reports.VARIABLE: file.name, "GREENPG_TEST_DSN": conftest.session_dsn(config)},
            # Each test has this limit in the child itself; this is for a child that hangs beyond its tests.
            timeout=float(config.getini("faulthandler_timeout")) * len(items) + START_AND_END,
        )
        done, broken = reports.read(config, Path(file.name))
    for item in items:
        # A child that ended in no test's midst did not get to its tests: none of the others will fare better.
        if item.nodeid not in done and (item.nodeid in broken or not broken):
            done[item.nodeid] = [_failure(item, ran)]
    return done


def _failure(item: pytest.Item, ran: fresh.Ran) -> pytest.TestReport:
    """Return the report of a test whose child broke off."""
    text = f"the child process {ran.end}"
    return pytest.TestReport(item.nodeid, item.location, {}, "failed", text, "call", [("Child", str(ran))])


@pytest.fixture(autouse=True)
def runtime() -> runtimes.Runtime:
    """The runtime of this process: spawn, kill, timeout."""
    assert runtimes.installed is not None
    return runtimes.installed


@pytest.fixture
def connect(dsn: str) -> Iterator[Callable[..., Any]]:
    """`psycopg2.connect` to the session's server; what it opened is closed at the end."""
    import psycopg2

    opened = []

    def connect(**options: Any) -> Any:
        opened.append(psycopg2.connect(dsn, **options))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture
def conn(connect: Callable[..., Any]) -> Any:
    """An open psycopg2 connection."""
    return connect()


@pytest.fixture
def connect3(dsn: str) -> Iterator[Callable[..., Any]]:
    """`psycopg.connect` to the session's server; what it opened is closed at the end."""
    import psycopg

    opened = []

    def connect(**options: Any) -> Any:
        opened.append(psycopg.connect(dsn, **options))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture
def conn3(connect3: Callable[..., Any]) -> Any:
    """An open connection of psycopg 3."""
    return connect3()


@pytest.fixture
def short_limits() -> Iterator[None]:
    """Limits of cleaning up and cancelling that a test can wait for, in the drivers that are imported."""
    found = (sys.modules.get(f"greenpg.compat.{driver}") for driver in ("psycopg2", "psycopg"))
    rooms: list[Any] = [room for room in found if room is not None]
    for room in rooms:
        room.patch(recovery_timeout=0.3, cancel_timeout=0.3)
    yield
    for room in rooms:
        room.patch()


@pytest.fixture
def port(dsn: str) -> str:
    """The port of the session's server, on 127.0.0.1."""
    from psycopg2.extensions import parse_dsn

    parameters = parse_dsn(dsn)
    if parameters["host"] != "127.0.0.1":
        pytest.skip("the server is not on 127.0.0.1")
    return str(parameters["port"])
