"""psycopg 3: a forked child is refused, and whatever it does leaves the parent's session alone."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.green.psycopg_statements import busy, value, works
from tests.green.test_fork import ends_well, in_child

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.green.runtimes import Runtime

pytestmark = [
    pytest.mark.filterwarnings("ignore:Using fork"),  # eventlet's own opinion of it
    pytest.mark.filterwarnings("ignore:.*was deleted while still open:ResourceWarning"),
]


def test_parent_and_child_query_at_once(runtime: Runtime, conn3: Any) -> None:
    cursor = conn3.cursor()

    def child() -> None:
        for i in range(300):
            with pytest.raises(psycopg.OperationalError, match="parent process"):
                cursor.execute("select %s", (-i,))
        for use in (conn3.commit, conn3.rollback, lambda: next(conn3.notifies())):
            with pytest.raises(psycopg.OperationalError, match="parent process"):
                use()
        assert conn3.closed
        conn3.cancel()

    pid = in_child(child)
    assert [value(conn3, f"select {i}") for i in range(300)] == list(range(300))
    assert ends_well(pid)


@pytest.mark.parametrize("end", ["close", "with", "collect", "exit"])
def test_the_childs_end_of_it(runtime: Runtime, dsn: str, end: str) -> None:
    holder = [psycopg.connect(dsn)]
    pid_on_server = holder[0].info.backend_pid

    def child() -> None:
        if end == "close":
            holder[0].close()
        elif end == "with":
            with holder[0]:
                pass
        holder.clear()
        gc.collect()

    assert ends_well(in_child(child))
    assert value(holder[0]) == 42
    assert value(holder[0], "select pg_backend_pid()") == pid_on_server
    holder[0].close()


@pytest.mark.runtimes("gevent", "eventlet")
def test_fork_while_a_statement_runs(runtime: Runtime, conn3: Any) -> None:
    task = busy(runtime, conn3, "select 7 from pg_sleep(0.5)")

    def child() -> None:
        with pytest.raises(psycopg.OperationalError, match="parent process"):
            conn3.commit()
        conn3.close()

    assert ends_well(in_child(child))
    assert task.get() == 7
    assert works(conn3)


@pytest.mark.runtimes("gevent", "eventlet")
def test_a_statement_under_way_is_not_cancelled_by_the_child(runtime: Runtime, conn3: Any) -> None:
    task = busy(runtime, conn3, "select 7 from pg_sleep(0.3)")
    pid = os.fork()
    if pid == 0:
        # the green thread of the parent goes on here too: it must end without a word to the server
        runtime.kill(task)
        os._exit(0 if isinstance(task.error, (runtime.Killed, psycopg.OperationalError)) else 1)
    assert ends_well(pid)
    assert task.get() == 7
    assert works(conn3)


def test_the_child_can_connect(runtime: Runtime, conn3: Any, dsn: str, connect3: Callable[..., Any]) -> None:
    def child() -> None:
        with psycopg.connect(dsn) as own:
            assert value(own) == 42

    assert ends_well(in_child(child))
    assert works(conn3)
