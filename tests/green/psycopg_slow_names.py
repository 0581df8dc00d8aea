"""Names for psycopg 3: run by `tests/integration/test_slow_names.py`, with `names.c` as resolver.

That resolver aborts a process that asks it in its main thread. So these tests pass only if nobody does, libpq
included. Not collected otherwise.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.green.psycopg_statements import descriptors, value
from tests.green.slow_names import native_threads
from tests.green.ticker import LONGEST, Ticker

if TYPE_CHECKING:
    from tests.green.runtimes import Runtime


def answer(conninfo: str) -> int:
    """Connect, and return what the server answers."""
    with psycopg.connect(conninfo) as conn:
        answer: int = value(conn)
        return answer


def test_slow_name(runtime: Runtime, dsn: str, port: str) -> None:
    with Ticker(runtime) as ticker:
        assert answer(make_conninfo(dsn, host="slow.test")) == 42
    if runtime.green:
        assert ticker.longest < LONGEST
        assert ticker.ticks > 50


def test_a_name_takes_one_thread(runtime: Runtime, dsn: str, port: str) -> None:
    before = native_threads()
    tasks = [runtime.spawn(answer, make_conninfo(dsn, host="slow.test")) for _ in range(20)]
    runtime.sleep(0.15)
    most = native_threads() - (0 if runtime.green else 20)
    assert runtime.join_all(tasks) == [42] * 20
    assert most <= before + 1


def test_timeout_of_a_name(runtime: Runtime, dsn: str, port: str) -> None:
    began = time.monotonic()
    alone = runtime.spawn(answer, make_conninfo(dsn, host="never.test", connect_timeout=2))
    second = make_conninfo(dsn, host="never.test,slow.test", port=f"{port},{port}", connect_timeout=2)
    assert answer(second) == 42
    with pytest.raises(psycopg.OperationalError, match=r"host 'never.test': timeout expired"):
        alone.get()
    assert time.monotonic() - began < 4


@pytest.mark.runtimes("gevent", "eventlet")
def test_timeout_thrown_in(runtime: Runtime, dsn: str) -> None:
    runtime.sleep(0.001)
    before = descriptors()
    for _ in range(30):
        with pytest.raises(runtime.Timeout) as caught, runtime.timeout(0.01) as bomb:
            psycopg.connect(make_conninfo(dsn, host="never.test"))
        assert caught.value is bomb
    del caught, bomb
    assert descriptors() <= before
