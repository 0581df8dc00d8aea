"""Make an interpreter green before anything else is imported: `site` finds this file through PYTHONPATH.

The programs that psycopg2's tests start inherit it, and so are green too. Its rule: it goes green as the
runtime named in `$GREENPG_SUITE_RUNTIME` says, or it ends the process.
"""

from __future__ import annotations

import os
import traceback
import warnings


def _plain() -> None:
    """Leave psycopg2 as it is: what every other runtime is compared with."""


def _select() -> None:
    import greenpg.compat.psycopg2
    from greenpg.waiters import set_wait_callback

    set_wait_callback("select")
    greenpg.compat.psycopg2.patch()


def _gevent() -> None:
    from gevent import monkey

    monkey.patch_all()
    import greenpg.gevent

    greenpg.gevent.patch()


def _eventlet() -> None:
    # eventlet warns at import that it is deprecated; some tests compare stderr with nothing.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import eventlet

        eventlet.monkey_patch()
    import greenpg.eventlet

    greenpg.eventlet.patch()


RUNTIMES = {"plain": _plain, "select": _select, "gevent": _gevent, "eventlet": _eventlet}

try:
    RUNTIMES[os.environ["GREENPG_SUITE_RUNTIME"]]()
except BaseException:
    # `site` would print this and go on: the suite would then test plain psycopg2, and pass.
    traceback.print_exc()
    os._exit(os.EX_CONFIG)
