"""`Library`: one loaded libpq, from which everything else is made."""

from __future__ import annotations

from ctypes import byref, c_size_t, c_void_p
from itertools import count
from weakref import WeakValueDictionary

from greenpg.errors import OperationalError, ProgrammingError
from greenpg.pq import abc
from greenpg.pq._ctypes.conn import PGconn
from greenpg.pq._ctypes.functions import ACCESSORS, CALLS, NoticeReceiver, bind
from greenpg.pq._ctypes.memory import c_text, option_list, taken
from greenpg.pq._ctypes.result import PGresult
from greenpg.pq.enums import Ping


class Library(abc.Library):
    """The libpq at `path`, loaded."""

    implementation = "python"

    def __init__(self, path: str):
        self.path = path
        self._pq = bind(path)
        self.version = self._pq.PQlibVersion()
        self._keys = count(1)
        self._conns: WeakValueDictionary[int, PGconn] = WeakValueDictionary()
        self._receiver = NoticeReceiver(self._receive_notice)

    def has(self, function: str) -> bool:
        if function not in CALLS and function not in ACCESSORS:
            raise ValueError(f"greenpg uses no libpq function called {function!r}")
        return function not in self._pq.missing

    def connect_start(self, conninfo: bytes) -> PGconn:
        address = self._pq.PQconnectStart(c_text(conninfo))
        if not address:
            raise OperationalError("libpq has no memory left for a connection")
        conn = PGconn(self._pq, address, owned=True)
        # libpq keeps the receiver in results too and they may live longer than the connection: so there is
        # one for the library, and connections have numbers that are never used again, as addresses are.
        key = next(self._keys)
        self._conns[key] = conn
        self._pq.PQsetNoticeReceiver(address, self._receiver, key)
        return conn

    def borrow(self, address: int) -> PGconn:
        return PGconn(self._pq, address, owned=False)

    def parse_conninfo(self, conninfo: bytes) -> list[abc.ConninfoOption]:
        message = c_void_p()
        array = self._pq.PQconninfoParse(c_text(conninfo), byref(message))
        if not array:
            reason = taken(self._pq, message.value) if message.value else b"out of memory"
            raise ProgrammingError(f"bad connection string: {reason.decode(errors='replace').strip()}")
        return option_list(self._pq, array)

    def conninfo_defaults(self) -> list[abc.ConninfoOption]:
        array = self._pq.PQconndefaults()
        if not array:
            raise OperationalError("libpq could not tell its connection defaults")
        return option_list(self._pq, array)

    def ping(self, conninfo: bytes) -> Ping:
        return Ping(self._pq.PQping(c_text(conninfo)))

    def unescape_bytea(self, data: bytes) -> bytes:
        size = c_size_t()
        address = self._pq.PQunescapeBytea(c_text(data), byref(size))
        if not address:
            raise OperationalError("libpq has no memory left to unescape a bytea")
        return taken(self._pq, address, size.value)

    def _receive_notice(self, key: int, address: int) -> None:
        conn = self._conns.get(key)
        if conn is not None and conn.notice_handler is not None:
            notice = PGresult(self._pq, address, owned=False)
            conn.notices += 1
            try:
                conn.notice_handler(notice)
            finally:
                conn.notices -= 1
                notice.clear()  # libpq frees it now
