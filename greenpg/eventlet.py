"""The one line for eventlet: `greenpg.eventlet.patch()` at process start.

eventlet tells nobody that it has monkey-patched a process, so the line is needed. Where an application
was imported before `eventlet.monkey_patch()`, call it after that: only then can it repair what was made
too early.
"""

from __future__ import annotations

import os

from greenpg.compat._drivers import activation

RUNTIME = "eventlet"


def patch(*, recovery_timeout: float | None = None, cancel_timeout: float | None = None) -> None:
    """Make the installed PostgreSQL drivers wait through eventlet, imported already or not yet.

    Doing it twice is doing it once, with the limits of the second time. The order does not matter:
    before or after `eventlet.monkey_patch()`, before or after the drivers are imported. Locks and
    thread-locals that Django, SQLAlchemy, peewee and psycopg2's pool made before the monkey-patching
    are made anew; an application's own cannot be found.

    :param recovery_timeout: seconds that cancelling and draining an interrupted statement may take
        before its connection is closed; 2 by default
    :param cancel_timeout: seconds that `connection.cancel()` may take; 10 by default
    :raises ImportError: eventlet is not installed, or no driver is
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
    """Return whether the drivers of this process wait through eventlet."""
    return activation.runtime == RUNTIME


def _detect() -> None:
    """Switch the detector on if the environment says so; otherwise it is not even imported."""
    if os.environ.get("GREENPG_DETECT"):
        from greenpg.detector import follow_environment

        follow_environment(RUNTIME)
