"""The gate: who asks gets bytes, who blocks is caught and named."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from greenpg.abc import Ready, Wait
from greenpg.testing import Gate
from greenpg.waiters import get_wait_callback, select, using

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Server:
    """Answers each chunk in capitals, in threads of its own, and keeps what it has received."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.received = b""
        self.left = threading.Event()
        self.address = listener.getsockname()

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        with connection:
            while chunk := connection.recv(65536):
                self.received += chunk
                if chunk.startswith(b"bye"):
                    break
                connection.sendall(chunk.upper())
        self.left.set()


@contextmanager
def serving(listener: socket.socket) -> Iterator[Server]:
    server = Server(listener)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)  # ends accept()
        thread.join()
        listener.close()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(socket.create_server(("127.0.0.1", 0))) as server:
        yield server


def connect(gate: Gate) -> socket.socket:
    return socket.create_connection((gate.host, gate.port))


def meet(server: Server, code: Callable[[Gate, socket.socket], object], **options: Any) -> None:
    """Run a client's code with a gate between it and the server; bytes are held for 0.1 s at most."""
    with Gate(server.address, limit=0.1, **options) as gate, connect(gate) as client:
        code(gate, client)


def receive(gate: Gate, client: socket.socket, size: int) -> bytes:
    """Receive as a green client does, who asks first."""
    client.setblocking(False)
    received = b""
    while len(received) < size:
        assert gate.wait(client.fileno(), Wait.R, 5) == Ready.R
        received += client.recv(65536)
    return received


def test_a_client_that_asks_gets_its_answers(server: Server) -> None:
    with Gate(server.address) as gate, connect(gate) as client:
        for word in (b"one", b"two"):
            client.send(word)
            assert receive(gate, client, 3) == word.upper()


def test_much_goes_through_in_both_directions(server: Server) -> None:
    size = 3_000_000
    with Gate(server.address) as gate, connect(gate) as client:
        client.setblocking(False)
        sent = received = 0
        while received < size:
            ready = gate.wait(client.fileno(), Wait.RW if sent < size else Wait.R, 5)
            if ready & Wait.W:
                sent += client.send(b"x" * min(size - sent, 100_000))
            if ready & Wait.R:
                received += len(client.recv(100_000))


