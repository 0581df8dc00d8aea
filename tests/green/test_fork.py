"""Promise 25: a forked child is refused, and whatever it does leaves the parent's session alone."""

from __future__ import annotations

import gc
import os
import traceback
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest

from tests.green.sessions import under_way

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.green.runtimes import Runtime


pytestmark = pytest.mark.filterwarnings("ignore:Using fork")  # eventlet's own opinion of it


def in_child(body: Callable[[], object]) -> int:
    """Start a forked child that runs `body` and ends without any clean-up; return its pid."""
    pid = os.fork()
    if pid == 0:
        try:
            body()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return pid


def ends_well(pid: int) -> bool:
    """Wait for a child; return whether nothing failed in it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def answer(conn: Any, number: int) -> Any:
    with conn.cursor() as cursor:
        cursor.execute("select %s", (number,))
        return cursor.fetchone()[0]


def test_parent_and_child_query_at_once(runtime: Runtime, conn: Any) -> None:
    cursor = conn.cursor()

    def child() -> None:
        for i in range(300):
            with pytest.raises(psycopg2.InterfaceError, match="parent process"):
                cursor.execute("select %s", (-i,))
        for use in (conn.commit, conn.rollback, conn.cursor):
            with pytest.raises(psycopg2.InterfaceError, match="parent process"):
                use()
        assert conn.closed

    pid = in_child(child)
    assert [answer(conn, i) for i in range(300)] == list(range(300))
    assert ends_well(pid)


@pytest.mark.parametrize("end", ["close", "collect", "exit"])
def test_the_childs_end_of_it(runtime: Runtime, connect: Callable[..., Any], dsn: str, end: str) -> None:
    holder = [psycopg2.connect(dsn)]
    pid_on_server = holder[0].get_backend_pid()

    def child() -> None:
        if end == "close":
            holder[0].close()
        holder.clear()
        gc.collect()

    assert ends_well(in_child(child))
    assert answer(holder[0], 42) == 42
    assert holder[0].get_backend_pid() == pid_on_server
    holder[0].close()


@pytest.mark.runtimes("gevent", "eventlet")
def test_fork_while_a_statement_runs(runtime: Runtime, conn: Any) -> None:
    task = runtime.spawn(conn.cursor().execute, "select pg_sleep(0.5)")
    under_way(conn, runtime)

    def child() -> None:
        with pytest.raises(psycopg2.InterfaceError, match="parent process"):
            conn.commit()
        conn.close()

    assert ends_well(in_child(child))
    task.get()
    conn.commit()
    assert answer(conn, 42) == 42


def test_the_child_can_connect(runtime: Runtime, conn: Any, dsn: str) -> None:
    def child() -> None:
        own = psycopg2.connect(dsn)
        assert answer(own, 1) == 1
        own.close()

    assert ends_well(in_child(child))
    assert answer(conn, 42) == 42
