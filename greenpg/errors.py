"""The exceptions of PEP 249, which everything that greenpg raises on purpose derives from.

This room imports nothing of ours. Whose fault it was decides the class: `InterfaceError` and
`ProgrammingError` mean the caller, `OperationalError` and `InternalError` mean the server or the way there.

See PEP 249, "Exceptions": https://peps.python.org/pep-0249/#exceptions
"""

from __future__ import annotations


class Warning(Exception):
    """Something worth telling happened, such as data cut short on insert."""

    __module__ = "greenpg"


class Error(Exception):
    """The base of all of greenpg's errors: catch this one to catch them all."""

    __module__ = "greenpg"


class InterfaceError(Error):
    """The interface was used in a way it cannot work, or could not be set up."""

    __module__ = "greenpg"


class DatabaseError(Error):
    """Something went wrong in the database or on the way to it."""

    __module__ = "greenpg"


class DataError(DatabaseError):
    """A value cannot be processed: out of range, division by zero, a NUL byte in a text."""

    __module__ = "greenpg"


class OperationalError(DatabaseError):
    """The database's operation failed, not necessarily by the caller's doing: the connection is lost."""

    __module__ = "greenpg"


class IntegrityError(DatabaseError):
    """A constraint was violated."""

    __module__ = "greenpg"


class InternalError(DatabaseError):
    """The database met an internal error: an invalid cursor, a transaction out of step."""

    __module__ = "greenpg"


class ProgrammingError(DatabaseError):
    """The caller's SQL or call is wrong: no such table, a syntax error, too few parameters."""

    __module__ = "greenpg"


class NotSupportedError(DatabaseError):
    """The server or this libpq cannot do that; the message names the version that can."""

    __module__ = "greenpg"
