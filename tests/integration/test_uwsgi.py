"""uWSGI's gevent loop and its own async core, as built from PyPI: what docs/examples/uwsgi shows, and faults.

In a process that is not green, ten requests that take 0.3 s in PostgreSQL take 3 s together.
"""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2
import pytest

from tests.faults import hostile
from tests.fresh import ROOT, run, run_python
from tests.integration.served import APPS, Served
from tests.integration.test_gunicorn_workers import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = ROOT / "docs" / "examples" / "uwsgi"
REQUESTS = 10
GREEN = 2.0
"""Seconds within which ten slow requests are answered, on a busy machine too."""
BLOCKING = 3.0
"""Seconds that they take one after the other."""
ASYNC = ("--async", "30", "--ugreen", "--ugreen-stacksize", "2048", "--post-buffering", "65536")

SLEEPING = "state = 'active' and query = 'select pg_sleep(30)' and application_name = 'test_uwsgi'"
SERVE = str(APPS / "serve_with_uwsgi.py")

pytestmark = [
    pytest.mark.subprocess,
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path(sys.executable).with_name("uwsgi").exists(),
        reason="uWSGI is not installed beside this Python: pip install 'greenpg[uwsgi]'",
    ),
]


def uwsgi(*options: str, dsn: str, folder: Path = APPS, **env: str) -> Served:
    """Return uWSGI with an application of `folder`, or else of docs/examples/uwsgi."""
    env["PGAPPNAME"] = "test_uwsgi"
    return Served(SERVE, *options, dsn=dsn, env=env, folders=[folder, EXAMPLES])


def ini(name: str) -> tuple[str, str]:
    """Return the options that docs/examples/uwsgi gives."""
    return "--ini", str(EXAMPLES / f"{name}.ini")


def overlap(server: Served, path: str = "/slow", answer: str = "hello") -> None:
    """Check that ten slow requests are answered as if there was one."""
    answers, seconds = server.get_at_once(path, REQUESTS)
    assert answers == [answer] * REQUESTS, server.log
    assert seconds < GREEN, server.log


@pytest.mark.parametrize("folder", [EXAMPLES, APPS / "psycopg3"], ids=["psycopg2", "psycopg"])
@pytest.mark.parametrize("name", ["early", "late", "one_line", "async_core"])
def test_three_ways(name: str, folder: Path, dsn: str) -> None:
    with uwsgi(*ini(name), dsn=dsn, folder=folder) as server:
        overlap(server)


def test_without_greenpg_they_wait_for_each_other(dsn: str) -> None:
    with uwsgi(*ini("late"), dsn=dsn, GREENPG_AUTO="0") as server:
        assert server.get_at_once("/slow", REQUESTS)[1] >= BLOCKING


@pytest.mark.parametrize("name", ["early", "late", "async_core"])
@pytest.mark.parametrize("options", [[], ["--lazy-apps"]], ids=["", "lazy-apps"])
def test_workers(name: str, options: list[str], dsn: str) -> None:
    with uwsgi(*ini(name), "--processes", "2", *options, dsn=dsn) as server:
        overlap(server)


@pytest.mark.parametrize("first", ["uwsgidecorators", "greenpg"])
@pytest.mark.parametrize("driver", ["psycopg2", "psycopg"])
def test_inherited_connections(driver: str, first: str, dsn: str) -> None:
    """Workers leave their master's sessions alone, and keep what they have connected themselves."""
    options = *ini("early"), "--processes", "2", "--module", "inherits"
    with uwsgi(*options, dsn=dsn, DRIVER=driver, FIRST=first) as server:
        answers, _ = server.get_at_once("/inherited", REQUESTS)
        assert {"the connection belongs to the parent process" in answer for answer in answers} == {True}
        assert server.get("/own") == "42"
        assert sessions("application_name = 'inherited'", dsn) == 1


def test_time_limit(dsn: str) -> None:
    """A statement whose time is over is cancelled, on the server too, and its connection goes on."""
    with uwsgi(*ini("late"), "--module", "limited", dsn=dsn) as server:
        answers, seconds = server.get_at_once("/slow", REQUESTS)
        assert answers == ["too slow"] * REQUESTS, server.log
        assert seconds < BLOCKING
        assert sessions(SLEEPING, dsn) == 0


def sessions(which: str, dsn: str) -> int:
    """Return how many sessions there are on the server, of which a condition holds."""
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute(f"select count(*) from pg_stat_activity where {which}")
        ((count,),) = cursor.fetchall()
    connection.close()
    return int(count)


# The async core


@pytest.fixture(scope="module")
def server(dsn: str) -> Iterator[Served]:
    """One worker of the async core with an application that has a path for everything."""
    with uwsgi(*ASYNC, "--module", "uwsgi_app", dsn=dsn) as served:
        yield served


