"""The contract of a libpq binding: what every implementation of `greenpg.pq` offers. It loads no C library.

Bytes in and bytes out, pure mechanism: nothing here waits unless it says so, decides a policy or decodes
data. Names follow psycopg 3's `pq`. Each method is libpq's function of that name, see "libpq: C Library".
Implementations inherit these classes, and the documentation with them.

A closed connection raises `OperationalError("the connection is closed")`, a libpq that is too old for a call
`NotSupportedError`, a failure in libpq `OperationalError` with its message, a text with a NUL `DataError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from greenpg.pq.cancels import PGcancel as PGcancel  # noqa: TC001 - with the others, to be looked at
from greenpg.pq.cancels import PGcancelConn as PGcancelConn  # noqa: TC001
from greenpg.pq.enums import Format

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greenpg.abc import Wait
    from greenpg.pq.enums import (
        ConnStatus,
        ExecStatus,
        Ping,
        PipelineStatus,
        PollingStatus,
        TransactionStatus,
    )
    from greenpg.pq.records import Buffer as Buffer
    from greenpg.pq.records import ConninfoOption as ConninfoOption
    from greenpg.pq.records import PGnotify as PGnotify


class PGresult(Protocol):
    """The result of one command, or a part of it; independent of the connection it came from.

    Numbers of rows, columns and parameters count from 0; one that is not there raises `IndexError`. A
    cleared result is empty, and its status is `FATAL_ERROR`.
    """

    __slots__ = ()

    def clear(self) -> None:
        """Free the memory now; this also happens with the Python object, and twice does no harm."""

    @property
    def status(self) -> ExecStatus:
        """What kind of result this is."""

    @property
    def error_message(self) -> bytes:
        """The error message as libpq formats it, empty if there was no error."""

    def get_error_message(self, encoding: str = "utf-8") -> str:
        """Return `error_message` as text, without the newline at its end."""

    def error_field(self, fieldcode: int) -> bytes | None:
        """Return one part of an error or a notice, None if the server did not send it.

        :param fieldcode: a `DiagnosticField`
        """

    @property
    def ntuples(self) -> int:
        """The number of rows."""

    @property
    def nfields(self) -> int:
        """The number of columns."""

    def fname(self, column_number: int) -> bytes | None:
        """Return the name of a column."""

    def ftable(self, column_number: int) -> int:
        """Return the OID of the table that a column comes from, 0 if it comes from none."""

    def ftablecol(self, column_number: int) -> int:
        """Return the number of the column in its table, counting from 1; 0 if it comes from none."""

    def fformat(self, column_number: int) -> int:
        """Return the `Format` of a column."""

    def ftype(self, column_number: int) -> int:
        """Return the OID of a column's type."""

    def fmod(self, column_number: int) -> int:
        """Return a column's type modifier, -1 if it has none."""

    def fsize(self, column_number: int) -> int:
        """Return the size of a column's type on the server in bytes, negative if it varies."""

    def has_columns(self, types: tuple[int, ...], format: int | None = None) -> bool:
        """Return whether the columns are of these types, by OID, and all of that format if one is given."""

    def get_value(self, row_number: int, column_number: int) -> bytes | None:
        """Return a value as it came, None for NULL."""

    def get_isnull(self, row_number: int, column_number: int) -> bool:
        """Return whether a value is NULL."""

    def get_length(self, row_number: int, column_number: int) -> int:
        """Return the length of a value in bytes, 0 for NULL."""

    @property
    def nparams(self) -> int:
        """The number of parameters of the prepared statement that was described."""

    def param_type(self, param_number: int) -> int:
        """Return the OID of a parameter's type."""

    @property
    def command_status(self) -> bytes | None:
        """The command tag, such as `INSERT 0 1`; None if there is none."""

    @property
    def command_tuples(self) -> int | None:
        """The number of rows the command touched, None if it is not of that kind."""

    def be_whole(self, end: PGresult) -> None:
        """Be the whole result from now on, and no chunk of one.

        :param end: what has come after the only chunk, and may have the command's tag
        """

    @property
    def oid_value(self) -> int:
        """The OID of the row inserted into a table that has them, else 0."""


