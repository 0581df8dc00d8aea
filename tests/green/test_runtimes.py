"""The children themselves: the process is what it should be before anything else is tested in it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest

from tests.faults import FaultProxy

if TYPE_CHECKING:
    from tests.green.runtimes import Runtime, Task


def test_patched_before_all_else(runtime: Runtime) -> None:
    thread = []
    worker = threading.Thread(target=lambda: thread.append(threading.get_native_id()))
    worker.start()
    worker.join()
    assert (thread == [threading.get_native_id()]) is runtime.green


def test_task_result_and_error(runtime: Runtime) -> None:
    assert runtime.spawn(divmod, 7, 2).get() == (3, 1)
    with pytest.raises(ZeroDivisionError):
        runtime.spawn(divmod, 7, 0).get()


def test_join_all_in_order(runtime: Runtime) -> None:
    last = threading.Event()
    tasks: list[Task[Any]] = [runtime.spawn(last.wait, 30), runtime.spawn(last.set)]
    assert runtime.join_all(tasks) == [True, None]


def test_timeout_is_the_runtimes_own(runtime: Runtime) -> None:
    with pytest.raises(runtime.Timeout) as caught, runtime.timeout(0.01) as bomb:
        time.sleep(30)
    assert caught.value is bomb


@pytest.mark.runtimes("select")
def test_timeout_in_a_finalizer(runtime: Runtime) -> None:
    class Slow:
        def __del__(self) -> None:
            time.sleep(0.1)

    def finalize_and_sleep() -> None:
        Slow()
        time.sleep(30)

    with pytest.raises(runtime.Timeout), runtime.timeout(0.01):
        finalize_and_sleep()


@pytest.mark.runtimes("gevent", "eventlet")
def test_kill(runtime: Runtime) -> None:
    here = threading.Event()

    def wait() -> None:
        here.set()
        time.sleep(30)

    task = runtime.spawn(wait)
    assert here.wait(30)
    runtime.kill(task)
    with pytest.raises(runtime.Killed):
        task.get()


@pytest.mark.runtimes("gevent", "eventlet")
def test_kill_before_the_start(runtime: Runtime) -> None:
    task = runtime.spawn(pytest.fail)
    runtime.kill(task)
    with pytest.raises(runtime.Killed):
        task.get()
    assert not task.started


def test_get_of_a_task_that_hangs(runtime: Runtime) -> None:
    gate = threading.Event()
    task = runtime.spawn(gate.wait, 30)
    with pytest.raises(AssertionError, match="has not ended"):
        task.get(0.01)
    gate.set()
    task.get()


def test_query(conn: Any) -> None:
    with conn.cursor() as cursor:
        cursor.execute("select 42")
        assert cursor.fetchall() == [(42,)]


def test_faults_from_inside(dsn: str) -> None:
    with FaultProxy(dsn) as proxy:
        connection = psycopg2.connect(proxy.dsn)
        assert proxy.links == 1
        proxy.cut()
        with pytest.raises(psycopg2.OperationalError), connection.cursor() as cursor:
            cursor.execute("select 1")
        connection.close()
