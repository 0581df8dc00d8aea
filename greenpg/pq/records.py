"""What libpq has structs for and Python gets as tuples, and what it takes for bytes."""

from __future__ import annotations

from typing import NamedTuple

Buffer = bytes | bytearray | memoryview


class ConninfoOption(NamedTuple):
    """One connection option, as libpq knows it."""

    keyword: bytes
    envvar: bytes | None
    compiled: bytes | None
    val: bytes | None
    label: bytes
    dispchar: bytes
    dispsize: int


class PGnotify(NamedTuple):
    """A notification: the channel, the server process that notified, the payload."""

    relname: bytes
    be_pid: int
    extra: bytes
