"""SQLAlchemy on three drivers, as its users use it: sessions, pools, streams, interruptions, lost servers."""

from __future__ import annotations

import io
import threading
import time
import uuid
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest
from psycopg2.extensions import parse_dsn
from sqlalchemy import ForeignKey, Text, create_engine, func, insert, inspect, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    joinedload,
    mapped_column,
    relationship,
    scoped_session,
    sessionmaker,
)

from greenpg.testing.server import EmbeddedServer
from tests.green.sessions import under_way, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from tests.green.runtimes import Runtime

pytestmark = pytest.mark.runtimes("gevent", "eventlet")

EACH = pytest.mark.parametrize("driver", ["psycopg2", "psycopg", "greenpg"], indirect=True)
SLEEP = text("select pg_sleep(30)")
ORPHANS = text(
    "select count(*) from pg_stat_activity"
    " where application_name = 'sqlalchemy' and state = 'active' and query = 'select pg_sleep(30)'"
)


class Base(DeclarativeBase):
    """What the tables of this module have in common."""


class Owner(Base):
    """A table with what PostgreSQL is chosen for."""

    __tablename__ = "sqlalchemy_owner"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    balance: Mapped[Decimal] = mapped_column(default=Decimal(0))
    since: Mapped[datetime | None]
    token: Mapped[uuid.UUID | None]
    tags: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    extra: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    things: Mapped[list[Thing]] = relationship(back_populates="owner", cascade="all, delete-orphan")


class Thing(Base):
    """A table that refers to another."""

    __tablename__ = "sqlalchemy_thing"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]
    owner_id: Mapped[int] = mapped_column(ForeignKey(Owner.id))
    owner: Mapped[Owner] = relationship(back_populates="things")


@pytest.fixture
def driver(request: pytest.FixtureRequest) -> str:
    """The driver of the test's engines, psycopg2 if it does not choose."""
    return getattr(request, "param", "psycopg2")


@pytest.fixture
def make_engine(dsn: str, driver: str) -> Iterator[Callable[..., Engine]]:
    """`create_engine()` for the session's server, without overflow; disposed of at the end."""
    engines = []

    def make(dsn: str = dsn, **options: Any) -> Engine:
        connect_args = {**parse_dsn(dsn), "application_name": "sqlalchemy"}
        options = {"max_overflow": 0, "pool_timeout": 30, **options}
        engines.append(create_engine(f"postgresql+{driver}://", connect_args=connect_args, **options))
        return engines[-1]

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture
def engine(make_engine: Callable[..., Engine]) -> Iterator[Engine]:
    """An engine with a pool of ten, and empty tables."""
    engine = make_engine(pool_size=10)
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    yield engine
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    Base.metadata.drop_all(engine)


@EACH
def test_orm_round_trip(engine: Engine) -> None:
    token, since = uuid.uuid4(), datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=timezone.utc).replace(tzinfo=None)
    with Session(engine) as session, session.begin():
        session.add(
            Owner(
                name="Zoë \N{SNOWMAN} %s",
                balance=Decimal("12345.678900"),
                since=since,
                token=token,
                tags=["a", "b,c", '"'],
                extra={"deep": [1, {"x": None}]},
                things=[Thing(number=n) for n in range(50)],
            )
        )
    with Session(engine) as session:
        owner = session.scalars(select(Owner).options(joinedload(Owner.things))).unique().one()
        assert (owner.name, owner.balance) == ("Zoë \N{SNOWMAN} %s", Decimal("12345.678900"))
        assert (owner.since, owner.token) == (since, token)
        assert (owner.tags, owner.extra) == (["a", "b,c", '"'], {"deep": [1, {"x": None}]})
        assert sorted(thing.number for thing in owner.things) == list(range(50))
        owner.name = "renamed"
        del owner.things[0]
        session.commit()
        assert session.scalar(select(func.count(Thing.id)).join(Owner).where(Owner.name == "renamed")) == 49
        session.delete(owner)
        session.commit()
        assert session.scalar(select(func.count(Thing.id))) == 0


