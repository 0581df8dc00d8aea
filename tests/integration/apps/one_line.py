"""The application that $APP names, with greenpg's one line in it."""

import os
from importlib import import_module

import greenpg.gevent

greenpg.gevent.patch()

app = import_module(os.environ["APP"]).app
