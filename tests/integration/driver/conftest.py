"""Runs each async test of this folder in every runtime, and gives it `db`; see `bed` and `runtimes`."""

from __future__ import annotations

import gc
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from greenpg.conninfo import conninfo_to_dict, make_conninfo
from tests import faults
from tests.integration.driver.bed import DRIVER, Db, Observer
from tests.integration.driver.runtimes import RUNTIMES, Runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent
STAND_IN = ("select", "asyncio", "uvloop")
"""The runtimes that psycopg 3 itself works in."""


@pytest.hookimpl(tryfirst=True)  # or a test's id would depend on when this file was loaded
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test per runtime; `runtimes(*names)` narrows it down."""
    if "runtime" not in metafunc.fixturenames or not metafunc.definition.path.is_relative_to(FOLDER):
        return
    marker = metafunc.definition.get_closest_marker("runtimes")
    names = marker.args if marker else tuple(RUNTIMES)
    if DRIVER != "greenpg":
        names = tuple(name for name in names if name in STAND_IN)
    marks = {name: getattr(pytest.mark, name) for name in ("gevent", "eventlet", "trio")}
    parameters = [pytest.param(name, marks=marks.get(name, ())) for name in names]
    metafunc.parametrize("runtime", parameters, indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what psycopg 3 does not have when it is the driver."""
    if DRIVER == "greenpg":
        return
    for item in items:
        if item.get_closest_marker("beyond"):
            item.add_marker(pytest.mark.skip(f"beyond {DRIVER}"))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an async test in its runtime."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    db: Any = pyfuncitem.funcargs["db"]

    async def test() -> None:
        if "conn" in names:
            arguments["conn"] = await db.connect()
        await pyfuncitem.obj(**arguments)

    db.run(test)
    return True


@pytest.fixture(scope="session", autouse=True)
def quick_collector() -> Iterator[None]:
    """Have the collector look at what tests make, not at every module: many tests call it."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session")
def observer(dsn: str) -> Iterator[Observer]:
    """A connection that sees what the server does; `db.sql`."""
    observer = Observer(dsn)
    yield observer
    observer.close()


@pytest.fixture
def runtime(request: pytest.FixtureRequest) -> Runtime:
    """The runtime of this test."""
    if request.param in ("gevent", "eventlet", "trio", "uvloop"):
        pytest.importorskip(request.param)
    return RUNTIMES[request.param]()


@pytest.fixture
def db(runtime: Runtime, dsn: str, observer: Observer) -> Db:
    """The test bed."""
    return Db(runtime, dsn, observer)


@pytest.fixture
def conn(db: Db) -> None:
    """A connection of the bed; it is opened in the test's own runtime, right before the test."""


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let cleaning up after an interruption take longer than the 2 s that it may: a machine may be busy."""
    monkeypatch.setattr("greenpg._turn.RECOVERY_LIMIT", 30.0)


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch, patience: None) -> float:
    """Let cleaning up after an interruption take less than the 2 s that it may; return the seconds."""
    monkeypatch.setattr("greenpg._turn.RECOVERY_LIMIT", 0.1)
    return 0.1


@pytest.fixture(scope="session")
def the_proxy(dsn: str) -> Iterator[faults.FaultProxy]:
    """The session's proxy in front of the server."""
    with faults.FaultProxy(dsn) as proxy:
        yield proxy


@pytest.fixture
def proxy(the_proxy: faults.FaultProxy) -> Iterator[faults.FaultProxy]:
    """A fault proxy in front of the server, healed and without connections."""
    yield the_proxy
    the_proxy.heal()
    the_proxy.cut()


@pytest.fixture(scope="session")
def hostile() -> Iterator[faults.HostileServer]:
    """A server that breaks the protocol in the way that the name of the database says."""
    with faults.HostileServer() as server:
        yield server


@pytest.fixture
def port(dsn: str) -> str:
    """The port of the session's server, by TCP."""
    return str(conninfo_to_dict(dsn)["port"])


@pytest.fixture
def local(dsn: str) -> str:
    """The session's server by TCP, without a host and a port."""
    options = conninfo_to_dict(dsn)
    return make_conninfo(user=options["user"], dbname=options["dbname"], password=options.get("password"))
