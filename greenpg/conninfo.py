"""Connection strings, taken apart and put together; what they mean is libpq's to know.

Names are those of psycopg 3's `conninfo`. Nothing here connects, or looks at the environment.

See "Connection Strings": https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
"""

from __future__ import annotations

import os
import re
from functools import lru_cache

from greenpg import pq
from greenpg.errors import DataError, ProgrammingError

ConnParam = str | int | float | os.PathLike[str] | None
ConnDict = dict[str, ConnParam]

_PLAIN = re.compile(r"[^\s'\\]+")


def make_conninfo(conninfo: str = "", **kwargs: ConnParam) -> str:
    """Return one connection string of a string or URI and of options by keyword, which win.

    An option that is `None` is as good as not given; one that is `""` is given, and empty.

    :raises ProgrammingError: libpq cannot read the string, or does not know an option
    :raises DataError: there is a NUL or half a character (a surrogate, or `%ff` in a URI) in it
    """
    if not any(value is not None for value in kwargs.values()):
        _parsed(conninfo)
        return conninfo
    options = conninfo_to_dict(conninfo, **kwargs)
    made = " ".join(f"{keyword}={_written(keyword, value)}" for keyword, value in options.items())
    _parsed(made)
    return made


def conninfo_to_dict(conninfo: str = "", **kwargs: ConnParam) -> ConnDict:
    """Return the options of a connection string or URI, and those by keyword, which win, as they are.

    :raises ProgrammingError: libpq cannot read the string
    :raises DataError: there is a NUL or half a character (a surrogate, or `%ff` in a URI) in the string
    """
    given = {keyword: value for keyword, value in kwargs.items() if value is not None}
    return {**_parsed(conninfo), **given}


def _parsed(conninfo: str) -> dict[str, str]:
    if not isinstance(conninfo, str):
        raise ProgrammingError(f"a connection string must be a str, not {type(conninfo).__name__}")
    return _options(pq.library().path, conninfo)


@lru_cache(16)  # libpq looks at nothing else, and most processes connect by a single one
def _options(library: str, conninfo: str) -> dict[str, str]:
    options = pq.library(library).parse_conninfo(_encoded(conninfo))
    try:
        return {option.keyword.decode(): option.val.decode() for option in options if option.val is not None}
    except UnicodeDecodeError:  # a URI can have any byte in it, %ff; it may be of the password
        raise DataError("a connection string must be UTF-8: a URI has other bytes in it") from None


def _encoded(conninfo: str) -> bytes:
    try:
        return conninfo.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"a connection string must be text that UTF-8 can encode: {error.reason}") from None


def _written(keyword: str, value: object) -> str:
    """Return a value as it stands in a connection string, between quotes where it has to."""
    if isinstance(value, bool):
        value = int(value)  # libpq knows no True
    elif isinstance(value, os.PathLike):
        value = os.fspath(value)
    if not isinstance(value, str | int | float):
        raise ProgrammingError(f"option {keyword!r} must be a str or a number, not {type(value).__name__}")
    text = str(value)
    return text if _PLAIN.fullmatch(text) else "'" + re.sub(r"(['\\])", r"\\\1", text) + "'"
