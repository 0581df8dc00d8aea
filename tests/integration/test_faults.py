"""The faults themselves, seen from plain sockets and from a plain psycopg2."""

from __future__ import annotations

import select
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, get_args

import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from tests.faults import STUCK_CONNECTS, FaultProxy, FaultServer, Kind, hostile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults import Direction

LIMIT = 10.0
STARTUP = struct.pack("!ii", 23, 196608) + b"user\0postgres\0\0"


@pytest.fixture
def far() -> Iterator[socket.socket]:
    """A listening socket for the proxy to lead to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(LIMIT)
        yield listener


def exactly(sock: socket.socket, size: int) -> bytes:
    """Receive `size` bytes, less at the end."""
    received = b""
    while len(received) < size and (piece := sock.recv(size - len(received))):
        received += piece
    return received


class Ends:
    """Both ends of one connection through a proxy."""

    def __init__(self, proxy: FaultProxy, far: socket.socket) -> None:
        self.client = socket.create_connection((proxy.host, proxy.port), LIMIT)
        self.server, _ = far.accept()
        self.server.settimeout(LIMIT)

    def send(self, direction: Direction, data: bytes) -> None:
        """Send into the proxy."""
        (self.client if direction == "up" else self.server).sendall(data)

    def recv(self, direction: Direction, size: int) -> bytes:
        """Receive `size` bytes from the proxy, less at the end."""
        return exactly(self.server if direction == "up" else self.client, size)

    def quiet(self, direction: Direction, seconds: float = 0.05) -> bool:
        """Tell whether nothing comes out."""
        return not select.select([self.server if direction == "up" else self.client], [], [], seconds)[0]

    def close(self) -> None:
        """Close both."""
        self.client.close()
        self.server.close()


@pytest.fixture
def proxy(far: socket.socket) -> Iterator[FaultProxy]:
    """A proxy in front of `far`."""
    with FaultProxy(make_dsn(host="127.0.0.1", port=far.getsockname()[1])) as proxy:
        yield proxy


@pytest.fixture
def ends(proxy: FaultProxy, far: socket.socket) -> Iterator[Ends]:
    """A connection through the proxy."""
    ends = Ends(proxy, far)
    yield ends
    ends.close()


BOTH: tuple[Direction, ...] = ("up", "down")
both = pytest.mark.parametrize("direction", BOTH)


@both
def test_passes_everything(ends: Ends, direction: Direction) -> None:
    ends.send(direction, bytes(range(256)) * 100)
    assert ends.recv(direction, 25600) == bytes(range(256)) * 100


def test_passes_the_end_on_and_goes_on_the_other_way(ends: Ends, proxy: FaultProxy) -> None:
    ends.client.shutdown(socket.SHUT_WR)
    assert ends.recv("up", 1) == b""
    ends.send("down", b"late")
    assert ends.recv("down", 4) == b"late"
    assert proxy.links == 1
    ends.server.close()
    assert ends.recv("down", 1) == b""


@both
def test_black_hole_keeps_open_and_heals(ends: Ends, proxy: FaultProxy, direction: Direction) -> None:
    proxy.black_hole(direction)
    ends.send(direction, b"held")
    assert ends.quiet(direction)
    proxy.heal()
    assert ends.recv(direction, 4) == b"held"


def test_black_hole_of_one_direction_leaves_the_other(ends: Ends, proxy: FaultProxy) -> None:
    proxy.black_hole("down")
    ends.send("up", b"up")
    assert ends.recv("up", 2) == b"up"


@both
def test_cut_after_so_many_bytes(ends: Ends, proxy: FaultProxy, direction: Direction) -> None:
    ends.send(direction, b"before")
    assert ends.recv(direction, 6) == b"before"
    proxy.cut_after(10, direction)
    ends.send(direction, b"0123456789abc")
    assert ends.recv(direction, 13) == b"0123456789"
    assert ends.recv(direction, 1) == b""


def test_cut_with_fin(ends: Ends, proxy: FaultProxy) -> None:
    proxy.cut()
    assert ends.recv("down", 1) == b""
    assert ends.recv("up", 1) == b""
    assert proxy.links == 0


def test_cut_with_rst(ends: Ends, proxy: FaultProxy) -> None:
    proxy.cut(reset=True)
    with pytest.raises(ConnectionResetError):
        ends.recv("down", 1)


@both
def test_half_close(ends: Ends, proxy: FaultProxy, direction: Direction) -> None:
    proxy.half_close(direction)
    assert ends.recv(direction, 1) == b""
    ends.send(direction, b"lost")
    other: Direction = "up" if direction == "down" else "down"
    ends.send(other, b"still here")
    assert ends.recv(other, 10) == b"still here"


def test_drip(ends: Ends, proxy: FaultProxy) -> None:
    proxy.drip(0.001, size=1)
    ends.send("down", b"drop by drop")
    assert ends.recv("down", 12) == b"drop by drop"
    proxy.drip(60, size=3)
    ends.send("down", b"drop by drop")
    assert ends.recv("down", 3) == b"dro"
    assert ends.quiet("down")


def test_delay(ends: Ends, proxy: FaultProxy) -> None:
    proxy.delay(60)
    ends.send("down", b"later")
    assert ends.quiet("down")


def test_a_fault_holds_for_later_connections(proxy: FaultProxy, far: socket.socket) -> None:
    proxy.cut_after(3)
    later = Ends(proxy, far)
    later.send("down", b"0123")
    assert later.recv("down", 4) == b"012"
    later.close()


def test_nobody_behind(far: socket.socket, proxy: FaultProxy) -> None:
    far.close()
    with socket.create_connection((proxy.host, proxy.port), LIMIT) as client:
        assert client.recv(1) == b""


def one(connection: Any, sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def test_a_server_behind(dsn: str) -> None:
    with FaultProxy(dsn) as proxy:
        connection = psycopg2.connect(proxy.dsn)
        assert one(connection, "select 42") == 42
        assert len(one(connection, "select repeat('x', 1000000)")) == 1000000
        proxy.cut_after(100_000)
        with pytest.raises(psycopg2.OperationalError):
            one(connection, "select repeat('x', 1000000)")
        connection.close()


def test_tls_in_front_of_a_server(dsn: str) -> None:
    with FaultProxy(dsn, tls=True) as proxy, FaultProxy(proxy.dsn) as outer:
        root = str(proxy.root_certificate)
        connection = psycopg2.connect(outer.dsn, sslmode="verify-full", sslrootcert=root)
        assert connection.info.ssl_in_use
        assert len(one(connection, "select repeat('x', 3000000)")) == 3000000
        outer.cut()
        with pytest.raises(psycopg2.OperationalError):
            one(connection, "select 1")
        connection.close()
        plain = psycopg2.connect(outer.dsn, sslmode="disable")
        assert not plain.info.ssl_in_use
        plain.close()


def test_tls_of_another_authority(dsn: str) -> None:
    with (
        FaultProxy(dsn, tls=True) as other,
        FaultProxy(dsn, tls=True) as proxy,
        pytest.raises(psycopg2.OperationalError, match="certificate verify failed"),
    ):
        psycopg2.connect(proxy.dsn, sslmode="verify-full", sslrootcert=str(other.root_certificate))


def test_every_kind_is_listed() -> None:
    assert set(STUCK_CONNECTS) == set(get_args(Kind))


def test_no_connect_ever_ends() -> None:
    def connect(kind: Kind) -> str:
        with hostile(kind) as server, pytest.raises(psycopg2.OperationalError) as caught:
            psycopg2.connect(server.dsn, connect_timeout=2)
        return str(caught.value)

    with ThreadPoolExecutor() as threads:
        for error in threads.map(connect, STUCK_CONNECTS):
            assert "timeout expired" in error


def talk(server: FaultServer, said: bytes, size: int) -> bytes:
    """Say something to a server and return so many bytes of its answer."""
    with socket.create_connection((server.host, server.port), LIMIT) as client:
        client.sendall(said)
        return exactly(client, size)


def test_dropped_does_not_answer_the_syn() -> None:
    with hostile("dropped") as server, pytest.raises(TimeoutError):
        socket.create_connection((server.host, server.port), 0.2)


def test_tls_agrees() -> None:
    with hostile("tls") as server:
        assert talk(server, struct.pack("!ii", 8, 80877103), 1) == b"S"


def test_auth_asks_for_scram() -> None:
    with hostile("auth") as server:
        said = talk(server, STARTUP, 24)
    assert said == b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0"


def test_flood_is_valid_protocol_without_end() -> None:
    with hostile("flood") as server:
        said = talk(server, STARTUP, 1_000_000)
    assert said.startswith(b"R\0\0\0\x08\0\0\0\0S\0\0\0\x17application_name\x000\0S")


def test_ends_with_its_input() -> None:
    with hostile("silent") as server:
        address = server.host, server.port
        process = server._process
        assert process is not None
    assert process.returncode == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, LIMIT)
