"""psycopg 3: each host has its time, then comes the next, and nothing is left of those that failed."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.faults import STUCK_CONNECTS, FaultServer, hostile
from tests.green.psycopg_statements import descriptors, value
from tests.green.sessions import wait_for
from tests.green.ticker import LONGEST, Ticker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.green.runtimes import Runtime


@pytest.fixture(scope="module")
def stuck() -> Iterator[dict[str, FaultServer]]:
    """One server of each kind that never lets a connect end."""
    with ExitStack() as stack:
        yield {kind: stack.enter_context(hostile(kind)) for kind in STUCK_CONNECTS}


def both(dsn: str, first: FaultServer, port: str, timeout: int = 2) -> str:
    """Return a conninfo with two hosts: a server that is stuck, and ours."""
    return make_conninfo(
        dsn,
        host=f"{first.host},{first.host}",
        port=f"{first.port},{port}",
        password="none",  # for the server that stops after it has asked for one
        connect_timeout=timeout,
    )


def test_stuck_connects_end_when_their_time_is_over(
    runtime: Runtime, stuck: dict[str, FaultServer], dsn: str, port: str
) -> None:
    def alone(server: FaultServer) -> float:
        began = time.monotonic()
        with pytest.raises(psycopg.errors.ConnectionTimeout, match="timeout expired"):
            psycopg.connect(server.dsn, connect_timeout=2)
        return time.monotonic() - began

    def beside_ours(server: FaultServer) -> str:
        with psycopg.connect(both(dsn, server, port)) as conn:
            assert value(conn) == 42
            return str(conn.info.port)

    runtime.sleep(0.001)  # the hub, if this is its first time, opens files of its own
    before = descriptors()
    with Ticker(runtime) as ticker:
        seconds = [runtime.spawn(alone, server) for server in stuck.values()]
        ports = [runtime.spawn(beside_ours, server) for server in stuck.values()]
        assert all(1.9 < each < 4 for each in runtime.join_all(seconds))
        assert runtime.join_all(ports) == [port] * len(stuck)
    if runtime.green:
        assert ticker.longest < LONGEST
        assert ticker.ticks > 100
    del seconds, ports
    wait_for(lambda: descriptors() <= before, runtime.sleep)


def test_timeout_thrown_in(runtime: Runtime, stuck: dict[str, FaultServer], dsn: str, port: str) -> None:
    runtime.sleep(0.001)
    before = descriptors()
    for server in stuck.values():
        with pytest.raises(runtime.Timeout) as caught, runtime.timeout(0.05) as bomb:
            psycopg.connect(both(dsn, server, port, 5))
        assert caught.value is bomb
        del caught, bomb
    wait_for(lambda: descriptors() <= before, runtime.sleep)


@pytest.mark.runtimes("gevent", "eventlet")
def test_kill(runtime: Runtime, stuck: dict[str, FaultServer], dsn: str, port: str) -> None:
    runtime.sleep(0.001)
    before = descriptors()
    for server in stuck.values():
        task = runtime.spawn(psycopg.connect, both(dsn, server, port, 5))
        runtime.sleep(0.01)
        runtime.kill(task)
        with pytest.raises(runtime.Killed):
            task.get()
    del task
    wait_for(lambda: descriptors() <= before, runtime.sleep)


def test_names_that_an_application_resolves_itself(
    runtime: Runtime, dsn: str, port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    def getaddrinfo(host: str, *_args: object, **_hints: object) -> list[object]:
        assert host == "fruit.test"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", int(port)))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with psycopg.connect(make_conninfo(dsn, host="fruit.test")) as conn:
        assert value(conn) == 42


def test_failures_are_named(runtime: Runtime, dsn: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="Name or service not known"):
        psycopg.connect(make_conninfo(dsn, host="no.invalid"))
    with pytest.raises(psycopg.OperationalError, match="Connection refused"):
        psycopg.connect(make_conninfo(dsn, port=1))
