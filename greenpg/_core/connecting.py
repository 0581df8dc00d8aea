"""Connecting: one host after the other, each within its time, until one lets us in.

libpq does the talking, to one address at a time: which one, and for how long, is decided here. What libpq
would block the hub with goes to native threads: names, and what a server has it compute for a password.

Limits of libpq: it takes AuthenticationOk for an answer in the midst of a SCRAM exchange, unless
`require_auth` says what has to be (a server that would cheat could as well ask for no password at all, so
that nothing less helps); and it computes as many SCRAM iterations as a server asks for, in a thread that
cannot be stopped.
"""

from __future__ import annotations

import re
from _socket import EAI_AGAIN, gaierror
from typing import TYPE_CHECKING

from greenpg._core.hosts import plan_for
from greenpg._core.offload import Offloaded, TimeIsOver, resolve
from greenpg._core.protocol import wait_gen
from greenpg._core.race import is_writable, race_gen
from greenpg.abc import Wait
from greenpg.adapt import codec
from greenpg.errors import (
    ConnectionTimeout,
    Diagnostic,
    NotSupportedError,
    OperationalError,
    class_for_state,
)
from greenpg.pq.enums import ConnStatus, PollingStatus, Verbosity

if TYPE_CHECKING:
    from greenpg._core.hosts import Host, Plan
    from greenpg.abc import Gen, Steps
    from greenpg.pq.abc import PGconn

# looked at after each word of the server
_READING, _OK, _FAILED = PollingStatus.READING, PollingStatus.OK, PollingStatus.FAILED

_REFUSALS = ("28", "3D")
"""Kinds of SQLSTATE that another host would answer with too: libpq tries none after a wrong password."""

# What `Verbosity.VERBOSE` makes of a server's error: severity, SQLSTATE, text, and a line with its source.
_REPORT = re.compile(r"(\S+):  ([0-9A-Z]{5}): (.*)")
_SOURCE = re.compile(r"\S+:  .*, .*:\d+")


def connect_steps(conninfo: str, *, password: str | None = None) -> Steps[PGconn]:
    """Connect; return a connection in non-blocking mode, ready to be used.

    Each host is a step, with `connect_timeout` seconds from its name's look-up to its first ReadyForQuery.
    After a failure comes the next host, unless the server did not want this user or database.

    :param conninfo: a connection string or URI; libpq adds the environment, service and passfile to it
    :param password: in the place of the conninfo's, as asked for just now
    :raises ProgrammingError: the conninfo cannot be read
    :raises OperationalError: no host has let us in, the message says why for each; `ConnectionTimeout` if all
        were too slow, the class of its SQLSTATE if a server gave one
    :raises NotSupportedError: Python cannot read the client encoding
    """
    plan = plan_for(conninfo, password)
    attempts: list[_Attempt] = []
    hosts = plan.hosts()
    for attrs in plan.passes:
        unsuitable = []
        for host in hosts:
            attempt = _Attempt(plan, host, attrs)
            attempts.append(attempt)
            try:
                pgconn: PGconn = yield attempt.gen(), plan.seconds
            except TimeIsOver:
                attempt.is_late = True
            except _Failed:
                pass
            else:
                return pgconn
            if attempt.is_refused:
                raise _error(attempts)
            if attempt.is_unsuitable:
                unsuitable.append(host)
        hosts = unsuitable
    raise _error(attempts)


class _Failed(Exception):
    """A host did not let us in; its attempt knows why."""


