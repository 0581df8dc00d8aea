"""A server that breaks PostgreSQL's protocol on purpose, in a process of its own.

It greets as a server does, answers every statement well, and the statement `attack` with the bytes of the
scenario that the client's database name says; `startup_*` are about the greeting itself. Run as a script it
says its port and ends with its input. As a script it imports nothing of ours.

See "Message Formats" in PostgreSQL's manual: https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import socket
import struct
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

RESET = b"RESET"
"""Instead of bytes: close the connection with an RST. A scenario that just ends goes on with the protocol."""
EOF = b"EOF"
"""Instead of bytes: close the connection."""
SILENCE = b"SILENCE"
"""Instead of bytes: keep the connection open and say nothing."""


def message(kind: bytes, body: bytes = b"", *, length: int | None = None) -> bytes:
    """Return a message of the protocol, with a length that may be a lie."""
    return kind + struct.pack("!i", len(body) + 4 if length is None else length) + body


def columns(*names: bytes, oid: int = 23, fmt: int = 0) -> bytes:
    """Return a RowDescription."""
    parts = (name + b"\0" + struct.pack("!ihIhih", 0, 0, oid, 4, -1, fmt) for name in names)
    return message(b"T", struct.pack("!h", len(names)) + b"".join(parts))


def row(*values: bytes | None) -> bytes:
    """Return a DataRow."""
    parts = (struct.pack("!i", -1) if v is None else struct.pack("!i", len(v)) + v for v in values)
    return message(b"D", struct.pack("!h", len(values)) + b"".join(parts))


def report(kind: bytes, **fields: bytes) -> bytes:
    """Return an ErrorResponse or a NoticeResponse; the fields' names are the protocol's letters."""
    body = b"".join(name.encode() + value + b"\0" for name, value in fields.items())
    return message(kind, body + b"\0")


def parameter(name: bytes, value: bytes) -> bytes:
    """Return a ParameterStatus."""
    return message(b"S", name + b"\0" + value + b"\0")


def authentication(number: int, data: bytes = b"") -> bytes:
    """Return an Authentication request."""
    return message(b"R", struct.pack("!i", number) + data)


def endless(part: bytes) -> Iterator[bytes]:
    """Yield for ever, by blocks."""
    return itertools.repeat(part * 500)


HEAD, ROW, DONE = columns(b"n"), row(b"1"), message(b"C", b"SELECT 1\0")
READY = message(b"Z", b"I")
END = DONE + READY
GOOD = HEAD + ROW + END
NOTICE = report(b"N", S=b"NOTICE", V=b"NOTICE", C=b"00000", M=b"look")
NOTIFY = message(b"A", struct.pack("!i", 7) + b"channel\0payload\0")
FATAL = report(b"E", S=b"FATAL", V=b"FATAL", C=b"57P01", M=b"terminating connection")
ERROR = report(b"E", S=b"ERROR", V=b"ERROR", C=b"22012", M=b"division by zero")
NOISE = random.Random(7).randbytes(256)

GOOD_ANSWERS: dict[str, Iterable[bytes]] = {
    "notices_in_between": [HEAD, NOTICE, ROW, NOTICE, END, NOTICE],
    "parameters_in_between": [HEAD, parameter(b"TimeZone", b"UTC"), ROW, END],
    "notifications_in_between": [NOTIFY, HEAD, NOTIFY, ROW, NOTIFY, END],
    "byte_by_byte": [bytes([byte]) for byte in GOOD],
    "key_data_again": [message(b"K", struct.pack("!ii", 1, 2)), GOOD],
    "column_without_a_name": [columns(b""), ROW, END],
    "long_column_name": [columns(b"n" * 20000), ROW, END],
    "parameter_without_a_value": [parameter(b"x", b""), GOOD],
    "big_notice": [report(b"N", S=b"NOTICE", C=b"00000", M=b"x" * 1000000), GOOD],
    "notice_without_fields": [message(b"N", b"\0"), GOOD],
    "notice_out_of_utf8": [report(b"N", S=b"NOTICE", C=b"00000", M=b"\xff\xfe"), GOOD],
}
"""Allowed, however odd: the statement returns its row, 1."""

ERRORS: dict[str, Iterable[bytes]] = {
    "error": [ERROR, READY],
    "error_after_rows": [HEAD, ROW * 100, ERROR, READY],
    "error_without_fields": [message(b"E", b"\0"), READY],
    "error_out_of_utf8": [report(b"E", S=b"ERROR", C=b"22012", M=b"\xff\xfe"), READY],
    "error_of_unknown_state": [report(b"E", S=b"ERROR", V=b"ERROR", C=b"Z!999", M=b"what"), READY],
    "error_of_short_state": [report(b"E", S=b"ERROR", V=b"ERROR", C=b"4", M=b"what"), READY],
    "big_error": [report(b"E", S=b"ERROR", C=b"22012", M=b"x" * 1000000), READY],
    "int_of_three_bytes": [columns(b"n", fmt=1), row(b"abc"), END],
    "int_of_nine_bytes": [columns(b"n", fmt=1), row(b"123456789"), END],
    "int_that_is_none": [HEAD, row(b"abc"), END],
    "text_out_of_utf8": [columns(b"n", oid=25), row(b"\xff\xfe"), END],
    "array_with_too_many_dimensions": [
        columns(b"n", oid=1007, fmt=1),
        row(struct.pack("!iii", 2**30, 0, 23)),
        END,
    ],
    "array_with_too_many_elements": [
        columns(b"n", oid=1007, fmt=1),
        row(struct.pack("!iiiii", 1, 0, 23, 2**31 - 1, 1)),
        END,
    ],
    "unknown_format": [columns(b"n", fmt=7), ROW, END],
}
"""The statement raises a `DatabaseError`; the connection stays."""

FATAL_ANSWERS: dict[str, Iterable[bytes]] = {
    "fatal_error": [FATAL, EOF],
    "fatal_error_after_rows": [HEAD, ROW * 100, FATAL, EOF],
    "end": [EOF],
    "reset": [RESET],
    "end_in_a_length": [b"T\0\0", EOF],
    "end_in_the_columns": [HEAD[:-3], EOF],
    "end_after_the_columns": [HEAD, EOF],
    "end_in_a_row": [HEAD, ROW[:-1], EOF],
    "end_after_a_row": [HEAD, ROW, EOF],
    "reset_after_a_row": [HEAD, ROW, RESET],
    "end_before_ready": [HEAD, ROW, DONE, EOF],
    "end_in_an_error": [ERROR[:-5], EOF],
    "noise": [NOISE, EOF],
    "noise_after_the_columns": [HEAD, NOISE, EOF],
    "unknown_message": [message(b"\x01", b"what"), EOF],
    "length_of_zero": [message(b"T", length=0), EOF],
    "length_of_three": [message(b"C", length=3), EOF],
    "negative_length": [message(b"D", length=-1), EOF],
    "columns_of_900_mb": [message(b"T", b"\0\1", length=900_000_000), EOF],
    "row_of_900_mb": [HEAD, message(b"D", b"\0\1", length=900_000_000), EOF],
    "error_of_900_mb": [message(b"E", b"SERROR\0", length=900_000_000), EOF],
    "value_of_900_mb": [HEAD, message(b"D", struct.pack("!hi", 1, 900_000_000) + b"1"), EOF],
    "long_short_message": [message(b"C", length=1_000_000), EOF],
}
"""The connection is lost, or cannot be understood any more: an `OperationalError`, and it is closed."""

WRONG: dict[str, Iterable[bytes]] = {
    "columns_cut_short": [message(b"T", struct.pack("!h", 1) + b"n\0\0"), ROW, END],
    "negative_count_of_columns": [message(b"T", struct.pack("!h", -1)), END],
    "too_many_columns": [message(b"T", struct.pack("!h", 1600) + HEAD[7:]), ROW, END],
    "column_name_without_end": [message(b"T", struct.pack("!h", 1) + b"nnnnnnnnnnnnnnnnnnnnnnnnn"), END],
    "more_values_than_columns": [HEAD, row(b"1", b"2"), END],
    "fewer_values_than_columns": [columns(b"a", b"b"), ROW, END],
    "negative_count_of_values": [HEAD, message(b"D", struct.pack("!h", -1)), END],
    "value_beyond_its_row": [HEAD, message(b"D", struct.pack("!hi", 1, 100) + b"1"), END],
    "row_with_more_behind": [HEAD, message(b"D", struct.pack("!hi", 1, 1) + b"1more"), END],
    "row_before_columns": [ROW, END],
    "tag_without_end": [HEAD, ROW, message(b"C", b"SELECT 1"), READY],
    "error_without_end": [message(b"E", b"SERROR"), READY],
    "notification_cut_short": [message(b"A", b"\0\0"), GOOD],
    "parameter_cut_short": [message(b"S", b"x"), GOOD],
    "authentication_again": [authentication(3), GOOD],
    "copy_in": [message(b"G", b"\0\0\1\0\0"), READY],
    "copy_out": [message(b"H", b"\0\0\1\0\0"), message(b"d", b"x\n"), message(b"c"), END],
    "copy_both": [message(b"W", b"\0\0\1\0\0"), READY],
    "negotiation": [message(b"v", struct.pack("!ii", 196608, 0)), GOOD],
    "function_result": [message(b"V", b"\xff\xff\xff\xff"), GOOD],
    "close_complete": [message(b"3"), GOOD],
    "ready_at_once": [READY],
    "unknown_status": [HEAD, ROW, DONE, message(b"Z", b"?")],
}
"""Wrong, and libpq says what: a DB-API error or the right row, then a connection that works or is closed."""

ENDLESS: dict[str, Callable[[], Iterable[bytes]]] = {
    "silence": lambda: [SILENCE],
    "silence_in_a_length": lambda: [b"T\0\0", SILENCE],
    "silence_in_a_row_of_900_mb": lambda: [HEAD, message(b"D", b"\0\1", length=900_000_000), SILENCE],
    "silence_before_ready": lambda: [HEAD, ROW, DONE, SILENCE],
    "ready_too_short": lambda: [HEAD, ROW, DONE, message(b"Z"), SILENCE],  # libpq waits for the rest
    "endless_notices": lambda: endless(NOTICE),
    "endless_parameters": lambda: endless(parameter(b"application_name", b"x")),
    "endless_notifications": lambda: endless(NOTIFY),
    "endless_results": lambda: endless(HEAD + ROW + DONE),
}
"""Never an end: only an interruption or a timeout ends the statement."""

STARTUPS: dict[str, Callable[[], Iterable[bytes]]] = {
    "startup_end": lambda: [EOF],
    "startup_reset": lambda: [RESET],
    "startup_noise": lambda: [NOISE, EOF],
    "startup_old_error": lambda: [b"Ewhat is this\n\0", EOF],
    "startup_http": lambda: [b"HTTP/1.1 400 Bad Request\r\n\r\n", EOF],
    "startup_huge": lambda: [message(b"R", b"\0\0\0\0", length=900_000_000), EOF],
    "startup_unknown_authentication": lambda: [authentication(99), EOF],
    "startup_unknown_mechanism": lambda: [authentication(10, b"SCRAM-MD4\0\0"), EOF],
    "startup_error": lambda: [report(b"E", S=b"FATAL", V=b"FATAL", C=b"28P01", M=b"no"), EOF],
    "startup_error_without_fields": lambda: [message(b"E", b"\0"), EOF],
    "startup_end_after_ok": lambda: [authentication(0), EOF],
    "startup_unasked_ready": lambda: [READY, EOF],
    "startup_continue_unasked": lambda: [authentication(11, b"r=x,s=eA==,i=1"), EOF],
}
"""The connect raises an `OperationalError`."""

SCENARIOS: dict[str, Callable[[], Iterable[bytes]]] = {
    name: (lambda answer=answer: answer)
    for table in (GOOD_ANSWERS, ERRORS, FATAL_ANSWERS, WRONG)
    for name, answer in table.items()
} | ENDLESS


class Goodbye(Exception):
    """The conversation is over."""


class Session:
    """One client's conversation."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._statements: dict[bytes, bytes] = {}
        self._bound = b""
        self._attacked = False

    def serve(self) -> None:
        """Talk until one of the two has had enough."""
        scenario = self._startup()
        if scenario in STARTUPS:
            self._play(STARTUPS[scenario]())
            return
        self._greet()
        self._attack = SCENARIOS.get(scenario, lambda: [GOOD])
        while True:
            kind, body = self._message()
            if kind == b"X":
                return
            answer = getattr(self, f"_on_{kind.decode()}", None)
            if answer is not None:
                answer(body)

    def _on_Q(self, body: bytes) -> None:
        self._execute(body[:-1])
        self._on_S(b"")

    def _on_P(self, body: bytes) -> None:
        name, query, _ = body.split(b"\0", 2)
        self._statements[name] = query
        self._sock.sendall(message(b"1"))

    def _on_B(self, body: bytes) -> None:
        self._bound = self._statements[body.split(b"\0", 2)[1]]
        self._sock.sendall(message(b"2"))

    def _on_D(self, body: bytes) -> None:
        if body[:1] == b"S":
            self._sock.sendall(message(b"t", b"\0\0") + HEAD)

    def _on_E(self, body: bytes) -> None:
        self._execute(self._bound)

    def _on_S(self, body: bytes) -> None:
        if not self._attacked:
            self._sock.sendall(READY)
        self._attacked = False

    def _execute(self, query: bytes) -> None:
        word = query.split()[0].upper() if query.split() else b""
        if query == b"attack":
            self._attacked = True
            self._play(self._attack())
        elif word == b"SELECT":
            self._sock.sendall(HEAD + ROW + DONE)
        else:
            self._sock.sendall(message(b"C", word + b"\0"))

    def _play(self, script: Iterable[bytes]) -> None:
        for part in script:
            if part == SILENCE:
                while self._sock.recv(65536):
                    pass
            if part == RESET:
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if part in (SILENCE, RESET, EOF):
                raise Goodbye
            self._sock.sendall(part)

    def _startup(self) -> str:
        """Read the startup packet, and return the name of the database."""
        while True:
            (size,) = struct.unpack("!i", self._exactly(4))
            body = self._exactly(size - 4)
            (code,) = struct.unpack("!i", body[:4])
            if code >> 16 == 3:
                break
            if code & 0xFFFF == 5678:  # to cancel: an end is the answer
                raise Goodbye
            self._sock.sendall(b"N")
        words = body[4:].split(b"\0")
        return dict(zip(words[::2], words[1::2], strict=False))[b"database"].decode()

    def _greet(self) -> None:
        settings = {
            b"server_version": b"16.0",
            b"server_encoding": b"UTF8",
            b"client_encoding": b"UTF8",
            b"DateStyle": b"ISO, MDY",
            b"IntervalStyle": b"postgres",
            b"TimeZone": b"UTC",
            b"integer_datetimes": b"on",
            b"standard_conforming_strings": b"on",
        }
        parts = [parameter(name, value) for name, value in settings.items()]
        key = message(b"K", struct.pack("!ii", 4711, 815))
        self._sock.sendall(authentication(0) + b"".join(parts) + key + READY)

    def _message(self) -> tuple[bytes, bytes]:
        kind, size = struct.unpack("!ci", self._exactly(5))
        return kind, self._exactly(size - 4)

    def _exactly(self, size: int) -> bytes:
        received = b""
        while len(received) < size:
            piece = self._sock.recv(size - len(received))
            if not piece:
                raise Goodbye
            received += piece
        return received


def serve(sock: socket.socket) -> None:
    """Be one client's server, in a thread of its own."""
    with sock, contextlib.suppress(Goodbye, OSError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Session(sock).serve()


def main() -> None:
    """Accept clients until the input ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(json.dumps(listener.getsockname()[1]), flush=True)

    def accept() -> None:
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
