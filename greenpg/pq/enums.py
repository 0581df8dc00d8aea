"""libpq's constants under psycopg 3's names; this room imports nothing of ours.

The values are those of `libpq-fe.h` and `postgres_ext.h` of libpq 18.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag


class _OpenEnum(IntEnum):
    """An enum that also holds values which a newer libpq may bring: one more state is no reason to fail."""

    @classmethod
    def _missing_(cls, value: object) -> _OpenEnum:
        number: int = value  # type: ignore[assignment]  # libpq has no other values
        member = int.__new__(cls, number)
        member._name_ = f"UNKNOWN_{number}"
        member._value_ = number
        return member


class ConnStatus(_OpenEnum):
    """State of a connection (`PQstatus`): anything but `OK` and `BAD` is on its way."""

    OK = 0
    BAD = 1
    STARTED = 2
    MADE = 3
    AWAITING_RESPONSE = 4
    AUTH_OK = 5
    SETENV = 6
    SSL_STARTUP = 7
    NEEDED = 8
    CHECK_WRITABLE = 9
    CONSUME = 10
    GSS_STARTUP = 11
    CHECK_TARGET = 12
    CHECK_STANDBY = 13
    ALLOCATED = 14
    AUTHENTICATING = 15


class PollingStatus(_OpenEnum):
    """What a connection attempt, a reset or a cancel request wants next (`PQconnectPoll`)."""

    FAILED = 0
    READING = 1
    WRITING = 2
    OK = 3
    ACTIVE = 4


class ExecStatus(_OpenEnum):
    """What a result is (`PQresultStatus`)."""

    EMPTY_QUERY = 0
    COMMAND_OK = 1
    TUPLES_OK = 2
    COPY_OUT = 3
    COPY_IN = 4
    BAD_RESPONSE = 5
    NONFATAL_ERROR = 6
    FATAL_ERROR = 7
    COPY_BOTH = 8
    SINGLE_TUPLE = 9
    PIPELINE_SYNC = 10
    PIPELINE_ABORTED = 11
    TUPLES_CHUNK = 12


COPY_STATES = frozenset({ExecStatus.COPY_IN, ExecStatus.COPY_OUT, ExecStatus.COPY_BOTH})
"""What the result is that a COPY begins with; libpq hands it out as often as it is asked."""


class TransactionStatus(_OpenEnum):
    """Where the session is in its transaction (`PQtransactionStatus`)."""

    IDLE = 0
    ACTIVE = 1
    INTRANS = 2
    INERROR = 3
    UNKNOWN = 4


class PipelineStatus(_OpenEnum):
    """Whether the connection is in pipeline mode (`PQpipelineStatus`)."""

    OFF = 0
    ON = 1
    ABORTED = 2


class Ping(_OpenEnum):
    """What a server says to `PQping` and `pg_isready`."""

    OK = 0
    REJECT = 1
    NO_RESPONSE = 2
    NO_ATTEMPT = 3


class Format(IntEnum):
    """How a value travels."""

    TEXT = 0
    BINARY = 1


class DiagnosticField(_OpenEnum):
    """Which part of an error report to get (`PQresultErrorField`)."""

    SEVERITY = ord("S")
    SEVERITY_NONLOCALIZED = ord("V")
    SQLSTATE = ord("C")
    MESSAGE_PRIMARY = ord("M")
    MESSAGE_DETAIL = ord("D")
    MESSAGE_HINT = ord("H")
    STATEMENT_POSITION = ord("P")
    INTERNAL_POSITION = ord("p")
    INTERNAL_QUERY = ord("q")
    CONTEXT = ord("W")
    SCHEMA_NAME = ord("s")
    TABLE_NAME = ord("t")
    COLUMN_NAME = ord("c")
    DATATYPE_NAME = ord("d")
    CONSTRAINT_NAME = ord("n")
    SOURCE_FILE = ord("F")
    SOURCE_LINE = ord("L")
    SOURCE_FUNCTION = ord("R")


class Verbosity(IntEnum):
    """How much error messages tell (`PQsetErrorVerbosity`)."""

    TERSE = 0
    DEFAULT = 1
    VERBOSE = 2
    SQLSTATE = 3


class Trace(IntFlag):
    """How `PGconn.trace` writes (`PQsetTraceFlags`)."""

    SUPPRESS_TIMESTAMPS = 1
    REGRESS_MODE = 2
