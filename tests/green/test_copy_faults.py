"""COPY under interruptions, cut links and floods of data: always over, the hub free, the connection right."""

from __future__ import annotations

import contextlib
import io
import itertools
import time
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest

from tests.faults import FaultProxy
from tests.green.sessions import named_sessions, wait_for
from tests.green.ticker import LONGEST, Ticker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.fault_process import Direction
    from tests.green.runtimes import Runtime

ROWS = 500_000


class Endless:
    """A file of rows without end; `before` is called with the number of each block."""

    def __init__(self, before: Callable[[int], object] = int) -> None:
        self.moved = 0
        self._before = before

    def read(self, _size: int) -> bytes:
        self.moved += 1
        self._before(self.moved)
        return b"1\tsome text\n" * 500


class Abyss:
    """A file that takes everything; `before` is called with the number of each row."""

    def __init__(self, before: Callable[[int], object] = int) -> None:
        self.moved = 0
        self._before = before

    def write(self, _row: bytes) -> None:
        self.moved += 1
        self._before(self.moved)


def copy_in(conn: Any, file: Any = None) -> None:
    """COPY into a table of the session's."""
    conn.cursor().copy_from(file or Endless(), "t")


def copy_out(conn: Any, file: Any = None) -> None:
    """COPY a million times what fits into a socket."""
    conn.cursor().copy_expert("copy (select generate_series(1, 1000000000)) to stdout", file or Abyss())


DIRECTIONS: dict[str, Callable[..., None]] = {"in": copy_in, "out": copy_out}


@pytest.fixture(params=DIRECTIONS)
def copy(request: pytest.FixtureRequest) -> Any:
    """A COPY that never ends by itself."""
    return DIRECTIONS[request.param]


@pytest.fixture
def conn(connect: Callable[..., Any]) -> Any:
    """A connection with the table that `copy_in()` copies into."""
    return with_table(connect())


def with_table(conn: Any) -> Any:
    """Make the table of `copy_in()`."""
    conn.cursor().execute("create temp table t (i int, s text)")
    conn.commit()
    return conn


def value(conn: Any, sql: str = "select 42") -> Any:
    """Return the one value of a query."""
    with conn.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def assert_usable(conn: Any) -> None:
    """Check that a rollback makes the connection right again."""
    assert conn.closed == 0
    conn.rollback()
    assert value(conn) == 42
    assert value(conn, "select count(*) from t") == 0
    conn.rollback()


@pytest.mark.runtimes("gevent", "eventlet")
def test_many_rows_leave_turns_to_others(runtime: Runtime, conn: Any) -> None:
    data = b"".join(b"%d\tsome text\n" % number for number in range(ROWS))
    cursor = conn.cursor()
    with Ticker(runtime) as ticker:
        cursor.copy_from(io.BytesIO(data), "t")
    assert cursor.rowcount == ROWS
    assert ticker.longest < LONGEST
    assert ticker.ticks > 10
    file = io.BytesIO()
    with Ticker(runtime) as ticker:
        cursor.copy_to(file, "t")
    assert cursor.rowcount == ROWS
    assert ticker.longest < LONGEST
    assert ticker.ticks > 10
    assert file.getvalue() == data


@pytest.mark.runtimes("gevent", "eventlet")
def test_a_file_that_costs_cpu_leaves_turns_to_others(
    runtime: Runtime, conn: Any, copy: Callable[..., None]
) -> None:
    # the socket is always ready by then: only the time slice makes COPY give way
    def work(number: int) -> None:
        end = time.thread_time() + 0.002
        while time.thread_time() < end:
            pass
        if number == 200:
            raise SystemExit

    with Ticker(runtime) as ticker, pytest.raises(SystemExit):
        copy(conn, Endless(work) if copy is copy_in else Abyss(work))
    assert ticker.longest < LONGEST
    assert_usable(conn)


