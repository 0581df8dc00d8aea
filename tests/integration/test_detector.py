"""The detector in real processes: it finds the line of a driver that blocks, and is silent in green ones."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.fresh import Ran, run_python

pytestmark = pytest.mark.subprocess

GEVENT = """
import gevent.monkey
gevent.monkey.patch_all()
import logging, os, sys, time
from gevent import sleep, spawn
def run(job): spawn(job).get()
logging.basicConfig(format="%(name)s %(message)s")
dsn = os.environ["DSN"]
"""
EVENTLET = """
import eventlet
eventlet.monkey_patch(psycopg=False)
import logging, os, sys, time
from eventlet import sleep, spawn
def run(job): spawn(job).wait()
logging.basicConfig(format="%(name)s %(message)s")
dsn = os.environ["DSN"]
import greenpg.detector
greenpg.detector.install()
"""
ASYNCIO = """
import asyncio, logging, os, sys
logging.basicConfig(format="%(name)s %(message)s")
dsn = os.environ["DSN"]
import greenpg.detector
"""

RECORD = re.compile(
    r"greenpg\.detector (?P<driver>\w+) (?:held|is holding) .+ for [\d.]+ s(?: so far)?: "
    r"(?P<method>\w+)\(\) at (?P<filename>.+):(?P<line>\d+) in [\w<>]+(?:: (?P<statement>.*))?"
)


class Found(NamedTuple):
    """What a log record says."""

    driver: str
    method: str
    line: str
    """The line of the application, as it is."""
    statement: str | None = None


def detect(folder: Path, code: str, dsn: str, **variables: str) -> list[Found]:
    """Run an application in which no driver is patched; return what the detector has logged of it.

    What is to be found is far above the limit, all else far below: a busy server takes its time.
    """
    app = folder / "app.py"
    app.write_text(code)
    settings = {"DSN": dsn, "GREENPG_AUTO": "0", "GREENPG_DETECT": "150ms", "PYTHONWARNINGS": "ignore"}
    return found(run_python(app, env={**settings, **variables}))


def found(ran: Ran) -> list[Found]:
    """Return what was logged; nothing else may have been written."""
    source, holds = Path(ran.command[1]).read_text().splitlines(), []
    for line in ran.stderr.splitlines():
        record = RECORD.fullmatch(line)
        assert record, ran
        assert record["filename"] == ran.command[1]
        if record["method"] != "connect":  # which may take that long on a busy machine
            at = source[int(record["line"]) - 1].strip()
            holds.append(Found(record["driver"], record["method"], at, record["statement"]))
    assert "hunter2" not in ran.stderr
    return holds


def test_psycopg2_that_was_left_unpatched(tmp_path: Path, dsn: str) -> None:
    code = (
        GEVENT
        + '''
import psycopg2
def work():
    connection = psycopg2.connect(dsn)
    cursor = connection.cursor()
    cursor.execute("select pg_sleep(%s), %s", (0.4, "hunter2"))
    sql = "select pg_sleep(0.4), 'hunter2'"
    cursor.execute(sql)
    connection.cursor().execute(f"""
        select pg_sleep({0.4}) -- hunter2
    """)
    cursor.execute("select i, %s from generate_series(1, %s) i", ("hunter2", 2))
    sleep(0.1)
run(work)
'''
    )
    assert detect(tmp_path, code, dsn) == [
        Found(
            "psycopg2",
            "execute",
            'cursor.execute("select pg_sleep(%s), %s", (0.4, "hunter2"))',
            "select pg_sleep(%s), %s",
        ),
        Found("psycopg2", "execute", "cursor.execute(sql)", "select pg_sleep(?), ?"),
        Found("psycopg2", "execute", 'connection.cursor().execute(f"""', "select pg_sleep("),
    ]


def test_commits_that_are_slow(tmp_path: Path, dsn: str) -> None:
    code = (
        GEVENT
        + '''
import psycopg2
def work():
    connection = psycopg2.connect(dsn)
    cursor = connection.cursor()
    cursor.execute("""
        create temp table t (i int);
        create function pg_temp.slow() returns trigger language plpgsql
            as 'begin perform pg_sleep(0.4); return null; end';
        create constraint trigger slow after insert on t deferrable initially deferred
            for each row execute function pg_temp.slow();
        insert into t values (1);
    """)
    connection.commit()
    with connection:
        cursor.execute("insert into t values (2)")
    globals().update(db=connection)
    def nowhere_in_a_variable():
        with db:
            db.cursor().execute("insert into t values (3)")
    nowhere_in_a_variable()
    Pool.connection = connection
    Pool().query()
    sleep(0.1)
class Pool:
    def query(self):
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute("insert into t values (4)")
run(work)
'''
    )
    assert detect(tmp_path, code, dsn) == [
        Found("psycopg2", "commit", "connection.commit()"),
        Found("psycopg2", "__exit__", "with connection:"),
        Found("psycopg2", "__exit__", "with db:"),
        Found("psycopg2", "__exit__", "with self.connection, self.connection.cursor() as cursor:"),
    ]


