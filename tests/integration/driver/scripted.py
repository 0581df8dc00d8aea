"""Servers of a few lines: each tells every client the same story, in a native thread of the test's process.

What a real server never says is said here; what a whole process has to say is in `tests.faults`.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import socket
import struct
import threading
from base64 import b64decode, b64encode
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self


class Talk:
    """One client's conversation with a `Scripted` server."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def startup(self) -> None:
        """Read the startup packet; encryption is declined."""
        while self.sock.recv(4096)[:8] in (b"\0\0\0\x08\x04\xd2\x16\x2f", b"\0\0\0\x08\x04\xd2\x16\x30"):
            self.sock.sendall(b"N")

    def say(self, kind: bytes, body: bytes) -> None:
        """Send a message."""
        self.sock.sendall(kind + struct.pack("!i", len(body) + 4) + body)

    def authentication(self, code: int, body: bytes = b"") -> None:
        """Send an authentication request, or 0: success."""
        self.say(b"R", struct.pack("!i", code) + body)

    def answer(self) -> bytes:
        """Read a message's body.

        :raises ConnectionError: the client has gone
        """
        message = self.sock.recv(4096)
        if not message:
            raise ConnectionError
        return message[5:]

    def fail(self, state: str, text: str = "not now") -> None:
        """Greet with an error."""
        self.startup()
        self.error(state, text)

    def error(self, state: str, text: str) -> None:
        """Send an error."""
        fields = {
            "S": "FATAL",
            "V": "FATAL",
            "C": state,
            "M": text,
            "H": "later",
            "F": "x.c",
            "L": "1",
            "R": "f",
        }
        self.say(b"E", b"".join(f"{k}{v}\0".encode() for k, v in fields.items()) + b"\0")

    def welcome(self, **parameters: str) -> None:
        """Say that the client is in."""
        self.authentication(0)
        for name, value in {"server_version": "16.0", "client_encoding": "UTF8", **parameters}.items():
            self.say(b"S", f"{name}\0{value}\0".encode())
        self.say(b"K", struct.pack("!ii", 1, 2))
        self.say(b"Z", b"I")


class Scripted:
    """A server in a native thread that has one conversation with each client."""

    def __init__(self, script: Callable[[Talk], object], address: str = "127.0.0.1", port: int = 0) -> None:
        self._script = script
        if address.startswith("\0"):
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(address)
            self._listener.listen()
        else:
            self._listener = socket.create_server((address, port))
            self.port = self._listener.getsockname()[1]
        self._talks: dict[socket.socket, threading.Thread] = {}
        self.ended = 0
        """How many clients have gone."""

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(20)
        for client, thread in self._talks.items():
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
            thread.join(20)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            self._talks[client] = thread = threading.Thread(target=self._talk, args=(client,), daemon=True)
            thread.start()

    def _talk(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            self._script(Talk(client))
            while client.recv(4096):
                pass
        self.ended += 1


def trusting(talk: Talk) -> None:
    """Let everybody in."""
    talk.startup()
    talk.welcome()


def standby(talk: Talk) -> None:
    """Let everybody in, and be a standby."""
    talk.startup()
    talk.welcome(in_hot_standby="on", default_transaction_read_only="on")


def cleartext(heard: list[bytes]) -> Callable[[Talk], None]:
    """Ask for a password in clear, and take any."""

    def script(talk: Talk) -> None:
        talk.startup()
        talk.authentication(3)
        heard.append(talk.answer().rstrip(b"\0"))
        talk.welcome()

    return script


def scram(talk: Talk, password: bytes, iterations: int = 4096, *, finish: bool = True) -> None:
    """Ask for SCRAM-SHA-256 (RFC 5802, RFC 7677).

    :param finish: whether to prove that the password is known here too, before saying that all is well
    """
    talk.startup()
    talk.authentication(10, b"SCRAM-SHA-256\0\0")
    first = talk.answer().split(b"\0", 1)[1][4:].split(b",", 2)[2]
    salt = os.urandom(16)
    nonce = first.split(b"r=")[1] + b64encode(os.urandom(9))
    server_first = b"r=%s,s=%s,i=%d" % (nonce, b64encode(salt), iterations)
    talk.authentication(11, server_first)
    final, proof = talk.answer().split(b",p=")
    message = first + b"," + server_first + b"," + final
    if finish:
        salted = hashlib.pbkdf2_hmac("sha256", password, salt, iterations)
        key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(key).digest(), message, "sha256")
        if bytes(a ^ b for a, b in zip(key, signature, strict=True)) != b64decode(proof):
            talk.error("28P01", "password authentication failed")
            return
        server_key = hmac.digest(salted, b"Server Key", "sha256")
        talk.authentication(12, b"v=" + b64encode(hmac.digest(server_key, message, "sha256")))
    talk.welcome()
