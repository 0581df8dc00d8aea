"""The process behind `faults`: a TCP proxy with faults on demand, or a hostile server.

Run as a script with one JSON object as argument; says its port, then answers one JSON line on standard output
to each on standard input, and ends with its input. It is a process of its own, so that no patched or blocked
process of tests ever stops it, and it imports nothing of ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import itertools
import json
import socket
import ssl
import struct
import sys
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

HOST = "127.0.0.1"
CHUNK = 65536
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
GSS_REQUEST = struct.pack("!ii", 8, 80877104)

Direction = Literal["up", "down"]  # to the server, to the client


class Plain:
    """A TCP socket, as `Proxy` uses it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._loop = asyncio.get_running_loop()

    async def recv(self, size: int) -> bytes:
        """Return at most `size` bytes; none at the end."""
        return await self._loop.sock_recv(self._sock, size)

    async def sendall(self, data: bytes) -> None:
        """Send all of it, as fast as the other end takes it."""
        await self._loop.sock_sendall(self._sock, data)

    def finish(self) -> None:
        """Send a FIN; the other direction stays open."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)

    def close(self, *, reset: bool = False) -> None:
        """Close the socket, with a FIN or with an RST."""
        if reset:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()


class Tls(Plain):
    """The server's end of TLS over a TCP socket."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        super().__init__(sock)
        self._received, self._to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._received, self._to_send, server_side=True)
        self._sending = asyncio.Lock()

    async def handshake(self) -> None:
        """Agree on the keys."""
        await self._do(self._tls.do_handshake)

    async def recv(self, size: int) -> bytes:
        try:
            return cast("bytes", await self._do(self._tls.read, size))
        except ssl.SSLZeroReturnError:
            return b""

    async def sendall(self, data: bytes) -> None:
        await self._do(self._tls.write, data)

    def finish(self) -> None:
        with contextlib.suppress(ssl.SSLError):
            self._tls.unwrap()
        with contextlib.suppress(OSError):
            self._sock.send(self._to_send.read())
        super().finish()

    async def _do(self, operation: Callable[..., Any], *args: object) -> object:
        while True:
            result, hungry = None, False
            try:
                result = operation(*args)
            except ssl.SSLWantReadError:
                hungry = True
            async with self._sending:
                if self._to_send.pending:
                    await super().sendall(self._to_send.read())
            if not hungry:
                return result
            data = await super().recv(CHUNK)
            if not data:
                self._received.write_eof()
            self._received.write(data)


class Link:
    """One client's way through the proxy, and the task that keeps it up; to cut it is to cancel the task."""

    def __init__(self, client: Plain, server: Plain) -> None:
        self.client, self.server = client, server
        self.task = asyncio.current_task()
        self.passed: dict[Direction, int] = {"up": 0, "down": 0}
        self.ended: set[Direction] = set()
        self.reset = False
        self.is_ending = False

    def cut(self, *, reset: bool) -> None:
        """Have both ends closed; the client's with an RST if so wished."""
        assert self.task is not None
        if not self.is_ending:  # cancelled twice, it would not get to closing them
            self.is_ending, self.reset = True, reset
            self.task.cancel()

    def close(self) -> None:
        """Close both ends."""
        self.client.close(reset=self.reset)
        self.server.close()


