"""Promises 1 to 6: a statement is cancelled, its interruption raised unchanged, its connection usable."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import psycopg2
import psycopg2.extras
import pytest

from tests.green.delivery import by_kill, by_timeout, is_prompt
from tests.green.sessions import named_sessions, under_way, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.green.runtimes import Runtime


def value(conn: Any, sql: str = "select 42") -> Any:
    """Return the one value of a query."""
    with conn.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def test_timeout_leaves_connection_usable(runtime: Runtime, conn: Any) -> None:
    def late() -> float:
        seconds = by_timeout(runtime, lambda: value(conn, "select pg_sleep(30)"))
        assert conn.closed == 0
        assert conn.get_transaction_status() == psycopg2.extensions.TRANSACTION_STATUS_INERROR
        conn.rollback()
        assert value(conn) == 42
        conn.rollback()
        return seconds

    assert is_prompt(late)


@pytest.mark.runtimes("gevent", "eventlet")
def test_kill_leaves_connection_usable(runtime: Runtime, conn: Any) -> None:
    def late() -> float:
        task = runtime.spawn(value, conn, "select pg_sleep(30)")
        under_way(conn, runtime)
        seconds = by_kill(runtime, task)
        assert conn.closed == 0
        conn.rollback()
        assert value(conn) == 42
        conn.rollback()
        return seconds

    assert is_prompt(late)


SEND_A_SIGNAL = """
import os, psycopg2, signal, sys
cursor = psycopg2.connect(sys.argv[1]).cursor()
sleeping = 0
while not sleeping:
    cursor.execute("rollback; select count(*) from pg_stat_activity where query = 'select pg_sleep(31)'")
    [sleeping] = cursor.fetchone()
# it may not have got to its wait yet: there are a few steps on the way into it where no `try` can be
while open(f"/proc/{sys.argv[2]}/stat").read().rpartition(")")[2].split()[0] != "S":
    pass
