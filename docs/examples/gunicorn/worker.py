"""gunicorn's gevent worker, with a second for cleaning up after a timeout."""

import greenpg.gevent
from greenpg.contrib.gunicorn import GeventWorker


class Worker(GeventWorker):
    def patch(self):
        super().patch()
        greenpg.gevent.patch(recovery_timeout=1)
