"""Name resolution for psycopg, off the hub and within `connect_timeout`."""

from __future__ import annotations

import socket
from contextvars import ContextVar
from functools import wraps
from types import ModuleType
from typing import TYPE_CHECKING, Any

from psycopg.conninfo import timeout_from_conninfo

from greenpg._core.offload import resolve
from greenpg.waiters import drive, get_wait_callback

if TYPE_CHECKING:
    from collections.abc import Callable

_limit: ContextVar[float | None] = ContextVar("greenpg_names", default=None)
_RESOLVERS = ("socket", "gevent", "eventlet")


class Socket(ModuleType):
    """`socket` as psycopg's list of attempts sees it: names are looked up in a native thread."""

    def __getattr__(self, name: str) -> Any:
        return getattr(socket, name)

    def getaddrinfo(self, host: str, port: Any, **hints: Any) -> list[Any]:
        """Return the addresses of `host`; only they are used of the answer.

        :raises TimeoutError: the time of the connect is over
        """
        plain: Any = socket.getaddrinfo
        module = getattr(plain, "__module__", None) or ""
        if module.partition(".")[0] not in _RESOLVERS:  # an application that resolves names itself
            return list(plain(host, port, **hints))
        try:
            addresses = drive(resolve(host).result_gen(), get_wait_callback(), _limit.get())
        except TimeoutError as exc:
            raise TimeoutError("timeout expired") from exc
        return [(0, 0, 0, "", (address, port)) for address in addresses]


def attempting(plain: Callable[..., Any]) -> Callable[..., Any]:
    """Return the replacement of `conninfo_attempts()`, which gives each name the time of the connect."""

    @wraps(plain)
    def conninfo_attempts(params: Any) -> Any:
        seconds = timeout_from_conninfo(params)
        token = _limit.set(seconds or None)
        try:
            return plain(params)
        finally:
            _limit.reset(token)

    return conninfo_attempts
