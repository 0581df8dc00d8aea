"""The workloads, by the names that `--workload` takes, in the order of the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.tables import COPY_ROWS, INTEGERS, QUICK_COPY_ROWS, TEXTS, WIDE
from benchmarks.workloads.bulk import CopyIn, CopyOut, Insert
from benchmarks.workloads.connecting import Connect, Resident, Storm
from benchmarks.workloads.curves import ByColumns, ByConnections, ByRows
from benchmarks.workloads.queries import Idle, Many, One
from benchmarks.workloads.results import Pause, Result

if TYPE_CHECKING:
    from benchmarks.workloads.base import Workload

_MS = {"cpu": "ms", "wall": "ms"}
_PAUSE = {"pause": "ms"}
_WIDE = f"select * from {WIDE} where id <= $1"
_SEVEN = "rows of int4, int8, text, float8, timestamptz, numeric, bool"
# 1M rows take half a minute with the slowest, and the curves are for a few lines.
_MILLION = (
    *("greenpg-gevent", "greenpg-eventlet", "greenpg-uvloop", "psycopg2-psycogreen", "psycopg2-eventlet"),
    *("psycopg3-gevent", "psycopg3-uvloop", "asyncpg-uvloop"),
)
_FEW = (
    *("greenpg-gevent", "greenpg-uvloop", "psycopg2-psycogreen", "psycopg3-gevent", "asyncpg-uvloop"),
    "libpq",
)

_ALL: tuple[Workload, ...] = (
    One("W1", "select $1::int on one connection, one after the other", 4000, 100),
    Many("W2", "one account by its key, 100 green threads on 100 connections", 8000, 800, connections=100),
    Result("W3", f"200k {_SEVEN}", 200_000, 2000, {**_MS, "memory": "MB"}, sql=_WIDE),
    Result("W3b", "200k rows of 10 int4", 200_000, 2000, _MS, sql=f"select * from {INTEGERS} where c1 <= $1"),
    Result(
        "W3c",
        *("200k rows of 5 texts", 200_000, 2000, _MS),
        sql=f"select a, b, c, d, e from {TEXTS} where id <= $1",
    ),
    Insert("W4", "executemany() of an INSERT of 4 columns, 50k rows, for each row", 50_000, 500),
    CopyIn("W5in", "COPY IN of 500k rows from prepared bytes", COPY_ROWS, QUICK_COPY_ROWS, _MS, ("copy",)),
    CopyOut("W5out", "COPY OUT of 500k rows into memory", COPY_ROWS, QUICK_COPY_ROWS, _MS, ("copy",)),
    Connect("W6", "connect and close", 100, 5),
    Storm("storm", "connect and close, 200 at once, for each connection", 200, 20, connections=0),
    Idle("idle", "50 connections that wait for 0.5 s, all together", 50, 10, _MS, ("sleep",), 0, rounds=3),
    Pause("W8", "a 1 ms ticker beside W3", 200_000, 2000, _PAUSE, ("hub",), apart=True, sql=_WIDE),
    Pause(
        "W8M",
        f"a 1 ms ticker beside 1M {_SEVEN}",
        *(1_000_000, 5000, _PAUSE, ("hub",)),
        only=_MILLION,
        apart=True,
        sql=_WIDE,
    ),
    Resident(
        "memory", "1000 idle connections, for each", 1000, 20, {"memory": "kB"}, connections=0, rounds=3
    ),
    ByConnections(
        "by-connections", "W2 by connections", 1000, 10, connections=0, rounds=3, only=_FEW, is_curve=True
    ),
    ByRows("by-rows", "W3 by rows", 1_000_000, 1000, rounds=3, only=_FEW, is_curve=True),
    ByColumns("by-columns", "ten rows by columns", 1000, 100, rounds=3, only=_FEW, is_curve=True),
)

WORKLOADS: dict[str, Workload] = {workload.name: workload for workload in _ALL}
