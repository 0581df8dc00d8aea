"""What a pool's workers do, so that an application's callback cannot end them.

`configure`, `reset`, `reconnect_failed` and, since 3.3, `conninfo` and `kwargs` run in a worker. What they
raise must be an `Exception`; a `Timeout` of gevent's or eventlet's that one of them lets out would end the
worker and lose what it was about to connect or to give back.
"""

from __future__ import annotations

from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any

from greenlet import GreenletExit

if TYPE_CHECKING:
    from collections.abc import Callable

_PAUSE = 1.0
"""Seconds after which an interrupted task is done again; psycopg_pool's own first pause."""
_ENDS = (GreenletExit, KeyboardInterrupt, SystemExit)

at_work: ContextVar[bool] = ContextVar("greenpg_pool_worker", default=False)
"""Whether this green thread is a worker with a task."""


class TaskInterruptedError(Exception):
    """A task of a pool was interrupted and will be done again; psycopg_pool logs it."""


def run(plain: Any) -> Callable[..., Any]:
    """Return `MaintenanceTask.run()` that has the task done again if it is interrupted."""

    @wraps(plain)
    def method(self: Any) -> None:
        token = at_work.set(True)
        try:
            plain(self)
        except Exception:
            raise
        except BaseException as exc:
            _do_again(self)
            if isinstance(exc, _ENDS):  # whoever wants the worker gone
                raise
            raise TaskInterruptedError(f"interrupted by {exc!r}, and tried again in {_PAUSE} s") from exc
        finally:
            at_work.reset(token)

    return method


def _do_again(task: Any) -> None:
    """Schedule a task once more; a connection that it was to give back is replaced."""
    pool, conn = task.pool(), getattr(task, "conn", None)
    if conn is not None:
        close(conn)
    if pool is not None and not pool.closed:
        pool.schedule_task(task, _PAUSE)


def close(conn: Any) -> None:
    """Close a connection for good: while it knows its pool, `close()` may give it back."""
    conn._pool = None
    conn.close()
