"""Connecting: names resolved off the hub, and `connect_timeout` kept for each host.

libpq moves from host to host by itself, and its policy (what counts as a failure, session
attributes, standbys) stays its own. It has no clock in its non-blocking mode, though: when a host's
time is over the attempt is given up, and a new one begins with the hosts after it.
See the libpq chapters "Specifying Multiple Hosts" and "Parameter Key Words".
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg2
from psycopg2 import _psycopg, extensions

from greenpg._core.hosts import Host
from greenpg._core.offload import Offloaded, resolve
from greenpg.abc import Ready
from greenpg.compat.psycopg2._connection import GreenBaseConnection, async_connection, green_connection
from greenpg.compat.psycopg2._session import Session, attempt_by_function, libpq
from greenpg.compat.psycopg2._twin import adopt
from greenpg.waiters import drive, get_wait_callback

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greenpg.abc import Wait, WaitCallback
    from greenpg.pq.abc import PGconn

T = TypeVar("T")

_DEFAULT_PORT = "5432"
_PLACES = ("host", "hostaddr", "port", "service", "load_balance_hosts")
"""The parameters that say where to connect to."""


@dataclass(frozen=True)
class Target:
    """One address that libpq may try."""

    host: str
    port: str
    address: str = ""
    """Empty where libpq needs none: a socket directory, a literal address."""
    of: int = 0
    """Which host of the conninfo it belongs to."""
    seconds: float = inf
    """What resolving the host's name has left of its `connect_timeout`."""

    def is_tried_by(self, pgconn: PGconn) -> bool:
        """Return whether libpq is at this address now."""
        return (
            (not self.host or self.host == pgconn.host.decode())
            and (not self.address or self.address == pgconn.hostaddr.decode())
            and self.port == pgconn.port.decode()
        )


class Attempt:
    """One `PQconnectStart()`: the addresses it may try, and the clock of the one being tried.

    The addresses of a host share its time, so that one that is a black hole does not eat it all.

    :param given: the conninfo of the caller
    :param dsn: the conninfo that says what to try
    :param running: the host whose time is running already, and its end
    """

    def __init__(
        self, given: str, dsn: str, targets: Sequence[Target], running: tuple[int, float] = (-1, inf)
    ) -> None:
        self.given = given
        self.dsn = dsn
        self.targets = targets
        self.running = running
        self.timed_out = False
        self.place = -1
        """The place in `targets` of the one being tried."""
        self.said = ""
        """What libpq has said of the failures so far, as far as psycopg2 does not repeat it."""
        self._end = inf

    def told(self, dsn: str) -> str:
        """Return what psycopg2 is told where a user's class says `dsn`: our hosts, if it kept its own."""
        if dsn == self.given:
            return self.dsn
        given, theirs, ours = map(extensions.parse_dsn, (self.given, dsn, self.dsn))
        if any(theirs.get(key) != given.get(key) for key in _PLACES):
            return dsn
        return extensions.make_dsn(dsn, **{key: ours[key] for key in _PLACES if key in ours})

    def limit(self, wait: WaitCallback, pgconn: PGconn) -> WaitCallback:
        """Return `wait` with the time of each address as its limit, whatever the server sends meanwhile."""
        self._follow(pgconn, monotonic())
        if not self.said and not pgconn.error_message:
            self.said = self._forgotten(pgconn)

        def limited(fd: int, need: Wait, timeout: float | None, /) -> Ready:
            now = monotonic()
            self._follow(pgconn, now)
            if self._end == inf:
                return wait(fd, need, None)
            if self._end > now and (ready := wait(fd, need, self._end - now)):
                return ready
            self.timed_out = True
            self.said += f"{pgconn.error_message.decode(errors='replace')}timeout expired\n"
            return Ready.NONE

        return limited

    def _follow(self, pgconn: PGconn, now: float) -> None:
        """Start the clock of the address that libpq is at, if it was at another one before."""
        here = max(self.place, 0)
        places = [*range(here, len(self.targets)), *range(here)]  # onwards: the same host may be listed twice
        place = next((p for p in places if self.targets[p].is_tried_by(pgconn)), here)
        if place == self.place:
            return
        self.place = place
        host, seconds = self.targets[place].of, self.targets[place].seconds
        if host != self.running[0]:
            self.running = host, now + seconds
        sharing = sum(target.of == host for target in self.targets[place:])
        self._end = now + (self.running[1] - now) / sharing

    def _forgotten(self, pgconn: PGconn) -> str:
        """Return what libpq had to say before psycopg2 made the connection non-blocking, which clears it."""
        gone = [f"{_failed(t.host, t.address, t.port)}at once\n" for t in self.targets[: self.place]]
        return "".join([*gone, _failed(pgconn.host.decode(), pgconn.hostaddr.decode(), pgconn.port.decode())])


