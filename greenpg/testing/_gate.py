"""One connection through the gate: what moves its bytes, and knows since when some are held."""

from __future__ import annotations

import _socket
from contextlib import suppress
from time import monotonic

from greenpg._pristine import pristine

_select = pristine("select")

_LEFT = getattr(_select, "POLLRDHUP", 0) | _select.POLLHUP | _select.POLLERR
CHUNK = 65536


def events(sock: _socket.socket, wanted: int) -> int:
    """Return which of the poll events `wanted` are there now (trouble always counts)."""
    poll = _select.poll()
    poll.register(sock, wanted)
    found = poll.poll(0)
    return int(found[0][1]) if found else 0


class Pipe:
    """A client's connection and the one to the server behind it; moves bytes only while asked to.

    The end of a stream is no byte, and passes always. A client that has left waits for nothing.
    """

    def __init__(self, client: _socket.socket, server: _socket.socket) -> None:
        self.held_since: float | None = None
        self.closed = False
        self._client = client
        self._server = server
        self._ways = (_Way(client, server), _Way(server, client))
        for sock in (client, server):
            sock.setblocking(False)

    def turn(self, is_asked: bool) -> None:
        """Move what may be moved, or note that something is held.

        :param is_asked: whether somebody waits for the client's socket
        """
        if self.closed:
            return
        is_open = is_asked or bool(events(self._client, _LEFT) & _LEFT)
        for way in self._ways:
            if is_open or way.is_at_end():
                way.move()
        if all(way.ended for way in self._ways):
            self.close()
        elif is_open or not any(way.has_bytes() for way in self._ways):
            self.held_since = None
        elif self.held_since is None:
            self.held_since = monotonic()

    def interests(self) -> dict[_socket.socket, int]:
        """Return the poll events that make the next `turn()` worth while."""
        if self.closed:
            return {}
        if self.held_since is not None:
            return {self._client: _LEFT}
        wanted: dict[_socket.socket, int] = {}
        for way in self._ways:
            for sock, event in way.interests():
                wanted[sock] = wanted.get(sock, 0) | event
        return wanted

    def close(self) -> None:
        """Cut the connection on both sides."""
        self.closed = True
        self._client.close()
        self._server.close()


class _Way:
    """One direction."""

    def __init__(self, source: _socket.socket, target: _socket.socket) -> None:
        self._source = source
        self._target = target
        self._bytes = b""
        self.ended = False

    def has_bytes(self) -> bool:
        return bool(self._bytes) or (not self.ended and bool(events(self._source, _select.POLLIN)))

    def is_at_end(self) -> bool:
        if self._bytes or self.ended or not events(self._source, _select.POLLIN):
            return False
        try:
            return not self._source.recv(1, _socket.MSG_PEEK)
        except OSError:
            return True

    def interests(self) -> list[tuple[_socket.socket, int]]:
        if self._bytes:
            return [(self._target, _select.POLLOUT)]
        return [] if self.ended else [(self._source, _select.POLLIN)]

    def move(self) -> None:
        """Move one chunk, or the end of the stream."""
        try:
            if not self._bytes and not self.ended:
                self._bytes = self._source.recv(CHUNK)
                if not self._bytes:
                    self._end()
            if self._bytes:
                self._bytes = self._bytes[self._target.send(self._bytes) :]
        except BlockingIOError:
            return
        except OSError:  # a reset, or nobody there to take it
            self._bytes = b""
            self._end()

    def _end(self) -> None:
        self.ended = True
        with suppress(OSError):
            self._target.shutdown(_socket.SHUT_WR)
