"""Which class an error of the server is."""

from __future__ import annotations

from greenpg.errors._diagnostic import Report, diagnostic_from_result
from greenpg.errors._tree import DatabaseError, Error, OperationalError
from greenpg.errors.sqlstate import BASES, CLASSES, NAMES


def lookup(sqlstate: str) -> type[Error]:
    """Return the class of errors with a certain SQLSTATE.

    :param sqlstate: five letters such as `"23505"`, or PostgreSQL's name such as `"unique_violation"`
    :raises KeyError: PostgreSQL has no such error; `class_for_state()` always has an answer
    """
    code = sqlstate.upper()
    return CLASSES[code] if code in CLASSES else CLASSES[NAMES[code]]


def class_for_state(sqlstate: str) -> type[Error]:
    """Return the class of an error with a certain SQLSTATE, known or not.

    One of an extension or of a later server has the base class of its kind, its first two letters.
    """
    return CLASSES.get(sqlstate) or BASES.get(sqlstate[:2]) or BASES.get(sqlstate[:1]) or DatabaseError


def error_from_result(result: Report, encoding: str = "utf-8") -> Error:
    """Return the error that a failed `PGresult` is about, ready to be raised.

    :param encoding: Python's name of the client encoding
    """
    diag = diagnostic_from_result(result, encoding)
    message = result.get_error_message(encoding).removeprefix(f"{diag.severity}:  ")
    # libpq's own errors have no SQLSTATE: they are about the connection.
    cls = OperationalError if diag.sqlstate is None else class_for_state(diag.sqlstate)
    lost = True if diag.severity_nonlocalized in ("FATAL", "PANIC") else None
    return cls(message, diag=diag, connection_lost=lost)
