"""What `greenpg run` does at the start of a Python process, before any import of the program.

Its rule: nothing is imported before the process is monkey-patched but what does that.
"""

from __future__ import annotations


def make_green(runtime: str) -> None:
    """Monkey-patch this process for a runtime, and make the PostgreSQL drivers green.

    :param runtime: `gevent` or `eventlet`
    :raises ImportError: the runtime is not installed, or no driver is
    :raises ValueError: there is no such runtime
    """
    if runtime == "gevent":
        _gevent()
    elif runtime == "eventlet":
        _eventlet()
    else:
        raise ValueError(f"$GREENPG_RUN must be gevent or eventlet, not {runtime!r}")


def _gevent() -> None:
    import gevent.monkey

    gevent.monkey.patch_all()

    import greenpg.gevent

    greenpg.gevent.patch()


def _eventlet() -> None:
    import warnings

    # Its advice to leave eventlet would come once more from every child; who says --eventlet has heard it.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import eventlet

    eventlet.monkey_patch()

    import greenpg.eventlet

    greenpg.eventlet.patch()