def _failed(host: str, address: str, port: str) -> str:
    """Return the beginning of libpq's message about a failure to connect."""
    return f"{Host(host, port, address)} failed: "


class Conninfo:
    """What a conninfo string, the environment and a service ask for in hosts and time."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        # libpq itself puts them together, and refuses this sslmode before it does anything
        refused = libpq().connect_start(extensions.make_dsn(dsn, sslmode="?", password="?").encode())
        self.options = {o.keyword.decode(): o.val.decode(errors="replace") for o in refused.info if o.val}
        self.failures: list[str] = []

    @property
    def connect_timeout(self) -> float:
        """Seconds for each host; infinite where none are given.

        :raises psycopg2.OperationalError: not a number, in libpq's words
        """
        text = self.options.get("connect_timeout", "0")
        try:
            seconds = int(text)
        except ValueError as exc:
            raise psycopg2.OperationalError(
                f'invalid integer value "{text}" for connection option "connect_timeout"\n'
            ) from exc
        return seconds if seconds > 0 else inf

    def hosts(self) -> list[Target] | None:
        """Return the hosts as they were given; `None` for a mistake that libpq has the words for."""
        names = self.options.get("host", "").split(",")
        addresses = self.options["hostaddr"].split(",") if "hostaddr" in self.options else [""] * len(names)
        if len(names) == 1 and not names[0]:
            names *= len(addresses)
        ports = self.options.get("port", "").split(",")
        if len(ports) == 1:
            ports *= len(names)
        if not len(names) == len(addresses) == len(ports):
            return None
        return [
            Target(name, port or _DEFAULT_PORT, address, of=i, seconds=self.connect_timeout)
            for i, (name, address, port) in enumerate(zip(names, addresses, ports, strict=True))
        ]

    def attempt(self) -> Attempt:
        """Resolve what has to be resolved, and return the first attempt.

        :raises psycopg2.OperationalError: no host has an address
        """
        hosts = self.hosts()
        if hosts is None:
            return Attempt(self.dsn, self.dsn, [Target("", "", seconds=self.connect_timeout)])
        targets = self._resolve(self._shuffled(hosts))
        if not targets:
            raise psycopg2.OperationalError("".join(self.failures))
        untouched = targets == hosts and not self._balances
        return Attempt(self.dsn, self.dsn if untouched else self._dsn(targets), targets)

    def next_attempt(self, attempt: Attempt) -> Attempt:
        """Return the attempt that follows one whose time was over at one of its hosts.

        :raises psycopg2.OperationalError: there is no host left; the message has every host's failure
        """
        self.failures.append(attempt.said)
        targets = [*attempt.targets[attempt.place + 1 :]]
        if self.options.get("target_session_attrs") == "prefer-standby":
            targets += attempt.targets[: attempt.place]  # passed over for want of a standby
        if not targets:
            raise psycopg2.OperationalError("".join(self.failures))
        return Attempt(self.dsn, self._dsn(targets), targets, attempt.running)

    @property
    def _balances(self) -> bool:
        """Whether hosts are tried in random order. It is made here, to know which ones are left."""
        return self.options.get("load_balance_hosts") == "random"

    def _shuffled(self, items: list[T]) -> list[T]:
        """Return hosts, or a host's addresses, in the order that they are to be tried in."""
        return random.sample(items, len(items)) if self._balances else items

    def _resolve(self, hosts: list[Target]) -> list[Target]:
        """Return a target for each address of each host, all names looked up at the same time."""
        lookups = [
            resolve(host.host) if Host(host.host, host.port, host.address).needs_resolving else None
            for host in hosts
        ]
        targets: list[Target] = []
        for host, lookup in zip(hosts, lookups, strict=True):
            targets += [host] if lookup is None else self._resolved(host, lookup)
        return targets

    def _resolved(self, host: Target, lookup: Offloaded[list[str]]) -> list[Target]:
        """Return a target for each address of `host`; where it has none in time, note the failure."""
        began = monotonic()
        limit = None if host.seconds == inf else host.seconds
        try:
            addresses = drive(lookup.result_gen(), get_wait_callback(), limit)
        except OSError as exc:
            reason = "timeout expired" if isinstance(exc, TimeoutError) else exc.strerror
            self.failures.append(f'could not translate host name "{host.host}" to address: {reason}\n')
            return []
        left = host.seconds - (monotonic() - began)
        return [replace(host, address=address, seconds=left) for address in self._shuffled(addresses)]

    def _dsn(self, targets: Sequence[Target]) -> str:
        """Return the conninfo with just these targets, in this order."""
        changed = {
            "host": ",".join(t.host for t in targets),
            "hostaddr": ",".join(t.address for t in targets),
            "port": ",".join(t.port for t in targets),
        }
        if self._balances:
            changed["load_balance_hosts"] = "disable"
        # what is empty for every target is left out, or emptied where it was given
        needed = {k: v for k, v in changed.items() if v.strip(",") or k in self.options}
        return extensions.make_dsn(self.dsn, **needed)


