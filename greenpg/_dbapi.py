"""What PEP 249 asks of a driver's module beside connections and errors: type objects and constructors.

See PEP 249, "Type Objects and Constructors": https://peps.python.org/pep-0249/#type-objects-and-constructors
"""

from __future__ import annotations

from datetime import date as Date
from datetime import datetime as Timestamp
from datetime import time as Time

__all__ = [
    "BINARY", "DATETIME", "NUMBER", "ROWID", "STRING", "Binary", "Date", "DateFromTicks", "Time",
    "TimeFromTicks", "Timestamp", "TimestampFromTicks",
]  # fmt: skip


class TypeObject:
    """A group of types: equal to the `type_code` of a column that belongs to it."""

    def __init__(self, name: str, *oids: int) -> None:
        self.name = name
        self._oids = frozenset(oids)

    def __repr__(self) -> str:
        return f"<greenpg.{self.name}>"

    def __eq__(self, other: object) -> bool:
        return other in self._oids if isinstance(other, int) else self is other

    def __hash__(self) -> int:
        return hash(self.name)


# The OIDs of pg_type.dat, which never change.
BINARY = TypeObject("BINARY", 17)
DATETIME = TypeObject("DATETIME", 1082, 1083, 1114, 1184, 1186, 1266)
NUMBER = TypeObject("NUMBER", 20, 21, 23, 26, 700, 701, 1700)
ROWID = TypeObject("ROWID", 26)
STRING = TypeObject("STRING", 18, 19, 25, 1042, 1043)


class Binary(bytes):
    """Bytes for a `bytea`; `bytes` itself does as well."""

    __slots__ = ()


def DateFromTicks(ticks: float) -> Date:
    """Return the local date of a time in seconds since 1970."""
    return TimestampFromTicks(ticks).date()


def TimeFromTicks(ticks: float) -> Time:
    """Return the local time of day of a time in seconds since 1970."""
    return TimestampFromTicks(ticks).time()


def TimestampFromTicks(ticks: float) -> Timestamp:
    """Return the local time, with its zone, of a time in seconds since 1970."""
    return Timestamp.fromtimestamp(ticks).astimezone()
