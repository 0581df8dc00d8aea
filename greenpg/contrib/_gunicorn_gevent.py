"""gunicorn's gevent worker, and greenpg's one line in it."""

from __future__ import annotations

from gunicorn.workers import ggevent

import greenpg.gevent
from greenpg.contrib._gunicorn_setup import Checked


class GeventWorker(Checked, ggevent.GeventWorker):  # type: ignore[misc] # gunicorn has no types
    """gunicorn's own, with the PostgreSQL drivers green before the application is imported.

    With `--preload` the application comes first, and what it made too early is repaired.
    """

    RUNTIME = greenpg.gevent.RUNTIME

    def patch(self) -> None:
        """Monkey-patch the worker process, and make the drivers green; override it to give limits."""
        super().patch()
        greenpg.gevent.patch()
