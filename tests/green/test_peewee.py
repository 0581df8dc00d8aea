"""peewee on both drivers, as its users use it: models, pools, streams, interruptions, lost connections."""

from __future__ import annotations

import io
import threading
import time
import uuid
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from peewee import (
    AutoField,
    DatabaseProxy,
    DateTimeField,
    DecimalField,
    ForeignKeyField,
    IntegerField,
    IntegrityError,
    InterfaceError,
    Model,
    OperationalError,
    TextField,
    UUIDField,
    fn,
)
from playhouse.pool import MaxConnectionsExceeded, PooledPostgresqlDatabase  # type: ignore[import-untyped]
from playhouse.postgres_ext import (  # type: ignore[import-untyped]
    ArrayField,
    BinaryJSONField,
    PostgresqlExtDatabase,
    ServerSide,
)
from playhouse.shortcuts import ReconnectMixin  # type: ignore[import-untyped]
from psycopg2.extensions import parse_dsn

from greenpg.testing.server import EmbeddedServer
from tests.green.sessions import under_way, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.green.runtimes import Runtime

pytestmark = pytest.mark.runtimes("gevent", "eventlet")

BOTH = pytest.mark.parametrize("driver", ["psycopg2", "psycopg"], indirect=True)
SLEEP = "select pg_sleep(30)"
ORPHANS = (
    "select count(*) from pg_stat_activity"
    " where application_name = 'peewee' and state = 'active' and query = 'select pg_sleep(30)'"
)

current: Any = DatabaseProxy()


class Owner(Model):
    """With what PostgreSQL is chosen for."""

    things: Any
    id = AutoField()
    name = TextField(unique=True)
    balance = DecimalField(max_digits=20, decimal_places=6, default=0)
    since = DateTimeField(null=True)
    token = UUIDField(null=True)
    tags = ArrayField(TextField, null=True)
    extra = BinaryJSONField(null=True)

    class Meta:
        database = current
        table_name = "peewee_owner"


class Thing(Model):
    """Belongs to somebody."""

    number = IntegerField()
    owner = ForeignKeyField(Owner, backref="things", on_delete="cascade")

    class Meta:
        database = current
        table_name = "peewee_thing"


@pytest.fixture
def driver(request: pytest.FixtureRequest) -> str:
    """The driver of the test's databases, psycopg2 if it does not choose."""
    return getattr(request, "param", "psycopg2")


@pytest.fixture
def make_database(dsn: str, driver: str) -> Iterator[Callable[..., Any]]:
    """Make a database of a class, which the models then use; all its connections are closed at the end."""
    made = []

    def make(kind: Any, dsn: str = dsn, **options: Any) -> Any:
        parts: dict[str, Any] = {**parse_dsn(dsn), "prefer_psycopg3": driver == "psycopg"}
        made.append(kind(parts.pop("dbname"), **parts, application_name="peewee", **options))
        current.initialize(made[-1])
        return made[-1]

    yield make
    for database in made:
        getattr(database, "close_all", database.close)()


@pytest.fixture
def database(make_database: Callable[..., Any]) -> Iterator[Any]:
    """A database without a pool, and empty tables; this green thread is connected."""
    database = make_database(PostgresqlExtDatabase)
    database.connect()
    database.drop_tables([Thing, Owner])
    database.create_tables([Owner, Thing])
    yield database
    database.connect(reuse_if_open=True)
    database.drop_tables([Thing, Owner])


def fetch(database: Any, sql: str, *args: Any) -> Any:
    """Return the one value of a query."""
    return database.execute_sql(sql, args or None).fetchone()[0]


def connected(database: Any, function: Callable[..., Any], *args: Any) -> Any:
    """Call a function as a request would: with a connection of its own, closed at the end."""
    with database.connection_context():
        return function(*args)


@BOTH
def test_orm_round_trip(database: Any) -> None:
    token, since = uuid.uuid4(), datetime(2026, 2, 3, 4, 5, 6, 789)
    values = {
        "name": "Zoë \N{SNOWMAN} %s",
        "balance": Decimal("12345.678900"),
        "since": since,
        "token": token,
        "tags": ["a", "b,c", '"'],
        "extra": {"deep": [1, {"x": None}]},
    }
    owner = Owner.create(**values)
    Thing.insert_many([{"number": n, "owner": owner} for n in range(500)]).execute()
    found = Owner.get(Owner.extra.contains({"deep": [1]}))
    assert {name: getattr(found, name) for name in values} == values
    assert sorted(thing.number for thing in found.things) == list(range(500))
    Thing.update(number=Thing.number + 1).execute()
    assert Thing.select(fn.sum(Thing.number)).scalar() == sum(range(1, 501))
    assert Thing.delete().where(Thing.number > 490).execute() == 10
    assert owner.things.count() == 490
    untyped: Any = Owner
    assert untyped.get_or_create(name=values["name"])[1] is False
    owner.delete_instance()
    assert not Thing.select().exists()


