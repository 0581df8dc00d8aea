"""Patching psycopg2 where it lacks something: the rest works, and one warning says what does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fresh import Ran

FALLBACK = """
    import logging, sys
    logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
    import _ctypes
    import psycopg2._psycopg
    import greenpg.compat.psycopg2 as compat
    psycopg2._psycopg.__file__ = _ctypes.__file__  # an extension that libpq was linked into, and hidden in
    plain = psycopg2._connect
    compat.patch()
    compat.patch()
    assert compat.is_patched()
    assert psycopg2._connect is plain
    assert psycopg2.extensions.get_wait_callback() is not None
    compat.unpatch()
    assert psycopg2.extensions.get_wait_callback() is None
"""


def test_a_psycopg2_that_does_not_lend_its_libpq(run_python: Callable[..., Ran]) -> None:
    lines = run_python(FALLBACK).stdout.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("WARNING psycopg2 2.")
    assert "does not lend its libpq" in lines[0]


def test_limits_are_positive(run_python: Callable[..., Ran]) -> None:
    run_python("""
        import pytest
        import greenpg.compat.psycopg2 as compat
        for limits in ({"recovery_timeout": 0}, {"cancel_timeout": -1}, {"cancel_timeout": float("nan")}):
            with pytest.raises(ValueError, match="is a positive number of seconds"):
                compat.patch(**limits)
        assert not compat.is_patched()
    """)