os.kill(int(sys.argv[2]), signal.SIGUSR1)
"""


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_signal(runtime: Runtime, conn: Any, dsn: str, kind: type[BaseException]) -> None:
    def handler(*_: object) -> None:
        raise kind("by a signal")

    previous = signal.signal(signal.SIGUSR1, handler)
    sender = subprocess.Popen([sys.executable, "-c", SEND_A_SIGNAL, dsn, str(os.getpid())])
    try:
        with pytest.raises(kind, match="by a signal"):
            value(conn, "select pg_sleep(31)")
    finally:
        signal.signal(signal.SIGUSR1, previous)
        sender.wait()
    assert conn.closed == 0
    conn.rollback()
    assert value(conn) == 42


def test_no_orphan_statement(runtime: Runtime, connect: Callable[..., Any]) -> None:
    conn = connect(application_name="orphan")
    value(conn)  # or the BEGIN might be what is interrupted
    with named_sessions(connect, "orphan") as sessions:
        with pytest.raises(runtime.Timeout), runtime.timeout(0.1):
            value(conn, "select pg_sleep(30)")
        assert [state for (state,) in sessions("state")] == ["idle in transaction (aborted)"]


def test_cancel_that_comes_before_the_statement(runtime: Runtime, conn: Any) -> None:
    backend = conn.get_backend_pid()
    try:
        os.kill(backend, signal.SIGSTOP)  # it will see the request to cancel first, and drop it
    except (PermissionError, ProcessLookupError) as exc:
        pytest.skip(f"the server's processes are not ours to stop: {exc}")
    waker = subprocess.Popen(["/bin/sh", "-c", f"sleep 0.3; kill -CONT {backend}"])
    with pytest.raises(runtime.Timeout), runtime.timeout(0.1):
        value(conn, "select pg_sleep(30)")
    waker.wait()
    assert conn.closed == 0
    conn.rollback()
    assert value(conn) == 42


def reopened(runtime: Runtime, conn: Any, connect: Callable[..., Any], **options: Any) -> Any:
    """Return `conn`, or another in place of one that a signal handler has closed.

    Python may handle a signal on the way into the wait callback, where no `try` can be.
    """
    if not conn.closed:
        return conn
    assert not runtime.green
    return connect(**options)


def test_many_timeouts_keep_one_session(runtime: Runtime, connect: Callable[..., Any]) -> None:
    conn = connect(application_name="storm")
    most = 0
    with named_sessions(connect, "storm") as sessions:
        for i in range(1000):
            with pytest.raises(runtime.Timeout), runtime.timeout(0.005):
                value(conn, "select pg_sleep(1)")
            conn = reopened(runtime, conn, connect, application_name="storm")
            conn.rollback()
            if i % 20 == 0:
                most = max(most, len(sessions()))
        assert value(conn) == 42
        assert most <= 2


def test_timeouts_at_moving_moments_never_give_a_wrong_row(
    runtime: Runtime, connect: Callable[..., Any]
) -> None:
    conn = connect()
    for i in range(60):
        try:
            with runtime.timeout(0.0005 * (i % 30) + 0.0001):
                value(conn, f"select {i} from pg_sleep(0.008)")
        except runtime.Timeout:
            conn = reopened(runtime, conn, connect)
            conn.rollback()
        assert value(conn, f"select {1000 + i}") == 1000 + i
        conn.rollback()


def test_timeouts_in_the_middle_of_a_big_fetch(runtime: Runtime, connect: Callable[..., Any]) -> None:
    conn = connect()
    for moment in (0.005, 0.02, 0.05, 0.1):
        try:
            with runtime.timeout(moment), conn.cursor() as cursor:
                cursor.execute("select repeat('x', 1000) from generate_series(1, 100000)")
        except runtime.Timeout:
            conn = reopened(runtime, conn, connect)
            conn.rollback()
        assert value(conn) == 42
        conn.rollback()


def test_timeouts_in_commit_and_begin(runtime: Runtime, conn: Any) -> None:
    with conn.cursor() as cursor:
        cursor.execute("create temp table slow_commit (i int)")
        cursor.execute(
            "create function pg_temp.nap() returns trigger language plpgsql as"
            " $$begin perform pg_sleep(30); return null; end$$"
        )
        cursor.execute(
            "create constraint trigger nap after insert on slow_commit initially deferred"
            " for each row execute function pg_temp.nap()"
        )
        conn.commit()
        cursor.execute("insert into slow_commit values (1)")
    with pytest.raises(runtime.Timeout), runtime.timeout(0.05):
        conn.commit()
    conn.rollback()
    assert value(conn, "select count(*) from slow_commit") == 0


WAYS: dict[str, Callable[[Any], object]] = {
    "executemany": lambda cursor: cursor.executemany("select pg_sleep(%s)", [(30,), (30,)]),
    "callproc": lambda cursor: cursor.callproc("pg_sleep", (30,)),
    "execute_values": lambda cursor: psycopg2.extras.execute_values(
        cursor, "select pg_sleep(x) from (values %s) v(x)", [(30,)]
    ),
    "execute_batch": lambda cursor: psycopg2.extras.execute_batch(cursor, "select pg_sleep(%s)", [(30,)]),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_wait(runtime: Runtime, conn: Any, way: str) -> None:
    cursor = conn.cursor()
    with pytest.raises(runtime.Timeout), runtime.timeout(0.1):
        WAYS[way](cursor)
    assert conn.closed == 0
    conn.rollback()
    assert value(conn) == 42


FETCHES: dict[str, Callable[[Any], object]] = {
    "fetchone": lambda cursor: cursor.fetchone(),
    "fetchmany": lambda cursor: cursor.fetchmany(2),
    "fetchall": lambda cursor: cursor.fetchall(),
    "next": lambda cursor: next(iter(cursor)),
    "scroll": lambda cursor: cursor.scroll(1),
}


@pytest.mark.parametrize("fetch", FETCHES)
def test_server_side_cursor_fetch(runtime: Runtime, conn: Any, fetch: str) -> None:
    cursor = conn.cursor("server_side")
    cursor.execute("select i, pg_sleep(case i when 1 then 30 else 0 end) from generate_series(0, 2) i")
    assert cursor.fetchone()[0] == 0
    with pytest.raises(runtime.Timeout), runtime.timeout(0.1):
        FETCHES[fetch](cursor)
    conn.rollback()
    assert value(conn) == 42


def test_with_connection_block(runtime: Runtime, conn: Any) -> None:
    with pytest.raises(runtime.Timeout), runtime.timeout(0.1), conn:
        value(conn, "select pg_sleep(30)")
    assert conn.get_transaction_status() == psycopg2.extensions.TRANSACTION_STATUS_IDLE
    assert value(conn) == 42


def test_autocommit(runtime: Runtime, conn: Any) -> None:
    conn.autocommit = True
    with pytest.raises(runtime.Timeout), runtime.timeout(0.1):
        value(conn, "select pg_sleep(30)")
    assert value(conn) == 42


def test_a_class_of_psycopg2s_own_is_closed_not_left_busy(
    runtime: Runtime, connect: Callable[..., Any]
) -> None:
    conn = connect(application_name="plain")
    plain = psycopg2.extensions.cursor(conn)  # past connection.cursor(): nobody to raise what is kept
    with named_sessions(connect, "plain") as sessions:
        with pytest.raises(runtime.Timeout), runtime.timeout(0.1):
            plain.execute("select pg_sleep(30)")
        assert conn.closed != 0
        wait_for(lambda: not sessions(), runtime.sleep)


def test_random_timeouts_under_load(runtime: Runtime, connect: Callable[..., Any]) -> None:
    wrong = []

    def user(number: int) -> None:
        conn = connect()
        dice = random.Random(number)
        for i in range(20):
            try:
                with runtime.timeout(dice.uniform(0.0005, 0.02)):
                    value(conn, f"select pg_sleep({dice.uniform(0, 0.02)})")
            except runtime.Timeout:
                conn = reopened(runtime, conn, connect)
                conn.rollback()
            if value(conn, f"select {i}") != i:
                wrong.append((number, i))
        assert conn.closed == 0

    if runtime.green:
        runtime.join_all([runtime.spawn(user, n) for n in range(10)])
    else:
        user(0)  # a signal's timeout is for the main thread
    assert wrong == []
