"""Repair of what was made before the process was monkey-patched: each green thread gets its own."""

from __future__ import annotations

import pytest

from tests.test_activation import run

pytestmark = pytest.mark.subprocess

# `made` is what an application makes when it is imported; `attributes` are what the repair is about.
PRELUDE = """
from types import SimpleNamespace

def make():
    from asgiref.local import Local
    from peewee import PostgresqlDatabase
    from playhouse.pool import PooledPostgresqlDatabase
    from psycopg2.pool import ThreadedConnectionPool
    from sqlalchemy.orm import scoped_session, sessionmaker
    from sqlalchemy.pool import QueuePool

    return SimpleNamespace(
        pool=ThreadedConnectionPool(0, 1),
        local=Local(thread_critical=True),
        registry=scoped_session(sessionmaker()).registry,
        database=PostgresqlDatabase("any"),
        queue=QueuePool(lambda: None)._pool,
        pooled=PooledPostgresqlDatabase("any"),
        others=[Local(), PostgresqlDatabase("any", thread_safe=False)],
    )

def attributes(made):
    objects = [*vars(made).values(), *made.others]
    return [vars(each).copy() for each in objects if hasattr(each, "__dict__")]

def check(made):
    # not before the process is patched: what is made here must be the runtime's
    import threading, time
    gate = threading.Event()

    def hold(lock):
        with lock:
            gate.wait()

    def notify(condition):
        with condition:
            condition.notify()

    def write():
        made.local.mine = made.registry.registry.mine = made.database._state.mine = True

    locks = [made.pool._lock, made.database._lock, made.pooled._lock, made.pooled._pool_available]
    locks += [made.pooled._pool_lock, made.queue.not_empty, made.queue.not_full, made.queue.mutex]
    threads = [threading.Thread(target=hold, args=[lock]) for lock in locks for _ in range(2)]
    threads.append(threading.Thread(target=write))
    for thread in threads:
        thread.start()
    time.sleep(0)  # all of them have come to where they wait, the second half for a lock
    gate.set()
    for thread in threads:
        thread.join()
    for condition in (made.queue.not_empty, made.pooled._pool_available):
        with condition:
            notifier = threading.Thread(target=notify, args=[condition])
            notifier.start()
            assert condition.wait(30)
        notifier.join()
    for own in (made.local, made.registry.registry, made.database._state):
        assert not hasattr(own, "mine")
    assert made.database.is_closed() and made.pooled.is_closed()
    made.others[0].mine = True

REPAIRED = (
    "INFO made before the process was monkey-patched, and repaired: 1 psycopg2.pool.ThreadedConnectionPool,"
    " 1 asgiref.local.Local, 1 sqlalchemy.util._collections.ThreadLocalRegistry,"
    " 1 sqlalchemy.util.queue.Queue, 2 peewee.Database, 1 playhouse.pool.PooledDatabase"
)

def said():
    # peewee imports psycopg 3 too, where that is installed
    return [said for said in logged if not said.startswith("INFO psycopg waits")]
"""


@pytest.mark.parametrize(
    "steps",
    [
        "made = make(); monkey_patch(); green.patch()",
        pytest.param("made = make(); green.patch(); monkey_patch()", marks=pytest.mark.gevent),
        pytest.param("green.patch(); made = make(); monkey_patch()", marks=pytest.mark.gevent),
    ],
)
def test_repaired_in_gevent(steps: str) -> None:
    run(f"{PRELUDE}\n{steps}\ncheck(made)\nassert sorted(said()) == sorted([line, REPAIRED]), logged")


@pytest.mark.gevent
def test_repaired_by_following() -> None:
    run(f"{PRELUDE}\nmade = make(); monkey_patch()\ncheck(made)\nassert said() == [line, REPAIRED]", auto="1")


@pytest.mark.eventlet
def test_repaired_in_eventlet() -> None:
    run(
        f"{PRELUDE}\nmade = make(); monkey_patch(); green.patch()\ncheck(made)\nassert REPAIRED in logged",
        "eventlet",
    )


@pytest.mark.parametrize("runtime", ["gevent", "eventlet"])
def test_left_as_it_is(runtime: str) -> None:
    """Made where nothing is monkey-patched, repaired already, or green from the start."""
    run(
        f"""{PRELUDE}
first = make()
before = attributes(first)
green.patch()
assert attributes(first) == before
green.unpatch()

monkey_patch()
green.patch()
second = make()
before = attributes(first), attributes(second)
green.patch()
assert (attributes(first), attributes(second)) == before
""",
        runtime,
    )


@pytest.mark.gevent
def test_the_searching_wakes_nothing() -> None:
    """Lazy proxies pretend to be of another class, and `isinstance()` makes them find out which."""
    lazy = "class Lazy:\n    __class__ = property(lambda self: 1 / 0)\n"
    run(f"{PRELUDE}\n{lazy}\nmonkey_patch(); made, lazy = make(), Lazy(); green.patch()")