def test_the_server_may_listen_on_a_unix_socket(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.listen()
        with serving(listener) as server, Gate(server.address) as gate, connect(gate) as client:
            client.send(b"one")
            assert receive(gate, client, 3) == b"ONE"


def test_one_that_blocks_is_named_and_let_go(server: Server) -> None:
    def blocks(gate: Gate, client: socket.socket) -> None:
        client.send(b"one")
        client.recv(3)

    with pytest.raises(AssertionError, match="nobody asked the wait callback") as caught:
        meet(server, blocks)
    line = blocks.__code__.co_firstlineno + 2
    assert str(caught.value).splitlines()[1] == f"  {__file__}:{line} in blocks"
    assert isinstance(caught.value.__cause__, OSError)
    assert server.received == b""


def test_the_waits_of_another_do_not_hide_it(server: Server) -> None:
    def blocks(gate: Gate, client: socket.socket) -> None:
        with connect(gate) as quiet:
            asks = threading.Thread(target=gate.wait, args=(quiet.fileno(), Wait.R, 10))
            asks.start()
            try:
                client.send(b"one")
                client.recv(3)
            finally:
                quiet.shutdown(socket.SHUT_RDWR)
                asks.join()

    with pytest.raises(AssertionError, match="nobody asked the wait callback"):
        meet(server, blocks)


def test_asking_only_before_sending_is_not_enough(server: Server) -> None:
    def blocks(gate: Gate, client: socket.socket) -> None:
        gate.wait(client.fileno(), Wait.W, None)
        client.send(b"one")
        client.recv(3)

    with pytest.raises(AssertionError, match="nobody asked the wait callback"):
        meet(server, blocks)


def test_one_that_polls_gets_bytes_too(server: Server) -> None:
    with Gate(server.address) as gate, connect(gate) as client:
        client.send(b"one")
        while not gate.wait(client.fileno(), Wait.R, 0):
            pass
        assert client.recv(3) == b"ONE"


def test_one_that_is_connected_only_while_it_asks(server: Server) -> None:
    """As where the kernel is slow to pass on that a connection is there."""

    def connecting(fd: int, need: Wait, timeout: float | None, /) -> Ready:
        client.connect((gate.host, gate.port))
        client.send(b"one")
        return select.wait(fd, need, timeout)

    with socket.socket() as client, Gate(server.address, connecting) as gate:
        client.bind(("127.0.0.1", 0))
        assert gate.wait(client.fileno(), Wait.R, 10) == Ready.R
        assert client.recv(3) == b"ONE"


def test_last_words_of_one_that_leaves_are_passed_on(server: Server) -> None:
    with Gate(server.address) as gate:
        with connect(gate) as client:
            client.send(b"bye")
        assert server.left.wait(5)
    assert server.received == b"bye"


def test_the_end_of_a_stream_is_passed_on_unasked(server: Server) -> None:
    with Gate(server.address) as gate, connect(gate) as client:
        client.send(b"bye")
        gate.wait(client.fileno(), Wait.R, 5)
        client.setblocking(True)
        client.settimeout(5)
        assert client.recv(1) == b""


def test_a_server_that_is_not_there_is_a_server_that_hangs_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        address = nobody.getsockname()
    with Gate(address) as gate, connect(gate) as client:
        client.settimeout(5)
        assert client.recv(1) == b""


def test_what_is_no_connection_of_its_own_is_waited_for_all_the_same(server: Server, tmp_path: Path) -> None:
    one, other = socket.socketpair()
    with Gate(server.address) as gate, one, other, open(tmp_path / "file", "wb") as file:
        other.send(b"x")
        assert gate.wait(one.fileno(), Wait.R, None) == Ready.R
        assert gate.wait(file.fileno(), Wait.W, None) == Ready.W


def test_it_waits_through_the_callback_in_force_or_the_one_given(server: Server) -> None:
    asked: list[str] = []

    def named(name: str) -> Callable[..., Any]:
        def wait(fd: int, need: Wait, timeout: float | None, /) -> Any:
            asked.append(name)
            return select.wait(fd, need, timeout)

        return wait

    def ask(gate: Gate, client: socket.socket) -> None:
        with using(gate.wait):
            get_wait_callback()(client.fileno(), Wait.W, None)

    with using(named("in force")):
        meet(server, ask)
    meet(server, ask, wait=named("given"))
    assert asked == ["in force", "given"]


def test_what_a_wait_raises_closes_the_gate(server: Server) -> None:
    def interrupted(fd: int, need: Wait, timeout: float | None, /) -> Any:
        raise KeyboardInterrupt

    def blocks(gate: Gate, client: socket.socket) -> None:
        with pytest.raises(KeyboardInterrupt):
            gate.wait(client.fileno(), Wait.R, None)
        client.send(b"one")
        client.recv(3)

    with pytest.raises(AssertionError, match="nobody asked the wait callback"):
        meet(server, blocks, wait=interrupted)


def test_closing_twice_is_closing_once(server: Server) -> None:
    gate = Gate(server.address)
    gate.close()
    gate.close()
    one, other = socket.socketpair()
    with one, other:
        assert gate.wait(one.fileno(), Wait.W, None) == Ready.W  # a plain wait from then on


def test_asyncio_asks_in_its_own_colour(server: Server) -> None:
    async def talk(gate: Gate, client: socket.socket) -> bytes:
        client.send(b"one")
        await gate.async_wait(client.fileno(), Wait.R, 5)
        return client.recv(3)

    with Gate(server.address) as gate, connect(gate) as client:
        assert asyncio.run(talk(gate, client)) == b"ONE"


PATCHED = """
    {patch}
    import _socket, sys, threading
    from greenpg.abc import Wait
    from greenpg.testing import Gate
    from greenpg.waiters import get_wait_callback
    from greenpg._pristine import pristine

    listener = _socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()

    def serve():
        connection = _socket.socket(fileno=listener._accept()[0])
        while chunk := connection.recv(100):
            connection.send(chunk.upper())

    pristine("_thread").start_new_thread(serve, ())
    client = _socket.socket()
    try:
        with Gate(listener.getsockname(), limit=0.2) as gate:
            client.connect((gate.host, gate.port))
            client.send(b"one")
            gate.wait(client.fileno(), Wait.R, 5)
            print(get_wait_callback().__module__, client.recv(3))
            client.send(b"two")
            client.recv(3)
    except AssertionError as caught:
        print(str(caught).splitlines()[1])
"""


@pytest.mark.parametrize(
    ("name", "patch"),
    [
        ("gevent", "import gevent.monkey; gevent.monkey.patch_all()"),
        ("eventlet", "import eventlet; eventlet.monkey_patch()"),
    ],
)
def test_a_blocked_hub_is_caught(name: str, patch: str, run_python: Callable[..., Any]) -> None:
    ran = run_python(PATCHED.format(patch=patch), env={"GREENPG_WAITER": ""})
    assert ran.stdout.splitlines() == [f"greenpg.waiters.{name} b'ONE'", "  <string>:27 in <module>"]
