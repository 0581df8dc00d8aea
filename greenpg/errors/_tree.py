"""The exceptions of PEP 249, which everything that greenpg raises on purpose derives from, and greenpg's own.

Whose fault it was decides the class: `InterfaceError` and `ProgrammingError` mean the caller,
`OperationalError` and `InternalError` mean the server or the way there. All of an error is text and flags: it
can be pickled, copied and kept.

See PEP 249, "Exceptions": https://peps.python.org/pep-0249/#exceptions
"""

from __future__ import annotations

from greenpg.errors._diagnostic import Diagnostic


class Warning(Exception):
    """Something worth telling happened, such as data cut short on insert."""

    __module__ = "greenpg"


class Error(Exception):
    """The base of all of greenpg's errors: catch this one to catch them all."""

    __module__ = "greenpg"

    sqlstate: str | None = None
    """The server's five letters for what went wrong, `None` if it was not the server who said so."""

    diag: Diagnostic = Diagnostic()
    """All that the server said; every field is `None` if it said nothing."""

    safe_to_retry: bool = False
    """Whether the work certainly had no effect, and may succeed when it is simply done again.

    True if nothing of it had been sent, if the server refused the connection for a passing reason (too many
    connections, starting up), or if it rolled the transaction back for one (serialization failure,
    deadlock): then the whole transaction is to be done again. What a procedure committed before by itself
    is a transaction of its own. False means "not certain".
    """

    connection_lost: bool = False
    """Whether the connection is gone: the server ended it, or the way there is broken."""

    def __init__(
        self,
        *args: object,
        diag: Diagnostic | None = None,
        safe_to_retry: bool | None = None,
        connection_lost: bool | None = None,
    ):
        """Make an error.

        :param args: as for any exception, most often one message
        :param diag: what the server said
        :param safe_to_retry: if it is otherwise than for its class
        :param connection_lost: if it is otherwise than for its class
        """
        super().__init__(*args)
        # Only what is given is kept: pickle and copy carry args and __dict__.
        if diag is not None:
            self.diag = diag
            self.sqlstate = diag.sqlstate
        if safe_to_retry is not None:
            self.safe_to_retry = safe_to_retry
        if connection_lost is not None:
            self.connection_lost = connection_lost


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


class ConnectionTimeout(OperationalError, TimeoutError):
    """No connection within the time given; no statement was sent."""

    __module__ = "greenpg.errors"
    safe_to_retry = True


class StatementTimeout(OperationalError, TimeoutError):
    """A call took longer than its `timeout`: it was cancelled on the server, the connection is usable.

    The statement may have been done all the same, if the cancel came too late.
    """

    __module__ = "greenpg.errors"


class CancellationTimeout(OperationalError, TimeoutError):
    """The request to cancel a statement did not reach the server within the time given."""

    __module__ = "greenpg.errors"


class PipelineAborted(OperationalError):
    """A statement was not executed because one before it in the same pipeline had failed."""

    __module__ = "greenpg.errors"


class ProtocolError(OperationalError):
    """The server sent what the protocol does not allow; the connection is closed."""

    __module__ = "greenpg.errors"
    connection_lost = True
