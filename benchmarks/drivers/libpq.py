"""libpq from C: what no driver on libpq can be faster than. The loops are in `limit/limit.c`."""

from __future__ import annotations

import os
from ctypes import CDLL, POINTER, byref, c_char_p, c_int, c_int32, c_int64, c_uint64, c_void_p
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from benchmarks.drivers.base import Driver
from benchmarks.limit.building import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.runtimes.base import Job

_EPOCH = datetime(2000, 1, 1, tzinfo=timezone.utc)
_SIGNATURES: dict[str, list[Any]] = {
    "load": [c_char_p],
    "connect": [c_char_p, c_int, POINTER(c_void_p)],
    "execute": [c_void_p, c_char_p],
    "prepare": [c_void_p, c_char_p, c_char_p, c_int],
    "query": [c_int, POINTER(c_void_p), c_char_p, POINTER(c_int32), c_int, POINTER(c_uint64)],
    "insert": [c_void_p, c_char_p, c_int, c_int64],
    "copy_in": [c_void_p, c_char_p, c_char_p, c_int64],
    "copy_out": [c_void_p, c_char_p],
}


class _Limit:
    """The library's functions, which raise what they return."""

    def __init__(self) -> None:
        self._library = CDLL(os.environ[VARIABLE])
        for name, types in _SIGNATURES.items():
            function = getattr(self._library, f"limit_{name}")
            function.argtypes, function.restype = types, c_char_p

    def __call__(self, name: str, *values: object) -> None:
        if error := getattr(self._library, f"limit_{name}")(*values):
            raise OSError(error.decode(errors="replace"))

    def close(self, connections: Any) -> None:
        self._library.limit_close(len(connections), connections)


class Libpq(Driver):
    """The driver in C. A connection is an address."""

    packages = ()

    def start(self) -> None:
        """Load the library, and libpq into it."""
        from greenpg import pq

        self._limit = _Limit()
        self._limit("load", os.fsencode(pq.library().path))
        self._conninfo = self.dsn.encode()
        self._names: dict[str, bytes] = {}
        self._prepared: set[tuple[int, bytes]] = set()

    def opening(self) -> Job:
        """Return a job."""

        def connect() -> int:
            connections = (c_void_p * 1)()
            self._limit("connect", self._conninfo, 1, connections)
            assert connections[0]
            return int(connections[0])

        return connect

    def closing(self, connection: int) -> Job:
        """Return a job."""
        self._prepared = {(other, name) for other, name in self._prepared if other != connection}
        return lambda: self._limit.close((c_void_p * 1)(connection))

    def connecting(self, count: int) -> Job:
        """Return a job."""
        return _Connecting(self._limit, self._conninfo, count)

    def executing(self, connection: int, sql: str) -> Job:
        """Return a job."""
        return lambda: self._limit("execute", connection, sql.encode())

    def querying(
        self, connection: int, sql: str, values: Sequence[Any], keep: list[Any] | None = None
    ) -> Job:
        """Return a job; the statement is prepared now."""
        keys = (c_int32 * len(values))(*values)
        return _Querying(self._limit, connection, self._prepare(connection, sql, 1), keys)

    def inserting(self, connection: int, sql: str, rows: Sequence[tuple[Any, ...]]) -> Job:
        """Return a job, which makes the very rows itself; the statement is prepared now."""
        name = self._prepare(connection, sql, 4)
        at = rows[0][3] - _EPOCH
        start = (at.days * 86_400 + at.seconds - rows[0][0]) * 1_000_000
        return lambda: self._limit("insert", connection, name, len(rows), start)

    def _prepare(self, connection: int, sql: str, parameters: int) -> bytes:
        name = self._names.setdefault(sql, f"limit{len(self._names)}".encode())
        if (connection, name) not in self._prepared:
            self._limit("prepare", connection, name, sql.encode(), parameters)
            self._prepared.add((connection, name))
        return name

    def copying_in(self, connection: int, table: str, data: bytes) -> Job:
        """Return a job."""
        return lambda: self._limit(
            "copy_in", connection, f"copy {table} from stdin".encode(), data, len(data)
        )

    def copying_out(self, connection: int, table: str) -> Job:
        """Return a job."""
        return lambda: self._limit("copy_out", connection, f"copy {table} to stdout".encode())


@dataclass
class _Querying:
    limit: _Limit
    connection: int
    statement: bytes
    keys: Any

    def __call__(self) -> None:
        self.run_together([self])

    @staticmethod
    def run_together(jobs: Sequence[_Querying]) -> None:
        limit, statement, each = jobs[0].limit, jobs[0].statement, len(jobs[0].keys)
        keys = (c_int32 * (each * len(jobs))).from_buffer_copy(b"".join(job.keys for job in jobs))
        connections = (c_void_p * len(jobs))(*[job.connection for job in jobs])
        limit("query", len(jobs), connections, statement, keys, each, byref(c_uint64()))


@dataclass
class _Connecting:
    limit: _Limit
    conninfo: bytes
    count: int

    def __call__(self) -> None:
        for _ in range(self.count):
            self._connect(1)

    @staticmethod
    def run_together(jobs: Sequence[_Connecting]) -> None:
        assert all(job.count == 1 for job in jobs)
        jobs[0]._connect(len(jobs))

    def _connect(self, at_once: int) -> None:
        connections = (c_void_p * at_once)()
        self.limit("connect", self.conninfo, at_once, connections)
        self.limit.close(connections)
