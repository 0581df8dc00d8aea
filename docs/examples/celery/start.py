"""A worker that is started from Python: what the command `celery` does first is yours to do."""

import gevent.monkey

gevent.monkey.patch_all()  # greenpg follows by itself

from tasks import app

app.worker_main(["worker", "--pool=gevent", "--concurrency=20"])