@pytest.mark.parametrize("mode", ["values_only", "values_plus_batch"])
def test_many_rows_in_one_statement(make_engine: Callable[..., Engine], engine: Engine, mode: str) -> None:
    """Inserts come back with their keys, in order; updates go by psycopg2's execute_batch()."""
    engine = make_engine(executemany_mode=mode)
    names = [f"owner {n}" for n in range(3000)]
    with Session(engine) as session, session.begin():
        rows = [{"name": name} for name in names]
        returned = session.scalars(insert(Owner).returning(Owner, sort_by_parameter_order=True), rows)
        assert [owner.name for owner in returned] == names
        session.execute(
            text("update sqlalchemy_owner set balance = :b where name = :n"),
            [{"b": n, "n": name} for n, name in enumerate(names)],
        )
        assert session.scalar(select(func.sum(Owner.balance))) == sum(range(3000))


def test_reflection(engine: Engine) -> None:
    inspector = inspect(engine)
    columns = {column["name"]: column["type"] for column in inspector.get_columns("sqlalchemy_owner")}
    assert isinstance(columns["tags"], ARRAY)
    assert isinstance(columns["extra"], JSONB)
    assert inspector.get_foreign_keys("sqlalchemy_thing")[0]["referred_table"] == "sqlalchemy_owner"


@EACH
def test_pool_of_ten_for_a_hundred(engine: Engine, runtime: Runtime) -> None:
    """Ten wait for each other inside of their transactions, so they have ten connections at a time."""
    meeting = threading.Barrier(10)

    def work(number: int) -> int:
        with Session(engine) as session, session.begin():
            session.add(Owner(name=f"owner {number}", things=[Thing(number=number)]))
            session.flush()
            meeting.wait(30)
            statement = select(Thing.number).join(Owner).where(Owner.name == f"owner {number}")
            return session.scalars(statement).one()

    tasks = [runtime.spawn(work, number) for number in range(100)]
    assert runtime.join_all(tasks) == list(range(100))
    with Session(engine) as session:
        assert session.scalar(select(func.count(Owner.id))) == 100
    assert engine.pool.checkedin() <= 10  # type: ignore[attr-defined]


@EACH
def test_the_others_run_while_one_waits_in_the_server(engine: Engine, runtime: Runtime) -> None:
    def wait_for_lock() -> Any:
        with engine.begin() as connection:
            connection.execute(text("set local statement_timeout = '20s'"))
            return connection.scalar(text("select 'got it' from pg_advisory_xact_lock(4711)"))

    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as holder:
        holder.execute(text("select pg_advisory_lock(4711)"))
        waiter = runtime.spawn(wait_for_lock)
        waiting = text("select count(*) from pg_locks where objid = 4711 and not granted")
        wait_for(lambda: holder.scalar(waiting), runtime.sleep)
        holder.execute(text("select pg_advisory_unlock(4711)"))
    assert waiter.get() == "got it"


@EACH
def test_savepoints(engine: Engine, runtime: Runtime) -> None:
    def work(number: int) -> None:
        with Session(engine) as session, session.begin():
            session.add(Owner(name=f"outer {number}"))
            with pytest.raises(IntegrityError), session.begin_nested():
                session.execute(insert(Owner).values(name=f"outer {number}"))
            with session.begin_nested() as savepoint:
                session.add(Owner(name=f"given up {number}"))
                session.flush()
                savepoint.rollback()
            with session.begin_nested():
                session.add(Owner(name=f"inner {number}"))

    runtime.join_all([runtime.spawn(work, number) for number in range(20)])
    with Session(engine) as session:
        names = sorted(session.scalars(select(Owner.name)))
    assert names == sorted(f"{kind} {number}" for kind in ("outer", "inner") for number in range(20))


@EACH
def test_streams_side_by_side(engine: Engine, runtime: Runtime) -> None:
    """Server-side cursors, each in its own green thread; the streams wait for each other at every block."""
    meeting = threading.Barrier(4)

    def stream(first: int) -> list[int]:
        rows: list[int] = []
        with engine.connect() as connection:
            numbers = text("select * from generate_series(cast(:a as int), cast(:a as int) + 4999)")
            result = connection.execution_options(yield_per=500).execute(numbers, {"a": first})
            assert result.context is not None
            assert result.context._is_server_side
            for block in result.scalars().partitions():
                meeting.wait(30)
                rows += block
        return rows

    tasks = [runtime.spawn(stream, first) for first in range(0, 40_000, 10_000)]
    assert runtime.join_all(tasks) == [list(range(n, n + 5000)) for n in range(0, 40_000, 10_000)]


