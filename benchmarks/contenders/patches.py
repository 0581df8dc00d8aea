"""What makes other drivers green, each in one line, as its users write it."""

from __future__ import annotations


def gevent() -> None:
    """Make psycopg2 and psycopg 3 green in gevent by greenpg."""
    import greenpg.gevent

    greenpg.gevent.patch()


def eventlet() -> None:
    """Make psycopg2 and psycopg 3 green in eventlet by greenpg."""
    import greenpg.eventlet

    greenpg.eventlet.patch()


def detector() -> None:
    """The same in gevent, and switch the detector on, at the limit that it has by itself."""
    gevent()
    import greenpg.detector

    greenpg.detector.install()


def statistics() -> None:
    """The same, and have each statement measured."""
    gevent()
    import greenpg.detector

    greenpg.detector.install(statistics=True)


def psycogreen() -> None:
    """Make psycopg2 green by psycogreen's callback: what people use with gevent today."""
    from psycogreen.gevent import patch_psycopg

    patch_psycopg()
