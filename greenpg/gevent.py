"""The one line for gevent: `greenpg.gevent.patch()` at process start.

An installed greenpg needs not even that: gevent calls `follow_monkey_patch()` through the entry-point
group `gevent.plugins.monkey.did_patch_builtins` when a process monkey-patches itself, as gunicorn's
gevent worker does. `GREENPG_AUTO=0` in the environment turns that off.
"""

from __future__ import annotations

import os

from greenpg.compat._drivers import activation

RUNTIME = "gevent"


def patch(**options: float) -> None:
    """Make the installed PostgreSQL drivers wait through gevent, imported already or not yet.

    Doing it twice is doing it once. The order does not matter: before or after
    `gevent.monkey.patch_all()`, before or after the drivers are imported.

    :param options: limits in seconds, see `greenpg.compat.psycopg2.patch()`
    :raises ImportError: gevent is not installed, or no driver is
    :raises RuntimeError: the process was patched for another runtime
    """
    activation.patch(RUNTIME, **options)


def unpatch() -> None:
    """Put everything back that `patch()` has changed."""
    if is_patched():
        activation.unpatch()


def is_patched() -> bool:
    """Return whether the drivers of this process wait through gevent."""
    return activation.runtime == RUNTIME


def follow_monkey_patch(_event: object) -> None:
    """Patch the drivers because gevent has monkey-patched the process; gevent calls this."""
    if os.environ.get("GREENPG_AUTO", "1") == "0" or activation.runtime is not None:
        return
    try:
        patch()
    except ImportError:  # no driver here: an installed greenpg must not break anybody's process
        return
