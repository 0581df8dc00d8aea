"""Starts a worker in a process that is monkey-patched when everything has been imported already."""

from importlib import import_module

import gevent.monkey

import_module("celery_tasks")
app = import_module("tasks").app

gevent.monkey.patch_all()

app.worker_main(["worker", "--pool=gevent", "--concurrency=20"])
