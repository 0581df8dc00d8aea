"""What there is to know of a connection: `connection.info`. It only reads, nothing talks to the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenpg.adapt import codec
from greenpg.conninfo import make_conninfo
from greenpg.errors import NotSupportedError
from greenpg.pq.enums import PipelineStatus
from greenpg.types._calendar import zone_named

if TYPE_CHECKING:
    from datetime import tzinfo

    from greenpg.pq.abc import PGconn
    from greenpg.pq.enums import ConnStatus, TransactionStatus


class ConnectionInfo:
    """The facts of one connection, in psycopg 3's names. All of them are read anew each time.

    Once the connection is closed, all but the states raise `OperationalError`.
    """

    __module__ = "greenpg"
    __slots__ = ("pgconn",)

    def __init__(self, pgconn: PGconn) -> None:
        self.pgconn = pgconn

    @property
    def vendor(self) -> str:
        """Whose server it is."""
        return "PostgreSQL"

    @property
    def host(self) -> str:
        """The server's name, its address, or the directory of its Unix socket."""
        return self._text(self.pgconn.host)

    @property
    def hostaddr(self) -> str:
        """The server's IP address; empty for a Unix socket."""
        return self._text(self.pgconn.hostaddr)

    @property
    def port(self) -> int:
        """The port connected to."""
        return int(self.pgconn.port)

    @property
    def dbname(self) -> str:
        """The database."""
        return self._text(self.pgconn.db)

    @property
    def user(self) -> str:
        """The user authenticated as."""
        return self._text(self.pgconn.user)

    @property
    def password(self) -> str:
        """The password that was used, or would be."""
        return self._text(self.pgconn.password)

    @property
    def options(self) -> str:
        """The command-line options given to the server."""
        return self._text(self.pgconn.options)

    def get_parameters(self) -> dict[str, str]:
        """Return the conninfo parameters that differ from libpq's defaults, all but the password."""
        return {
            self._text(option.keyword): self._text(option.val)
            for option in self.pgconn.info
            if option.val is not None and option.val != option.compiled and option.dispchar != b"*"
        }

    @property
    def dsn(self) -> str:
        """The conninfo of `get_parameters()`: it leads to the same place, but for the password."""
        return make_conninfo(**self.get_parameters())

    def parameter_status(self, param_name: str) -> str | None:
        """Return a setting that the server reports, such as `server_encoding`; `None` if it does not."""
        value = self.pgconn.parameter_status(param_name.encode())
        return None if value is None else self._text(value)

    @property
    def status(self) -> ConnStatus:
        """The state of the connection; `BAD` when it is closed."""
        return self.pgconn.status

    @property
    def transaction_status(self) -> TransactionStatus:
        """The state of the transaction; `UNKNOWN` when the connection is closed."""
        return self.pgconn.transaction_status

    @property
    def pipeline_status(self) -> PipelineStatus:
        """The state of the pipeline; `OFF` when the connection is closed."""
        return self.pgconn.pipeline_status if self._is_there else PipelineStatus.OFF

    @property
    def backend_pid(self) -> int:
        """The process id of the server process (of the pooler's making, behind one)."""
        return self.pgconn.backend_pid

    @property
    def server_version(self) -> int:
        """The server's version, such as 160003 for 16.3."""
        return self.pgconn.server_version

    @property
    def full_protocol_version(self) -> int:
        """The protocol's version, such as 30002 for 3.2; before libpq 18 there is only 3.0."""
        try:
            return self.pgconn.full_protocol_version
        except NotSupportedError:
            return self.pgconn.protocol_version * 10000

    @property
    def error_message(self) -> str:
        """What went wrong last, empty if nothing did."""
        return self.pgconn.get_error_message() if self._is_there else "the connection is closed"

    @property
    def timezone(self) -> tzinfo:
        """The session's time zone; UTC, with a warning in the log, where Python does not know it."""
        return zone_named(self.parameter_status("TimeZone") or "UTC")

    @property
    def encoding(self) -> str:
        """Python's name of the client encoding; UTF-8 when the connection is closed.

        :raises NotSupportedError: Python has no such codec
        """
        if not self._is_there:
            return "utf-8"
        return codec(self.parameter_status("client_encoding") or "UTF8")

    @property
    def used_password(self) -> bool:
        """Whether the server asked for a password, and there was one."""
        return self.pgconn.used_password

    @property
    def needs_password(self) -> bool:
        """Whether the server asked for a password, and there was none."""
        return self.pgconn.needs_password

    @property
    def used_gssapi(self) -> bool:
        """Whether GSSAPI authenticated the connection (libpq 16)."""
        return self.pgconn.used_gssapi

    @property
    def ssl_in_use(self) -> bool:
        """Whether the connection is encrypted by TLS."""
        return self.pgconn.ssl_in_use

    @property
    def _is_there(self) -> bool:
        return self.pgconn.pgconn_ptr is not None

    @staticmethod
    def _text(value: bytes) -> str:
        # the environment's and the resolver's bytes, in no encoding that anybody has settled
        return value.decode(errors="surrogateescape")