class _Attempt:
    """One host's turn, and what came of it."""

    diag: Diagnostic | None = None
    """What the server said, if it did."""
    is_late = False
    is_unreachable = False
    """Whether we have not come so far as to say a word."""
    is_unsuitable = False
    """Whether the server would have had us, but is not what `target_session_attrs` asks for."""

    def __init__(self, plan: Plan, host: Host, attrs: str) -> None:
        self.host = host
        self.reasons: list[str] = []
        """Lines of text, most of them libpq's."""
        self._plan = plan
        self._attrs = attrs

    @property
    def is_refused(self) -> bool:
        """Whether the server does not want this user or this database."""
        return self.diag is not None and (self.diag.sqlstate or "").startswith(_REFUSALS)

    def gen(self) -> Gen[PGconn]:
        """Connect to the host.

        :raises _Failed: `reasons` has why
        """
        if self.host.needs_resolving:
            addresses = yield from self._addresses_gen()
        else:
            addresses = [self.host.address]
        winner = yield from race_gen(self._start, addresses, self._failed)
        if winner is None:
            # where libpq could not even begin, it names no host
            self.is_unreachable = self.host.place in self.reasons[-1] and self.host.port in self.reasons[-1]
            raise _Failed
        pgconn, status = winner
        if (yield from _authenticate_gen(pgconn, status)) == _FAILED:
            self._failed(pgconn)
            raise _Failed
        pgconn.set_error_verbosity(Verbosity.DEFAULT)
        _check_encoding(pgconn)
        pgconn.nonblocking = True
        return pgconn

    def _addresses_gen(self) -> Gen[list[str]]:
        try:
            return self._plan.addresses((yield from resolve(self.host.name).result_gen()))
        except gaierror as exc:
            self.is_unreachable = exc.errno == EAI_AGAIN
            reason = f'could not translate host name "{self.host.name}" to address: {exc.strerror}'
            self.reasons.append(reason)
            raise _Failed from exc

    def _start(self, address: str) -> PGconn:
        """Begin to connect to an address."""
        pgconn = self._plan.library.connect_start(self._plan.conninfo(self.host, address, self._attrs))
        pgconn.set_error_verbosity(Verbosity.VERBOSE)  # for the SQLSTATE, which libpq gives in no other way
        return pgconn

    def _failed(self, pgconn: PGconn) -> None:
        """Take down why a connection has failed, and close it."""
        message = self._named(pgconn.get_error_message(), pgconn.hostaddr.decode())
        self.is_unsuitable = pgconn.parameter_status(b"server_version") is not None
        pgconn.finish()
        reports = _REPORT.findall(message)  # several, if libpq has tried once more without TLS
        if reports:
            severity, sqlstate, text = reports[-1]
            self.diag = Diagnostic(sqlstate, severity, message_primary=text)
            message = _REPORT.sub(r"\1:  \3", message)
        lines = [line for line in message.splitlines() if not (reports and _SOURCE.fullmatch(line))]
        self.reasons.append("\n".join(dict.fromkeys(lines)))

    def _named(self, message: str, address: str) -> str:
        """Return libpq's message with the host's name, which it leaves out when it is given an address."""
        host = self.host
        if host.name in ("", address):
            return message
        port = f", port {host.port}"
        return message.replace(f'"{address}"{port}', f"{host.place} ({address}){port}")

    def __str__(self) -> str:
        late = [f"{self.host} failed: timeout expired"] if self.is_late else []
        return "\n".join([*self.reasons, *late])


def _authenticate_gen(pgconn: PGconn, status: PollingStatus) -> Gen[PollingStatus]:
    """Go on with a connection whose socket is connected until it is ready or has failed."""
    call: Offloaded[PollingStatus] | None = None
    is_kerberos = False
    try:
        while status != _OK and status != _FAILED:
            if status == _READING:
                yield from wait_gen(pgconn.socket, Wait.R)
            elif not is_writable(pgconn.socket):
                yield from wait_gen(pgconn.socket, Wait.W)
            now = pgconn.status
            is_kerberos = is_kerberos or now == ConnStatus.GSS_STARTUP
            # What may take long: the hash of the password that libpq has been asked for by now, with as many
            # iterations as the server likes; and Kerberos' servers, if there are credentials for them.
            if is_kerberos or (now == ConnStatus.AWAITING_RESPONSE and pgconn.used_password):
                call = Offloaded(pgconn.connect_poll)
                status = yield from call.result_gen()
            else:
                status = pgconn.connect_poll()
    except BaseException:
        if call is None:
            pgconn.finish()
        else:
            call.afterwards(pgconn.finish)  # never under the thread
        raise
    return status


def _check_encoding(pgconn: PGconn) -> None:
    """Refuse a client encoding that nothing could be read in."""
    encoding = pgconn.parameter_status(b"client_encoding") or b"UTF8"
    if encoding == b"UTF8":
        return
    try:
        codec(encoding.decode())
    except NotSupportedError:
        pgconn.finish()
        raise


def _error(attempts: list[_Attempt]) -> OperationalError:
    """Return the error that tells of every host tried."""
    message = "\n".join(dict.fromkeys(map(str, attempts)))
    if all(attempt.is_late for attempt in attempts):
        return ConnectionTimeout(message)
    diags = [attempt.diag for attempt in attempts if attempt.diag is not None]
    if not diags:
        safe = all(attempt.is_late or attempt.is_unreachable for attempt in attempts)
        return OperationalError(message, safe_to_retry=safe)
    cls = class_for_state(diags[-1].sqlstate or "")
    # "no such database" is a mistake in a query's class, and whoever connects expects an OperationalError
    return (cls if issubclass(cls, OperationalError) else OperationalError)(message, diag=diags[-1])
