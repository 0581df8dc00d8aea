"""Encryption and authentication, as far as they are ours: promises 10, 14 and 15."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING

import pytest
import trustme

from greenpg._core.info import ConnectionInfo
from greenpg.conninfo import make_conninfo
from greenpg.errors import ConnectionTimeout, InvalidPassword, OperationalError
from tests.faults import FaultProxy
from tests.integration.driver.connects import BLOCKING, closing_conn, connect, error_of, places, resolver
from tests.integration.driver.scripted import Scripted, Talk, cleartext, scram, trusting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.driver.bed import Db

pytestmark = pytest.mark.beyond


@pytest.fixture(scope="module")
def tls(dsn: str) -> Iterator[FaultProxy]:
    """The server behind TLS."""
    with FaultProxy(dsn, tls=True) as proxy:
        yield proxy


async def test_tls(db: Db, tls: FaultProxy) -> None:
    conninfo = make_conninfo(tls.dsn, sslmode="verify-full", sslrootcert=tls.root_certificate)
    with closing_conn(await connect(db, conninfo)) as conn:
        assert conn.ssl_in_use
        assert ConnectionInfo(conn).ssl_in_use


@BLOCKING
@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
async def test_a_certificate_that_nobody_knows(
    db: Db, tls: FaultProxy, mode: str, tmp_path: Path, dsn: str
) -> None:
    with FaultProxy(dsn, tls=True) as other:
        conninfo = make_conninfo(tls.dsn, sslmode=mode, sslrootcert=other.root_certificate)
        error = await error_of(db, conninfo)
    assert type(error) is OperationalError
    assert "certificate verify failed" in str(error)
    assert not error.safe_to_retry


@BLOCKING
async def test_a_certificate_of_another_name(
    db: Db, tls: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    with resolver(monkeypatch, {b"other": ["127.0.0.1"]}):
        options = {"host": "other", "sslrootcert": tls.root_certificate}
        error = await error_of(db, make_conninfo(tls.dsn, sslmode="verify-full", **options))
        assert 'does not match host name "other"' in str(error)
        (await connect(db, make_conninfo(tls.dsn, sslmode="verify-ca", **options))).finish()


@BLOCKING
async def test_required_tls_never_goes_on_in_clear(db: Db, proxy: FaultProxy) -> None:
    error = await error_of(db, make_conninfo(proxy.dsn, sslmode="require"))
    assert "SSL was required" in str(error)


@BLOCKING
async def test_bytes_after_the_answer_to_a_request_for_tls(db: Db) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)

    def eager(talk: Talk) -> None:
        talk.sock.recv(8)
        talk.sock.sendall(b"S" + b"injected")
        with context.wrap_socket(talk.sock, server_side=True) as secure:
            secure.recv(1)

    with Scripted(eager) as server:
        error = await error_of(db, f"host=127.0.0.1 port={server.port} user=me sslmode=require")
    assert "received unencrypted data after SSL response" in str(error)


@BLOCKING
async def test_require_auth(db: Db, local: str) -> None:
    with Scripted(cleartext([])) as server:
        conninfo = places(local, server.port, require_auth="scram-sha-256", connect_timeout=5)
        assert "require" in str(await error_of(db, conninfo))
    with Scripted(trusting) as server:
        conninfo = places(local, server.port, channel_binding="require", connect_timeout=5)
        assert "channel binding" in str(await error_of(db, conninfo))


@BLOCKING
async def test_success_in_the_midst_of_scram(db: Db, local: str) -> None:
    def cheating(talk: Talk) -> None:
        scram(talk, b"secret", finish=False)

    with Scripted(cheating) as server:
        conninfo = places(local, server.port, connect_timeout=5, password="secret")
        error = await error_of(db, make_conninfo(conninfo, require_auth="scram-sha-256"))
        assert "require" in str(error)
        # libpq takes it where nothing is required: the limit that `connecting` tells of
        (await connect(db, conninfo)).finish()


async def test_scram(db: Db, local: str) -> None:
    with Scripted(lambda talk: scram(talk, b"secret")) as server:
        conninfo = places(local, server.port, connect_timeout=5, password="secret")
        with closing_conn(await connect(db, conninfo)) as conn:
            assert ConnectionInfo(conn).used_password
        error = await error_of(db, make_conninfo(conninfo, password="wrong"))
    assert isinstance(error, InvalidPassword)
    assert "secret" not in str(error)
    assert "wrong" not in str(error)


@pytest.mark.runtimes("gevent", "asyncio")
async def test_a_server_that_asks_for_a_long_computation(db: Db, local: str) -> None:
    began, ticks = time.monotonic(), 0
    over = False
    longest = 0.0

    async def tick() -> None:
        nonlocal ticks, longest
        last = time.monotonic()
        while not over:
            await db.runtime.pause(0.005)
            ticks += 1
            longest, last = max(longest, time.monotonic() - last), time.monotonic()

    with Scripted(lambda talk: scram(talk, b"secret", iterations=1_200_000)) as server:
        ticker = db.spawn(tick)
        conninfo = places(local, server.port, connect_timeout=0.5, password="secret")
        error = await error_of(db, conninfo)
        assert isinstance(error, ConnectionTimeout)
        over = True
        await ticker.get()
        assert ticks > 5
        # the computation goes on in its thread, and only then is the connection closed
        await db.until(lambda: server.ended)
        assert longest < (time.monotonic() - began) / 2
