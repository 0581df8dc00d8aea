"""gunicorn's workers, green by themselves: `gunicorn -k greenpg.contrib.gunicorn.GeventWorker app:app`.

Its rule: names only. gunicorn's master process asks for one class, and that one's runtime alone is imported.

An installed greenpg follows gunicorn's own gevent worker without any of this. `GeventWorker` is for processes
that do not follow (GREENPG_AUTO=0), and to subclass. `EventletWorker` is one for eventlet, which gunicorn's
own was up to version 25.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from greenpg.contrib._gunicorn_eventlet import EventletWorker as EventletWorker
    from greenpg.contrib._gunicorn_gevent import GeventWorker as GeventWorker

_WORKERS = {"GeventWorker": "_gunicorn_gevent", "EventletWorker": "_gunicorn_eventlet"}


def __getattr__(name: str) -> Any:
    """Import a worker when it is asked for.

    :raises RuntimeError: there is no such worker, or what it needs is not installed; gunicorn shows
        this error, and no AttributeError, in one line
    """
    if name not in _WORKERS:
        is_worker = name[0].isupper() or "worker" in name
        error = RuntimeError if is_worker else AttributeError
        raise error(f"{__name__} has no {name}: its workers are {', '.join(_WORKERS)}")
    try:
        return getattr(import_module(f"greenpg.contrib.{_WORKERS[name]}"), name)
    except ImportError as exc:
        raise RuntimeError(f"{name} cannot be imported: {exc}") from exc
