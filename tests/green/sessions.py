"""What the server says of a test's connections, and how to wait for what only it can tell."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.green.runtimes import Runtime, Task


@contextmanager
def named_sessions(connect: Callable[..., Any], name: str) -> Iterator[Callable[..., list[Any]]]:
    """Give a function that lists the server's sessions of an application name, by a connection of its own."""
    observer = connect()
    observer.autocommit = True

    def sessions(columns: str = "pid, state, query") -> list[Any]:
        with observer.cursor() as cursor:
            cursor.execute(f"select {columns} from pg_stat_activity where application_name = %s", (name,))
            return list(cursor.fetchall())

    yield sessions


def under_way(conn: Any, runtime: Runtime) -> None:
    """Let others run until a statement is under way on `conn`, one that is not the BEGIN before it."""
    begun, active = psycopg2.extensions.STATUS_BEGIN, psycopg2.extensions.TRANSACTION_STATUS_ACTIVE

    def is_under_way() -> bool:
        is_begun: bool = conn.autocommit or conn.status == begun
        return is_begun and conn.get_transaction_status() == active

    wait_for(is_under_way, runtime.sleep)


def wait_for(condition: Callable[[], Any], sleep: Callable[[float], None], tries: int = 500) -> Any:
    """Ask until the answer is true, letting others run in between; the server's own news take a moment.

    At first for no longer than a turn of theirs: what is true for a short time only must not be missed.
    """
    for tried in range(tries):
        answer = condition()
        if answer:
            return answer
        sleep(min(tried * 0.001, 0.01))
    raise AssertionError(f"{condition} has not come true")


def end_by_cancel(conn: Any, task: Task[Any]) -> None:
    """Cancel the statement of a green thread, and find that this is what ended it.

    More than once: a request that arrives before the server has read the statement is dropped.
    """
    while not task.ended.wait(0.05):
        conn.cancel()
    with pytest.raises(psycopg2.extensions.QueryCanceledError):
        task.get()