def connecting(plain_connect: Callable[..., Any]) -> Callable[..., Any]:
    """Return the replacement of `psycopg2._connect`, which makes every connection green.

    :param plain_connect: psycopg2's own, for asynchronous connections: their users do the waiting
    """

    def connect(dsn: str, connection_factory: Any = None, **kwasync: Any) -> Any:
        if any(kwasync.values()) or not isinstance(dsn, str):
            return plain_connect(dsn, connection_factory=async_connection(connection_factory), **kwasync)
        try:
            conninfo = Conninfo(dsn)
        except psycopg2.ProgrammingError:  # psycopg2 has the words for a conninfo that cannot be read
            return plain_connect(dsn, connection_factory=connection_factory)
        factory = green_connection(connection_factory or _psycopg.connection)
        attempt: Attempt | None = conninfo.attempt()
        while attempt is not None:
            attempt, conn = _try(factory, conninfo, attempt)
        return conn

    return connect


def _try(factory: Any, conninfo: Conninfo, attempt: Attempt) -> tuple[Attempt | None, Any]:
    """Connect; return the attempt that is to follow when a host's time was over, else the connection."""
    try:
        return None, _make(factory, conninfo, attempt)
    except TimeoutError:
        if not attempt.timed_out:
            raise
        return conninfo.next_attempt(attempt), None
    except psycopg2.OperationalError as exc:
        exc.args = ("".join([*conninfo.failures, attempt.said, str(exc)]),)
        raise


def _make(factory: Any, conninfo: Conninfo, attempt: Attempt) -> Any:
    """Call the factory for one attempt; a class of users gets the conninfo that they gave."""
    if not (isinstance(factory, type) and issubclass(factory, GreenBaseConnection)):
        token = attempt_by_function.set(attempt)
        try:
            made = adopt(factory(attempt.dsn), green_connection)
        finally:
            attempt_by_function.reset(token)
        if isinstance(made, GreenBaseConnection):
            made.become_green()
        return made
    conn: Any = factory.__new__(factory, conninfo.dsn)
    if "_greenpg" not in vars(conn):  # its class calls psycopg2's own __new__()
        conn._greenpg = Session()
    session = conn._greenpg
    session.attempt = attempt
    if attempt.dsn != conninfo.dsn:
        session.asked = conninfo.options
        session.dsn = conninfo.dsn
    conn.__init__(conninfo.dsn)
    conn.become_green()
    return conn