@BOTH
def test_pool_of_ten_for_a_hundred(
    database: Any, make_database: Callable[..., Any], runtime: Runtime
) -> None:
    """Ten wait for each other inside of their transactions, so they have ten connections at a time."""
    pool = make_database(PooledPostgresqlDatabase, max_connections=10, timeout=30)
    meeting = threading.Barrier(10)

    def work(number: int) -> tuple[str, int]:
        with pool.atomic():
            Owner.create(name=f"owner {number}")
            meeting.wait(30)
            return Owner.get(name=f"owner {number}").name, fetch(pool, "select pg_backend_pid()")

    answers = runtime.join_all([runtime.spawn(connected, pool, work, number) for number in range(100)])
    assert [name for name, _ in answers] == [f"owner {number}" for number in range(100)]
    assert len({pid for _, pid in answers}) == 10
    with pool.connection_context():
        assert Owner.select().count() == 100


def test_a_hundred_connections(database: Any, runtime: Runtime) -> None:
    meeting = threading.Barrier(100)

    def work() -> Any:
        meeting.wait(30)
        return fetch(database, "select pg_backend_pid()")

    pids = runtime.join_all([runtime.spawn(connected, database, work) for _ in range(100)])
    assert len(set(pids)) == 100


@BOTH
def test_the_others_run_while_one_waits_in_the_server(database: Any, runtime: Runtime) -> None:
    def wait_for_lock() -> Any:
        with database.atomic():
            database.execute_sql("set local statement_timeout = '20s'")
            return fetch(database, "select 'got it' from pg_advisory_xact_lock(4712)")

    database.execute_sql("select pg_advisory_lock(4712)")
    waiter = runtime.spawn(connected, database, wait_for_lock)
    waiting = "select count(*) from pg_locks where objid = 4712 and not granted"
    wait_for(lambda: fetch(database, waiting), runtime.sleep)
    database.execute_sql("select pg_advisory_unlock(4712)")
    assert waiter.get() == "got it"


@BOTH
def test_savepoints(database: Any, runtime: Runtime) -> None:
    def work(number: int) -> None:
        with database.atomic():
            Owner.create(name=f"outer {number}")
            with pytest.raises(IntegrityError), database.atomic():
                Owner.create(name=f"outer {number}")
            with database.savepoint() as savepoint:
                Owner.create(name=f"given up {number}")
                savepoint.rollback()
            with database.atomic():
                Owner.create(name=f"inner {number}")

    runtime.join_all([runtime.spawn(connected, database, work, number) for number in range(20)])
    names = [owner.name for owner in Owner.select()]
    assert sorted(names) == sorted(f"{kind} {number}" for kind in ("outer", "inner") for number in range(20))


@BOTH
def test_streams_side_by_side(database: Any, runtime: Runtime) -> None:
    """Server-side cursors, each in its own green thread; they wait for each other at every hundredth row."""
    Owner.insert_many([{"name": f"{n:05}"} for n in range(2000)]).execute()
    meeting = threading.Barrier(4)

    def work() -> list[str]:
        names = []
        rows = ServerSide(Owner.select().order_by(Owner.name), array_size=100)
        for number, owner in enumerate(rows):
            if number % 100 == 0:
                assert fetch(database, "select count(*) from pg_cursors where name <> ''") == 1
                meeting.wait(30)
            names.append(owner.name)
        return names

    answers = runtime.join_all([runtime.spawn(connected, database, work) for _ in range(4)])
    assert answers == [[f"{n:05}" for n in range(2000)]] * 4


def test_iterator(database: Any) -> None:
    Owner.insert_many([{"name": f"{n:05}"} for n in range(2000)]).execute()
    query = Owner.select(Owner.name).order_by(Owner.name)
    assert [name for (name,) in query.tuples().iterator()] == [f"{n:05}" for n in range(2000)]


def test_copy_through_the_raw_connection(database: Any) -> None:
    rows = "".join(f"{n}\tname {n}\t0\n" for n in range(1, 20_001))
    with database.connection().cursor() as cursor:
        cursor.copy_expert("copy peewee_owner (id, name, balance) from stdin", io.StringIO(rows))
        assert cursor.rowcount == 20_000
        assert Owner.select().count() == 20_000
        out = io.StringIO()
        cursor.copy_to(out, "peewee_owner", columns=("id", "name", "balance"))
        assert out.getvalue().replace(".000000", "") == rows


def test_two_phase_commit(database: Any) -> None:
    """peewee has no words for it; the connection has."""
    conn = database.connection()
    conn.autocommit = False
    for name, end in (("kept", conn.tpc_commit), ("dropped", conn.tpc_rollback)):
        conn.tpc_begin(conn.xid(1, f"peewee {name}", ""))
        Owner.create(name=name)
        conn.tpc_prepare()
        end()
    conn.autocommit = True
    assert [owner.name for owner in Owner.select()] == ["kept"]
    assert fetch(database, "select count(*) from pg_prepared_xacts where strpos(gid, 'peewee') > 0") == 0


