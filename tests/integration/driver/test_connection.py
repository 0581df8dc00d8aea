"""Connections: opening and closing, what they say of themselves, context managers, and settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.driver.bed import Db


async def test_info(db: Db, conn: Any) -> None:
    info = conn.info
    [(pid, name, version)] = db.sql(
        "select pid, datname, current_setting('server_version_num')::int from pg_stat_activity"
        " where application_name = %s",
        db.label,
    )
    assert (info.backend_pid, info.dbname, info.server_version) == (pid, name, version)
    assert (info.host, info.user) == ("127.0.0.1", "postgres")
    assert str(info.port) in info.dsn
    assert (info.encoding, info.parameter_status("client_encoding")) == ("utf-8", "UTF8")
    assert info.parameter_status("no_such") is None
    assert info.get_parameters()["application_name"] == db.label
    assert "password" not in info.dsn
    assert info.error_message == ""
    assert info.transaction_status.name == "IDLE"


async def test_the_timezone_follows_the_servers(db: Db, conn: Any) -> None:
    await conn.execute("set timezone to 'Europe/Rome'")
    assert str(conn.info.timezone) == "Europe/Rome"


async def test_keywords_go_over_the_connection_string(db: Db) -> None:
    conn = await db.connect(db.dsn, application_name="by keyword", options="-c statement_timeout=12345")
    assert await db.value(conn, "show statement_timeout") == "12345ms"
    assert await db.value(conn, "show application_name") == "by keyword"


async def test_a_uri(db: Db, conn: Any) -> None:
    other = await db.connect(f"postgresql://postgres@127.0.0.1:{conn.info.port}/postgres?password=none")
    assert await db.value(other) == 42


@pytest.mark.parametrize("conninfo", ["nonsense", "host=", "no_such=1", "host='x", "port=x"])
async def test_a_malformed_connection_string(db: Db, conninfo: str) -> None:
    with pytest.raises(db.errors.Error) as caught:
        await db.connect(conninfo + " connect_timeout=1")
    assert str(caught.value).strip()


async def test_nobody_there(db: Db) -> None:
    with pytest.raises(db.errors.OperationalError) as caught:
        await db.connect("host=127.0.0.1 port=1")
    assert "127.0.0.1" in str(caught.value)


async def test_refused_by_the_server(db: Db) -> None:
    with pytest.raises(db.errors.OperationalError, match="no_such_database"):
        await db.connect(dbname="no_such_database")


async def test_close(db: Db, conn: Any) -> None:
    assert (conn.closed, conn.broken) == (False, False)
    cur = conn.cursor()
    await conn.close()
    assert (conn.closed, conn.broken) == (True, False)
    await conn.close()
    for use in (conn.execute, cur.execute):
        with pytest.raises(db.errors.OperationalError, match="the connection is closed"):
            await use("select 1")
    for use in (conn.commit, conn.rollback):
        with pytest.raises(db.errors.OperationalError, match="the connection is closed"):
            await use()
    with pytest.raises(db.errors.OperationalError, match="the connection is closed"):
        conn.fileno()
    await db.until(lambda: not db.sessions())


async def test_close_rolls_back(db: Db, conn: Any) -> None:
    table = db.table()
    await conn.execute(f"insert into {table} values (1)")
    await conn.close()
    await db.until(lambda: not db.sessions())
    assert db.sql(f"select * from {table}") == []


async def test_as_context_manager_it_commits_and_closes(db: Db, conn: Any) -> None:
    table = db.table()
    async with conn as entered:
        assert entered is conn
        await conn.execute(f"insert into {table} values (1)")
    assert conn.closed
    assert db.sql(f"select id from {table}") == [(1,)]


async def test_as_context_manager_it_rolls_back_after_an_exception(db: Db, conn: Any) -> None:
    table = db.table()

    async def fail() -> None:
        async with conn:
            await conn.execute(f"insert into {table} values (1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert conn.closed
    assert db.sql(f"select id from {table}") == []


async def test_as_context_manager_it_may_be_closed_inside(db: Db, conn: Any) -> None:
    async with conn:
        await conn.close()
    assert conn.closed


async def test_as_context_manager_with_a_failed_transaction(db: Db, conn: Any) -> None:
    async with conn:
        with pytest.raises(db.errors.DivisionByZero):
            await conn.execute("select 1 / 0")
    assert conn.closed


async def test_autocommit(db: Db) -> None:
    conn = await db.connect(autocommit=True)
    table = db.table()
    await conn.execute(f"insert into {table} values (1)")
    assert db.sql(f"select id from {table}") == [(1,)]
    assert conn.autocommit is True
    assert conn.info.transaction_status.name == "IDLE"


async def test_autocommit_is_changed_outside_of_transactions(db: Db, conn: Any) -> None:
    async def set_autocommit(value: bool) -> None:
        if db.is_async:
            await conn.set_autocommit(value)
        else:
            conn.autocommit = value

    await set_autocommit(True)
    await conn.execute("select 1")
    assert conn.info.transaction_status.name == "IDLE"
    await set_autocommit(False)
    await conn.execute("select 1")
    assert conn.info.transaction_status.name == "INTRANS"
    with pytest.raises(db.errors.ProgrammingError):
        await set_autocommit(True)
    await conn.rollback()
    await set_autocommit(True)


async def test_fileno(db: Db, conn: Any) -> None:
    assert conn.fileno() == conn.pgconn.socket
    assert conn.fileno() > 2


async def test_repr_says_its_state(db: Db, conn: Any) -> None:
    assert "IDLE" in repr(conn).upper()
    assert "127.0.0.1" in repr(conn)
    await conn.execute("select 1")
    assert "INTRANS" in repr(conn).upper()
    await conn.close()
    assert "closed" in repr(conn).lower() or "bad" in repr(conn).lower()
    assert "password" not in repr(conn)


async def test_a_password_may_be_special(db: Db) -> None:
    conn = await db.connect(password='it\'s a \\ "secret" ü%s')
    assert await db.value(conn) == 42
    assert conn.info.password == 'it\'s a \\ "secret" ü%s'


@pytest.mark.beyond
async def test_a_password_may_be_asked_for(db: Db) -> None:
    asked = []

    def password() -> str:
        asked.append("now")
        return "none"

    async def slow_password() -> str:
        await db.runtime.pause()
        return password()

    for function in (password, slow_password) if db.is_async else (password, password):
        conn = await db.connect(password=function)
        assert conn.info.password == "none"
    assert asked == ["now", "now"]


async def test_the_cursor_factory(db: Db) -> None:
    class Mine(db.kind("Cursor")):  # type: ignore[misc]
        pass

    conn = await db.connect(cursor_factory=Mine)
    assert isinstance(conn.cursor_factory, type)
    cur = await conn.execute("select 1")
    assert "Mine" in repr(cur)


async def test_a_subclass_connects_as_itself(db: Db) -> None:
    class Mine(db.kind("Connection")):  # type: ignore[misc]
        pass

    conn = db.keep(await db.call(Mine.connect, db.dsn))
    assert "Mine" in repr(conn)


async def test_the_client_encoding_is_followed(db: Db, conn: Any) -> None:
    await conn.execute("set client_encoding to latin1")
    assert conn.info.encoding == "iso8859-1"
    assert await db.fetch(conn, "select %s, 'ö', ascii(%s::text)", ("ä", "ü")) == [("ä", "ö", 252)]
    with pytest.raises((db.errors.DataError, UnicodeEncodeError)):
        await conn.execute("select %s", ("€",))
    await conn.rollback()
    other = await db.connect(client_encoding="latin9")
    assert await db.value(other, "select %s || chr(8364)", ("€",)) == "€€"


async def test_cancel_when_nothing_is_under_way(db: Db, conn: Any) -> None:
    await conn.cancel_safe()
    assert await db.value(conn) == 42


async def test_cancel_safe(db: Db, conn: Any) -> None:
    async def sleep() -> None:
        with pytest.raises(db.errors.QueryCanceled):
            await conn.execute("select pg_sleep(30)")

    task = db.spawn(sleep)
    await db.under_way(conn)
    await conn.cancel_safe(timeout=10)
    await task.get()
    await conn.rollback()
    assert await db.value(conn) == 42


async def test_cancel_is_no_coroutine_in_either_colour(db: Db, conn: Any) -> None:
    async def sleep() -> None:
        with pytest.raises(db.errors.QueryCanceled):
            await conn.execute("select pg_sleep(30)")

    assert conn.cancel() is None  # nothing is under way
    task = db.spawn(sleep)
    await db.under_way(conn)
    assert conn.cancel() is None
    await task.get()
    await conn.rollback()
    assert await db.value(conn) == 42


async def test_the_errors_are_attributes(db: Db, conn: Any) -> None:
    for name in ("Warning", "Error", "InterfaceError", "DataError", "OperationalError", "NotSupportedError"):
        assert getattr(conn, name) is getattr(db.driver, name)


async def test_adapters_to_begin_with(db: Db) -> None:
    """`context`: they are copied, so that the connection's own changes stay with it."""
    context = db.driver.adapt.AdaptersMap(db.driver.adapters)
    context.register_loader("int4", context.get_loader(25, 0))
    conn = await db.connect(context=context)
    assert await db.value(conn, "select 42::int4") == "42"
    conn.adapters.register_loader("int4", context.get_loader(20, 0))
    assert await db.value(conn, "select 42::int4") == 42
    assert await db.value(await db.connect(context=context), "select 42::int4") == "42"


async def test_a_closed_connection_makes_no_cursor(db: Db) -> None:
    conn = await db.connect()
    await conn.close()
    for name in ("", "named"):
        with pytest.raises(db.errors.OperationalError, match="closed"):
            conn.cursor(name)
