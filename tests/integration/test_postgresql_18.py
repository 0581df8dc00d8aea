"""A cross-section of the driver's suite over PostgreSQL 18, whatever server the session itself is about.

All of it over another server is a run with $GREENPG_TEST_VERSION=18, or with $GREENPG_TEST_DSN.
"""

from __future__ import annotations

import re
import sys

from tests import fresh

CROSS_SECTION = (
    "tests/integration/types/test_learned.py",
    "tests/integration/types/test_bool_uuid.py",
    "tests/integration/driver/test_execute.py",
    "tests/integration/driver/test_prepared.py",
    "tests/integration/driver/test_copy.py",
    "tests/integration/driver/test_stream.py",
    "tests/integration/driver/test_transaction_blocks.py",
)


def test_a_cross_section() -> None:
    blocking_and_async = ("-k", "not (gevent or eventlet or uvloop or trio)")
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", *blocking_and_async, *CROSS_SECTION)
    ran = fresh.run(*command, env={"GREENPG_TEST_VERSION": "18", "GREENPG_TEST_DSN": ""}, timeout=240)
    assert ran.returncode == 0, ran
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert passed, ran
    assert int(passed[1]) > 250, ran