class Proxy:
    """Passes bytes on, and every fault that may happen to them. The public methods are the commands."""

    def __init__(self, target: list[Any], certificate: str | None) -> None:
        self._target = target
        self._tls: ssl.SSLContext | None = None
        if certificate:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
        self._links: set[Link] = set()
        self._gates: dict[Direction, asyncio.Event] = {"up": asyncio.Event(), "down": asyncio.Event()}
        self._delay, self._pause, self._size = 0.0, 0.0, CHUNK
        self._limits: dict[Direction, int | None] = {"up": None, "down": None}
        self._reset = False
        self.heal()

    def heal(self) -> None:
        """Take every fault away; what a black hole held back is delivered."""
        self._delay, self._pause, self._size = 0.0, 0.0, CHUNK
        self._limits = {"up": None, "down": None}
        for gate in self._gates.values():
            gate.set()

    def delay(self, seconds: float) -> None:
        """Hold every piece back for a time."""
        self._delay = seconds

    def drip(self, seconds: float, size: int) -> None:
        """Pass `size` bytes at a time, with a pause after each."""
        self._pause, self._size = seconds, size

    def black_hole(self, directions: list[Direction]) -> None:
        """Pass nothing more and keep everything open."""
        for direction in directions:
            self._gates[direction].clear()

    async def cut(self, reset: bool) -> None:
        """Close every connection."""
        links = list(self._links)
        for link in links:
            link.cut(reset=reset)
        await asyncio.gather(*(link.task for link in links if link.task), return_exceptions=True)

    def cut_after(self, size: int, direction: Direction, reset: bool) -> None:
        """Close a connection as soon as it has passed so many bytes more."""
        self._limits[direction], self._reset = size, reset
        for link in self._links:
            link.passed[direction] = 0

    def half_close(self, direction: Direction) -> None:
        """End one direction of every connection; the other one goes on."""
        for link in self._links:
            link.ended.add(direction)
            (link.client if direction == "down" else link.server).finish()

    def links(self) -> int:
        """Count the open connections."""
        return len(self._links)

    async def serve(self, sock: socket.socket) -> None:
        """Pass on what one client and its server say to each other."""
        client, early = await self._greet(sock)
        upstream = socket.socket(socket.AF_INET if len(self._target) > 1 else socket.AF_UNIX)
        upstream.setblocking(False)
        link = Link(client, Plain(upstream))
        self._links.add(link)
        pumps: list[asyncio.Task[None]] = []
        try:
            address = tuple(self._target) if len(self._target) > 1 else self._target[0]
            await asyncio.get_running_loop().sock_connect(upstream, address)
            if early:
                await link.server.sendall(early)
            pumps.append(asyncio.create_task(self._pump(link, "up", client, link.server)))
            pumps.append(asyncio.create_task(self._pump(link, "down", link.server, client)))
            await asyncio.wait(pumps, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            link.is_ending = True
            # A socket is closed only when no task waits for it: the loop would mistake the next one for it.
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._links.discard(link)
            link.close()

    async def _greet(self, sock: socket.socket) -> tuple[Plain, bytes]:
        """Return the client, with TLS if it asks and we have a certificate, and what it has said else."""
        client = Plain(sock)
        if self._tls is None:
            return client, b""
        early = await client.recv(8)
        if early != SSL_REQUEST:
            return client, early
        await client.sendall(b"S")
        secure = Tls(sock, self._tls)
        await secure.handshake()
        return secure, b""

    async def _pump(self, link: Link, direction: Direction, source: Plain, target: Plain) -> None:
        while data := await source.recv(CHUNK):
            await asyncio.sleep(self._delay)
            while data:
                piece, data = data[: self._size], data[self._size :]
                await self._gates[direction].wait()
                if direction not in link.ended:
                    await self._pass(link, direction, piece, target)
                await asyncio.sleep(self._pause)
        await self._gates[direction].wait()
        target.finish()

    async def _pass(self, link: Link, direction: Direction, piece: bytes, target: Plain) -> None:
        """Send a piece, or what the limit leaves of it."""
        limit = self._limits[direction]
        if limit is not None:
            piece = piece[: max(limit - link.passed[direction], 0)]
        link.passed[direction] += len(piece)
        await target.sendall(piece)
        if limit is not None and link.passed[direction] >= limit:
            link.cut(reset=self._reset)


async def startup(client: Plain) -> None:
    """Read a client's startup packet; encryption is declined."""
    while (await client.recv(CHUNK))[:8] in (SSL_REQUEST, GSS_REQUEST):
        await client.sendall(b"N")


def message(kind: bytes, body: bytes) -> bytes:
    """Return a message of the protocol."""
    return kind + struct.pack("!i", len(body) + 4) + body


def endless_greeting() -> Iterator[bytes]:
    """AuthenticationOk, and then parameters for ever: valid, and never ready for a query."""
    yield message(b"R", struct.pack("!i", 0))
    for number in itertools.count():
        yield message(b"S", b"application_name\0%d\0" % number)


async def silent(client: Plain) -> None:
    """Listen and never say a word."""


async def tls(client: Plain) -> None:
    """Agree to TLS and never shake hands."""
    await client.recv(8)
    await client.sendall(b"S")


async def auth(client: Plain) -> None:
    """Ask for a SCRAM authentication and never go on with it."""
    await startup(client)
    await client.sendall(message(b"R", struct.pack("!i", 10) + b"SCRAM-SHA-256\0\0"))


async def drip(client: Plain) -> None:
    """Greet without end, one byte every 50 ms."""
    await startup(client)
    for part in endless_greeting():
        for byte in part:
            await client.sendall(bytes([byte]))
            await asyncio.sleep(0.05)


async def flood(client: Plain) -> None:
    """Greet without end, as fast as the client reads."""
    await startup(client)
    greeting = endless_greeting()
    while True:
        await client.sendall(b"".join(itertools.islice(greeting, 1000)))


HOSTILE = {"silent": silent, "tls": tls, "auth": auth, "drip": drip, "flood": flood}


async def hostile(behaviour: Callable[[Plain], Awaitable[None]], sock: socket.socket) -> None:
    """Serve one client, then keep it hanging until it goes."""
    client = Plain(sock)
    try:
        await behaviour(client)
        while await client.recv(CHUNK):
            pass
    finally:
        client.close()


async def accept(listener: socket.socket, serve: Callable[[socket.socket], Awaitable[None]]) -> None:
    """Serve every client in a task of its own."""
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    async def one(sock: socket.socket) -> None:
        with contextlib.suppress(
            OSError, ValueError
        ):  # a peer that is gone, a socket that was cut under a task
            await serve(sock)

    while True:
        client, _ = await loop.sock_accept(listener)
        client.setblocking(False)
        tasks.add(task := loop.create_task(one(client)))
        task.add_done_callback(tasks.discard)


def fill(listener: socket.socket) -> list[socket.socket]:
    """Fill the queue of a listener that accepts nobody: Linux then drops the SYN of whoever comes next."""
    fillers = [socket.socket() for _ in range(4)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
    return fillers


async def obey(commands: object, stdin: asyncio.StreamReader) -> None:
    """Carry out the commands that come in, until no more can come."""
    while line := await stdin.readline():
        number, name, arguments = json.loads(line)
        result = getattr(commands, name)(**arguments)
        print(json.dumps([number, await result if inspect.isawaitable(result) else result]), flush=True)


async def main(options: dict[str, Any]) -> None:
    """Be what the options say until the input ends."""
    listener = socket.socket()
    listener.bind((HOST, 0))
    listener.listen(0 if options["kind"] == "dropped" else 128)
    listener.setblocking(False)
    proxy = Proxy(options["target"], options["certificate"]) if options["kind"] == "proxy" else None
    if options["kind"] == "dropped":
        kept: object = fill(listener)
    elif proxy is not None:
        kept = asyncio.ensure_future(accept(listener, proxy.serve))
    else:
        behaviour = HOSTILE[options["kind"]]
        kept = asyncio.ensure_future(accept(listener, lambda sock: hostile(behaviour, sock)))
    stdin = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    print(json.dumps(listener.getsockname()[1]), flush=True)
    await obey(proxy, stdin)
    del kept


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
