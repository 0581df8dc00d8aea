"""Connecting: names resolved off the hub, and `connect_timeout` kept for each host.

libpq moves from host to host by itself, and its policy (what counts as a failure, session
attributes, standbys) stays its own. It has no clock in its non-blocking mode, though: when a host's
time is over the attempt is given up, and a new one begins with the hosts after it.
See the libpq chapters "Specifying Multiple Hosts" and "Parameter Key Words".
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from ipaddress import ip_address
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2 import _psycopg, extensions

from greenpg._core.offload import Offloaded, resolve
from greenpg.abc import Ready
from greenpg.compat.psycopg2._connection import GreenBaseConnection, green_connection
from greenpg.compat.psycopg2._session import libpq
from greenpg.compat.psycopg2._twin import adopt
from greenpg.errors import Error
from greenpg.waiters import drive, get_wait_callback

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greenpg.abc import Wait, WaitCallback
    from greenpg.pq.abc import PGconn

_DEFAULT_PORT = "5432"


@dataclass(frozen=True)
class Target:
    """One address that libpq may try."""

    host: str
    port: str
    address: str = ""
    """Empty where libpq needs none: a socket directory, a literal address."""
    of: int = 0
    """Which host of the conninfo it belongs to."""
    behind: int = 0
    """How many addresses of the same host come after it."""
    seconds: float = inf
    """What resolving the host's name has left of its `connect_timeout`."""

    def is_tried_by(self, pgconn: PGconn) -> bool:
        """Return whether libpq is at this address now."""
        return (
            (not self.host or self.host == pgconn.host.decode())
            and (not self.address or self.address == pgconn.hostaddr.decode())
            and self.port == pgconn.port.decode()
        )

    def __str__(self) -> str:
        address = f" ({self.address})" if self.address not in ("", self.host) else ""
        return f'connection to server at "{self.host or self.address}"{address}, port {self.port} failed'


class Attempt:
    """One `PQconnectStart()`: the addresses it may try, and the clock of the one being tried."""

    def __init__(self, dsn: str, targets: Sequence[Target]) -> None:
        self.dsn = dsn
        self.targets = targets
        self.timed_out: int | None = None
        """The place in `targets` of the one whose time was over."""

    def limit(self, wait: WaitCallback, pgconn: PGconn) -> WaitCallback:
        """Return `wait` with the time of each address as its limit, whatever the server sends meanwhile."""
        if all(target.seconds == inf for target in self.targets):
            return wait
        host_ends: dict[int, float] = {}
        ends: dict[int, float] = {}

        def limited(fd: int, need: Wait, timeout: float | None, /) -> Ready:
            place = next((i for i, t in enumerate(self.targets) if t.is_tried_by(pgconn)), -1)
            target, now = self.targets[place], monotonic()
            if place not in ends:
                # the addresses of a host share its time: one that is a black hole must not eat it all
                left = host_ends.setdefault(target.of, now + target.seconds) - now
                ends[place] = now + left / (target.behind + 1)
            remaining = ends[place] - now
            if remaining > 0 and (ready := wait(fd, need, remaining)):
                return ready
            self.timed_out = place % len(self.targets)
            return Ready.NONE

        return limited