@pytest.mark.runtimes("gevent", "eventlet")
def test_one_huge_block_leaves_turns_to_others(runtime: Runtime, conn: Any) -> None:
    data = io.BytesIO(b"1\tsome text\n" * (50_000_000 // 12))
    with Ticker(runtime) as ticker:
        conn.cursor().copy_expert("copy t from stdin", data, size=-1)
    assert ticker.longest < LONGEST
    conn.rollback()


def test_a_notice_for_each_row(runtime: Runtime, conn: Any) -> None:
    with conn.cursor() as cursor:
        cursor.execute(
            "create function pg_temp.shout() returns trigger language plpgsql as"
            " $$begin raise notice '% %', new.i, repeat('x', 200); return new; end$$;"
            "create trigger shout before insert on t for each row execute function pg_temp.shout()"
        )
        cursor.copy_from(io.StringIO("".join(f"{number}\tsome text\n" for number in range(100_000))), "t")
        assert cursor.rowcount == 100_000
    assert [int(notice.split()[1]) for notice in conn.notices] == list(range(99_950, 100_000))


def moments() -> Iterator[float]:
    """Seconds from the first bytes to the midst of it."""
    return itertools.chain((i / 2000 for i in range(1, 20)), (i / 200 for i in range(2, 11)))


def test_timeouts_at_moving_moments(
    runtime: Runtime, connect: Callable[..., Any], copy: Callable[..., None]
) -> None:
    conn = with_table(connect())
    for moment in moments():
        with pytest.raises(runtime.Timeout), runtime.timeout(moment):
            copy(conn)
        if conn.closed and not runtime.green:
            conn = with_table(connect())  # the signal came between psycopg2 and its wait callback
        assert_usable(conn)


@pytest.mark.runtimes("gevent", "eventlet")
def test_timeouts_around_the_end_of_a_copy(runtime: Runtime, conn: Any) -> None:
    data = "1\ta\n" * 2000
    for moment in moments():
        there = back = None
        with contextlib.suppress(runtime.Timeout), runtime.timeout(moment), conn.cursor() as cursor:
            cursor.copy_from(io.StringIO(data), "t")
            there = cursor.rowcount
            file = io.StringIO()
            cursor.copy_to(file, "t")
            back = file.getvalue()
        assert there in (None, 2000)
        assert back in (None, data)
        assert_usable(conn)


@pytest.mark.runtimes("gevent", "eventlet")
def test_kill(runtime: Runtime, conn: Any, copy: Callable[..., None]) -> None:
    file: Any = Endless() if copy is copy_in else Abyss()
    task = runtime.spawn(copy, conn, file)
    wait_for(lambda: file.moved > 10, runtime.sleep)
    runtime.kill(task)
    with pytest.raises(runtime.Killed):
        task.get()
    assert_usable(conn)


def test_timeout_in_a_file_that_waits_itself(runtime: Runtime, conn: Any, copy: Callable[..., None]) -> None:
    def wait(number: int) -> None:
        if number == 7:
            runtime.sleep(30)

    with pytest.raises(runtime.Timeout) as caught, runtime.timeout(0.1) as bomb:
        copy(conn, Endless(wait) if copy is copy_in else Abyss(wait))
    assert caught.value is bomb
    assert_usable(conn)


def test_base_exception_of_the_file(runtime: Runtime, conn: Any, copy: Callable[..., None]) -> None:
    def leave(number: int) -> None:
        if number == 7:
            raise SystemExit("enough")

    with pytest.raises(SystemExit, match="enough"):
        copy(conn, Endless(leave) if copy is copy_in else Abyss(leave))
    assert_usable(conn)


def test_no_orphan_statement(
    runtime: Runtime, connect: Callable[..., Any], copy: Callable[..., None]
) -> None:
    conn = with_table(connect(application_name="orphan copy"))
    value(conn)  # or the BEGIN might be what is interrupted
    with named_sessions(connect, "orphan copy") as sessions:
        with pytest.raises(runtime.Timeout), runtime.timeout(0.05):
            copy(conn)
        [(state,)] = sessions("state")
        assert state == "idle in transaction (aborted)"


@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
def test_link_cut_in_the_midst(runtime: Runtime, dsn: str, copy: Callable[..., None], reset: bool) -> None:
    direction: Direction = "up" if copy is copy_in else "down"
    with FaultProxy(dsn) as proxy:
        conn = with_table(psycopg2.connect(proxy.dsn))
        proxy.cut_after(1_000_000, direction, reset=reset)
        with pytest.raises(psycopg2.OperationalError):
            copy(conn)
        assert conn.closed
        conn.close()


def test_server_goes_away_in_the_midst(
    runtime: Runtime, connect: Callable[..., Any], conn: Any, copy: Callable[..., None]
) -> None:
    observer = connect()

    def end(number: int) -> None:
        if number == 7:
            observer.cursor().execute("select pg_terminate_backend(%s)", (conn.info.backend_pid,))

    with pytest.raises(psycopg2.OperationalError):
        copy(conn, Endless(end) if copy is copy_in else Abyss(end))
    assert conn.closed


def test_network_goes_silent_in_the_midst(
    runtime: Runtime, dsn: str, copy: Callable[..., None], short_limits: None
) -> None:
    with FaultProxy(dsn) as proxy:
        conn = with_table(psycopg2.connect(proxy.dsn))

        def silence(number: int) -> None:
            if number == 7:
                proxy.black_hole()

        with pytest.raises(runtime.Timeout) as caught, runtime.timeout(0.3) as bomb:
            copy(conn, Endless(silence) if copy is copy_in else Abyss(silence))
        assert caught.value is bomb
        assert conn.closed
        conn.close()


@pytest.mark.runtimes("gevent", "eventlet")
def test_cancel_by_another_green_thread(runtime: Runtime, conn: Any, copy: Callable[..., None]) -> None:
    file: Any = Endless() if copy is copy_in else Abyss()
    task = runtime.spawn(copy, conn, file)
    wait_for(lambda: file.moved > 10, runtime.sleep)
    conn.cancel()
    if copy is copy_in:  # the server looks at it when the client has sent all
        runtime.kill(task)
        with pytest.raises(runtime.Killed):
            task.get()
    else:
        with pytest.raises(psycopg2.extensions.QueryCanceledError):
            task.get()
    assert_usable(conn)
