"""Connecting, in every runtime: each host has its time, then comes the next, and nothing is left behind.

Promises 13 and 18.
"""

from __future__ import annotations

import gc
import os
import socket
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from greenpg._core import race
from greenpg._core.connecting import connect_steps
from greenpg.conninfo import conninfo_to_dict, make_conninfo
from greenpg.errors import (
    ConnectionTimeout,
    Error,
    InvalidAuthorizationSpecification,
    OperationalError,
    ProgrammingError,
)
from tests.faults import STUCK_CONNECTS, FaultProxy, FaultServer
from tests.faults import hostile as stuck_server
from tests.integration.driver.bed import within
from tests.integration.driver.connects import (
    BLOCKING,
    LITTLE,
    REFUSED,
    closing_conn,
    connect,
    error_of,
    places,
    port_reached,
    resolver,
)
from tests.integration.driver.scripted import Scripted, cleartext, standby, trusting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from greenpg.pq.abc import PGconn
    from tests.integration.driver.bed import Db

pytestmark = pytest.mark.beyond


@pytest.fixture(scope="module")
def stuck() -> Iterator[dict[str, FaultServer]]:
    """One server of each kind that never lets a connect end."""
    with ExitStack() as stack:
        yield {kind: stack.enter_context(stuck_server(kind)) for kind in STUCK_CONNECTS}


# --- Time


async def test_each_kind_of_stuck_host_ends_with_its_time(db: Db, stuck: dict[str, FaultServer]) -> None:
    async def one(server: FaultServer) -> tuple[float, Error]:
        began = time.monotonic()
        error = await error_of(db, make_conninfo(server.dsn, connect_timeout=0.5))
        return time.monotonic() - began, error

    tasks = {kind: db.spawn(one, server) for kind, server in stuck.items()}
    for kind, task in tasks.items():
        seconds, error = await task.get()
        assert isinstance(error, ConnectionTimeout)
        assert isinstance(error, TimeoutError)
        assert error.safe_to_retry
        place = f'connection to server at "127.0.0.1", port {stuck[kind].port}'
        assert str(error) == f"{place} failed: timeout expired"
        assert 0.4 < seconds < 20


async def test_the_host_after_a_stuck_one_is_reached(
    db: Db, local: str, stuck: dict[str, FaultServer], port: str
) -> None:
    conninfos = [places(local, each.port, port, connect_timeout=LITTLE) for each in stuck.values()]
    tasks = [db.spawn(port_reached, db, conninfo) for conninfo in conninfos]
    assert [await task.get() for task in tasks] == [port] * len(stuck)


@BLOCKING
async def test_every_host_is_named_with_its_reason(
    db: Db, local: str, stuck: dict[str, FaultServer], port: str
) -> None:
    silent, standby = stuck["silent"].port, port
    conninfo = places(
        local,
        host="/nowhere,127.0.0.1,127.0.0.1,no..invalid,127.0.0.1",
        port=f"7,{REFUSED},{silent},8,{standby}",
        target_session_attrs="standby",
        connect_timeout=LITTLE,
    )
    error = await error_of(db, conninfo)
    assert type(error) is OperationalError
    assert [line for line in str(error).splitlines() if not line.startswith("\t")] == [
        'connection to server on socket "/nowhere/.s.PGSQL.7" failed: No such file or directory',
        f'connection to server at "127.0.0.1", port {REFUSED} failed: Connection refused',
        f'connection to server at "127.0.0.1", port {silent} failed: timeout expired',
        'could not translate host name "no..invalid" to address: Name or service not known',
        f'connection to server at "127.0.0.1", port {standby} failed: server is not in hot standby mode',
    ]


