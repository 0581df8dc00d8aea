"""The callback keeps greenpg's contract."""

from tidepool import wait

from greenpg.testing import NativeThreads, check_wait_callback


def test_contract():
    check_wait_callback(wait, NativeThreads())
