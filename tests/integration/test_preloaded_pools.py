"""psycopg_pool's pools that were made or opened before the process was monkey-patched, or forked."""

from __future__ import annotations

import pytest

from tests import fresh
from tests.test_activation import MONKEY, PROLOGUE

pytestmark = pytest.mark.subprocess

# `pids(pool)`: of all its connections; they are in use at the same time, and more users wait for them.
PRELUDE = (
    PROLOGUE
    + """
import os, psycopg_pool

SIZE = 3

def make(**options):
    kind = getattr(psycopg_pool, os.environ["KIND"])
    if kind is psycopg_pool.ConnectionPool:
        options.setdefault("min_size", SIZE)
    return kind(os.environ["DSN"], max_size=SIZE, timeout=10, **options)

def pids(pool):
    import threading
    gate, found, inside = threading.Barrier(SIZE), [], []

    def use():
        with pool.connection() as connection:
            inside.append(connection)
            assert len(inside) <= SIZE
            gate.wait(10)
            found.append(connection.execute("select pg_backend_pid() from pg_sleep(0.01)").fetchone()[0])
            inside.remove(connection)

    users = [threading.Thread(target=use) for _ in range(2 * SIZE)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert len(found) == 2 * SIZE
    assert pool.get_stats()["requests_waiting"] == 0
    return set(found)

def sessions(found):
    import psycopg
    with psycopg.connect(os.environ["DSN"]) as connection:
        of = "select pid from pg_stat_activity where pid = any(%s)"
        return {pid for pid, in connection.execute(of, [list(found)])}

def wait_for_sessions(found, expected):
    "A session outlives the end of its connection by a moment."
    import time
    limit = time.monotonic() + 10
    while (left := sessions(found)) != expected:
        assert time.monotonic() < limit, (left, expected)
        time.sleep(0.01)

def kept(found):
    "Whose sessions the pool keeps."
    return found if os.environ["KIND"] == "ConnectionPool" else set()

def in_child(body):
    warnings.simplefilter("ignore")  # of forking with threads, which is what this is about
    pid = os.fork()
    if pid == 0:
        try:
            body()
            os._exit(0)
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
"""
)


@pytest.fixture(params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in MONKEY])
def runtime(request: pytest.FixtureRequest) -> str:
    """Each runtime that greenpg has a `patch()` for."""
    return str(request.param)


@pytest.fixture(params=["ConnectionPool", "NullConnectionPool"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of pool."""
    return str(request.param)


def run(code: str, runtime: str, dsn: str, kind: str) -> None:
    """Run code after the prelude; its asserts are the test."""
    env = {"GREENPG_AUTO": "0", "DSN": dsn, "KIND": kind}
    fresh.run_python(PRELUDE + code, runtime, *MONKEY[runtime], env=env)


def test_made_before(runtime: str, dsn: str, kind: str) -> None:
    run(
        """
pool = make(open=False)
monkey_patch()
green.patch()
pool.open()
pids(pool)
pool.close()

import threading, time
ran = []
threading.Thread(target=lambda: (time.sleep(0), ran.append(True))).start()
psycopg_pool.pool.sleep(0.01)  # as between two checks of a connection
assert ran
""",
        runtime,
        dsn,
        kind,
    )


def test_opened_before(runtime: str, dsn: str, kind: str) -> None:
    """Its native threads end, its connections are closed, and its first user opens it anew."""
    run(
        """
import threading

pool = make(open=True)
first = pids(pool)
monkey_patch()
green.patch()
assert any(text.endswith("repaired: 1 psycopg_pool.ConnectionPool") for text in logged), logged
second = pids(pool)
assert not pool.closed
wait_for_sessions(first | second, kept(second))
pool.close()
""",
        runtime,
        dsn,
        kind,
    )


def test_opened_in_the_parent(runtime: str, dsn: str, kind: str) -> None:
    """As gunicorn --preload does; the parent's sessions outlive what the child does with the pool."""
    run(
        """
pool = make(open=True)
theirs = pids(pool)
wait_for_sessions(theirs, kept(theirs))

def child():
    monkey_patch()
    green.patch()
    assert pool.closed
    pool.wait(10)
    own = pids(pool)
    assert not own & theirs
    pool.check()
    pool.close()
    wait_for_sessions(own, set())

in_child(child)
assert sessions(theirs) == kept(theirs)
assert kept(pids(pool)) == kept(theirs)
pool.close()
""",
        runtime,
        dsn,
        kind,
    )


@pytest.mark.gevent
def test_patched_in_the_parent_and_monkey_patched_in_the_child(dsn: str, kind: str) -> None:
    """As an application with greenpg's one line in it does under gunicorn --preload."""
    run(
        """
green.patch()
pool = make(open=True)
theirs = pids(pool)
wait_for_sessions(theirs, kept(theirs))

def child():
    monkey_patch()
    green.patch()
    assert not pids(pool) & theirs
    pool.close()

in_child(child)
assert sessions(theirs) == kept(theirs)
pool.close()
""",
        "gevent",
        dsn,
        kind,
    )


@pytest.mark.gevent
@pytest.mark.parametrize(
    "when", ["atexit.register(Closing(pool).__del__)", "closing = Closing(pool); del pool"]
)
def test_closed_when_the_interpreter_ends(dsn: str, when: str) -> None:
    """No native thread can be started by then, and here a green one is none."""
    run(
        f"""
import atexit

class Closing:
    def __init__(self, pool):
        self.pool, self.exit = pool, os._exit

    def __del__(self):
        self.pool.close(timeout=0.1)
        self.exit(0)

green.patch()
pool = make(open=True)
pool.wait(10)
{when}
""",
        "gevent",
        dsn,
        "ConnectionPool",
    )