def create_and_sleep(database: Any, number: int) -> None:
    """Do something that must be rolled back, and be in a statement for long."""
    with database.atomic():
        Owner.create(name=f"owner {number}")
        database.execute_sql(SLEEP)


@BOTH
def test_connection_survives_timeouts(database: Any, runtime: Runtime) -> None:
    """It is one and the same to the end, in a transaction and out of one."""
    pid = fetch(database, "select pg_backend_pid()")
    for number in range(25):
        with pytest.raises(runtime.Timeout), runtime.timeout(0.02):
            database.execute_sql(SLEEP)
        assert fetch(database, "select %s", number) == number
        with pytest.raises(runtime.Timeout), runtime.timeout(0.02):
            create_and_sleep(database, number)
        assert Owner.select().count() == 0
    assert fetch(database, "select pg_backend_pid()") == pid
    assert fetch(database, ORPHANS) == 0


@BOTH
def test_pool_survives_kill(database: Any, make_database: Callable[..., Any], runtime: Runtime) -> None:
    """The killed one's connection goes back into the pool, and is the next one's."""
    pool = make_database(PooledPostgresqlDatabase, max_connections=1)
    pids = set()
    for number in range(10):
        task = runtime.spawn(connected, pool, create_and_sleep, pool, number)
        wait_for(lambda: fetch(database, ORPHANS), runtime.sleep)
        runtime.kill(task)
        with pytest.raises(runtime.Killed):
            task.get()
        with pool.connection_context():
            assert fetch(pool, "select %s", number) == number
            pids.add(fetch(pool, "select pg_backend_pid()"))
        assert fetch(database, ORPHANS) == 0
    assert len(pids) == 1
    assert fetch(database, "select count(*) from peewee_owner") == 0


@BOTH
def test_timeouts_at_moving_moments_give_no_wrong_row(database: Any, runtime: Runtime) -> None:
    rows = "select %s, i, pg_sleep(0.0001) from generate_series(1, 10) i"

    def ask(number: int) -> None:
        with database.atomic():
            found = [(row[0], row[1]) for row in database.execute_sql(rows, [number])]
            assert found == [(number, i) for i in range(1, 11)]

    ask(-1)
    began = time.monotonic()
    ask(-2)
    usual = time.monotonic() - began
    timed_out = 0
    for number in range(30):
        try:
            with runtime.timeout(usual * number / 20):
                ask(number)
        except runtime.Timeout:
            timed_out += 1
        if not database.is_connection_usable():
            database.close()
            database.connect()
        assert fetch(database, "select %s", -number) == -number
    assert timed_out


def test_timeout_while_waiting_for_the_pool(make_database: Callable[..., Any], runtime: Runtime) -> None:
    pool = make_database(PooledPostgresqlDatabase, max_connections=1, timeout=30)

    def wait_for_connection() -> None:
        with pytest.raises(runtime.Timeout), runtime.timeout(0.01):
            pool.connect()

    with pool.connection_context():
        runtime.join_all([runtime.spawn(wait_for_connection) for _ in range(5)])
    assert runtime.spawn(connected, pool, fetch, pool, "select 42").get() == 42


def test_pool_that_is_exhausted(make_database: Callable[..., Any], runtime: Runtime) -> None:
    pool = make_database(PooledPostgresqlDatabase, max_connections=1)
    with pool.connection_context(), pytest.raises(MaxConnectionsExceeded):
        runtime.spawn(pool.connect).get()
    assert connected(pool, fetch, pool, "select 42") == 42


class Reconnecting(ReconnectMixin, PostgresqlExtDatabase):  # type: ignore[misc]
    """Tells a lost connection by libpq's and psycopg2's words, as peewee proposes."""

    reconnect_errors = (
        (OperationalError, "server closed the connection"),
        (OperationalError, "terminating connection"),
        (InterfaceError, "connection already closed"),
    )


def test_server_is_restarted(make_database: Callable[..., Any], runtime: Runtime) -> None:
    with EmbeddedServer() as server:
        database = make_database(PostgresqlExtDatabase, server.dsn)
        reconnecting = make_database(Reconnecting, server.dsn)
        pool = make_database(PooledPostgresqlDatabase, server.dsn, max_connections=1)
        for each in (database, reconnecting, pool):
            assert connected(each, fetch, each, "select 42") == 42
        database.connect()
        reconnecting.connect()
        server.restart()
        assert fetch(reconnecting, "select 42") == 42
        with pytest.raises(OperationalError):
            database.execute_sql("select 42")
        assert not database.is_connection_usable()
        database.close()
        assert connected(database, fetch, database, "select 42") == 42
        assert connected(pool, fetch, pool, "select 42") == 42  # it looks at the socket first

        database.connect()
        driver = database.connection()

        def restart() -> None:
            under_way(driver, runtime)
            server.restart("immediate")

        restarter = runtime.spawn(restart)
        with pytest.raises(OperationalError):
            database.execute_sql(SLEEP)
        restarter.get()
        database.close()
        assert connected(database, fetch, database, "select 42") == 42