def test_a_big_result_of_an_unpatched_driver(tmp_path: Path, dsn: str) -> None:
    code = (
        GEVENT
        + """
import psycopg2
def work():
    cursor = psycopg2.connect(dsn).cursor()
    cursor.execute("select i, i::text, %s from generate_series(1, 500000) i", ("hunter2",))
    rows = cursor.fetchall()
    sleep(0.1)
run(work)
"""
    )
    holds = detect(tmp_path, code, dsn, GREENPG_DETECT="50ms")
    assert holds[-1] == Found(
        "psycopg2",
        "fetchall",
        "rows = cursor.fetchall()",
        "select i, i::text, ? from generate_series(?, ...) i",
    )
    assert {hold.method for hold in holds} <= {"execute", "fetchall"}


def test_named_cursors_that_are_iterated_over(tmp_path: Path, dsn: str) -> None:
    code = (
        GEVENT
        + """
import psycopg2
def work():
    connection = psycopg2.connect(dsn)
    def rows():
        connection.rollback()
        cursor = connection.cursor("name")
        cursor.execute("select i, pg_sleep(0.4), 'hunter2' from generate_series(1, 1) i")
        return cursor
    cursor = rows()
    next(cursor)
    cursor = rows()
    list(cursor)
    cursor = rows()
    [row for row in cursor]
    cursor = rows()
    for row in cursor: pass
    sleep(0.1)
run(work)
"""
    )
    holds = detect(tmp_path, code, dsn)
    lines = ["next(cursor)", "list(cursor)", "[row for row in cursor]", "for row in cursor: pass"]
    assert [(hold.method, hold.line) for hold in holds] == [("__next__", line) for line in lines]


def test_orms_are_not_the_application(tmp_path: Path, dsn: str) -> None:
    code = (
        GEVENT
        + """
import psycopg2, sqlalchemy
def layer(connection):
    return connection.execute(sqlalchemy.text("select pg_sleep(0.4), :secret"), {"secret": "hunter2"})
def work():
    engine = sqlalchemy.create_engine("postgresql+psycopg2://", creator=lambda: psycopg2.connect(dsn))
    with engine.connect() as connection:
        layer(connection).all()
    sleep(0.1)
run(work)
"""
    )
    line = (
        'return connection.execute(sqlalchemy.text("select pg_sleep(0.4), :secret"), {"secret": "hunter2"})'
    )
    assert detect(tmp_path, code, dsn) == [
        Found("psycopg2", "execute", line, "select pg_sleep(?), %(secret)s"),
    ]


def test_a_pure_python_driver_that_decodes(tmp_path: Path, dsn: str) -> None:
    code = (
        GEVENT
        + """
import pg8000.dbapi
from psycopg2.extensions import parse_dsn
parts = parse_dsn(dsn)
def work():
    connection = pg8000.dbapi.connect(parts["user"], parts["host"], parts["dbname"], int(parts["port"]),
                                      parts.get("password"))
    cursor = connection.cursor()
    cursor.execute("select i, %s from generate_series(1, 100000) i", ("hunter2",))
    sleep(0.1)
run(work)
"""
    )
    holds = detect(tmp_path, code, dsn, GREENPG_DETECT="50ms")
    line = 'cursor.execute("select i, %s from generate_series(1, 100000) i", ("hunter2",))'
    assert set(holds) == {Found("pg8000", "execute", line, "select i, %s from generate_series(?, ...) i")}