def test_contract(dsn: str) -> None:
    with uwsgi(*ASYNC, "--module", "uwsgi_contract", dsn=dsn) as server:
        assert server.get_at_once("/contract", REQUESTS)[0] == ["kept"] * REQUESTS, server.log


def test_where_there_is_no_request(server: Served) -> None:
    assert server.get("/loaded") == "42"


def test_one_connection_for_all(server: Served) -> None:
    answers, _ = server.get_at_once("/busy", 2)
    assert sorted(answers)[0] == "42"
    assert "execute cannot be used while <GreenThread" in sorted(answers)[1]


def test_a_response_in_parts(server: Served) -> None:
    overlap(server, "/parts", "0123")


def test_a_response_of_plain_bytes(server: Served) -> None:
    assert server.get("/whole") == "42", server.log


def test_files_are_not_sent_line_by_line(server: Served) -> None:
    assert server.get("/wrappers") == "[]"


def test_name_look_up(server: Served) -> None:
    overlap(server, "/connects?host=localhost&options=-cidle_session_timeout=0", "42")


def test_connect_timeout(server: Served) -> None:
    """It is kept while other requests are served."""
    with hostile("silent") as silent:
        began = time.monotonic()
        answers, _ = server.get_at_once(f"/connects?port={silent.port}&connect_timeout=2", 2)
        assert 2 <= time.monotonic() - began < 4  # which they would take one after the other
    assert {"timeout expired" in answer for answer in answers} == {True}, answers


def test_soft_time_limit(server: Served, dsn: str) -> None:
    """A statement whose time is over is cancelled, on the server too, and its connection goes on."""
    overlap(server, "/limited", "0.2 (42,)")
    assert sessions(SLEEPING, dsn) == 0


def test_an_exception(server: Served) -> None:
    server.get("/fails")
    server.until_it_says("ZeroDivisionError: 42")
    overlap(server, answer="42")


def test_slow_upload(server: Served) -> None:
    with client(server) as slow:
        slow.sendall(b"POST /length HTTP/1.0\r\nContent-Length: 100000\r\n\r\n" + bytes(40000))
        overlap(server, answer="42")
        slow.sendall(bytes(60000))
        assert slow.makefile("rb").read().endswith(b"\r\n\r\n100000")


def test_slow_download_that_is_broken_off(server: Served) -> None:
    with client(server) as slow:
        slow.sendall(b"GET /endless HTTP/1.0\r\n\r\n")
        assert slow.recv(1)
        overlap(server, answer="42")
    wait_until(lambda: "endless" in server.get("/ends"))


def test_a_response_that_is_closed_while_it_waits(server: Served) -> None:
    """Its statement is cancelled, and its connection goes on."""
    server.get("/closed")
    assert "(42,), 0" in server.get("/ends"), server.log


def test_an_application_that_is_not_wrapped(server: Served) -> None:
    said = (
        "a wait outside of greenpg.uwsgi.green() has held the uWSGI worker: wrap the WSGI application in it"
    )
    answers, seconds = server.get_at_once("/not-green", 2)
    assert answers == ["42"] * 2
    assert seconds >= 2 * 0.3
    server.until_it_says(said)
    assert server.log.count(said) == 1


def client(server: Served) -> socket.socket:
    """Connect to a web server."""
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=30)


# Wrong beginnings


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ([], "missing is --async, --ugreen, --post-buffering"),
        (["--async", "2", "--ugreen"], "missing is --post-buffering"),
        (["--gevent", "2"], "uWSGI runs its gevent loop: greenpg.uwsgi is for its own async core"),
    ],
)
def test_uwsgi_that_is_started_otherwise(options: list[str], complaint: str) -> None:
    ran = run(sys.executable, SERVE, *options, "--need-app", "--module", "async_core", cwd=EXAMPLES)
    assert ran.returncode != 0
    assert f"RuntimeError: {complaint}" in ran.stderr or f"; {complaint}\n" in ran.stderr


def test_no_uwsgi() -> None:
    ran = run_python(
        """
        import greenpg.uwsgi
        for call in (greenpg.uwsgi.patch, lambda: greenpg.uwsgi.green(print)):
            try:
                call()
            except ImportError as error:
                assert "uWSGI has not started this process" in str(error)
            else:
                raise AssertionError(call)
        assert not greenpg.uwsgi.is_patched()
        try:
            with greenpg.uwsgi.Timeout(1):
                pass
        except RuntimeError as error:
            assert "wrap the application" in str(error)
        else:
            raise AssertionError("a time limit without a green thread")
        """
    )
    assert ran.returncode == 0, ran
