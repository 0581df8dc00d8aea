"""Django on psycopg 3: what holds for psycopg2, and its `pool` option.

A process has one Django, so this module has a child of its own; the tests are those of `test_django`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.green.sessions import wait_for
from tests.green.test_django import (  # noqa: F401
    ORPHANS,
    database,
    fetch,
    models,
    owners,
    second_database,
    test_a_hundred_requests,
    test_atomic_and_savepoints,
    test_connection_survives_kill,
    test_connection_survives_timeouts,
    test_iterators_side_by_side,
    test_orm_round_trip,
    test_row_lock_between_requests,
    test_timeouts_at_moving_moments_give_no_wrong_row,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.green.runtimes import Runtime

pytestmark = pytest.mark.runtimes("gevent", "eventlet")

SIZE = 3


@pytest.fixture(scope="module")
def driver() -> str:
    """The driver of this module's project."""
    return "psycopg"


@pytest.fixture
def pooled(dsn: str) -> Iterator[Any]:
    """A second database, with Django's pool of a few connections, to be asked by `ask()`."""
    options = database(dsn)["OPTIONS"]
    pool = {"min_size": 1, "max_size": SIZE, "timeout": 20}
    with second_database(**database(dsn, OPTIONS={**options, "pool": pool})) as connection:
        yield connection
        connection.close_pool()


def test_it_is_psycopg3(pooled: Any) -> None:
    from django.db.backends.postgresql.psycopg_any import is_psycopg3

    assert is_psycopg3
    assert pooled.pool.max_size == SIZE


def ask(sql: str, *args: Any) -> Any:
    """Return the one value of a query, as a request would; its end gives the connection back."""
    from django.db import connections

    try:
        with connections["second"].cursor() as cursor:
            cursor.execute(sql, args)
            return cursor.fetchone()[0]
    finally:
        connections["second"].close()


def test_more_requests_than_connections(pooled: Any, runtime: Runtime) -> None:
    def work(number: int) -> Any:
        return ask("select %s from pg_sleep(0.01)", number)

    assert runtime.join_all([runtime.spawn(work, number) for number in range(30)]) == list(range(30))
    assert pooled.pool.get_stats()["pool_size"] <= SIZE


def test_pool_survives_interruptions(pooled: Any, runtime: Runtime) -> None:
    """Killed and timed out while they wait in the server, and while they wait for the others' connections."""

    def in_time(seconds: float) -> Any:
        with pytest.raises(runtime.Timeout), runtime.timeout(seconds):
            ask("select pg_sleep(30)")

    for _ in range(5):
        late = [runtime.spawn(in_time, 0.05) for _ in range(SIZE)]
        killed = [runtime.spawn(ask, "select pg_sleep(30)") for _ in range(SIZE)]
        wait_for(lambda: fetch(ORPHANS) == SIZE, runtime.sleep)
        runtime.join_all(late)
        for task in killed:
            runtime.kill(task)
            assert isinstance(task.error, runtime.Killed)
        assert runtime.join_all([runtime.spawn(ask, "select %s", n) for n in range(9)]) == list(range(9))
    assert fetch(ORPHANS) == 0
    assert pooled.pool.get_stats()["requests_waiting"] == 0
