"""Serves the application `sys.argv[1]`, as a script on eventlet does; `patch` adds greenpg's line."""

import sys
from importlib import import_module

import eventlet

eventlet.monkey_patch()

if "patch" in sys.argv:
    import greenpg.eventlet

    greenpg.eventlet.patch()

from eventlet import wsgi  # noqa: E402

wsgi.server(eventlet.listen(("127.0.0.1", 0)), import_module(sys.argv[1]).app)
