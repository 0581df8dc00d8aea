"""`EventletWorker` as a web server, in what gunicorn's own eventlet worker did until it was removed."""

from __future__ import annotations

import os
import signal
import socket
import ssl
from base64 import b64encode
from contextlib import closing
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import trustme

from tests.integration.test_gunicorn_workers import gunicorn, overlap, replaced, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.served import Served

pytestmark = [pytest.mark.subprocess, pytest.mark.slow, pytest.mark.eventlet]

CONFIG = """
import eventlet.patcher

def tell(server, who):
    server.log.info("%s is patched: %s", who, eventlet.patcher.is_monkey_patched("socket"))

def when_ready(server):
    tell(server, "master")

def post_worker_init(worker):
    tell(worker, "worker")
"""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the server's files; its path is short enough for a socket."""
    return tmp_path_factory.mktemp("eventlet")


@pytest.fixture(scope="module")
def server(room: Path, dsn: str) -> Iterator[Served]:
    """One server for all tests of a module that leave it as it is."""
    (room / "conf.py").write_text(CONFIG)
    (room / "file").write_bytes(os.urandom(1_000_000))
    options = ("-c", str(room / "conf.py"), "-b", f"unix:{room / 'socket'}", "--keep-alive", "10")
    log = ("--access-logfile", str(room / "access"))
    with gunicorn("eventlet", *options, *log, dsn=dsn, env={"FILE": str(room / "file")}) as server:
        yield server


def connect(server: Served) -> HTTPConnection:
    """Return a connection that serves more than one request."""
    address = urlsplit(server.url)
    assert address.hostname
    return HTTPConnection(address.hostname, address.port, timeout=10)


def ask(connection: HTTPConnection, path: str) -> bytes:
    connection.request("GET", path)
    with connection.getresponse() as response:
        return response.read()


def test_the_master_process_is_not_patched(server: Served) -> None:
    server.until_it_says("master is patched: False")
    server.until_it_says("worker is patched: True")


def test_a_connection_serves_more_than_one_request(server: Served) -> None:
    with closing(connect(server)) as connection:
        assert ask(connection, "/") == b"hello"
        first = connection.sock
        assert ask(connection, "/limited") == b"42"
        assert first is not None
        assert connection.sock is first


def test_a_file_comes_whole(server: Served, room: Path) -> None:
    with closing(connect(server)) as connection:
        assert ask(connection, "/file") == (room / "file").read_bytes()


def test_all_sockets_are_served(server: Served, room: Path) -> None:
    with closing(connect(server)) as connection, socket.socket(socket.AF_UNIX) as connection.sock:
        connection.sock.settimeout(10)
        connection.sock.connect(str(room / "socket"))
        assert ask(connection, "/") == b"hello"


def test_the_access_log_is_opened_anew(server: Served, room: Path) -> None:
    log, old = room / "access", room / "access.1"
    assert server.get("/?before") == "hello"
    wait_until(lambda: 'GET /?before HTTP/1.1" 200' in log.read_text())
    log.rename(old)
    os.kill(int(server.get("/pid")), signal.SIGUSR1)
    wait_until(log.exists)
    assert server.get("/?after") == "hello"
    wait_until(lambda: "GET /?after" in log.read_text())
    assert "/?after" not in old.read_text()


def test_as_many_connections_as_are_allowed(dsn: str) -> None:
    with gunicorn("eventlet", "--worker-connections", "2", dsn=dsn) as server:
        answers, took = server.get_at_once("/sleep", 6)
        assert answers == ["42"] * 6
        assert took >= 0.9  # two by two


def test_a_worker_is_replaced_after_so_many_requests(dsn: str) -> None:
    with gunicorn("eventlet", "--max-requests", "3", dsn=dsn) as server:
        answers = [server.get("/pid")]

        def another() -> bool:
            answers.append(server.get("/pid"))
            return answers[-1] != answers[0]

        wait_until(another)
        assert all(map(str.isdecimal, answers)), "a request was lost on the way"


def test_a_worker_that_hangs_is_replaced(dsn: str) -> None:
    with gunicorn("eventlet", "--timeout", "3", dsn=dsn) as server:  # one that starts must not seem to hang
        old = server.get("/pid")
        server.get("/hold")
        wait_until(lambda: replaced(server, old))
        assert overlap(server)


def test_tls(dsn: str, tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate, trust = tmp_path / "certificate.pem", ssl.create_default_context()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    authority.configure_trust(trust)
    options = ("--certfile", str(certificate), "--do-handshake-on-connect")
    with gunicorn("eventlet", *options, dsn=dsn, trust=trust) as server:
        assert server.url.startswith("https://")
        with closing(connect(server)) as connection:
            connection.connect()
            connection.sock.sendall(b"GET / HTTP/1.0\r\n\r\n")  # no TLS: the others do not notice
            assert overlap(server)
        assert "Traceback" not in server.log


def test_websockets(dsn: str) -> None:
    """RFC 6455, as far as an echo of one short message goes."""
    with gunicorn("eventlet", app="websocket_app", dsn=dsn) as server:
        headers = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": b64encode(bytes(16)).decode(),
        }
        with closing(connect(server)) as connection:
            connection.request("GET", "/echo", headers=headers)
            client = connection.sock
            stream = client.makefile("rb")
            assert b" 101 " in stream.readline()
            while stream.readline() != b"\r\n":
                pass
            client.sendall(b"\x81\x85" + bytes(4) + b"hello")  # masked by zeros
            assert stream.read(7) == b"\x81\x05hello"
            client.sendall(b"\x88\x80" + bytes(4))
            assert stream.read(1) == b"\x88"
        assert server.get("/") == "hello"
        assert "Traceback" not in server.log
