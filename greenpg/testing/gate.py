"""Proves that code is green, without a stopwatch: a proxy that moves bytes only while somebody asks.

Between a client and its server, bytes of a connection move only during a call of the wait callback
for that connection's socket. Code that blocks without asking gets none: it is stuck, found by
its bytes being held, named by file and line, and let go by closing its connection.

The idea is the TcpGateScheduler of ruby-pg's tests.
"""

from __future__ import annotations

import _socket
import os
import sys
import traceback
from contextlib import contextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

from greenpg._pristine import pristine
from greenpg.testing._gate import Pipe, events
from greenpg.waiters import current_async, get_wait_callback

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from greenpg.abc import Ready, Wait, WaitCallback

_select = pristine("select")
_thread = pristine("_thread")

LIMIT = 5.0


class Gate:
    """A proxy in front of `server`, with a wait callback that opens it::

        with Gate(("127.0.0.1", 5432)) as gate, using(gate.wait):
            connect(host=gate.host, port=gate.port)

    Each wait opens it for the connection of its file descriptor alone, so another's wait hides nothing.
    """

    def __init__(
        self, server: tuple[str, int] | str, wait: WaitCallback | None = None, *, limit: float = LIMIT
    ) -> None:
        """Begin to listen.

        :param server: host and port, or the path of a Unix-domain socket
        :param wait: the callback that does the waiting; by default the one in force
        :param limit: seconds for which bytes may be held before their receiver counts as blocked
        """
        self.blocked: list[str] = []
        """What was found blocked: file, line and stack."""
        self._server = server
        self._inner = get_wait_callback() if wait is None else wait
        self._limit = limit
        self._pipes: dict[Any, Pipe] = {}
        self._asked: list[Any] = []  # whose waits are under way; a connection may come to be known meanwhile
        self._lock = _thread.allocate_lock()  # held for a moment only, never while waiting
        self._ended = _thread.allocate_lock()
        self._closing = False
        self._creator = _thread.get_ident()
        self._bell, self._bell_push = _socket.socketpair()
        self._bell_push.setblocking(False)
        self._listener = _listen()
        self.host, self.port = self._listener.getsockname()
        self._ended.acquire()
        _thread.start_new_thread(self._run, ())

    def wait(self, fd: int, need: Wait, timeout: float | None, /) -> Ready:
        """Wait through the inner callback, with the gate open for the connection of `fd`."""
        with self._open(fd):
            return self._inner(fd, need, timeout)

    async def async_wait(self, fd: int, need: Wait, timeout: float | None, /) -> Ready:
        """Async `wait()`, through the callback of the running loop."""
        with self._open(fd):
            return await current_async()(fd, need, timeout)

    def close(self) -> None:
        """Cut all connections and stop."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
        self._ring()
        self._ended.acquire()

    def __enter__(self) -> Gate:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Close it.

        :raise AssertionError: something was blocked
        """
        self.close()
        if self.blocked:
            raise AssertionError("\n".join(self.blocked)) from error

    @contextmanager
    def _open(self, fd: int) -> Iterator[None]:
        name = _own_name(fd)
        with self._lock:
            self._asked.append(name)
            if not self._closing:
                self._accept()
                if name in self._pipes:
                    self._pipes[name].turn(is_asked=True)  # at once, for the wait may be a mere poll
        self._ring()
        try:
            yield
        finally:
            with self._lock:
                self._asked.remove(name)

    def _ring(self) -> None:
        with suppress(OSError):  # full: it rings already; closed: nobody is left to hear it
            self._bell_push.send(b"!")

    def _run(self) -> None:
        """Move bytes and look after those that are held, in a native thread."""
        while not self._closing:
            self._sleep()
            with self._lock:
                self._accept()
                self._turn()
        with self._lock:
            for sock in (self._listener, self._bell, self._bell_push):
                sock.close()
            for pipe in self._pipes.values():
                pipe.close()
        self._ended.release()

    def _sleep(self) -> None:
        poll = _select.poll()
        with self._lock:
            poll.register(self._bell, _select.POLLIN)
            poll.register(self._listener, _select.POLLIN)
            for pipe in self._pipes.values():
                for sock, wanted in pipe.interests().items():
                    poll.register(sock, wanted)
            held = [pipe.held_since for pipe in self._pipes.values() if pipe.held_since is not None]
        timeout = max(min(held) + self._limit - monotonic(), 0.0) * 1000 if held else None
        poll.poll(timeout)
        if events(self._bell, _select.POLLIN):
            self._bell.recv(4096)

    def _accept(self) -> None:
        while events(self._listener, _select.POLLIN):
            fd, name = self._listener._accept()  # type: ignore[attr-defined]
            client = _socket.socket(fileno=fd)
            try:
                self._pipes[name] = Pipe(client, _connect(self._server))
            except OSError:  # the client sees a server that hangs up
                client.close()

    def _turn(self) -> None:
        for name, pipe in list(self._pipes.items()):
            pipe.turn(is_asked=name in self._asked)
            if pipe.held_since is not None and monotonic() - pipe.held_since >= self._limit:
                self.blocked.append(_report(self._limit, self._creator))
                pipe.close()
            if pipe.closed:
                del self._pipes[name]


def _listen() -> _socket.socket:
    listener = _socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    return listener


def _connect(server: tuple[str, int] | str) -> _socket.socket:
    if isinstance(server, str):
        return _connected(_socket.socket(_socket.AF_UNIX), server)
    family, kind, protocol, _, address = _socket.getaddrinfo(*server, type=_socket.SOCK_STREAM)[0]
    return _connected(_socket.socket(family, kind, protocol), address)


def _connected(sock: _socket.socket, address: Any) -> _socket.socket:
    try:
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    return sock


def _own_name(fd: int) -> object:
    """Return the address of the socket `fd`, or `None` if it is something else."""
    own = os.dup(fd)
    try:
        sock = _socket.socket(fileno=own)
    except OSError:
        os.close(own)
        return None
    try:
        return sock.getsockname()
    finally:
        sock.close()


def _report(limit: float, creator: int) -> str:
    """Say where every thread is but this one, the gate's creator first."""
    frames = sys._current_frames()
    frames.pop(_thread.get_ident(), None)
    idents = sorted(frames, key=lambda ident: ident != creator)
    stacks = [traceback.extract_stack(frames[ident]) for ident in idents]
    lines = [f"bytes were held for {limit} s and nobody asked the wait callback for them; blocked at\n"]
    lines += [f"  {stack[-1].filename}:{stack[-1].lineno} in {stack[-1].name}\n" for stack in stacks]
    for stack in stacks:
        lines += ["stack:\n", *stack.format()]
    return "".join(lines)