class PGconn(Protocol):
    """A connection to a server, used by one at a time.

    `notice_handler` is called with each notice, from within the call that received it: it must only take
    notes, and the result is void when it returns; what it raises goes to `sys.unraisablehook`. It cannot
    close the connection. Nor may two threads be in calls on one connection: where it is compiled, the second
    one gets an `OperationalError`. It is never called on a borrowed connection.
    """

    notice_handler: Callable[[PGresult], None] | None

    # Connecting and closing

    @property
    def pgconn_ptr(self) -> int | None:
        """The address of the C struct, None when closed."""

    def connect_poll(self) -> PollingStatus:
        """Go on connecting and return what to wait for; first wait for `socket` to be writable."""

    def reset_start(self) -> None:
        """Begin to close the connection and to open it again with the same options."""

    def reset_poll(self) -> PollingStatus:
        """Go on resetting and return what to wait for."""

    def finish(self) -> None:
        """Close the connection and free it; this also happens with the Python object, twice does no harm.

        A borrowed connection is only let go of. In a forked child the parent's session stays alive.
        """

    @property
    def status(self) -> ConnStatus:
        """The state of the connection; `BAD` when closed, which is no error to ask."""

    @property
    def transaction_status(self) -> TransactionStatus:
        """The state of the transaction; `UNKNOWN` when closed, which is no error to ask."""

    @property
    def pipeline_status(self) -> PipelineStatus:
        """The state of the pipeline (libpq 14)."""

    @property
    def socket(self) -> int:
        """The file descriptor of the connection, an error once it is lost; it may change while connecting."""

    @property
    def backend_pid(self) -> int:
        """The process id of the server process."""

    @property
    def protocol_version(self) -> int:
        """The major version of the protocol, 3."""

    @property
    def full_protocol_version(self) -> int:
        """The version of the protocol, such as 30002 for 3.2 (libpq 18)."""

    @property
    def server_version(self) -> int:
        """The version of the server, such as 160003 for 16.3."""

    @property
    def error_message(self) -> bytes:
        """What went wrong last on this connection, empty if nothing did."""

    def get_error_message(self, encoding: str = "utf-8") -> str:
        """Return `error_message` as text, without the newline at its end."""

    def parameter_status(self, name: bytes) -> bytes | None:
        """Return a setting that the server reports, such as `server_encoding`; None if it does not."""

    def parameter_statuses(self, names: tuple[bytes, ...]) -> tuple[bytes | None, ...]:
        """Return several settings, all None when closed; the same object as long as nothing has changed."""

    def set_error_verbosity(self, verbosity: int) -> int:
        """Say how much `error_message` tells, as a `Verbosity`; return how much it did."""

    # How it was made

    @property
    def info(self) -> list[ConninfoOption]:
        """The options the connection was made with; the password is among them."""

    @property
    def db(self) -> bytes:
        """The name of the database."""

    @property
    def user(self) -> bytes:
        """The name of the user."""

    @property
    def password(self) -> bytes:
        """The password."""

    @property
    def host(self) -> bytes:
        """The host connected to: a name, an address, or the directory of a Unix socket."""

    @property
    def hostaddr(self) -> bytes:
        """The server's IP address, empty for a Unix socket."""

    @property
    def port(self) -> bytes:
        """The port connected to."""

    @property
    def options(self) -> bytes:
        """The command-line options given to the server."""

    @property
    def needs_password(self) -> bool:
        """Whether the server asked for a password and none was there."""

    @property
    def used_password(self) -> bool:
        """Whether the server asked for a password."""

    @property
    def used_gssapi(self) -> bool:
        """Whether GSSAPI authenticated the connection (libpq 16)."""

    @property
    def ssl_in_use(self) -> bool:
        """Whether TLS is in use."""

    # Sending commands. They only queue when the connection is `nonblocking`: `flush()` sends.

    def send_query(self, command: bytes) -> None:
        """Send one or more commands without parameters."""

    def send_query_params(
        self,
        command: bytes,
        param_values: Sequence[Buffer | None] | None,
        param_types: Sequence[int] | None = None,
        param_formats: Sequence[int] | None = None,
        result_format: int = Format.TEXT,
    ) -> None:
        """Send one command with parameters `$1`, `$2`...

        :param param_values: None stands for NULL
        :param param_types: OIDs, 0 for "find out"; all of them if left out
        :param param_formats: a `Format` for each value; all text if left out
        :param result_format: the `Format` of all columns of the result
        :raises ValueError: not as many types or formats as values
        """

    def send_prepare(self, name: bytes, command: bytes, param_types: Sequence[int] | None = None) -> None:
        """Ask the server to prepare `command`; types may be fewer than its parameters."""

    def send_query_prepared(
        self,
        name: bytes,
        param_values: Sequence[Buffer | None] | None,
        param_formats: Sequence[int] | None = None,
        result_format: int = Format.TEXT,
    ) -> None:
        """Execute a prepared statement; the parameters are those of `send_query_params`."""

    def send_describe_prepared(self, name: bytes) -> None:
        """Ask what parameters and columns a prepared statement has."""

    def send_describe_portal(self, name: bytes) -> None:
        """Ask what columns a portal has."""

    def send_close_prepared(self, name: bytes) -> None:
        """Ask the server to forget a prepared statement (libpq 17)."""

    def send_close_portal(self, name: bytes) -> None:
        """Ask the server to close a portal (libpq 17)."""

    def flush(self) -> int:
        """Send what is queued; 0: all is sent, 1: some is left, wait until `socket` is ready and repeat."""

    @property
    def nonblocking(self) -> bool:
        """Whether sending never waits; set it before anything is sent."""

    @nonblocking.setter
    def nonblocking(self, value: bool) -> None: ...

    # Receiving

    def consume_input(self) -> None:
        """Read what is there to be read, without waiting."""

    def is_busy(self) -> bool:
        """Return whether `get_result()` would wait."""

    def get_result(self) -> PGresult | None:
        """Return the next result, None at the end of a command; it waits if the connection `is_busy()`."""

    def receive(self, results: list[PGresult], ready: int = 0) -> Wait | None:
        """Send what is queued, take in what has come, add each result to the list; nothing of it waits.

        :param ready: what `socket` was waited for and is, bits of `Wait`: it is read from if that is one
        :return: what to wait for; None at the end of the command, or where a COPY begins
        """

    def set_single_row_mode(self) -> None:
        """Ask for the rows of the query just sent one by one."""

    def set_chunked_rows_mode(self, size: int) -> None:
        """Ask for the rows of the query just sent in results of at most `size` rows (libpq 17)."""

    def notifies(self) -> PGnotify | None:
        """Return the next notification that was received, None if there is none."""

    # COPY. The connection must be `nonblocking`.

    def put_copy_data(self, buffer: Buffer) -> int:
        """Queue data for COPY IN; 1: queued, 0: not, the queue is full, `flush()` and repeat."""

    def put_copy_end(self, error: bytes | None = None) -> int:
        """End COPY IN, or let it fail with the message `error`; 1: queued, 0: not, `flush()` and repeat."""

    def get_copy_data(self, async_: int = 1) -> tuple[int, bytes]:
        """Return the length of the next row of COPY OUT, and the row; it never waits, whatever `async_` says.

        :return: `(0, b"")`: no row is there yet; `(-1, b"")`: the end, go on with `get_result()`
        """

    def get_copy_block(self, limit: int) -> tuple[bytes, bool]:
        """Return the rows of COPY OUT that are there, in one piece, and whether the end has come; never wait.

        :param limit: how many bytes are enough; 1: a single row
        :return: `(b"", False)`: no row is there yet; `(rows, True)`: the end, go on with `get_result()`
        """

    def end_copy(self) -> bool:
        """Leave COPY OUT and have libpq drop the rows to come; return whether its result went with them."""

    # Pipeline (libpq 14)

    def enter_pipeline_mode(self) -> None:
        """Let commands be sent before the results of those before have come."""

    def exit_pipeline_mode(self) -> None:
        """Leave pipeline mode, once all results were taken."""

    def pipeline_sync(self) -> None:
        """End a group of commands and send what is queued."""

    def send_pipeline_sync(self) -> None:
        """End a group of commands without sending yet (libpq 17)."""

    def send_flush_request(self) -> None:
        """Ask the server to send the results so far without ending the group."""

    @property
    def can_cancel_without_blocking(self) -> bool:
        """Whether this libpq has `cancel_conn()` (17), so that nobody needs `get_cancel()`."""

    def cancel_conn(self) -> PGcancelConn:
        """Return a new cancel request that goes without blocking (libpq 17)."""

    def get_cancel(self) -> PGcancel:
        """Return a new cancel request of the blocking kind."""

    # Escaping, in the connection's encoding

    def escape_literal(self, data: bytes) -> bytes:
        """Return a text as an SQL literal, quotes included."""

    def escape_identifier(self, data: bytes) -> bytes:
        """Return a name as an SQL identifier, quotes included."""

    def escape_string(self, data: bytes) -> bytes:
        """Return a text as it is written between the quotes of an SQL literal."""

    def escape_bytea(self, data: bytes) -> bytes:
        """Return binary data as it is written between the quotes of an SQL literal."""

    def encrypt_password(self, passwd: bytes, user: bytes, algorithm: bytes) -> bytes:
        """Return what to store for a password in `ALTER ROLE ... PASSWORD`.

        :param algorithm: `scram-sha-256` or `md5`; ask the server for `password_encryption` first
        """

    def trace(self, fileno: int, flags: int = 0) -> None:
        """Write each message from and to the server to a copy of the file descriptor `fileno`.

        :param flags: of `Trace`, how to write (libpq 14)
        """

    def untrace(self) -> None:
        """End `trace()`; all is written then. Without a trace it does nothing."""


