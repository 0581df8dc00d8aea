"""psycopg 3 in processes of other kinds: not monkey-patched, patched late, of a version that nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fresh import Ran

PROLOGUE = """
import logging, sys, time, warnings
from importlib import import_module
warnings.filterwarnings("ignore", "\\nEventlet is deprecated")
logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s", stream=sys.stdout)

runtime, dsn = sys.argv[1:]
green = import_module(f"greenpg.{runtime}")

def monkey_patch():
    if runtime == "gevent":
        import_module("gevent.monkey").patch_all()
    else:
        import_module("eventlet").monkey_patch()

def together(*calls):
    "Run all at once in green threads; return what they returned, and the seconds it took."
    began = time.monotonic()
    if runtime == "gevent":
        import gevent
        tasks = [gevent.spawn(call) for call in calls]
        gevent.joinall(tasks, raise_error=True)
        answers = [task.get() for task in tasks]
    else:
        import eventlet
        answers = [task.wait() for task in [eventlet.spawn(call) for call in calls]]
    return answers, time.monotonic() - began

def timeout(seconds):
    module = import_module(runtime)
    return module.Timeout(seconds)

def sleep(conn):
    return lambda: conn.execute("select 7 from pg_sleep(0.3)").fetchone()[0]
"""


@pytest.fixture(params=["gevent", "eventlet"])
def run(request: pytest.FixtureRequest, run_python: Callable[..., Ran], dsn: str) -> Callable[[str], str]:
    """Run code after the prologue, in a process that follows nothing by itself; return what it prints."""

    def run(code: str) -> str:
        body = "\n".join(line.removeprefix(" " * 8) for line in code.splitlines())
        return run_python(PROLOGUE + body, request.param, dsn, env={"GREENPG_AUTO": "0"}).stdout

    return run


ORDERS = {
    "never monkey-patched": "green.patch(); import psycopg; conn = connect()",
    "patched late": "import psycopg; conn = connect(); monkey_patch(); green.patch()",
    "monkey-patched late": "import psycopg; conn = connect(); green.patch(); monkey_patch()",
    "opened between": "import psycopg; green.patch(); conn = connect(); monkey_patch()",
}


@pytest.mark.parametrize("order", ORDERS)
def test_orders(run: Callable[[str], str], order: str) -> None:
    run(
        f"""
        def connect():
            return psycopg.connect(dsn)

        {ORDERS[order]}
        others = [connect() for _ in range(9)]
        answers, seconds = together(*map(sleep, [conn, *others]))
        assert answers == [7] * 10
        assert seconds < 2, seconds

        answers, seconds = together(*[sleep(conn)] * 3)  # in turns, and not for ever
        assert answers == [7] * 3
        assert seconds > 0.9, seconds

        import pytest
        with pytest.raises(BaseException), timeout(0.1) as bomb:
            conn.execute("select pg_sleep(30)")
        conn.rollback()
        assert conn.execute("select 42").fetchone() == (42,)
        """
    )


def test_a_version_that_nobody_knows(run: Callable[[str], str]) -> None:
    printed = run(
        """
        import psycopg
        psycopg.__version__ = "3.4.0"
        monkey_patch()
        green.patch()
        conns = [psycopg.connect(dsn, connect_timeout=5) for _ in range(10)]
        answers, seconds = together(*map(sleep, conns))
        assert answers == [7] * 10
        assert seconds < 2, seconds

        conn, *others = conns
        try:
            with timeout(0.1) as bomb:
                conn.execute("select pg_sleep(30)")
        except BaseException as error:
            assert error is bomb, error
        assert conn.closed
        for other in others:
            assert other.execute("select 42").fetchone() == (42,)
            other.close()

        conn = psycopg.connect(dsn, autocommit=True)
        conn.execute("create temp table numbers (i int)")
        conn.cursor().executemany("insert into numbers values (%s)", [(i,) for i in range(100)])
        with conn.cursor().copy("copy numbers from stdin") as copy:
            copy.write_row((1,))
        assert conn.execute("select count(*) from numbers").fetchone() == (101,)
        assert list(conn.notifies(timeout=0.01)) == []
        conn.close()
        """
    )
    assert printed.count("\n") == 1
    assert printed.startswith(
        "WARNING greenpg psycopg 3.4.0 is not one that greenpg knows (3.2 and 3.3 are): "
    )
