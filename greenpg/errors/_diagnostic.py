"""What a server says about an error or a notice, as text that belongs to nobody else.

It copies all that a result holds, so that it stays valid when the result, the connection and libpq are gone.

See "Error and Notice Message Fields": https://www.postgresql.org/docs/current/protocol-error-fields.html
"""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Report(Protocol):
    """An error or a notice as it came: the part of a `PGresult` that this room needs."""

    def error_field(self, fieldcode: int) -> bytes | None: ...

    def get_error_message(self, encoding: str = ...) -> str: ...


class Diagnostic(NamedTuple):
    """The fields of an error or a notice, named as in psycopg; `None` for what the server did not send.

    Positions count the characters of the statement from 1, and are text as all the rest is. `severity` is in
    the server's language, `severity_nonlocalized` always in English.
    """

    sqlstate: str | None = None
    severity: str | None = None
    severity_nonlocalized: str | None = None
    message_primary: str | None = None
    message_detail: str | None = None
    message_hint: str | None = None
    statement_position: str | None = None
    internal_position: str | None = None
    internal_query: str | None = None
    context: str | None = None
    schema_name: str | None = None
    table_name: str | None = None
    column_name: str | None = None
    datatype_name: str | None = None
    constraint_name: str | None = None
    source_file: str | None = None
    source_line: str | None = None
    source_function: str | None = None


Diagnostic.__module__ = "greenpg.errors"  # where everybody finds it; a NamedTuple's body cannot say so

# The protocol's letter of each field, in the order of `Diagnostic`.
FIELD_CODES = tuple(b"CSVMDHPpqWstcdnFLR")


def diagnostic_from_result(result: Report, encoding: str = "utf-8") -> Diagnostic:
    """Copy all fields of an error or a notice.

    :param encoding: Python's name of the client encoding; what is not in that encoding (a message from
        before the encoding was settled) is replaced, not refused
    """
    values = map(result.error_field, FIELD_CODES)
    return Diagnostic._make(None if value is None else value.decode(encoding, "replace") for value in values)
