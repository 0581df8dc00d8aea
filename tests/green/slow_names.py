"""Promises 7 and 13 for names: run by `tests/integration/test_slow_names.py`, with `names.c` as resolver.

That resolver aborts a process that asks it in its main thread. So these tests pass only if nobody does, libpq
included. Not collected otherwise.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from tests.green.connects import error_of, hosts, nothing_left, port_reached
from tests.green.ticker import LONGEST, Ticker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.green.runtimes import Runtime


@pytest.fixture
def silent(port: str) -> Iterator[None]:
    """127.0.0.2 and .3 accept connections at the server's port and say nothing."""
    with ExitStack() as stack:
        for address in ("127.0.0.2", "127.0.0.3"):
            listener = stack.enter_context(socket.socket())
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, int(port)))
            listener.listen()
        yield


def native_threads() -> int:
    """Return how many threads this process has, Python's or not."""
    return len(os.listdir("/proc/self/task"))


def test_slow_name(runtime: Runtime, dsn: str, port: str) -> None:
    with nothing_left(), Ticker(runtime) as ticker:
        conn: Any = psycopg2.connect(make_dsn(dsn, host="slow.test"))
        assert (conn.info.host, conn.get_dsn_parameters()["host"]) == ("slow.test", "slow.test")
        conn.close()
    if runtime.green:
        assert ticker.longest < LONGEST
        assert ticker.ticks > 50


def test_a_name_takes_one_thread(runtime: Runtime, dsn: str, port: str) -> None:
    before = native_threads()
    with nothing_left():
        tasks = [runtime.spawn(port_reached, make_dsn(dsn, host="slow.test")) for _ in range(20)]
        runtime.sleep(0.15)
        most = native_threads() - (0 if runtime.green else 20)
        assert runtime.join_all(tasks) == [port] * 20
        assert most <= before + 1
        del tasks


@pytest.mark.runtimes("gevent", "eventlet")
def test_threads_do_not_pile_up_under_a_dead_resolver(runtime: Runtime, dsn: str) -> None:
    before = native_threads()
    with nothing_left():
        for _ in range(30):
            with pytest.raises(runtime.Timeout) as caught, runtime.timeout(0.01) as bomb:
                psycopg2.connect(make_dsn(dsn, host="never.test,never2.test"))
            assert caught.value is bomb
        task = runtime.spawn(psycopg2.connect, make_dsn(dsn, host="never.test"))
        runtime.sleep(0.01)
        runtime.kill(task)
        with pytest.raises(runtime.Killed):
            task.get()
        del caught, bomb, task
    assert native_threads() <= before + 2


def test_timeout_of_a_name(runtime: Runtime, dsn: str, port: str) -> None:
    with nothing_left():
        alone = runtime.spawn(error_of, hosts(dsn, port, host="never.test"))
        # the slow name must not eat the time of the one that follows, though both are looked up at once
        second = runtime.spawn(port_reached, hosts(dsn, port, port, host="never.test,localhost"))
        third = runtime.spawn(
            port_reached, hosts(dsn, port, port, port, host="never.test,none.test,two.test")
        )
        assert str(alone.get()) == 'could not translate host name "never.test" to address: timeout expired\n'
        assert second.get() == third.get() == port
        del alone, second, third


def test_names_that_are_none(runtime: Runtime, dsn: str, port: str) -> None:
    text = 'could not translate host name "none.test" to address: Name or service not known\n'
    assert str(error_of(make_dsn(dsn, host="none.test"))) == text
    assert str(error_of(make_dsn(dsn, host="none.test,none.test", port=f"{port},{port}"))) == text * 2
    assert port_reached(make_dsn(dsn, host="none.test,slow.test", port=f"{port},{port}")) == port


@pytest.mark.usefixtures("silent")
def test_addresses_of_a_name_share_its_time(runtime: Runtime, dsn: str, port: str) -> None:
    began = time.monotonic()
    with nothing_left():
        second = runtime.spawn(port_reached, hosts(dsn, port, host="two.test"))
        balanced = [
            runtime.spawn(
                port_reached,
                hosts(dsn, port, host="two.test", load_balance_hosts="random"),
            )
            for _ in range(6)
        ]
        dead = runtime.spawn(error_of, hosts(dsn, port, host="dead.test"))
        after = runtime.spawn(port_reached, hosts(dsn, port, port, host="dead.test,two.test"))
        assert second.get() == after.get() == port
        assert runtime.join_all(balanced) == [port] * 6
        assert str(dead.get()) == "".join(
            f'connection to server at "dead.test" ({address}), port {port} failed: timeout expired\n'
            for address in ("127.0.0.2", "127.0.0.3")
        )
        del second, balanced, dead, after
    assert time.monotonic() - began < 2.8  # it is one second for each host, not for each address


def test_service_with_a_slow_name(
    runtime: Runtime, dsn: str, port: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "services").write_text("[slow]\nhost=slow.test\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    parameters = psycopg2.extensions.parse_dsn(dsn)
    assert port_reached(
        make_dsn(service="slow", port=port, user=parameters["user"], dbname=parameters["dbname"])
    )


def test_in_a_native_thread(runtime: Runtime, dsn: str, port: str) -> None:
    assert port_reached(make_dsn(dsn, host="slow.test", connect_timeout=3)) == port
    thread = threading.Thread(target=port_reached, args=(make_dsn(dsn, host="slow.test"),))
    thread.start()
    thread.join()