class Conninfo:
    """What a conninfo string and the environment ask for, as far as hosts and time are concerned."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        given = [*libpq().conninfo_defaults(), *libpq().parse_conninfo(dsn.encode())]
        self.options = {o.keyword.decode(): o.val.decode() for o in given if o.val}
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
                f'invalid integer value "{text}" for connection option "connect_timeout"'
            ) from exc
        return seconds if seconds > 0 else inf

    def hosts(self) -> list[Target] | None:
        """Return the hosts as they were given; `None` where only libpq can tell (services, mistakes)."""
        if "service" in self.options:
            return None
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
            return Attempt(self.dsn, [Target("", "", seconds=self.connect_timeout)])
        targets = self._resolve(hosts)
        if not targets:
            raise psycopg2.OperationalError("\n".join(self.failures))
        if self.options.get("load_balance_hosts") == "random" and len(targets) > 1:
            random.shuffle(targets)
        return Attempt(self.dsn if targets == hosts else self._dsn(targets), targets)

    def next_attempt(self, attempt: Attempt) -> Attempt:
        """Return the attempt that follows one whose time was over at one of its hosts.

        :raises psycopg2.OperationalError: there is no host left; the message has every host's failure
        """
        assert attempt.timed_out is not None
        self.failures.append(f"{attempt.targets[attempt.timed_out]}: timeout expired\n")
        targets = attempt.targets[attempt.timed_out + 1 :]
        if not targets:
            raise psycopg2.OperationalError("\n".join(self.failures))
        return Attempt(self._dsn(targets), targets)

    def _resolve(self, hosts: list[Target]) -> list[Target]:
        """Return a target for each address of each host, all names looked up at the same time."""
        began = monotonic()
        lookups = [resolve(host.host) if _needs_resolving(host) else None for host in hosts]
        targets = []
        for host, lookup in zip(hosts, lookups, strict=True):
            addresses = [host.address] if lookup is None else self._addresses(host, lookup, began)
            left = host.seconds - (0 if lookup is None else monotonic() - began)
            for behind, address in zip(range(len(addresses))[::-1], addresses, strict=True):
                targets.append(replace(host, address=address, behind=behind, seconds=left))
        return targets

    def _addresses(self, host: Target, lookup: Offloaded[list[str]], began: float) -> list[str]:
        """Return the addresses of `host`; none, and a failure noted, where it has none in time."""
        timeout = None if host.seconds == inf else max(0, began + host.seconds - monotonic())
        try:
            return drive(lookup.result_gen(), get_wait_callback(), timeout)
        except OSError as exc:
            reason = "timeout expired" if isinstance(exc, TimeoutError) else exc.strerror
            self.failures.append(f'could not translate host name "{host.host}" to address: {reason}\n')
            return []

    def _dsn(self, targets: Sequence[Target]) -> str:
        """Return the conninfo with just these targets, in this order."""
        changed = {
            "host": ",".join(t.host for t in targets),
            "hostaddr": ",".join(t.address for t in targets),
            "port": ",".join(t.port for t in targets),
        }
        if "load_balance_hosts" in self.options:
            changed["load_balance_hosts"] = "disable"  # shuffled here, to know which ones are left
        return extensions.make_dsn(self.dsn, **{k: v for k, v in changed.items() if v.strip(",")})


def _needs_resolving(target: Target) -> bool:
    """Return whether libpq would have to ask a name server, and block."""
    if target.address or not target.host or target.host[0] in "/@":
        return False
    try:
        ip_address(target.host.partition("%")[0])
    except ValueError:
        return True
    return False


def connecting(plain_connect: Callable[..., Any]) -> Callable[..., Any]:
    """Return the replacement of `psycopg2._connect`, which makes every connection green.

    :param plain_connect: psycopg2's own, for asynchronous connections: their users do the waiting
    """

    def connect(dsn: str, connection_factory: Any = None, **kwasync: Any) -> Any:
        if any(kwasync.values()):
            return plain_connect(dsn, connection_factory=connection_factory, **kwasync)
        try:
            conninfo = Conninfo(dsn)
        except Error:  # psycopg2 has the words for a conninfo that cannot be read
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
        if attempt.timed_out is None:
            raise
        return conninfo.next_attempt(attempt), None
    except psycopg2.OperationalError as exc:
        if not conninfo.failures:
            raise
        raise psycopg2.OperationalError("\n".join([*conninfo.failures, str(exc)])) from exc


def _make(factory: Any, conninfo: Conninfo, attempt: Attempt) -> Any:
    """Call the factory for one attempt; a class of users gets the conninfo that they gave."""
    if not (isinstance(factory, type) and issubclass(factory, GreenBaseConnection)):
        made = adopt(factory(attempt.dsn), green_connection)
        if isinstance(made, GreenBaseConnection):
            made.become_green()
        return made
    conn: Any = factory.__new__(factory, conninfo.dsn)
    session = conn._greenpg
    session.attempt = attempt
    if attempt.dsn != conninfo.dsn:
        session.asked = conninfo.options
        session.dsn = conninfo.dsn
    conn.__init__(conninfo.dsn)
    return conn
