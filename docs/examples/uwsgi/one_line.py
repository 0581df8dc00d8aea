"""The application of app.py in a process that nobody monkey-patches."""

import greenpg.gevent

greenpg.gevent.patch()

from app import application
