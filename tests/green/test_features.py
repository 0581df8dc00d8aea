"""What plain psycopg2 can do, green: features, and everybody's own classes."""

from __future__ import annotations

import functools
import io
import select
from typing import TYPE_CHECKING, Any

import psycopg2
import psycopg2.extensions
import psycopg2.extras
import psycopg2.pool
import pytest
from psycopg2 import sql

from tests.green.sessions import under_way

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.green.runtimes import Runtime


def test_all_at_once(runtime: Runtime, connect: Callable[..., Any]) -> None:
    # Each holds a lock that its neighbour waits for: unless all are in a query together, none ever ends.
    def meet(conn: Any) -> None:
        cursor = conn.cursor()
        cursor.execute("insert into meeting values (1)")
        conn.commit()
        present = 0
        while present < 10:
            cursor.execute("select count(*) from meeting")
            [present] = cursor.fetchone()
            conn.commit()
            cursor.execute("select pg_sleep(0.01)")

    chair = connect()
    chair.autocommit = True
    chair.cursor().execute("drop table if exists meeting; create table meeting (i int)")
    try:
        runtime.join_all([runtime.spawn(meet, connect()) for _ in range(10)])
    finally:
        chair.cursor().execute("drop table meeting")


def test_two_phase_commit(runtime: Runtime, connect: Callable[..., Any]) -> None:
    conn = connect()
    conn.cursor().execute("drop table if exists two_phase; create table two_phase (i int)")
    conn.commit()
    for outcome in ("commit", "rollback"):
        xid = conn.xid(42, f"greenpg-{runtime.name}", outcome)
        conn.tpc_begin(xid)
        conn.cursor().execute("insert into two_phase values (1)")
        conn.tpc_prepare()
        other = connect()
        assert [found.bqual for found in other.tpc_recover() if found.gtrid == xid.gtrid] == [outcome]
        conn.reset()
        getattr(conn, f"tpc_{outcome}")(xid)
    cursor = conn.cursor()
    cursor.execute("select count(*) from two_phase")
    assert cursor.fetchone() == (1,)
    cursor.execute("drop table two_phase")
    conn.commit()


def test_notifies_in_a_poll_loop(runtime: Runtime, connect: Callable[..., Any]) -> None:
    channel = f"news_{runtime.name}"
    listener, speaker = connect(), connect()
    listener.autocommit = speaker.autocommit = True
    listener.cursor().execute(f"listen {channel}")
    heard: list[str] = []

    def listen() -> None:
        while len(heard) < 3:
            select.select([listener], [], [], 10)
            listener.poll()
            while listener.notifies:
                heard.append(listener.notifies.pop(0).payload)

    task = runtime.spawn(listen)
    for number in range(3):
        speaker.cursor().execute(f"notify {channel}, '{number}'")
    task.get()
    assert heard == ["0", "1", "2"]


def test_notices(runtime: Runtime, conn: Any) -> None:
    conn.cursor().execute("do $$begin raise notice 'hello'; end$$")
    assert conn.notices == ["NOTICE:  hello\n"]


def test_asynchronous_connection(runtime: Runtime, dsn: str) -> None:
    conn = psycopg2.connect(dsn, async_=True)

    def wait() -> None:
        while (state := conn.poll()) != psycopg2.extensions.POLL_OK:
            reading = state == psycopg2.extensions.POLL_READ
            select.select([conn] if reading else [], [] if reading else [conn], [], 10)

    wait()
    assert type(conn) is psycopg2.extensions.connection
    cursor = conn.cursor()
    cursor.execute("select pg_sleep(0.01), 42")
    assert conn.isexecuting()
    wait()
    assert cursor.fetchall()[0][1] == 42
    conn.close()


def test_server_side_cursor(runtime: Runtime, conn: Any) -> None:
    with conn.cursor("numbers", scrollable=True) as cursor:
        cursor.itersize = 7
        cursor.execute("select generate_series(1, 100)")
        assert [number for (number,) in cursor] == list(range(1, 101))
        cursor.scroll(0, mode="absolute")
        assert cursor.fetchone() == (1,)
        assert cursor.fetchmany(2) == [(2,), (3,)]
        assert len(cursor.fetchall()) == 97
    held = conn.cursor("held", withhold=True)
    held.execute("select 42")
    conn.commit()
    assert held.fetchone() == (42,)
    held.close()


