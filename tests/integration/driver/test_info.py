"""`ConnectionInfo`, and the client encoding."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from greenpg._core.info import ConnectionInfo
from greenpg.adapt import codec
from greenpg.conninfo import conninfo_to_dict
from greenpg.errors import NotSupportedError, OperationalError
from tests.integration.driver.connects import BLOCKING, closing_conn, connect, error_of, places

if TYPE_CHECKING:
    from tests.integration.driver.bed import Db

pytestmark = pytest.mark.beyond


@BLOCKING
async def test_info(db: Db, local: str, port: str) -> None:
    conninfo = places(local, port, options="-c timezone=Europe/Rome", application_name="it's \\ me")
    conn = await connect(db, conninfo)
    info = ConnectionInfo(conn)
    options = conninfo_to_dict(local)
    assert (info.vendor, info.host, info.hostaddr, info.port) == (
        "PostgreSQL",
        "127.0.0.1",
        "127.0.0.1",
        int(port),
    )
    assert (info.dbname, info.user, info.password) == (options["dbname"], options["user"], "se cret")
    assert info.options == "-c timezone=Europe/Rome"
    assert str(info.timezone) == "Europe/Rome"
    assert info.encoding == "utf-8"
    parameters = info.get_parameters()
    assert parameters["application_name"] == "it's \\ me"
    assert "password" not in parameters
    assert conninfo_to_dict(info.dsn) == parameters
    assert info.parameter_status("server_encoding") == "UTF8"
    assert info.parameter_status("nothing") is None
    assert info.status.name == "OK"
    assert (info.transaction_status, info.pipeline_status, info.error_message) == (0, 0, "")
    assert db.sql("select application_name from pg_stat_activity where pid = %s", info.backend_pid) == [
        ("it's \\ me",)
    ]
    assert db.sql("show server_version_num") == [(str(info.server_version),)]
    assert info.full_protocol_version >= 30000
    for name in ("used_password", "needs_password", "used_gssapi", "ssl_in_use"):
        assert getattr(info, name) is False, name
    conn.finish()
    assert info.status.name == "BAD"
    with pytest.raises(OperationalError, match="closed"):
        info.host  # noqa: B018


@BLOCKING
@pytest.mark.parametrize(("zone", "hours"), [("UTC", 0), ("Asia/Tokyo", 9), ("2", 2), ("-3.5", -3.5)])
async def test_timezone(db: Db, local: str, port: str, zone: str, hours: float) -> None:
    with closing_conn(await connect(db, places(local, port, options=f"-c timezone={zone}"))) as conn:
        assert datetime.now(ConnectionInfo(conn).timezone).utcoffset() == timedelta(hours=hours)


@BLOCKING
async def test_a_timezone_that_python_does_not_know(
    db: Db, local: str, port: str, caplog: pytest.LogCaptureFixture
) -> None:
    conn = await connect(db, places(local, port, options="-c timezone=XYZ-9XDT"))
    with closing_conn(conn):
        assert ConnectionInfo(conn).timezone is timezone.utc
    assert "unknown time zone 'XYZ-9XDT'" in caplog.text


@BLOCKING
@pytest.mark.parametrize("given", ["", "UTF8", "LATIN1", "SQL_ASCII", "EUC_TW", "xx"])
async def test_client_encoding(db: Db, local: str, port: str, given: str) -> None:
    conninfo = places(local, port, connect_timeout=5, client_encoding=given or None)
    if given in ("EUC_TW", "xx"):
        error = await error_of(db, conninfo)
        assert isinstance(error, NotSupportedError if given == "EUC_TW" else OperationalError)
        assert given in str(error)
        return
    with closing_conn(await connect(db, conninfo)) as conn:
        assert conn.parameter_status(b"client_encoding") == (given or "UTF8").encode()
        assert ConnectionInfo(conn).encoding == codec(given or "UTF8")


@BLOCKING
async def test_client_encoding_of_the_environment(
    db: Db, local: str, port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    with closing_conn(await connect(db, places(local, port))) as conn:
        assert ConnectionInfo(conn).encoding == "iso8859-1"


@BLOCKING
async def test_every_encoding_of_postgresql_is_known_or_refused(db: Db) -> None:
    names = [
        name for (name,) in db.sql("select pg_encoding_to_char(n) from generate_series(0, 41) n") if name
    ]
    assert len(names) > 40
    for name in ("EUC_TW", "MULE_INTERNAL"):
        names.remove(name)
        with pytest.raises(NotSupportedError, match="set client_encoding to UTF8"):
            codec(name)
    assert all(map(codec, names))


async def test_what_is_still_known_of_a_closed_connection(db: Db) -> None:
    conn = await db.connect()
    await conn.close()
    assert conn.info.transaction_status.name == "UNKNOWN"
    assert conn.info.pipeline_status.name == "OFF"
    assert conn.info.encoding == "utf-8"
    assert conn.info.error_message
