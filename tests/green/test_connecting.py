"""Promise 13: each host has its time, then comes the next, and nothing is left of those that failed."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import psycopg2
import pytest
from psycopg2.extensions import connection, make_dsn, parse_dsn

from tests.faults import STUCK_CONNECTS, FaultProxy, FaultServer, hostile
from tests.green.connects import REFUSED, error_of, hosts, nothing_left, port_reached
from tests.green.ticker import LONGEST, Ticker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.green.runtimes import Runtime


@pytest.fixture(scope="module")
def stuck() -> Iterator[dict[str, FaultServer]]:
    """One server of each kind that never lets a connect end."""
    with ExitStack() as stack:
        yield {kind: stack.enter_context(hostile(kind)) for kind in STUCK_CONNECTS}


def test_stuck_connects_end_when_their_time_is_over(runtime: Runtime, stuck: dict[str, FaultServer]) -> None:
    def connect(server: FaultServer) -> tuple[float, str]:
        began = time.monotonic()
        error = error_of(make_dsn(server.dsn, connect_timeout=1))
        assert type(error) is psycopg2.OperationalError
        return time.monotonic() - began, str(error)

    with nothing_left():
        with Ticker(runtime) as ticker:
            tasks = {kind: runtime.spawn(connect, server) for kind, server in stuck.items()}
            runtime.join_all(tasks.values())
        if runtime.green:
            assert ticker.longest < LONGEST
            assert ticker.ticks > 100
        for kind, task in tasks.items():
            seconds, message = task.get()
            assert (
                message
                == f'connection to server at "127.0.0.1", port {stuck[kind].port} failed: timeout expired\n'
            )
            assert 0.9 < seconds < 3
        del tasks, task


def test_the_second_host_is_reached(
    runtime: Runtime, stuck: dict[str, FaultServer], dsn: str, port: str
) -> None:
    with nothing_left():
        tasks = [runtime.spawn(port_reached, hosts(dsn, server.port, port)) for server in stuck.values()]
        assert runtime.join_all(tasks) == [port] * len(stuck)
        del tasks


def test_many_hosts(runtime: Runtime, stuck: dict[str, FaultServer], dsn: str, port: str) -> None:
    silent, flood = stuck["silent"].port, stuck["flood"].port
    many = [
        hosts(dsn, REFUSED, silent, REFUSED, flood, port),
        hosts(dsn, silent, silent, port, hostaddr="127.0.0.1,127.0.0.1,127.0.0.1"),
        hosts(dsn, host="no.invalid,localhost,/nowhere,localhost", port=f"1,{silent},2,{port}"),
    ]
    assert runtime.join_all([runtime.spawn(port_reached, each) for each in many]) == [port] * 3


def test_every_failure_is_named(runtime: Runtime, stuck: dict[str, FaultServer], dsn: str) -> None:
    silent = stuck["silent"].port
    names = "/nowhere,127.0.0.1,127.0.0.1,no.invalid,localhost,127.0.0.1"
    ports = f"7,{REFUSED},{silent},8,{REFUSED},2"
    text = str(error_of(hosts(dsn, *names.split(","), host=names, port=ports)))
    lines = [line for line in text.splitlines() if not line.startswith("\t")]
    assert text.endswith("\n")
    assert lines == [
        'could not translate host name "no.invalid" to address: Name or service not known',
        'connection to server on socket "/nowhere/.s.PGSQL.7" failed: at once',
        f'connection to server at "127.0.0.1", port {REFUSED} failed: Connection refused',
        f'connection to server at "127.0.0.1", port {silent} failed: timeout expired',
        *(line for line in lines if "localhost" in line),
        'connection to server at "127.0.0.1", port 2 failed: Connection refused',
    ]
    assert any('"localhost" (127.0.0.1)' in line for line in lines)


def test_target_session_attrs_beside_a_stuck_host(
    runtime: Runtime, stuck: dict[str, FaultServer], dsn: str, port: str
) -> None:
    silent = stuck["silent"].port
    sets = [(port, silent), (silent, port), (port, REFUSED, silent)]
    for_want_of_a_standby = [
        runtime.spawn(port_reached, hosts(dsn, *ports, target_session_attrs=attrs))
        for ports in sets
        for attrs in ("read-write", "prefer-standby")
    ]
    errors = [runtime.spawn(error_of, hosts(dsn, *ports, target_session_attrs="standby")) for ports in sets]
    assert runtime.join_all(for_want_of_a_standby) == [port] * 6
    for error in runtime.join_all(errors):
        assert f"port {port} failed: server is not in hot standby mode\n" in str(error)
        assert f"port {silent} failed: timeout expired\n" in str(error)


def test_load_balance_hosts(runtime: Runtime, stuck: dict[str, FaultServer], dsn: str, port: str) -> None:
    with FaultProxy(dsn) as proxy:
        both = hosts(dsn, port, proxy.port, load_balance_hosts="random")
        reached = {port_reached(both) for _ in range(20)}
        assert reached == {port, str(proxy.port)}
    three = hosts(dsn, stuck["silent"].port, REFUSED, port, load_balance_hosts="random")
    assert runtime.join_all([runtime.spawn(port_reached, three) for _ in range(8)]) == [port] * 8


def test_hosts_of_a_service_have_their_time(
    runtime: Runtime,
    dsn: str,
    port: str,
    stuck: dict[str, FaultServer],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    ports = f"{stuck['silent'].port},{port}"
    (tmp_path / "services").write_text(f"[ours]\nhost=localhost,localhost\nport={ports}\nconnect_timeout=1\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    assert port_reached("service=ours user={user} dbname={dbname}".format(**parse_dsn(dsn))) == port


def test_timeout_thrown_in(runtime: Runtime, stuck: dict[str, FaultServer], dsn: str, port: str) -> None:
    for server in stuck.values():
        with nothing_left():
            with pytest.raises(runtime.Timeout) as caught, runtime.timeout(0.05) as bomb:
                psycopg2.connect(hosts(dsn, server.port, port, connect_timeout=5))
            assert caught.value is bomb
            del caught, bomb


@pytest.mark.runtimes("gevent", "eventlet")
def test_kill(runtime: Runtime, stuck: dict[str, FaultServer], dsn: str, port: str) -> None:
    with nothing_left():
        for server in stuck.values():
            task = runtime.spawn(psycopg2.connect, hosts(dsn, server.port, port, connect_timeout=5))
            runtime.sleep(0.01)
            runtime.kill(task)
            with pytest.raises(runtime.Killed):
                task.get()
        del task


def test_timeouts_at_moving_moments(runtime: Runtime, dsn: str) -> None:
    connected, seconds = 0, 0.0005
    with nothing_left():
        while connected < 5:
            seconds *= 1.15
            try:
                with runtime.timeout(seconds):
                    conn = psycopg2.connect(dsn)
            except runtime.Timeout:
                continue
            connected += 1
            conn.close()


@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
def test_cut_connects_leave_nothing(runtime: Runtime, dsn: str, reset: bool) -> None:
    with FaultProxy(dsn) as proxy:
        psycopg2.connect(proxy.dsn).close()
        with nothing_left():
            for size in range(40):
                proxy.heal()
                proxy.cut_after(10 * size + 1, reset=reset)
                try:
                    psycopg2.connect(proxy.dsn).close()
                except psycopg2.OperationalError:
                    continue
        proxy.heal()
        psycopg2.connect(proxy.dsn).close()


def test_classes_have_the_time_of_each_host(
    runtime: Runtime, stuck: dict[str, FaultServer], dsn: str, port: str
) -> None:
    class Own(connection):
        pass

    pair = hosts(dsn, stuck["silent"].port, port)
    tasks = [runtime.spawn(port_reached, pair, connection_factory=each) for each in (connection, Own)]
    assert runtime.join_all(tasks) == [port] * 2


def test_functions_have_the_time_of_each_host(
    runtime: Runtime, stuck: dict[str, FaultServer], dsn: str, port: str
) -> None:
    pair = hosts(dsn, stuck["silent"].port, port)
    with runtime.timeout(2):
        assert port_reached(pair, connection_factory=lambda dsn: connection(dsn)) == port