def test_stream_of_objects_that_is_left_early(engine: Engine) -> None:
    with Session(engine) as session:
        session.execute(insert(Owner), [{"name": f"owner {n}"} for n in range(1000)])
        owners = session.scalars(select(Owner).order_by(Owner.id).execution_options(yield_per=100))
        assert [next(owners).name for _ in range(150)] == [f"owner {n}" for n in range(150)]
        owners.close()
        assert session.scalar(text("select 42")) == 42


def test_copy_through_the_raw_connection(engine: Engine) -> None:
    rows = "".join(f"{n}\tname {n}\t0\n" for n in range(1, 20_001))
    raw: Any = engine.raw_connection()
    try:
        with raw.cursor() as cursor:
            cursor.copy_expert("copy sqlalchemy_owner (id, name, balance) from stdin", io.StringIO(rows))
            assert cursor.rowcount == 20_000
        raw.commit()
    finally:
        raw.close()
    with engine.connect() as connection:
        out = io.BytesIO()
        driver_connection: Any = connection.connection.driver_connection
        with driver_connection.cursor() as cursor:
            cursor.copy_expert(
                "copy (select id, name, balance from sqlalchemy_owner order by id) to stdout", out
            )
        assert out.getvalue().decode() == rows
        assert connection.scalar(select(func.count(Owner.id))) == 20_000


@EACH
def test_two_phase_commit(engine: Engine) -> None:
    def prepare(name: str) -> Any:
        connection = engine.connect()
        transaction = connection.begin_twophase()
        connection.execute(insert(Owner).values(name=name))
        transaction.prepare()
        return connection, transaction

    for name, end in (("kept", "commit"), ("dropped", "rollback")):
        connection, transaction = prepare(name)
        with engine.connect() as other:
            assert transaction.xid in other.recover_twophase()
            assert other.scalar(select(func.count(Owner.id)).where(Owner.name == name)) == 0
        getattr(transaction, end)()
        connection.close()
    with Session(engine, twophase=True) as session, session.begin():
        session.add(Owner(name="by a session"))
    with engine.connect() as connection:
        assert connection.scalars(select(Owner.name).order_by(Owner.name)).all() == ["by a session", "kept"]
        assert connection.scalar(text("select count(*) from pg_prepared_xacts")) == 0


def test_transaction_prepared_by_somebody_who_is_gone(engine: Engine) -> None:
    with engine.connect() as connection:
        transaction = connection.begin_twophase("left behind")
        connection.execute(insert(Owner).values(name="left behind"))
        transaction.prepare()
        connection.invalidate()
    with engine.connect() as connection:
        assert "left behind" in connection.recover_twophase()
        connection.commit_prepared("left behind", recover=True)
        assert connection.scalar(select(Owner.name)) == "left behind"


@EACH
def test_isolation_levels(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="SERIALIZABLE") as connection:
        assert connection.scalar(text("show transaction_isolation")) == "serializable"
    with engine.connect() as connection:
        assert connection.scalar(text("show transaction_isolation")) == "read committed"
    options = {"postgresql_readonly": True, "postgresql_deferrable": True, "isolation_level": "SERIALIZABLE"}
    with engine.connect().execution_options(**options) as connection:
        assert connection.scalar(text("show transaction_read_only")) == "on"
    with engine.connect() as connection:
        assert connection.scalar(text("show transaction_read_only")) == "off"


@EACH
def test_scoped_session_is_of_the_green_thread(engine: Engine, runtime: Runtime) -> None:
    sessions = scoped_session(sessionmaker(engine))
    meeting = threading.Barrier(10)

    def work() -> Any:
        session = sessions()
        meeting.wait(30)
        assert sessions() is session
        pid = sessions.scalar(text("select pg_backend_pid()"))
        meeting.wait(30)
        sessions.remove()
        return pid

    pids = runtime.join_all([runtime.spawn(work) for _ in range(10)])
    assert len(set(pids)) == 10


