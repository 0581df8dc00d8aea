"""The session's server, and what the report's header says.

The server is the embedded one, started when the first test asks for it, or the one of $GREENPG_TEST_DSN.
$GREENPG_TEST_VERSION chooses the embedded server's version.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from greenpg.testing.server import EmbeddedServer
from tests import fresh

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path(__file__).parent
NEED_A_SERVER = ("integration", "green")

# Files of a minute and more. Begun last, one of two processes would have nothing left to do beside them.
LONG = {
    *("test_psycopg2_suite", "test_docs", "test_guide", "test_sqlalchemy_suite", "test_psycopg_versions"),
    *("test_uwsgi", "test_postgresql_18", "test_celery", "test_promises_leaks", "test_gunicorn_workers"),
}

_server = pytest.StashKey[EmbeddedServer]()


def embedded_server(config: pytest.Config) -> EmbeddedServer:
    """Return the session's own server, started if it is not running yet."""
    if _server not in config.stash:
        version = int(os.environ.get("GREENPG_TEST_VERSION", "16"))
        config.stash[_server] = server = EmbeddedServer(version, {"wal_level": "logical"})
        config.add_cleanup(server.close)
        server.start()
    return config.stash[_server]


def session_dsn(config: pytest.Config) -> str:
    """Return the connection string of the server that the session's tests share."""
    return os.environ.get("GREENPG_TEST_DSN") or embedded_server(config).dsn


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config) -> EmbeddedServer:
    """The session's server as an object; a test that stops it starts it again before it ends."""
    if os.environ.get("GREENPG_TEST_DSN"):
        pytest.skip("the server of $GREENPG_TEST_DSN is not ours to control")
    return embedded_server(pytestconfig)


@pytest.fixture(scope="session")
def dsn(pytestconfig: pytest.Config) -> str:
    """Connection string of a running server, as a superuser."""
    return session_dsn(pytestconfig)


@pytest.fixture
def run_python() -> Callable[..., fresh.Ran]:
    """`fresh.run_python`: run a snippet or a file in a fresh interpreter."""
    return fresh.run_python


def pytest_configure(config: pytest.Config) -> None:
    """Let Ctrl-C be Ctrl-C, and property tests take their time and find the same as yesterday.

    A busy machine is no reason to fail, nor is what chance brings up on the way of somebody else's change:
    look for that with `--hypothesis-profile fuzz`.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # a job in the background; children inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # not in the children of tests/green: what hypothesis brings along does not survive monkey-patching
    if config.pluginmanager.has_plugin("hypothesispytest"):
        from hypothesis import HealthCheck, settings

        patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
        settings.register_profile("fuzz", patient)
        settings.register_profile("greenpg", patient, derandomize=True)
        settings.load_profile(config.getoption("--hypothesis-profile") or "greenpg")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by folder what needs a server, by fixture what runs an interpreter; begin with what takes long."""
    items.sort(key=lambda item: item.path.stem not in LONG)
    for item in items:
        if item.path.is_relative_to(FOLDER) and item.path.relative_to(FOLDER).parts[0] in NEED_A_SERVER:
            item.add_marker("integration")
        if "run_python" in getattr(item, "fixturenames", ()):
            item.add_marker("subprocess")


def pytest_report_header() -> list[str]:
    """Say which server and which libpq the session is about."""
    version = os.environ.get("GREENPG_TEST_VERSION", "16")
    server = "of $GREENPG_TEST_DSN" if os.environ.get("GREENPG_TEST_DSN") else f"embedded, {version}"
    return [f"server: {server}", f"libpq: {_libpq()}"]


def _libpq() -> str:
    try:
        from greenpg import pq  # the one place of a session that must not end it when it fails

        library = pq.library()
    except Exception as error:
        return f"none, {error}"
    version, binding = divmod(library.version, 10000), library.implementation
    return f"{version[0]}.{version[1]} by {binding}, through {Path(library.path).name}"
