"""The one line for eventlet: `greenpg.eventlet.patch()` at process start."""

from __future__ import annotations

from greenpg.compat._drivers import activation

RUNTIME = "eventlet"


def patch(**options: float) -> None:
    """Make the installed PostgreSQL drivers wait through eventlet, imported already or not yet.

    Doing it twice is doing it once. The order does not matter: before or after
    `eventlet.monkey_patch()`, before or after the drivers are imported.

    :param options: limits in seconds, see `greenpg.compat.psycopg2.patch()`
    :raises ImportError: eventlet is not installed, or no driver is
    :raises RuntimeError: the process was patched for another runtime
    """
    activation.patch(RUNTIME, **options)


def unpatch() -> None:
    """Put everything back that `patch()` has changed."""
    if is_patched():
        activation.unpatch()


def is_patched() -> bool:
    """Return whether the drivers of this process wait through eventlet."""
    return activation.runtime == RUNTIME
