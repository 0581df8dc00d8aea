"""What the libpq in use can do: `greenpg.capabilities`, as psycopg 3 has it."""

from __future__ import annotations

from greenpg.errors import NotSupportedError
from greenpg.pq import library


class Capabilities:
    """Tells what this libpq has; with `check`, each raises `NotSupportedError` instead of saying no."""

    __module__ = "greenpg"

    def has_encrypt_password(self, check: bool = False) -> bool:
        """Return whether passwords can be encrypted as the server wants them (libpq 10)."""
        return _has("PQencryptPasswordConn", check)

    def has_hostaddr(self, check: bool = False) -> bool:
        """Return whether `ConnectionInfo.hostaddr` is known (libpq 12)."""
        return _has("PQhostaddr", check)

    def has_pipeline(self, check: bool = False) -> bool:
        """Return whether there is `Connection.pipeline()` (libpq 14)."""
        return _has("PQenterPipelineMode", check)

    def has_set_trace_flags(self, check: bool = False) -> bool:
        """Return whether PGTRACE can leave out times (libpq 14)."""
        return _has("PQsetTraceFlags", check)

    def has_used_gssapi(self, check: bool = False) -> bool:
        """Return whether `ConnectionInfo.used_gssapi` is known (libpq 16)."""
        return _has("PQconnectionUsedGSSAPI", check)

    def has_cancel_safe(self, check: bool = False) -> bool:
        """Return whether `Connection.cancel_safe()` is encrypted as the connection is (libpq 17)."""
        return _has("PQcancelCreate", check)

    def has_stream_chunked(self, check: bool = False) -> bool:
        """Return whether `Cursor.stream()` takes more than one row at a time (libpq 17)."""
        return _has("PQsetChunkedRowsMode", check)

    def has_send_close_prepared(self, check: bool = False) -> bool:
        """Return whether statements are given up in a way that poolers understand (libpq 17)."""
        return _has("PQsendClosePrepared", check)

    def has_full_protocol_version(self, check: bool = False) -> bool:
        """Return whether the minor version of the protocol is known (libpq 18)."""
        return _has("PQfullProtocolVersion", check)


capabilities = Capabilities()


def _has(function: str, check: bool) -> bool:
    libpq = library()
    if check and not libpq.has(function):
        raise NotSupportedError(f"libpq {libpq.version // 10000} has no {function}: use a newer one")
    return libpq.has(function)
