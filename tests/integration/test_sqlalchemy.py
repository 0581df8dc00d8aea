"""SQLAlchemy's dialect on ours, blocking and async: what its own suite and `tests/green` do not look at."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import URL, Column, MetaData, Table, create_engine, event, insert, select, text
from sqlalchemy.dialects.postgresql import DATEMULTIRANGE, INET, INT4RANGE, JSON, JSONB, Range
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

import greenpg
from greenpg.conninfo import conninfo_to_dict
from tests.fresh import run_python
from tests.green.sessions import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

NAME = "sqlalchemy, on ours"
SLEEP = text("select pg_sleep(30)")
PID = text("select pg_backend_pid()")


@pytest.fixture
def url(dsn: str) -> URL:
    """The session's server, as SQLAlchemy has it."""
    parts = {key: str(value) for key, value in conninfo_to_dict(dsn).items()}
    return URL.create(
        "postgresql+greenpg",
        username=parts["user"],
        password=parts.get("password"),
        host=parts["host"],
        port=int(parts["port"]),
        database=parts["dbname"],
        query={"application_name": NAME},
    )


@pytest.fixture
def make(url: URL) -> Iterator[Callable[..., Engine]]:
    """`create_engine()`, with a pool of one connection."""
    engines = []

    def make(**options: Any) -> Engine:
        engines.append(
            create_engine(url, **{"pool_size": 1, "max_overflow": 0, "pool_timeout": 10, **options})
        )
        return engines[-1]

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture
def observer(dsn: str) -> Iterator[greenpg.Connection[Any]]:
    """A connection that does not belong to SQLAlchemy."""
    with greenpg.connect(dsn, autocommit=True) as conn:
        yield conn


def pid_of(engine: Engine) -> int:
    """Return the session that the pool has."""
    with engine.connect() as connection:
        return int(connection.scalar(PID) or 0)


# Connections that are lost, and those that are not


def test_a_lost_connection_takes_the_pools_others_with_it(
    make: Callable[..., Engine], observer: greenpg.Connection[Any]
) -> None:
    """It is known by the error, whatever the server's language."""
    engine = make(pool_size=2)
    seen = []
    event.listen(engine, "handle_error", lambda context: seen.append(context.is_disconnect))
    with engine.connect() as one:
        other = pid_of(engine)
        pid = one.scalar(PID)
        observer.execute("select pg_terminate_backend(%s, 10000)", [pid])
        with pytest.raises(DBAPIError) as caught:
            one.execute(text("select 1"))
        assert caught.value.connection_invalidated
        assert isinstance(caught.value.orig, greenpg.Error)
        assert caught.value.orig.connection_lost
    assert seen == [True]
    assert pid_of(engine) not in (pid, other)


def test_an_error_that_comes_before_the_end_of_the_session(make: Callable[..., Engine]) -> None:
    """The server says that it ends the session, and ends it then: the error alone tells."""
    engine = make()
    for lost in (True, False):
        error = greenpg.OperationalError("so long", connection_lost=lost)
        with engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            assert engine.dialect.is_disconnect(error, driver, None) is lost  # type: ignore[arg-type]


def test_a_statement_that_fails_is_no_lost_connection(make: Callable[..., Engine]) -> None:
    engine = make()
    pid = pid_of(engine)
    with engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.execute(text("select 1/0"))
    assert not caught.value.connection_invalidated
    assert isinstance(caught.value.orig, greenpg.errors.DivisionByZero)
    assert pid_of(engine) == pid


def test_pre_ping(make: Callable[..., Engine], observer: greenpg.Connection[Any]) -> None:
    engine = make(pool_pre_ping=True)
    pid = pid_of(engine)
    assert pid_of(engine) == pid
    observer.execute("select pg_terminate_backend(%s, 10000)", [pid])
    assert pid_of(engine) != pid


def test_a_timeout_of_the_driver_leaves_the_connection_in_the_pool(make: Callable[..., Engine]) -> None:
    engine = make()
    pid = pid_of(engine)
    for _ in range(3):
        with engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            with pytest.raises(greenpg.errors.StatementTimeout):
                driver.execute("select pg_sleep(30)", timeout=0.05)
        assert pid_of(engine) == pid


# Values

KEPT = {
    JSON: {"a": [1, None, "\N{SNOWMAN}"]},
    JSONB: ["x", {"y": 1.5}],
    INT4RANGE: Range(1, 5),
    DATEMULTIRANGE: [Range(date(2026, 1, 1), date(2026, 2, 1)), Range(date(2027, 1, 1), None)],
}
TABLE = Table(
    "sqlalchemy_values", MetaData(), *(Column(kind.__name__, kind) for kind in KEPT), prefixes=["TEMP"]
)
ROW = {kind.__name__: value for kind, value in KEPT.items()}


def test_values(make: Callable[..., Engine]) -> None:
    """There and back, by prepared statements too."""
    with make().begin() as connection:
        TABLE.create(connection)
        connection.execute(insert(TABLE), [ROW] * 3)
        for _ in range(8):
            assert [dict(row) for row in connection.execute(select(TABLE)).mappings()] == [ROW] * 3


def test_json_by_functions_of_the_engine(make: Callable[..., Engine]) -> None:
    engine = make(
        json_serializer=lambda value: json.dumps({"wrapped": value}),
        json_deserializer=lambda data: ("read", json.loads(data)),
    )
    with engine.begin() as connection:
        TABLE.create(connection)
        connection.execute(insert(TABLE).values(JSON=1, JSONB=2))
        got = connection.execute(select(TABLE.c.JSON, TABLE.c.JSONB)).one()
    assert tuple(got) == (("read", {"wrapped": 1}), ("read", {"wrapped": 2}))


