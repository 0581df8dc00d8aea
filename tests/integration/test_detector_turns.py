"""The detector and the GIL: a call that keeps it lets nobody look, and is found all the same."""

from __future__ import annotations

import pytest

from tests.fresh import run_python

pytestmark = pytest.mark.subprocess


def test_kept_while_the_detector_does_not_sleep(dsn: str) -> None:
    """It gives the GIL away whenever it reads a file; here it gets it back only when the call is over."""
    code = """
        import gevent.monkey
        gevent.monkey.patch_all()
        import os
        import gevent, psycopg2
        from greenpg import detector
        from greenpg._pristine import pristine
        from greenpg.detector._thread_times import ThreadTimes

        allocate_lock = pristine("_thread").allocate_lock
        reading, begun = allocate_lock(), allocate_lock()
        assert reading.acquire() and begun.acquire()
        read = ThreadTimes.delayed

        def read_slowly(times):
            seconds = read(times)
            if reading.acquire(False):
                begun.acquire()
            return seconds

        def fetch():
            reading.release()
            while not reading.locked():
                gevent.sleep(0.001)
            begun.release()
            return cursor.fetchall()

        ThreadTimes.delayed = read_slowly
        cursor = psycopg2.connect(os.environ["DSN"]).cursor()
        cursor.execute("select i, i::text, i::text, i::text from generate_series(1, 500000) i")
        holds = []
        detector.install("50ms", hook=holds.append)
        gevent.sleep(0.1)  # the detector begins to look
        gevent.spawn(fetch).get()
        gevent.sleep(0.1)  # the hub's turn, and the detector's
        detector.uninstall()
        assert "fetchall" in [hold.method for hold in holds], holds
    """
    run_python(code, env={"DSN": dsn, "GREENPG_AUTO": "0"})
