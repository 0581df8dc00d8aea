"""Which libpq brought a function, and what to say to one that is older: shared by the bindings."""

from __future__ import annotations

from greenpg.errors import NotSupportedError

SINCE: dict[str, int] = {
    "PQencryptPasswordConn": 10,
    "PQhostaddr": 12,
    "PQenterPipelineMode": 14,
    "PQexitPipelineMode": 14,
    "PQpipelineStatus": 14,
    "PQpipelineSync": 14,
    "PQsendFlushRequest": 14,
    "PQsetTraceFlags": 14,
    "PQconnectionUsedGSSAPI": 16,
    "PQcancelCreate": 17,
    "PQcancelErrorMessage": 17,
    "PQcancelFinish": 17,
    "PQcancelPoll": 17,
    "PQcancelReset": 17,
    "PQcancelSocket": 17,
    "PQcancelStart": 17,
    "PQcancelStatus": 17,
    "PQsendClosePortal": 17,
    "PQsendClosePrepared": 17,
    "PQsendPipelineSync": 17,
    "PQsetChunkedRowsMode": 17,
    "PQfullProtocolVersion": 18,
}
"""The major version that a function came with; those that are not here were in 9 already."""


def too_old(function: str, version: int, path: str) -> NotSupportedError:
    """Return the error for a function that the libpq at `path`, of version `version`, does not have."""
    return NotSupportedError(
        f"{function} needs libpq {SINCE.get(function, 9)} or newer, this one is {version // 10000} ({path}); "
        "set GREENPG_LIBPQ to a newer one"
    )