class Library(Protocol):
    """One loaded libpq."""

    path: str
    """The file it was loaded from: the library itself, or something that is linked to it."""

    version: int
    """Its version, such as 170005 for 17.5."""

    implementation: str
    """Which binding it is used through: `c`, the compiled one, or `python`, the one on ctypes."""

    def has(self, function: str) -> bool:
        """Return whether this libpq is new enough for `function`, such as `PQcancelCreate`.

        :raises ValueError: greenpg does not use a function of that name
        """

    def connect_start(self, conninfo: bytes) -> PGconn:
        """Begin to connect; the connection's status is `BAD` if that is not even possible.

        libpq resolves host names here, and waits for that: give it addresses (`hostaddr`).
        """

    def borrow(self, address: int) -> PGconn:
        """Return a `PGconn` for a `PGconn *` of this very library that somebody else owns and closes.

        Call its `finish()`, which only lets go, before the owner closes it.
        """

    def parse_conninfo(self, conninfo: bytes) -> list[ConninfoOption]:
        """Return all options, with values for those given in a connection string or URI.

        :raises ProgrammingError: the string is malformed
        """

    def conninfo_defaults(self) -> list[ConninfoOption]:
        """Return all options with their defaults, from the environment and the service file too."""

    def ping(self, conninfo: bytes) -> Ping:
        """Ask a server whether it accepts connections. It blocks: call it off the hub."""

    def unescape_bytea(self, data: bytes) -> bytes:
        """Return the binary data that the server wrote as text, in hex or escape format."""
