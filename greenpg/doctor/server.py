"""The server to try the drivers on: whether it can be reached and lets us in, before any driver is asked.

Its rule: no message holds a password, nor a part of a connection string that may be one.
"""

from __future__ import annotations

import os
import re
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from greenpg import pq
from greenpg._core.offload import offload_gen
from greenpg._core.protocol import execute_gen, wait_gen
from greenpg.abc import Wait
from greenpg.doctor.process import version_text
from greenpg.doctor.report import DoctorError, Server
from greenpg.errors import Error, OperationalError
from greenpg.pq.enums import ConnStatus, ExecStatus, PollingStatus
from greenpg.waiters import drive, get_wait_callback, select

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenpg.abc import Gen, WaitCallback
    from greenpg.pq.abc import ConninfoOption, Library, PGconn

_LIMIT = 10.0
"""Seconds that one host may take, where the connection string says nothing."""


class Target(NamedTuple):
    """A server that was reached."""

    dsn: str
    parameters: dict[str, str]
    """What the connection string says, and what libpq's environment says where it does not."""
    server: Server

    def without_password(self, error: BaseException) -> str:
        """Return an exception's message as one line in which the password is not."""
        text = " ".join(str(error).split()) or type(error).__name__
        password = self.parameters.get("password")
        return text.replace(password, "***") if password else text


def find_server(dsn: str, concurrency: int) -> Target:
    """Connect as `dsn` says, to the first of its hosts that lets us in, and leave again.

    :raises DoctorError: it is no connection string, or none of its hosts lets us in, or so many of us
    """
    try:
        library = pq.library()
    except (Error, ImportError) as error:
        raise DoctorError(f"the connection string cannot be read without a libpq: {error}") from error
    given, defaults = _parse(library, dsn), _values(library.conninfo_defaults())
    failures = []
    for options in _one_by_one(given, defaults):
        try:
            server = _visit(library, options, defaults)
        except (Error, OSError) as error:  # noqa: PERF203  # hosts are few
            failures.append(" ".join(str(error).split()))
        else:
            most = server.max_connections
            if most is not None and concurrency > most:
                raise DoctorError(f"{concurrency} connections at once are more than max_connections, {most}")
            return Target(dsn, {**defaults, **options}, server)
    raise DoctorError(f"cannot connect to PostgreSQL: {'; '.join(failures)}")


def _parse(library: Library, dsn: str) -> dict[str, str]:
    """Return what a connection string says.

    :raises DoctorError: it is none, or a password has got into what is not one and would be shown
    """
    try:
        given = _values(library.parse_conninfo(os.fsencode(dsn)))
    except Error as error:
        what = re.sub(r'"[^"]*"', '"..."', str(error))  # it quotes what may be half a password
        raise DoctorError(what) from None
    if "@" in given.get("host", "") or not re.fullmatch(r"[\d, ]*", given.get("port", "")):
        raise DoctorError(
            "bad connection string: host or port are none, write @ : / of a password as %40 %3A %2F"
        )
    return given


def _values(options: list[ConninfoOption]) -> dict[str, str]:
    return {
        os.fsdecode(option.keyword): os.fsdecode(option.val) for option in options if option.val is not None
    }


def _one_by_one(given: dict[str, str], defaults: dict[str, str]) -> Iterator[dict[str, str]]:
    """Yield the options for each host: libpq's non-blocking functions would wait for the first for ever."""
    lists = {
        name: given.get(name, defaults.get(name, "")).split(",") for name in ("host", "hostaddr", "port")
    }
    count = max(map(len, lists.values()))
    for number in range(count):
        own = {name: values[min(number, len(values) - 1)] for name, values in lists.items()}
        yield {**given, **own} if count > 1 else given


def _visit(library: Library, options: dict[str, str], defaults: dict[str, str]) -> Server:
    """Connect and leave again.

    :raises greenpg.errors.Error: the server refuses us, or cannot be reached
    :raises TimeoutError: there is no answer
    """
    limit = _limit(options.get("connect_timeout") or defaults.get("connect_timeout") or "")
    conninfo = " ".join(f"{name}='{_quoted(value)}'" for name, value in options.items())
    wait = _wait_callback()
    try:
        # in a native thread: it looks the host up
        pgconn = drive(offload_gen(partial(library.connect_start, os.fsencode(conninfo))), wait, limit)
        try:
            most = drive(_connect_gen(pgconn), wait, limit)
            address = f"{pgconn.host.decode()}:{pgconn.port.decode()}"
            return Server(version_text(pgconn.server_version), address, pgconn.ssl_in_use, most)
        finally:
            pgconn.finish()
    except TimeoutError as error:
        where = options.get("host") or options.get("hostaddr") or "the server"
        raise TimeoutError(f"{where} did not answer within {limit:g} s") from error


def _wait_callback() -> WaitCallback:
    """Return greenpg's, or, where the doctor has to say that there is none, one that will do."""
    try:
        return get_wait_callback()
    except (LookupError, ImportError):
        return select.wait


def _connect_gen(pgconn: PGconn) -> Gen[int | None]:
    """Connect; return how many connections the server takes, if it says so."""
    status = PollingStatus.WRITING
    while status != PollingStatus.OK:
        if pgconn.status == ConnStatus.BAD or status == PollingStatus.FAILED:
            raise OperationalError(pgconn.get_error_message())
        yield from wait_gen(pgconn.socket, Wait.R if status == PollingStatus.READING else Wait.W)
        status = pgconn.connect_poll()
    pgconn.nonblocking = True
    pgconn.send_query(b"select current_setting('max_connections')")
    [result] = yield from execute_gen(pgconn)
    most = result.get_value(0, 0) if result.status == ExecStatus.TUPLES_OK else None
    return None if most is None else int(most)


def _limit(text: str) -> float:
    """Return the seconds that a `connect_timeout` stands for; 0 and nonsense are for ever to libpq."""
    return float(text) if text.isdecimal() and int(text) > 0 else _LIMIT


def _quoted(value: str) -> str:
    return value.replace("\\", r"\\").replace("'", r"\'")
