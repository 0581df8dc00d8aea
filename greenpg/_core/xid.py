"""`Xid`: the name of a transaction that is committed in two phases.

PostgreSQL has one text for it. XA's three parts are packed in as psycopg and PostgreSQL's JDBC driver do, the
format in decimal and the others in base64, `1_Z3Q=_YnE=`, so that each can recover what another has prepared.

See PEP 249, "Optional Two-Phase Commit Extensions": https://peps.python.org/pep-0249/
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

_PACKED = re.compile(r"(\d+)_([^_]*)_([^_]*)", re.ASCII)
_LONGEST = 199  # bytes that PREPARE TRANSACTION takes
_FORMATS = 1 << 31
_PART = 64  # characters, by XA

Part = int | str | None


@dataclass(frozen=True)
class Xid:
    """A transaction identifier, and as a sequence its three parts.

    `prepared`, `owner` and `database` are known of those that `tpc_recover()` found.
    """

    __module__ = "greenpg"

    format_id: int | None
    """A number from 0 to 2**31 - 1; `None` if the identifier was not made of three parts."""

    gtrid: str
    """The global transaction, or the identifier as it is."""

    bqual: str | None
    """The branch; `None` if the identifier was not made of three parts."""

    prepared: dt.datetime | None = None
    owner: str | None = None
    database: str | None = None

    @classmethod
    def from_parts(cls, format_id: int, gtrid: str, bqual: str) -> Xid:
        """Make an identifier of XA's parts.

        :raises TypeError: a part is of another type
        :raises ValueError: the format is out of range, or a text longer than 64 characters or, packed,
            than PostgreSQL takes
        """
        if isinstance(format_id, bool) or not isinstance(format_id, int):
            raise TypeError(f"format_id must be an int, not {type(format_id).__name__}")
        if not 0 <= format_id < _FORMATS:
            raise ValueError(f"format_id must be from 0 to {_FORMATS - 1}, not {format_id}")
        for name, part in (("gtrid", gtrid), ("bqual", bqual)):
            if not isinstance(part, str):
                raise TypeError(f"{name} must be a str, not {type(part).__name__}")
            if len(part) > _PART:
                raise ValueError(f"{name} must have at most {_PART} characters, not {len(part)}")
        xid = cls(format_id, gtrid, bqual)
        if (size := len(str(xid))) > _LONGEST:
            raise ValueError(f"PostgreSQL takes identifiers of {_LONGEST} bytes; packed, this has {size}")
        return xid

    @classmethod
    def from_string(cls, gid: str) -> Xid:
        """Make an identifier of PostgreSQL's text: unpacked if it is that of three parts, else as it is.

        :raises TypeError: it is not a str
        """
        if not isinstance(gid, str):
            raise TypeError(f"a transaction identifier must be a str, not {type(gid).__name__}")
        if match := _PACKED.fullmatch(gid):
            try:
                xid = cls.from_parts(int(match[1]), _unpacked(match[2]), _unpacked(match[3]))
            except ValueError:
                pass
            else:
                if str(xid) == gid:  # or it would be the name of another transaction
                    return xid
        return cls(None, gid, None)

    @classmethod
    def from_record(cls, gid: str, prepared: dt.datetime, owner: str, database: str) -> Xid:
        """Make an identifier of a row of `pg_prepared_xacts`."""
        xid = cls.from_string(gid)
        return cls(xid.format_id, xid.gtrid, xid.bqual, prepared, owner, database)

    def __str__(self) -> str:
        """Return the text that PostgreSQL is given."""
        if self.format_id is None or self.bqual is None:
            return self.gtrid
        return f"{self.format_id}_{_packed(self.gtrid)}_{_packed(self.bqual)}"

    def __iter__(self) -> Iterator[Part]:
        return iter(self[:])

    def __len__(self) -> int:
        return 3

    @overload
    def __getitem__(self, index: int) -> Part: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Part, ...]: ...

    def __getitem__(self, index: int | slice) -> Part | tuple[Part, ...]:
        return (self.format_id, self.gtrid, self.bqual)[index]


def _packed(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")


def _unpacked(text: str) -> str:
    """Return the text that was packed.

    :raises ValueError: it was not
    """
    try:
        return b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError(f"not packed in base64: {text!r}") from error
