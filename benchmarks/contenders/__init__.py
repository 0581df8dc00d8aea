"""The contenders, by the names that `--contender` takes, in the order of the table."""

from __future__ import annotations

from benchmarks.contenders.base import Contender, Kind
from benchmarks.contenders.patches import detector, eventlet, gevent, psycogreen, statistics
from benchmarks.drivers.asyncpg import Asyncpg
from benchmarks.drivers.dbapi import Psycopg2
from benchmarks.drivers.libpq import Libpq
from benchmarks.drivers.pg8000 import Pg8000
from benchmarks.drivers.psycopg3 import AsyncGreenpg, AsyncPsycopg3, Greenpg, Psycopg3
from benchmarks.runtimes.asyncio import Asyncio, Uvloop
from benchmarks.runtimes.c import InC
from benchmarks.runtimes.eventlet import Eventlet
from benchmarks.runtimes.gevent import Gevent
from benchmarks.runtimes.threads import Threads
from benchmarks.runtimes.trio import Trio

_OURS, _PATCHED, _PEER = Kind.OURS, Kind.PATCHED, Kind.PEER
_C, _PYTHON = {"GREENPG_IMPL": "c"}, {"GREENPG_IMPL": "python"}
_GREENPG = "psycopg2 + greenpg"
_NO_COPY = ("copy",)  # psycopg2 refuses COPY under a wait callback
_QUERIES = ("W1", "W2")

_ALL = (
    Contender("greenpg-gevent", "greenpg, gevent", _OURS, Greenpg, Gevent, environment=_C),
    Contender(
        "greenpg-gevent-ctypes", "greenpg, gevent, ctypes", _OURS, Greenpg, Gevent, environment=_PYTHON
    ),
    Contender("greenpg-eventlet", "greenpg, eventlet", _OURS, Greenpg, Eventlet, environment=_C),
    Contender("greenpg-uvloop", "greenpg, uvloop", _OURS, AsyncGreenpg, Uvloop, environment=_C),
    Contender("greenpg-asyncio", "greenpg, asyncio", _OURS, AsyncGreenpg, Asyncio, environment=_C),
    Contender("greenpg-trio", "greenpg, trio", _OURS, AsyncGreenpg, Trio, environment=_C),
    Contender("greenpg-threads", "greenpg, threads (select)", _OURS, Greenpg, Threads, environment=_C),
    Contender("psycopg2-greenpg", f"{_GREENPG}, gevent", _PATCHED, Psycopg2, Gevent, gevent),
    Contender(
        "psycopg2-greenpg-detector",
        f"{_GREENPG}, gevent, detector",
        *(_PATCHED, Psycopg2, Gevent, detector),
        only=_QUERIES,
    ),
    Contender(
        "psycopg2-greenpg-statistics",
        f"{_GREENPG}, gevent, statistics",
        *(_PATCHED, Psycopg2, Gevent, statistics),
        only=_QUERIES,
    ),
    Contender("psycopg2-greenpg-eventlet", f"{_GREENPG}, eventlet", _PATCHED, Psycopg2, Eventlet, eventlet),
    Contender("psycopg3-greenpg", "psycopg 3 + greenpg, gevent", _PATCHED, Psycopg3, Gevent, gevent),
    Contender(
        "psycopg3-greenpg-eventlet", "psycopg 3 + greenpg, eventlet", _PATCHED, Psycopg3, Eventlet, eventlet
    ),
    Contender("psycopg2", "psycopg2, threads", _PEER, Psycopg2, Threads),
    Contender(
        "psycopg2-psycogreen",
        "psycopg2 + psycogreen, gevent",
        *(_PEER, Psycopg2, Gevent, psycogreen),
        packages=("psycogreen",),
        lacks=_NO_COPY,
    ),
    Contender("psycopg2-eventlet", "psycopg2, eventlet", _PEER, Psycopg2, Eventlet, lacks=_NO_COPY),
    Contender("psycopg3", "psycopg 3, threads", _PEER, Psycopg3, Threads),
    Contender("psycopg3-gevent", "psycopg 3, gevent", _PEER, Psycopg3, Gevent),
    Contender("psycopg3-uvloop", "psycopg 3, uvloop", _PEER, AsyncPsycopg3, Uvloop),
    Contender("asyncpg-asyncio", "asyncpg, asyncio", _PEER, Asyncpg, Asyncio),
    Contender("asyncpg-uvloop", "asyncpg, uvloop", _PEER, Asyncpg, Uvloop),
    Contender("pg8000-gevent", "pg8000, gevent", _PEER, Pg8000, Gevent),
    Contender("libpq", "C on libpq, no Python objects", Kind.LIMIT, Libpq, InC, lacks=("sleep",)),
)

CONTENDERS: dict[str, Contender] = {contender.name: contender for contender in _ALL}
