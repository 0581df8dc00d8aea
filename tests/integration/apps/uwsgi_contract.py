"""Checks that uWSGI's wait callback keeps the contract, when ten requests come to `/contract` at once.

The first makes the check, the others are its green threads. All answer what came of it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from greenlet import getcurrent

import greenpg.uwsgi
from greenpg.testing import check_wait_callback
from greenpg.waiters.uwsgi import wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Requests:
    """Green threads for the contract: requests that have nothing to do yet."""

    def __init__(self) -> None:
        self._calls: deque[Callable[[], None]] = deque()

    def spawn(self, call: Callable[[], None], /) -> None:
        """Have `call` run in a request; nothing can be raised in one that waits."""
        self._calls.append(call)

    def pause(self) -> None:
        """Let uWSGI go round once, not through the callback under test."""
        getcurrent().give_way()

    def work(self) -> None:
        """Run what is spawned, until there is a verdict."""
        while not verdicts:
            if self._calls:
                self._calls.popleft()()
            else:
                self.pause()


requests: list[Requests] = []
verdicts: list[str] = []


def check() -> str:
    """Return "kept", or which clause is broken and how."""
    requests.append(Requests())
    try:
        check_wait_callback(wait, requests[0])
    except AssertionError as error:
        return str(error)
    return "kept"


def serve(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/":
        return [b"hello"]
    if requests:
        requests[0].work()
    else:
        verdicts.append(check())
    return [verdicts[0].encode()]


application = greenpg.uwsgi.green(serve)
