"""The detector where psycopg2 and psycopg are green: what it measures, and what still holds the hub."""

from __future__ import annotations

import time
from queue import Queue
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from greenpg import detector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.green.runtimes import Runtime

pytestmark = pytest.mark.runtimes("gevent", "eventlet")

BIG = "select i, i::text, %s from generate_series(1, 400000) i"


@pytest.fixture
def holds() -> Iterator[Queue[detector.Hold]]:
    """Switches the detector on; what it finds comes here, but for connects: a busy machine takes its time."""
    found: Queue[detector.Hold] = Queue()

    def hook(hold: detector.Hold) -> None:
        if hold.method != "connect":
            found.put(hold)

    detector.install("25ms", hook=hook, statistics=True)
    yield found
    detector.uninstall()


@pytest.fixture(params=["psycopg2", "psycopg"])
def connection(request: pytest.FixtureRequest, conn: Any, dsn: str) -> Iterator[Any]:
    """A connection of each driver."""
    if request.param == "psycopg2":
        yield conn
        return
    with psycopg.connect(dsn) as connection:
        yield connection


def statistics() -> dict[str, detector.Statement]:
    """What was measured, by statement."""
    return {found.statement: found for found in detector.statistics()}


def test_a_statement_waits_and_does_not_hold(holds: Queue[detector.Hold], connection: Any) -> None:
    cursor = connection.cursor()
    for seconds in (0.1, 0.2):
        cursor.execute("select pg_sleep(%s)", (seconds,))
    connection.commit()
    connection.rollback()
    found = statistics()
    sleeps = found["select pg_sleep(%s)"]
    assert (sleeps.calls, sleeps.holds) == (2, 0)
    assert sleeps.waited > 0.29
    assert 0 < sleeps.held < 0.1
    assert (found["COMMIT"].calls, found["ROLLBACK"].calls) == (1, 1)
    assert holds.empty()


def test_the_first_statement_of_a_connection_is_measured_too(
    holds: Queue[detector.Hold], connect: Callable[..., Any], dsn: str
) -> None:
    connect().cursor().execute("select pg_sleep(0.1)")
    with psycopg.connect(dsn) as connection:
        connection.execute("select pg_sleep(0.1)")
    sleeps = statistics()["select pg_sleep(?)"]
    assert sleeps.calls == 2
    assert sleeps.waited > 0.19
    assert sleeps.held < 0.1


def test_what_waits_while_another_one_works(
    holds: Queue[detector.Hold], connection: Any, runtime: Runtime
) -> None:
    task = runtime.spawn(connection.cursor().execute, "select pg_sleep(0.05)")
    runtime.sleep(0)
    until = time.thread_time() + 0.2
    while time.thread_time() < until:
        pass
    task.get()
    sleeps = statistics()["select pg_sleep(?)"]
    assert sleeps.waited > 0.2  # its answer was there, but not its turn
    assert sleeps.held < 0.1


def test_an_interrupted_statement_is_measured(
    holds: Queue[detector.Hold], connection: Any, runtime: Runtime
) -> None:
    with pytest.raises(runtime.Timeout), runtime.timeout(0.1):
        connection.cursor().execute("select pg_sleep(30)")
    connection.rollback()
    sleeps = statistics()["select pg_sleep(?)"]
    assert sleeps.calls == 1
    assert 0.09 < sleeps.waited + sleeps.held < 5
    connection.cursor().execute("select 1")


def test_many_executions_are_estimated(holds: Queue[detector.Hold], connection: Any) -> None:
    cursor = connection.cursor()
    for number in range(1500):
        cursor.execute("select %s::int", (number,))
        cursor.execute("select %s::text", (number,))
    found = statistics()
    one, two = found["select %s::int"], found["select %s::text"]
    assert 2400 < one.calls + two.calls <= 3000  # those since the last that was measured are not told yet
    assert min(one.calls, two.calls) > 500
    assert min(one.waited, one.held, two.waited, two.held) > 0


def test_a_big_result_holds_the_hub(holds: Queue[detector.Hold], connection: Any) -> None:
    cursor = connection.cursor()
    found: dict[str, detector.Hold] = {}
    for _ in range(5):  # the watching thread needs a processor too: on a busy machine it may come too late
        cursor.execute(BIG, ("hunter2",))
        rows = cursor.fetchall()
        connection.cursor().execute("select pg_sleep(0.1)")  # others run, and tell of it
        while not holds.empty():
            hold = holds.get()
            found[hold.method] = hold
        if "fetchall" in found:
            break
    hold = found["fetchall"]
    assert len(rows) == 400_000
    assert hold.driver == ("psycopg" if isinstance(connection, psycopg.Connection) else "psycopg2")
    assert hold.statement is not None
    assert hold.statement.startswith("select i, i::text, ")
    assert "hunter2" not in hold.statement
    assert (hold.filename, hold.function) == (__file__, "test_a_big_result_holds_the_hub")
    assert hold.seconds > 0.025
    assert detector.counters().longest >= hold.seconds
    assert 0 < statistics()[hold.statement].holds <= detector.counters().holds


def test_it_can_be_switched_on_late_and_off_early(connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("select 1")
    for _ in range(2):
        detector.install(statistics=True)
        cursor.execute("select pg_sleep(0.1)")
        [sleeps] = detector.statistics()
        assert sleeps.waited > 0.09
        detector.uninstall()
        cursor.execute("select 1")
        assert cursor.fetchone() == (1,)


def test_statements_are_measured_if_that_is_asked_for(connection: Any) -> None:
    cursor = connection.cursor()
    plain = type(cursor).execute
    for wanted in (False, True, False):
        detector.install(statistics=wanted)
        cursor.execute("select pg_sleep(0)")
        assert (type(cursor).execute is plain) is not wanted
    assert [found.calls for found in detector.statistics()] == [1]
    detector.uninstall()


def test_a_closed_connection_says_so_itself(holds: Queue[detector.Hold], connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("select 1")
    connection.close()
    with pytest.raises(Exception, match="closed"):
        cursor.execute("select 1")
    with pytest.raises(Exception, match="closed"):
        connection.commit()
