"""psycopg 3 made green by greenpg, in gevent."""

from __future__ import annotations

from benchmarks.contenders.gevent_greenpg import GeventGreenpg
from benchmarks.contenders.psycopg3 import Psycopg3


class GeventGreenpg3(GeventGreenpg, Psycopg3):
    """The same process as psycopg2's with greenpg."""

    name = "greenpg-psycopg3-gevent"
    title = "psycopg 3 + greenpg, gevent"
    packages = ("psycopg", "gevent")
    rivals = ("psycopg3-gevent", "psycopg3")