def test_eventlet(tmp_path: Path, dsn: str) -> None:
    code = (
        EVENTLET
        + """
import psycopg, psycopg2
def work():
    psycopg2.connect(dsn).cursor().execute("select pg_sleep(0.4)")
    sleep(0)
    psycopg.connect(dsn).execute("select pg_sleep(%s), %s", (0.4, "hunter2"))
    sleep(0.1)
run(work)
greenpg.detector.uninstall()
"""
    )
    old, new = detect(tmp_path, code, dsn)
    assert (old.driver, old.method, old.statement) == ("psycopg2", "execute", "select pg_sleep(?)")
    assert (new.driver, new.method, new.statement) == ("psycopg", "execute", "select pg_sleep(%s), %s")
    assert (old.line[:16], new.line[:16]) == ("psycopg2.connect", "psycopg.connect(")


JOBS = """
import asyncpg, psycopg, psycopg2, uvloop
from psycopg2.extensions import parse_dsn

async def blocks():
    psycopg2.connect(dsn).cursor().execute("select pg_sleep(0.4)")

async def decodes():
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        cursor = await connection.execute("select i, i::text from generate_series(1, 400000) i")
        return await cursor.fetchall()

async def decodes_for_somebody():
    parts = parse_dsn(dsn)
    connection = await asyncpg.connect(host=parts["host"], port=parts["port"], user=parts["user"],
                                       password=parts.get("password"), database=parts["dbname"])
    await connection.fetch("select pg_sleep(0.4)")
    for _ in range(3):
        await connection.fetch("select array_agg(i) from generate_series(1, $1) i", 2_000_000)

async def main():
    greenpg.detector.install()
    for job in (blocks, decodes, decodes_for_somebody):
        await job()
        await asyncio.sleep(0)
"""


@pytest.mark.parametrize("run", ["asyncio.run", "uvloop.run"])
def test_asyncio(tmp_path: Path, dsn: str, run: str) -> None:
    code = f"{ASYNCIO}{JOBS}\n{run}(main())\ngreenpg.detector.uninstall()\n"
    holds = detect(tmp_path, code, dsn, GREENPG_DETECT="25ms")
    # Among others: where another process was given the processor in the midst of a look, what was looked at
    # may have held the loop for no longer than that, and the coroutine may have gone on meanwhile.
    expected = [
        Found(
            "psycopg2",
            "execute",
            'psycopg2.connect(dsn).cursor().execute("select pg_sleep(0.4)")',
            "select pg_sleep(?)",
        ),
        Found(
            "psycopg",
            "fetchall",
            "return await cursor.fetchall()",
            "select i, i::text from generate_series(?, ...) i",
        ),
        Found(
            "asyncpg",
            "fetch",
            'await connection.fetch("select array_agg(i) from generate_series(1, $1) i", 2_000_000)',
            "select array_agg(i) from generate_series(?, ...) i",
        ),
    ]
    assert [hold for hold in dict.fromkeys(holds) if hold in expected] == expected
    assert {hold.driver for hold in holds} == {hold.driver for hold in expected}


def test_what_is_not_the_databases_doing(tmp_path: Path, dsn: str) -> None:
    code = (
        GEVENT
        + """
import gevent.monkey, hashlib, psycopg2
block = gevent.monkey.get_original("time", "sleep")
numbers = list(range(2_000_000))
def work():
    connection = psycopg2.connect(dsn)
    cursor = connection.cursor()
    for _ in range(2):
        cursor.execute("select %s", (1,))
        until = time.monotonic() + 0.4
        while time.monotonic() < until:  # computes, and asks now and then
            cursor.fetchall()
            sum(number * number for number in range(500_000))
            cursor.execute("select %s", (1,))
        cursor.execute("select %s", (1,))
        sorted(numbers, key=lambda number: -number)  # keeps the GIL for longer than the limit
        cursor.fetchall()
        -1 in numbers * 8  # so does this, and is no call
        connection.commit()
        block(0.2)  # waits, and lets nobody else run
        cursor.execute("select %s", (1,))
    sleep(0.1)
run(work)
"""
    )
    assert detect(tmp_path, code, dsn, GREENPG_DETECT="100ms") == []


def test_a_hold_that_does_not_end(tmp_path: Path, dsn: str) -> None:
    code = (
        GEVENT
        + """
import psycopg2
from greenpg.detector import _watch, counters, install, statistics, uninstall
_watch.PATIENCE = 0.3
uninstall()
def work():
    holder, waiter = psycopg2.connect(dsn), psycopg2.connect(dsn)
    holder.cursor().execute("select pg_advisory_xact_lock(4711)")
    cursor = waiter.cursor()
    cursor.execute("set statement_timeout = 700")
    install("50ms")
    try:
        cursor.execute("select pg_advisory_xact_lock(4711)")  # a deadlock: who could let go of it?
    except psycopg2.errors.QueryCanceled:
        assert counters().holds == 1, counters()
    told = counters().seconds
    while counters().seconds == told:  # until its end is told
        sleep(0.01)
    assert counters().holds == 1, counters()
    assert told < counters().longest == counters().seconds < 5, counters()
    assert statistics()[0].held == counters().seconds
run(work)
"""
    )
    [hold] = detect(tmp_path, code, dsn)
    assert hold.line.startswith('cursor.execute("select pg_advisory_xact_lock(4711)")')