def test_addresses_as_text(make: Callable[..., Engine]) -> None:
    address = text("select inet '10.0.0.1'").columns(inet=INET)
    with make(native_inet_types=False).connect() as connection:
        assert connection.scalar(address) == "10.0.0.1"


def test_psycopg_is_not_needed(url: URL) -> None:
    run_python(
        """
        import asyncio, sys
        sys.modules["psycopg"] = None

        from sqlalchemy import create_engine, text
        from sqlalchemy.ext.asyncio import create_async_engine

        with create_engine(sys.argv[1]).connect() as connection:
            assert connection.scalar(text("select 42")) == 42

        async def main():
            engine = create_async_engine(sys.argv[1])
            async with engine.connect() as connection:
                assert await connection.scalar(text("select 42")) == 42
            await engine.dispose()

        asyncio.run(main())
        """,
        url.render_as_string(hide_password=False),
    )


# Async


def run(url: URL, test: Callable[[AsyncEngine], Any]) -> None:
    """Run a test in a loop of its own, with an engine whose pool has one connection."""

    async def main() -> None:
        engine = create_async_engine(url, pool_size=1, max_overflow=0, pool_timeout=10)
        try:
            await test(engine)
        finally:
            await engine.dispose()

    asyncio.run(asyncio.wait_for(main(), 30))


def test_async_values_streams_and_errors(url: URL) -> None:
    async def test(engine: AsyncEngine) -> None:
        async with engine.begin() as connection:
            await connection.run_sync(TABLE.create)
            await connection.execute(insert(TABLE), [ROW] * 3)
            rows = (await connection.execute(select(TABLE))).mappings()
            assert [dict(row) for row in rows] == [ROW] * 3
            numbers = await connection.stream(text("select generate_series(1, 1000)"))
            assert [number async for number in numbers.scalars()] == list(range(1, 1001))
            with pytest.raises(DBAPIError) as caught:
                await connection.execute(text("select 1/0"))
            assert isinstance(caught.value.orig, greenpg.errors.DivisionByZero)
            await connection.rollback()

    run(url, test)


def test_async_two_phase_commit_and_isolation(url: URL) -> None:
    async def test(engine: AsyncEngine) -> None:
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="SERIALIZABLE")
            assert await connection.scalar(text("show transaction_isolation")) == "serializable"
            await connection.rollback()
            transaction = await connection.run_sync(lambda blocking: blocking.begin_twophase())
            await connection.scalar(text("select txid_current()"))
            await connection.run_sync(lambda _: transaction.prepare())
            assert transaction.xid in await connection.run_sync(lambda blocking: blocking.recover_twophase())
            await connection.run_sync(lambda _: transaction.rollback())

    run(url, test)


def test_async_timeouts(url: URL, observer: greenpg.Connection[Any]) -> None:
    """What was given up does not run on, and the pool's one connection is there for the next."""

    async def test(engine: AsyncEngine) -> None:
        for number in range(5):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(sleep(engine), 0.05)
            async with engine.connect() as connection:
                assert await connection.scalar(text("select cast(:n as int)"), {"n": number}) == number

    async def sleep(engine: AsyncEngine) -> None:
        async with engine.connect() as connection:
            await connection.execute(SLEEP)

    run(url, test)
    running = "select from pg_stat_activity where application_name = %s and state = 'active'"
    wait_for(lambda: not observer.execute(running, [NAME]).fetchall(), time.sleep)


def test_async_lost_connection(url: URL, observer: greenpg.Connection[Any]) -> None:
    async def test(engine: AsyncEngine) -> None:
        async with engine.connect() as connection:
            observer.execute("select pg_terminate_backend(%s, 10000)", [await connection.scalar(PID)])
            with pytest.raises(DBAPIError) as caught:
                await connection.execute(text("select 1"))
            assert caught.value.connection_invalidated
        async with engine.connect() as connection:
            assert await connection.scalar(text("select 42")) == 42

    run(url, test)


# pandas


def test_pandas_by_an_engine(make: Callable[..., Engine]) -> None:
    pandas = pytest.importorskip("pandas")
    engine = make()
    frame = pandas.DataFrame(
        {
            "number": [1, 2, 3],
            "share": [0.5, None, 1e300],
            "name": ["a", None, "\N{SNOWMAN}"],
            "day": pandas.to_datetime(["2026-01-01 00:00:01", "1999-12-31 23:59:59", None]),
        }
    )
    try:
        frame.to_sql("pandas_frame", engine, index=False, if_exists="replace", method="multi")
        frame.to_sql("pandas_frame", engine, index=False, if_exists="append")
        back = pandas.read_sql("select * from pandas_frame", engine)
        pandas.testing.assert_frame_equal(
            back, pandas.concat([frame, frame], ignore_index=True), check_dtype=False
        )
        chunks = pandas.read_sql_table("pandas_frame", engine, columns=["number"], chunksize=4)
        assert [len(chunk) for chunk in chunks] == [4, 2]
    finally:
        with engine.begin() as connection:
            connection.execute(text("drop table if exists pandas_frame"))


def test_pandas_by_a_connection(observer: greenpg.Connection[Any]) -> None:
    """It can read, with a warning: pandas takes every other connection for SQLite's."""
    pandas = pytest.importorskip("pandas")
    with pytest.warns(UserWarning, match="pandas only supports SQLAlchemy"):
        frame = pandas.read_sql(
            "select n, n * %(factor)s as m from generate_series(1, 3) n", observer, params={"factor": 2}
        )
    assert frame.to_dict("list") == {"n": [1, 2, 3], "m": [2, 4, 6]}
