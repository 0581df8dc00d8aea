"""For uWSGI's own async core (`--async N --ugreen`): `patch()` at start, `green()` around the application.

uWSGI's gevent loop needs nothing of this: there, greenpg follows gevent's monkey-patching.
"""

from __future__ import annotations

from functools import wraps
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any

from greenpg.compat._drivers import activation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from greenpg.waiters.uwsgi import GreenThread

RUNTIME = "uwsgi"

_NEEDED = ("async", "ugreen", "post-buffering")


def patch(*, recovery_timeout: float | None = None, cancel_timeout: float | None = None) -> None:
    """Make the installed PostgreSQL drivers wait through uWSGI, imported already or not yet.

    Doing it twice is doing it once, with the limits of the second time. Requests wait for each other all the
    same unless the application is wrapped in `green()`.

    :param recovery_timeout: seconds that cancelling and draining an interrupted statement may take
        before its connection is closed; 2 by default
    :param cancel_timeout: seconds that `connection.cancel()` may take; 10 by default
    :raises ImportError: uWSGI has not started this process, or no driver is installed
    :raises RuntimeError: uWSGI was started otherwise, or the process was patched for another runtime
    :raises ValueError: a limit is not a positive number
    """
    _check_options()
    activation.patch(RUNTIME, recovery_timeout=recovery_timeout, cancel_timeout=cancel_timeout)


def unpatch() -> None:
    """Put everything back that `patch()` has changed in the drivers and in greenpg's registry."""
    if is_patched():
        activation.unpatch()


def is_patched() -> bool:
    """Return whether the drivers of this process wait through uWSGI's async core."""
    return activation.runtime == RUNTIME


class Timeout(BaseException):
    """A time limit for whatever waits in a `with` statement: `with Timeout(seconds): cursor.execute(…)`.

    It is raised in the wait that is under way when the time is over, or in the next one; just once, and not
    between waits. The statement is cancelled, on the server too. Limits may be nested, and other errors pass.

    :param seconds: counted from the beginning of the `with` statement
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds} seconds are over")
        self.seconds = seconds
        self.deadline = inf

    def __enter__(self) -> Timeout:
        """Begin.

        :raises RuntimeError: this is no request of an application wrapped in `green()`
        """
        self.deadline = monotonic() + self.seconds
        _limits().append(self)
        return self

    def __exit__(self, *_exc: object) -> None:
        if self in _limits():
            _limits().remove(self)


def _limits() -> list[Timeout]:
    """Return the limits of this green thread."""
    from greenlet import getcurrent

    limits: list[Timeout] | None = getattr(getcurrent(), "limits", None)
    if limits is None:
        raise RuntimeError("a time limit needs a green thread: wrap the application in greenpg.uwsgi.green()")
    return limits


def green(application: WSGIApplication) -> WSGIApplication:
    """Return a WSGI application that serves each request of `application` in a green thread of its own.

    It must be the outermost: between it and uWSGI there is no place for a middleware.

    :raises ImportError: uWSGI has not started this process
    """
    from greenpg.waiters.uwsgi import GreenThread

    @wraps(application)
    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        environ.pop("wsgi.file_wrapper", None)  # what uWSGI's has wrapped would be sent line by line
        return _parts(GreenThread(_respond), application, environ, start_response)

    return serve


def _parts(thread: GreenThread, *args: Any) -> Iterator[bytes | None]:
    """Yield the parts of the response, and `None` (of which uWSGI sends nothing) for each wait."""
    try:
        part = thread.switch(thread, *args)
        while not thread.dead:
            yield part
            part = thread.switch()
    finally:
        thread.end()


def _respond(
    thread: Any, application: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse
) -> None:
    """Serve one request in its green thread."""

    def start(*args: Any) -> Callable[[bytes], None]:
        start_response(*args)
        give_way: Callable[[bytes], None] = thread.give_way
        return give_way  # uWSGI's own write() would wait in C

    parts: Any = application(environ, start)
    if isinstance(parts, bytes):
        parts = [parts]  # uWSGI sends it whole, against PEP 3333
    try:
        for part in parts:
            thread.give_way(part)
    finally:
        if hasattr(parts, "close"):
            parts.close()


def _check_options() -> None:
    """Check that uWSGI was started as its async core has to be.

    Without uGreen it breaks off responses and uploads of slow clients; without buffering it would wait for an
    upload with Python on its stack, which CPython does not survive.

    :raises RuntimeError: it was not
    """
    try:
        import uwsgi
    except ImportError:
        return  # its wait callback says so
    if uwsgi.loop is not None:
        raise RuntimeError(
            f"uWSGI runs its {uwsgi.loop.decode()} loop: greenpg.uwsgi is for its own async core"
            " (for gevent there is greenpg.gevent)"
        )
    missing = [f"--{option}" for option in _NEEDED if option not in uwsgi.opt]
    if missing:
        raise RuntimeError(
            "start uWSGI's async core with --async N --ugreen --post-buffering BYTES;"
            f" missing is {', '.join(missing)}"
        )
