"""What converts one value: a `Dumper` to what the server takes, a `Loader` back from what it sends.

The names, arguments and roles are psycopg 3's, so that a class written for the one works with the other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from greenpg.errors import DataError
from greenpg.pq import Format

if TYPE_CHECKING:
    from collections.abc import Hashable

    from greenpg.pq import Buffer


class PyFormat(str, Enum):
    """The format that a placeholder asks for; the values are the placeholder's letters."""

    __module__ = "greenpg.adapt"

    AUTO = "s"
    """Whichever dumper was registered last for the class."""
    TEXT = "t"
    BINARY = "b"

    @classmethod
    def from_pq(cls, format: int) -> PyFormat:
        """Return the one that stands for one of libpq's formats."""
        return cls.BINARY if format == Format.BINARY else cls.TEXT

    @property
    def as_pq(self) -> Format:
        """The format for libpq; text for `AUTO`."""
        return Format.BINARY if self is PyFormat.BINARY else Format.TEXT


class AdaptContext(Protocol):
    """Where values are converted: a connection, a cursor, a `Transformer`, an `AdaptersMap`."""

    @property
    def adapters(self) -> Any:
        """The `AdaptersMap` in force; `Any`, as the map is made of what is made in a context."""

    @property
    def connection(self) -> Any:
        """The connection, an object with a `pgconn`, or None if there is none yet."""


class Dumper(ABC):
    """Converts Python objects of one class for the server."""

    __module__ = "greenpg.adapt"

    format: Format = Format.TEXT
    """What `dump()` returns."""

    oid: int = 0
    """The PostgreSQL type of what it returns, 0 to let the server find out."""

    def __init__(self, cls: type, context: AdaptContext | None = None) -> None:
        """Make a dumper.

        :param cls: of the objects that are dumped
        :param context: where the dump is for: its encoding and other settings
        """
        self.cls = cls
        self.connection = None if context is None else context.connection

    @abstractmethod
    def dump(self, obj: Any) -> Buffer | None:
        """Return a value for the server, in `format`; None for NULL."""

    def quote(self, obj: Any) -> Buffer:
        """Return a value as an SQL literal, for composition on the client; dumpers of text only."""
        dumped = self.dump(obj)
        return b"NULL" if dumped is None else quoted(bytes(dumped), self.connection)

    def get_key(self, obj: Any, format: PyFormat) -> Hashable:
        """Return what tells apart objects of the class that need different dumpers: the class, if none do."""
        return self.cls

    def upgrade(self, obj: Any, format: PyFormat) -> Dumper:
        """Return the dumper for all objects whose `get_key()` is that of `obj`, if it is not this one."""
        return self


class Loader(ABC):
    """Converts what the server sends of one type into Python objects."""

    __module__ = "greenpg.adapt"

    format: ClassVar[Format] = Format.TEXT
    """What `load()` takes."""

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        """Make a loader.

        :param oid: of the type that is loaded
        :param context: where the values come from: its encoding and other settings
        """
        self.oid = oid
        self.connection = None if context is None else context.connection

    @abstractmethod
    def load(self, data: bytes) -> Any:
        """Return the Python object for a value in `format`; it is never asked to load NULL.

        :raises DataError: there is no such Python object, or `data` is not a value of the type. (Any other
            exception becomes a `DataError` in the `Transformer`.)
        """


def quoted(text: bytes, connection: Any = None) -> bytes:
    """Return text as an SQL literal that means the same whatever `standard_conforming_strings` is.

    :param text: in the client encoding
    :param connection: for its encoding; without one, no byte of a character may look like a quote: UTF-8
    """
    if b"\0" in text:
        raise DataError(f"cannot quote a text with a NUL, PostgreSQL has none: {shown(text)}")
    if connection is not None:
        literal: bytes = connection.pgconn.escape_literal(text)
        return literal
    text = text.replace(b"'", b"''")
    return b" E'" + text.replace(b"\\", b"\\\\") + b"'" if b"\\" in text else b"'" + text + b"'"


def shown(obj: object) -> str:
    """Return an object for a message: short, and whatever its `__repr__` does."""
    try:
        text = repr(obj)
    except Exception:
        text = object.__repr__(obj)
    return text if len(text) <= 80 else f"{text[:60]}... ({len(text)} characters)"