def test_with_connection_begins_in_autocommit_too(runtime: Runtime, conn: Any) -> None:
    conn.autocommit = True
    with conn, conn.cursor() as cursor:
        cursor.execute("select 1")
        assert conn.get_transaction_status() == psycopg2.extensions.TRANSACTION_STATUS_INTRANS
    assert conn.get_transaction_status() == psycopg2.extensions.TRANSACTION_STATUS_IDLE


@pytest.mark.parametrize(
    ("factory", "row"),
    [
        (psycopg2.extras.DictCursor, [42]),
        (psycopg2.extras.RealDictCursor, {"answer": 42}),
        (psycopg2.extras.NamedTupleCursor, (42,)),
        (functools.partial(psycopg2.extras.RealDictCursor), {"answer": 42}),
    ],
)
@pytest.mark.parametrize("name", [None, "server_side"])
def test_cursor_factories(
    runtime: Runtime, connect: Callable[..., Any], factory: Any, row: Any, name: Any
) -> None:
    conn = connect(cursor_factory=factory)
    cursor = conn.cursor(name)
    cursor.execute("select 42 as answer")
    assert cursor.fetchone() == row
    assert isinstance(cursor, getattr(factory, "func", factory))
    with pytest.raises(runtime.Timeout), runtime.timeout(0.1):
        conn.cursor().execute("select pg_sleep(30)")
    assert conn.closed == 0
    with conn.cursor(cursor_factory=psycopg2.extensions.cursor) as plain:
        conn.rollback()
        plain.execute("select 42")
        assert plain.fetchone() == (42,)


class OwnCursor(psycopg2.extensions.cursor):
    """As applications write them: an override that calls super()."""

    executed: list[str]

    def execute(self, query: Any, vars: Any = None) -> None:
        vars_seen = self.__dict__.setdefault("executed", [])
        vars_seen.append(query)
        super().execute(query, vars)


class OwnConnection(psycopg2.extensions.connection):
    """With a constructor, an attribute and a cursor class of its own."""

    def __init__(self, dsn: str, *args: Any, **kwargs: Any) -> None:
        self.given = dsn
        super().__init__(dsn, *args, **kwargs)
        self.cursor_factory = OwnCursor

    def commit(self) -> None:
        self.committed = True
        super().commit()


FACTORIES: dict[str, Any] = {"class": OwnConnection, "function": lambda *args: OwnConnection(*args)}


@pytest.mark.parametrize("kind", FACTORIES)
def test_own_classes(runtime: Runtime, connect: Callable[..., Any], dsn: str, kind: str) -> None:
    conn = connect(connection_factory=FACTORIES[kind])
    assert isinstance(conn, OwnConnection)
    assert type(conn).__name__ == "OwnConnection"
    assert conn.given == dsn
    cursor = conn.cursor()
    assert isinstance(cursor, OwnCursor)
    with pytest.raises(runtime.Timeout) as caught, runtime.timeout(0.1) as bomb:
        cursor.execute("select pg_sleep(30)")
    assert caught.value is bomb
    assert conn.closed == 0
    conn.rollback()
    cursor.execute("select %s", (42,))
    assert cursor.fetchone() == (42,)
    assert cursor.executed == ["select pg_sleep(30)", "select %s"]
    with conn:
        pass
    assert conn.committed


class PastOursCursor(psycopg2.extensions.cursor):
    """Calls psycopg2's method by the name of its class, as psycopg2's documentation does."""

    def execute(self, query: Any, vars: Any = None) -> None:
        psycopg2.extensions.cursor.execute(self, query, vars)


class PastOursConnection(psycopg2.extensions.connection):
    """Likewise."""

    __hash__ = None  # type: ignore[assignment]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return psycopg2.extensions.connection.__new__(cls, *args, **kwargs)

    def __init__(self, dsn: str, *args: Any, **kwargs: Any) -> None:
        psycopg2.extensions.connection.__init__(self, dsn, *args, **kwargs)

    def commit(self) -> None:
        psycopg2.extensions.connection.commit(self)