@pytest.mark.runtimes("select", "gevent", "asyncio")
async def test_a_name_that_is_not_resolved_in_time(
    db: Db, local: str, port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with resolver(monkeypatch, {b"slow": None, b"quick": ["127.0.0.1"]}) as asked:
        conninfo = make_conninfo(local, host="slow,quick", port=port, connect_timeout=LITTLE)
        assert await port_reached(db, conninfo) == port
        assert asked == [b"slow", b"quick"]  # each when its turn has come


@pytest.mark.runtimes("select", "gevent", "asyncio")
async def test_the_look_up_is_within_the_hosts_time(
    db: Db, stuck: dict[str, FaultServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    with resolver(monkeypatch, {b"late": ["127.0.0.1"]}, seconds=0.9), within(1.6):
        began = time.monotonic()
        await error_of(db, f"host=late port={stuck['silent'].port} connect_timeout=1")
        assert time.monotonic() - began > 0.9


def test_what_is_thrown_into_a_look_up_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with resolver(monkeypatch, {b"slow": None}):
        gen, _seconds = next(connect_steps("host=slow,slow connect_timeout=20"))
        next(gen)
        with pytest.raises(TimeoutError, match="mine"):
            gen.throw(TimeoutError("mine"))


# --- Nothing is left


@pytest.mark.runtimes("select", "gevent", "asyncio")
async def test_cut_connects_leave_nothing(db: Db, dsn: str, proxy: FaultProxy) -> None:
    await port_reached(db, proxy.dsn)
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    failures = 0
    for size in range(200):
        proxy.heal()
        proxy.cut_after(2 * size + 1, reset=bool(size % 2))
        try:
            (await connect(db, proxy.dsn)).finish()
        except OperationalError:
            failures += 1
    assert failures > 100
    await db.until(lambda: len(os.listdir("/proc/self/fd")) <= before)
    assert not [each for each in gc.get_objects() if type(each).__name__ == "PGconn" and each.pgconn_ptr]


async def test_interrupted_connects_leave_nothing(db: Db, stuck: dict[str, FaultServer]) -> None:
    for server in stuck.values():
        with pytest.raises(db.Timeout), db.timeout(0.05):
            await connect(db, make_conninfo(server.dsn, connect_timeout=20))
    gc.collect()
    assert not [each for each in gc.get_objects() if type(each).__name__ == "PGconn" and each.pgconn_ptr]


# --- Which host


@BLOCKING
@pytest.mark.parametrize("attrs", ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"])
@pytest.mark.parametrize("read_only", ["off", "on"])
async def test_target_session_attrs(
    db: Db, local: str, port: str, proxy: FaultProxy, attrs: str, read_only: str
) -> None:
    options = f"-c default_transaction_read_only={read_only}"
    conninfo = places(
        local, REFUSED, port, proxy.port, target_session_attrs=attrs, options=options, connect_timeout=20
    )
    fits = {"read-write": read_only == "off", "read-only": read_only == "on", "standby": False}
    if fits.get(attrs, True):
        assert await port_reached(db, conninfo) == port
    else:
        assert f"port {proxy.port} failed: s" in str(await error_of(db, conninfo))


@BLOCKING
async def test_a_standby_is_preferred_to_what_came_first(db: Db, local: str, port: str) -> None:
    with Scripted(standby) as server:
        conninfo = places(local, port, server.port, target_session_attrs="prefer-standby")
        with closing_conn(await connect(db, conninfo)) as conn:
            assert conn.port.decode() == str(server.port)


@BLOCKING
async def test_hosts_in_random_order(db: Db, local: str, port: str, proxy: FaultProxy) -> None:
    both = places(local, port, proxy.port, load_balance_hosts="random", connect_timeout=20)
    assert {await port_reached(db, both) for _ in range(30)} == {port, str(proxy.port)}


@BLOCKING
async def test_a_servers_no_is_final(db: Db, local: str, port: str, proxy: FaultProxy) -> None:
    error = await error_of(db, places(local, port, proxy.port, user="nobody"))
    assert isinstance(error, InvalidAuthorizationSpecification)
    assert error.sqlstate == "28000"
    assert not error.safe_to_retry
    assert str(error) == (
        f'connection to server at "127.0.0.1", port {port} failed: FATAL:  role "nobody" does not exist'
    )


@BLOCKING
@pytest.mark.parametrize(
    ("state", "safe"), [("57P03", True), ("53300", True), ("57P01", None), ("XX000", False)]
)
async def test_a_server_in_trouble_is_not_the_last(
    db: Db, local: str, port: str, state: str, safe: bool | None
) -> None:
    with Scripted(lambda talk: talk.fail(state)) as server:
        assert await port_reached(db, places(local, server.port, port, connect_timeout=20)) == port
        error = await error_of(db, places(local, server.port))
    assert error.sqlstate == state
    assert isinstance(error, OperationalError)
    assert str(error).endswith("failed: FATAL:  not now\nHINT:  later")
    if safe is not None:
        assert error.safe_to_retry == safe


# --- Addresses of one name


async def test_the_second_address_is_tried_while_the_first_says_nothing(
    db: Db, local: str, stuck: dict[str, FaultServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    port = stuck["dropped"].port  # 127.0.0.1 takes no SYN
    with Scripted(trusting, "127.0.0.2", port) as server:
        names: dict[bytes, list[str] | None] = {b"both": ["127.0.0.1", "127.0.0.2"]}
        with resolver(monkeypatch, names):
            began = time.monotonic()
            conn = await connect(db, f"host=both port={server.port} user=me connect_timeout=20")
            seconds = time.monotonic() - began
    with closing_conn(conn):
        assert (conn.host, conn.hostaddr) == (b"both", b"127.0.0.2")
    assert race.HEAD_START <= seconds < 15


async def test_the_second_address_is_tried_at_once_where_the_first_refuses(
    db: Db, local: str, port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(race, "HEAD_START", 20)
    names: dict[bytes, list[str] | None] = {b"both": ["127.0.0.3", "::1", "127.0.0.1", "127.0.0.4"]}
    with resolver(monkeypatch, names), Scripted(trusting, "127.0.0.1") as server:
        began = time.monotonic()
        conn = await connect(db, f"host=both port={server.port} user=me connect_timeout=20")
    with closing_conn(conn):
        assert conn.hostaddr == b"127.0.0.1"
    assert time.monotonic() - began < 15


@BLOCKING
async def test_all_addresses_refuse(db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    with resolver(monkeypatch, {b"both": ["127.0.0.3", "127.0.0.4"]}):
        error = await error_of(db, f"host=both port={REFUSED} user=me connect_timeout=20")
    assert error.safe_to_retry
    for address in ("127.0.0.3", "127.0.0.4"):
        assert f'"both" ({address}), port 1 failed: Connection refused' in str(error)


@BLOCKING
async def test_one_by_one_without_an_epoll(db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(race._select, "epoll")
    names: dict[bytes, list[str] | None] = {b"both": ["127.0.0.3", "127.0.0.1"]}
    with resolver(monkeypatch, names), Scripted(trusting, "127.0.0.1") as server:
        conn = await connect(db, f"host=both port={server.port} user=me")
    with closing_conn(conn):
        assert conn.hostaddr == b"127.0.0.1"


# --- Conninfo


FORMS = {
    "a name": "host=localhost port={port} {who}",
    "names and addresses": "host=a.invalid,b.invalid hostaddr=127.0.0.9,127.0.0.1 port=1,{port} {who}",
    "an address for some": "host=a.invalid,localhost hostaddr=127.0.0.9, port=1,{port} {who}",
    "one port for two": "host=127.0.0.9,localhost port={port} {who}",
    "address alone": "hostaddr=127.0.0.1 port={port} {who}",
    "URI": "postgresql://{user}@localhost:{port}/{dbname}?application_name=a%20b&connect_timeout=3",
    "URI of two": "postgres://{user}@127.0.0.1:1,localhost:{port}/{dbname}",
    "socket": "host={folder} port={port} {who}",
    "socket after a name": "host=localhost,{folder} port=1,{port} {who}",
    "no timeout": "host=localhost port={port} {who} connect_timeout=0",
    "service": "service=ours {who}",
    "environment": "{who}",
}


@BLOCKING
@pytest.mark.parametrize("form", FORMS)
async def test_every_form_of_conninfo(
    db: Db, dsn: str, port: str, form: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    options = conninfo_to_dict(dsn)
    [(folders,)] = db.sql("show unix_socket_directories")
    who = f"user={options['user']} dbname={options['dbname']} password='se cret'"
    (tmp_path / "services").write_text(f"[ours]\nhost=127.0.0.9,localhost\nport=1,{port}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    monkeypatch.setenv("PGHOST", "localhost")
    monkeypatch.setenv("PGPORT", port)
    conninfo = FORMS[form].format(**{**options, "port": port}, who=who, folder=folders.split(",")[0])
    assert await port_reached(db, conninfo) == port


@BLOCKING
async def test_an_abstract_socket(db: Db) -> None:
    name = f"@greenpg-test-{os.getpid()}"
    with Scripted(trusting, f"\0{name[1:]}/.s.PGSQL.5432"):
        conn = await connect(db, f"host={name} user=me")
    with closing_conn(conn):
        assert conn.host.decode() == name


@BLOCKING
async def test_the_passfile_is_asked_by_the_hosts_name(db: Db, tmp_path: Path) -> None:
    passfile = tmp_path / "passes"
    passfile.write_text("localhost:*:*:*:of the file\n")
    passfile.chmod(0o600)
    heard: list[bytes] = []
    with Scripted(cleartext(heard)) as server:
        conninfo = f"host=localhost port={server.port} user=me passfile='{passfile}'"
        (await connect(db, conninfo)).finish()
        (await connect(db, conninfo, password="it's \\ asked")).finish()
    assert heard == [b"of the file", b"it's \\ asked"]


MISTAKES: dict[str, tuple[type[Error], str]] = {
    "nonsense": (ProgrammingError, 'missing "="'),
    "host=127.0.0.1 nonsense=1": (ProgrammingError, 'invalid connection option "nonsense"'),
    "postgresql://[::1": (ProgrammingError, "IPv6"),
    "host=a,b port=1,2,3": (OperationalError, "could not match 3 port numbers to 2 hosts"),
    "host=a hostaddr=127.0.0.1,127.0.0.2": (OperationalError, "could not match"),
    "service=nothing": (OperationalError, 'service "nothing" not found'),
    "host=127.0.0.1 port=0": (OperationalError, "invalid port number"),
    "host=127.0.0.1 sslmode=maybe": (OperationalError, 'invalid sslmode value: "maybe"'),
    "host=127.0.0.1 target_session_attrs=x": (OperationalError, "invalid target_session_attrs"),
    "host=127.0.0.1 load_balance_hosts=x": (OperationalError, "invalid load_balance_hosts"),
    "host=127.0.0.1 require_auth=x": (OperationalError, "invalid require_auth"),
    "host=127.0.0.1 connect_timeout=soon": (OperationalError, "connect_timeout is 'soon', make it a number"),
    "hostaddr=nonsense": (OperationalError, "could not parse network address"),
    "host=a..invalid": (OperationalError, 'could not translate host name "a..invalid"'),
}


@BLOCKING
@pytest.mark.parametrize("conninfo", MISTAKES)
async def test_mistakes(db: Db, conninfo: str) -> None:
    cls, words = MISTAKES[conninfo]
    error = await error_of(db, conninfo, password="se cret")
    assert type(error) is cls
    assert words in str(error)
    assert "cret" not in str(error)
    assert not error.safe_to_retry or "translate" in words


@BLOCKING
async def test_a_peer_that_is_gone_is_noticed(db: Db, local: str, port: str) -> None:
    def option(conn: PGconn, level: int, name: int) -> int:
        with socket.socket(fileno=os.dup(conn.socket)) as sock:
            return sock.getsockopt(level, name)

    tcp = socket.IPPROTO_TCP
    with closing_conn(await connect(db, places(local, port))) as conn:
        assert option(conn, socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert option(conn, tcp, socket.TCP_KEEPIDLE) == 30
        assert option(conn, tcp, socket.TCP_KEEPINTVL) == 10
        assert option(conn, tcp, socket.TCP_KEEPCNT) == 3
        assert option(conn, tcp, socket.TCP_USER_TIMEOUT) == 60_000
    own = places(local, port, keepalives_idle=7, tcp_user_timeout=8000)
    with closing_conn(await connect(db, own)) as conn:
        assert option(conn, tcp, socket.TCP_KEEPIDLE) == 7
        assert option(conn, tcp, socket.TCP_USER_TIMEOUT) == 8000