def test_a_forked_child(tmp_path: Path, dsn: str) -> None:
    code = (
        GEVENT
        + """
import psycopg2
from greenpg import detector
def work():
    psycopg2.connect(dsn).cursor().execute("select pg_sleep(0.4)")
    sleep(0.1)
    assert detector.counters().holds  # to connect may be another
run(work)
pid = os.fork()
if not pid:
    assert detector.counters().holds == 0
    assert detector.statistics() == []
    run(work)
    sys.exit()
assert os.waitpid(pid, 0)[1] == 0
"""
    )
    first, second = detect(tmp_path, code, dsn)
    assert first == second


def test_a_hook_in_its_own_green_thread(tmp_path: Path, dsn: str) -> None:
    code = (
        GEVENT
        + """
import gevent, psycopg2
from gevent.event import Event
from greenpg import detector
told = Event()
def tell(hold):
    if hold.method == "connect": return
    sleep(0.01)  # may wait as any other
    assert hold.loop == "gevent's hub"
    assert 0.1 < hold.seconds < 2
    assert hold.filename == __file__
    assert gevent.getcurrent() is not gevent.get_hub()
    told.set()
detector.install(hook=tell)
run(lambda: psycopg2.connect(dsn).cursor().execute("select pg_sleep(0.4)"))
assert told.wait(5)
"""
    )
    [hold] = detect(tmp_path, code, dsn)
    assert hold.line.startswith("run(lambda: psycopg2")


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["gevent", "eventlet"])
def test_silence_in_a_green_process_on_a_busy_machine(tmp_path: Path, dsn: str, runtime: str) -> None:
    prologue = {"gevent": GEVENT, "eventlet": EVENTLET.replace("greenpg.detector.install()", "")}[runtime]
    code = (
        prologue
        + f"""
import greenpg.{runtime}
greenpg.{runtime}.patch()
from greenpg import detector
assert detector.is_installed()
detector.install(statistics=True)
import psycopg, psycopg2, subprocess

def work(driver):
    connection = driver.connect(dsn)
    cursor = connection.cursor()
    for _ in range(100):
        cursor.execute("select i, pg_sleep(0.001) from generate_series(1, 5) i")
        cursor.fetchall()
    connection.close()

burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() + 1)]
try:
    threads = [spawn(work, driver) for driver in (psycopg, psycopg2) for _ in range(5)]
    for thread in threads:
        thread.get() if {runtime == "gevent"} else thread.wait()
finally:
    for burner in burners:
        burner.kill()
        burner.wait()
[statement] = [found for found in detector.statistics() if "pg_sleep" in found.statement]
assert 900 < statement.calls < 1100, statement
assert statement.waited > 10 * statement.held > 0, statement
assert detector.counters() == detector.Counters(), detector.counters()
"""
    )
    assert detect(tmp_path, code, dsn, GREENPG_AUTO="1", GREENPG_DETECT="50ms") == []


def test_a_greenlet_without_a_frame_is_no_end(tmp_path: Path, dsn: str) -> None:
    """A green thread whose function is in C has no frame in Python; it is seen, and what comes after it."""
    code = (
        GEVENT
        + """
import gevent, hashlib, psycopg2
def work():
    gevent.spawn(hashlib.pbkdf2_hmac, "sha256", b"lemon", b"salt", 400_000).join()
    cursor = psycopg2.connect(dsn).cursor()
    cursor.execute("select pg_sleep(0.4)")
    gevent.spawn(cursor.execute, "select pg_sleep(%s), 'hunter2'", (0.4,)).join()
    sleep(0.1)
run(work)
"""
    )
    first, second = detect(tmp_path, code, dsn)
    assert first.statement == "select pg_sleep(?)"
    assert (second.method, second.statement) == ("execute", "select pg_sleep(%s), ?")
    assert second.line.startswith("gevent.spawn(cursor.execute, ")
