"""The same tasks for eventlet, which tells nobody that it has monkey-patched the worker. Celery does."""

from celery.signals import eventlet_pool_started
from tasks import app as app

import greenpg.eventlet


@eventlet_pool_started.connect
def make_green(**_):
    greenpg.eventlet.patch()