def test_own_classes_that_call_past_ours(runtime: Runtime, connect: Callable[..., Any]) -> None:
    conn = connect(connection_factory=PastOursConnection, cursor_factory=PastOursCursor)
    with pytest.raises(runtime.Timeout) as caught, runtime.timeout(0.1) as bomb:
        conn.cursor().execute("select pg_sleep(30)")
    assert caught.value is bomb
    assert conn.closed == 0
    conn.rollback()
    task = runtime.spawn(conn.cursor().execute, "select pg_sleep(0.5)")
    under_way(conn, runtime)
    with pytest.raises(psycopg2.ProgrammingError, match="waits for the server"):
        conn.commit()
    task.get()
    conn.commit()


@pytest.mark.runtimes("gevent", "eventlet")
def test_parameters_that_let_others_use_the_connection(runtime: Runtime, conn: Any) -> None:
    conn.autocommit = True
    waiting: list[Any] = []

    def parameters() -> Any:
        yield (1,)
        waiting.append(runtime.spawn(conn.cursor().execute, "select pg_sleep(0.3)"))
        under_way(conn, runtime)
        yield (2,)

    with pytest.raises(psycopg2.ProgrammingError, match="executemany cannot be used while"):
        conn.cursor().executemany("select %s", parameters())
    waiting[0].get()


def test_logging_connection(runtime: Runtime, connect: Callable[..., Any]) -> None:
    conn = connect(connection_factory=psycopg2.extras.LoggingConnection)
    log = io.StringIO()
    conn.initialize(log)
    with pytest.raises(runtime.Timeout), runtime.timeout(0.1):
        conn.cursor().execute("select pg_sleep(30)")
    conn.rollback()
    conn.cursor().execute("select 42")
    assert log.getvalue().splitlines() == ["select pg_sleep(30)", "select 42"]


def test_pool(runtime: Runtime, dsn: str) -> None:
    pool = psycopg2.pool.ThreadedConnectionPool(1, 5, dsn)

    def user(number: int) -> Any:
        conn = pool.getconn()
        try:
            with conn, conn.cursor() as cursor:
                cursor.execute("select %s from pg_sleep(0.02)", (number,))
                return cursor.fetchone()
        finally:
            pool.putconn(conn)

    for batch in range(0, 20, 5):
        numbers = range(batch, batch + 5)
        assert runtime.join_all([runtime.spawn(user, n) for n in numbers]) == [(n,) for n in numbers]
    pool.closeall()


NUL = "select 1, 2\0 where false"


@pytest.mark.parametrize(
    "query", [NUL, NUL.encode(), sql.SQL(NUL), sql.SQL("select {}").format(sql.SQL("1\0"))]
)
def test_nul_in_sql_is_refused(runtime: Runtime, conn: Any, query: Any) -> None:
    cursor = conn.cursor()
    uses: list[Callable[[], object]] = [
        lambda: cursor.execute(query),
        lambda: cursor.execute(query, ()),
        lambda: cursor.executemany(query, [()]),
        lambda: cursor.copy_expert(query, None),
        lambda: conn.cursor("named").execute(query),
    ]
    for use in uses:
        with pytest.raises((psycopg2.ProgrammingError, TypeError), match=r"NUL|file"):
            use()
    assert conn.get_transaction_status() == psycopg2.extensions.TRANSACTION_STATUS_IDLE  # not a byte has left


def test_nul_in_names_is_refused(runtime: Runtime, conn: Any) -> None:
    uses: list[Callable[[], object]] = [
        lambda: conn.cursor().callproc("now\0"),
        lambda: conn.cursor("na\0me").execute("select 1"),
        lambda: conn.set_client_encoding("UTF8\0"),
        lambda: conn.cursor().copy_to(io.StringIO(), "table\0"),
        lambda: conn.cursor().copy_from(io.StringIO(), "table", columns=["a\0"]),
    ]
    for use in uses:
        with pytest.raises((psycopg2.Error, ValueError)):
            use()
    conn.rollback()


def test_a_connection_lost_in_the_wait(runtime: Runtime, connect: Callable[..., Any]) -> None:
    conn, other = connect(), connect()
    task = runtime.spawn(conn.cursor().execute, "select pg_sleep(30)")
    under_way(conn, runtime)
    other.cursor().execute("select pg_terminate_backend(%s)", (conn.get_backend_pid(),))
    with pytest.raises(psycopg2.OperationalError):
        task.get()
    assert conn.closed == 2
