"""The one line for gevent: `greenpg.gevent.patch()` at process start.

An installed greenpg needs not even that: gevent calls `follow_monkey_patch()` through the entry-point
group `gevent.plugins.monkey.did_patch_builtins` when a process monkey-patches itself, as gunicorn's
gevent worker does. `GREENPG_AUTO=0` in the environment turns that off.
"""

from __future__ import annotations

import os

from greenpg.compat._drivers import activation

RUNTIME = "gevent"


def patch(*, recovery_timeout: float | None = None, cancel_timeout: float | None = None) -> None:
    """Make the installed PostgreSQL drivers wait through gevent, imported already or not yet.

    Doing it twice is doing it once, with the limits of the second time. The order does not matter:
    before or after `gevent.monkey.patch_all()`, before or after the drivers are imported. Locks and
    thread-locals that Django, SQLAlchemy, peewee and psycopg2's pool made before the monkey-patching
    are made anew; an application's own cannot be found.

    :param recovery_timeout: seconds that cancelling and draining an interrupted statement may take
        before its connection is closed; 2 by default
    :param cancel_timeout: seconds that `connection.cancel()` may take; 10 by default
    :raises ImportError: gevent is not installed, or no driver is
    :raises RuntimeError: the process was patched for another runtime
    :raises ValueError: a limit is not a positive number
    """
    activation.patch(RUNTIME, recovery_timeout=recovery_timeout, cancel_timeout=cancel_timeout)
    _detect()


def unpatch() -> None:
    """Put everything back that `patch()` has changed in the drivers and in greenpg's registry."""
    if is_patched():
        activation.unpatch()


def is_patched() -> bool:
    """Return whether the drivers of this process wait through gevent."""
    return activation.runtime == RUNTIME


def follow_monkey_patch(_event: object) -> None:
    """Patch the drivers because gevent has monkey-patched the process; gevent calls this.

    Whatever is wrong (no driver, one that does not work, another runtime) is at most a log line:
    an installed greenpg must not break anybody's process.
    """
    activation.follow(RUNTIME)
    _detect()


def _detect() -> None:
    """Switch the detector on if the environment says so; otherwise it is not even imported."""
    if os.environ.get("GREENPG_DETECT"):
        from greenpg.detector import follow_environment

        follow_environment(RUNTIME)