@EACH
@pytest.mark.parametrize("how", ["timeout", "kill"])
def test_pool_survives_interruptions(make_engine: Callable[..., Engine], runtime: Runtime, how: str) -> None:
    engine = make_engine(pool_size=1)

    def sleep() -> None:
        with engine.connect() as connection:
            connection.execute(SLEEP)

    def interrupt() -> None:
        if how == "timeout":
            with pytest.raises(runtime.Timeout), runtime.timeout(0.02):
                sleep()
        else:
            sleeper = runtime.spawn(sleep)
            wait_for(lambda: observer.scalar(ORPHANS), runtime.sleep)
            runtime.kill(sleeper)

    with make_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as observer:
        for number in range(25):
            interrupt()
            with engine.connect() as connection:
                assert connection.scalar(text("select :n"), {"n": str(number)}) == str(number)
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        wait_for(lambda: observer.scalar(ORPHANS) == 0, runtime.sleep)  # our driver does not wait for it
        sessions = text("select count(*) from pg_stat_activity where application_name = 'sqlalchemy'")
        wait_for(lambda: observer.scalar(sessions) == 2, runtime.sleep)  # the observer's and the pool's


@EACH
def test_timeouts_at_moving_moments_give_no_wrong_row(
    make_engine: Callable[..., Engine], runtime: Runtime
) -> None:
    engine = make_engine(pool_size=1, pool_pre_ping=True)
    rows = text("select cast(:n as int), i, pg_sleep(0.0001) from generate_series(1, 10) i")

    def ask(number: int) -> None:
        with engine.connect() as connection:
            found = [(row[0], row[1]) for row in connection.execute(rows, {"n": number})]
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
        with engine.connect() as connection:
            assert connection.scalar(text("select cast(:n as int)"), {"n": -number}) == -number
    assert timed_out


@EACH
def test_timeout_while_waiting_for_the_pool(make_engine: Callable[..., Engine], runtime: Runtime) -> None:
    engine = make_engine(pool_size=1)
    with engine.connect() as connection:
        for _ in range(5):
            with pytest.raises(runtime.Timeout), runtime.timeout(0.01):
                engine.connect()
        assert connection.scalar(text("select 42")) == 42
    with engine.connect() as connection:
        assert connection.scalar(text("select 42")) == 42


@EACH
def test_interrupted_session_goes_on_after_rollback(engine: Engine, runtime: Runtime) -> None:
    with Session(engine) as session:
        session.add(Owner(name="not committed"))
        session.flush()
        with pytest.raises(runtime.Timeout), runtime.timeout(0.05):
            session.execute(SLEEP)
        session.rollback()
        assert session.scalar(select(func.count(Owner.id))) == 0


def test_two_green_threads_on_one_connection(engine: Engine, runtime: Runtime) -> None:
    """psycopg2's error for the second, and the connection goes on."""
    observer = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    with observer, engine.connect() as connection:
        driver_connection: Any = connection.connection.driver_connection
        sleeper = runtime.spawn(connection.execute, SLEEP)
        wait_for(lambda: observer.scalar(ORPHANS), runtime.sleep)  # or the request would be dropped
        with pytest.raises(psycopg2.ProgrammingError, match="one connection for each green thread"):
            driver_connection.cursor().execute("select 1")
        driver_connection.cancel()
        with pytest.raises(OperationalError, match="canceling statement"):
            sleeper.get()
        connection.rollback()
        assert connection.scalar(text("select 42")) == 42


def test_server_is_restarted(make_engine: Callable[..., Engine], runtime: Runtime) -> None:
    with EmbeddedServer() as server:
        careful = make_engine(server.dsn, pool_size=5, pool_pre_ping=True)
        engine = make_engine(server.dsn, pool_size=5)
        forty_two = text("select 42")

        def ask(engine: Engine) -> Any:
            with engine.connect() as connection:
                return connection.scalar(forty_two)

        def ask_all(engine: Engine) -> list[Any]:
            return runtime.join_all([runtime.spawn(ask, engine) for _ in range(5)])

        assert ask_all(careful) == ask_all(engine) == [42] * 5
        server.restart()
        assert ask_all(careful) == [42] * 5
        with pytest.raises(OperationalError) as lost:
            ask(engine)
        assert lost.value.connection_invalidated
        assert ask_all(engine) == [42] * 5

        with careful.connect() as connection:
            sleeper = runtime.spawn(connection.execute, SLEEP)
            under_way(connection.connection.driver_connection, runtime)
            server.restart("immediate")
            with pytest.raises(OperationalError) as lost:
                sleeper.get()
            assert lost.value.connection_invalidated
        assert ask_all(careful) == [42] * 5
