"""What tests of psycopg 3 ask of a connection, and how they know what it is doing."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.pq import TransactionStatus

from tests.green.sessions import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.green.runtimes import Runtime, Task


def value(conn: Any, sql: str = "select 42") -> Any:
    """Return the one value of a query."""
    return conn.execute(sql).fetchone()[0]


def works(conn: Any) -> bool:
    """Roll back, and return whether the connection answers what it is asked, and is left idle."""
    conn.rollback()
    answer = value(conn)
    conn.rollback()
    return bool(answer == 42 and conn.info.transaction_status == TransactionStatus.IDLE)


def under_way(conn: Any, runtime: Runtime) -> None:
    """Let others run until a statement is under way on `conn`."""
    wait_for(lambda: conn.info.transaction_status == TransactionStatus.ACTIVE, runtime.sleep)


def busy(runtime: Runtime, conn: Any, sql: str = "select pg_sleep(30)") -> Task[Any]:
    """Return a green thread that waits for a statement, which is known to the server."""
    conn.execute("select 1")  # or the BEGIN itself may be what is under way
    task = runtime.spawn(value, conn, sql)
    under_way(conn, runtime)
    return task


def cancel_until_it_takes(task: Task[Any], cancel: Callable[[], object]) -> None:
    """Cancel what may not have reached the server yet, which then drops the request."""
    for _ in range(100):
        cancel()
        if task.ended.wait(0.05):
            return


def slow_table(conn: Any, trigger: str) -> None:
    """Make a table `slow (i int)` whose rows have a trigger with this body, until the session ends.

    :param trigger: a statement of PL/pgSQL, run before each row
    """
    conn.execute("create temp table slow (i int)")
    conn.execute(
        "create function pg_temp.f() returns trigger language plpgsql as"
        f" $$begin {trigger}; return new; end$$"
    )
    conn.execute("create trigger t before insert on slow for each row execute function pg_temp.f()")
    conn.commit()


def descriptors() -> set[str]:
    """Return the numbers of this process's open files, once those that nothing refers to are closed."""
    gc.collect()
    # not the one that the listing itself had open
    return {fd for fd in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{fd}")}


def prepared(name: str) -> psycopg.Xid:
    """Return a transaction id for a two-phase commit."""
    return psycopg.Xid.from_parts(1, name, "b")
