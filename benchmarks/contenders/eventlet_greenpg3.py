"""psycopg 3 made green by greenpg, in eventlet, where it blocks without."""

from __future__ import annotations

from benchmarks.contenders.eventlet_greenpg import EventletGreenpg
from benchmarks.contenders.psycopg3 import Psycopg3


class EventletGreenpg3(EventletGreenpg, Psycopg3):
    """The same process as psycopg2's with greenpg."""

    name = "greenpg-psycopg3-eventlet"
    title = "psycopg 3 + greenpg, eventlet"
    packages = ("psycopg", "eventlet")
    rivals = ("psycopg3-gevent", "psycopg3")
