"""gunicorn's gevent worker, and greenpg's one line in it."""

from __future__ import annotations

from gunicorn.workers import ggevent

import greenpg.gevent
from greenpg.contrib._gunicorn_setup import check


class GeventWorker(ggevent.GeventWorker):  # type: ignore[misc] # gunicorn has no types
    """gunicorn's own, with the PostgreSQL drivers green before the application is imported.

    With `--preload` the application comes first, and what it made too early is repaired.
    """

    @classmethod
    def setup(cls) -> None:
        """Refuse in gunicorn's master process what the workers could not do."""
        check(greenpg.gevent.RUNTIME)

    def patch(self) -> None:
        """Monkey-patch the worker process, and make the drivers green; override it to give limits."""
        super().patch()
        greenpg.gevent.patch()
