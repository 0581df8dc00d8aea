"""What a conninfo asks for: which hosts, in which order, for how long each. Nothing here connects.

libpq itself puts conninfo, environment and service file together; what is done with the hosts is ours,
because libpq resolves names blocking, and has no clock in its non-blocking mode.
See the libpq chapters "Specifying Multiple Hosts" and "Parameter Key Words".
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address
from itertools import zip_longest
from typing import TYPE_CHECKING, TypeVar

from greenpg import pq
from greenpg.conninfo import conninfo_to_dict, make_conninfo
from greenpg.errors import OperationalError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from greenpg.pq import Library

T = TypeVar("T")

DEFAULTS = {
    "client_encoding": "UTF8",
    "gssencmode": "disable",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""What is asked for unless the user, the environment or the service does: a peer that is gone is noticed
within a minute, in waiting (keepalives: 30 s + 3 * 10 s) or in sending (`tcp_user_timeout`, milliseconds).
Encryption by Kerberos is not tried: its libraries have no way to wait without keeping the hub."""

PATIENCE = 130.0
"""Seconds for a host without a `connect_timeout`: psycopg's, a little more than Linux tries a SYN for."""

_DEFAULT_PORT = "5432"


@dataclass(frozen=True)
class Host:
    """One host of a conninfo."""

    name: str
    """A name, an address, or the directory of a Unix socket; empty for libpq's default."""
    port: str
    address: str = ""
    """Its `hostaddr`, if that was given."""

    @cached_property
    def needs_resolving(self) -> bool:
        """Whether libpq would have to ask a name server, and block."""
        if self.address or not self.name or self.name[0] in "/@":
            return False
        try:
            ip_address(self.name.partition("%")[0])
        except ValueError:
            return True
        return False

    @property
    def place(self) -> str:
        """What libpq calls it in its messages."""
        if self.name[:1] in ("/", "@"):
            return f'"{self.name}/.s.PGSQL.{self.port}"'
        return f'"{self.name or self.address}"'

    def __str__(self) -> str:
        """The beginning of libpq's own message about a failure to connect to it."""
        if self.name[:1] in ("/", "@"):
            return f"connection to server on socket {self.place}"
        also = f" ({self.address})" if self.address not in ("", self.name) else ""
        return f"connection to server at {self.place}{also}, port {self.port}"


VARIABLES = (
    *("PGHOST", "PGHOSTADDR", "PGPORT", "PGCONNECT_TIMEOUT", "PGTARGETSESSIONATTRS", "PGLOADBALANCEHOSTS"),
    *("PGCLIENTENCODING", "PGGSSENCMODE", "PGSERVICE"),
)
"""What a plan depends on in the environment; a service's file is read each time."""

_NAMES = tuple(map(os.fsencode, (*VARIABLES, "GREENPG_LIBPQ")))

_KEPT = 16
_plans: dict[tuple[object, ...], Plan] = {}


def plan_for(conninfo: str, password: str | None = None) -> Plan:
    """Return the plan for a conninfo: the one of the last time, if it would be the same now.

    To make it takes longer than to connect to a server that is near.

    :raises: as `Plan` does
    """
    if not isinstance(conninfo, str):
        return Plan(conninfo, password)
    # a variable that is not set costs an exception if `os.environ` itself is asked
    environment = getattr(os.environ, "_data", os.environb)
    key = (conninfo, password, *map(environment.get, _NAMES))
    plan = _plans.get(key)
    if plan is None:
        plan = Plan(conninfo, password)
        if "service" not in plan.given and not environment.get(b"PGSERVICE"):
            if len(_plans) >= _KEPT:
                _plans.clear()
            _plans[key] = plan
    return plan


class Plan:
    """The hosts to try, the time for each, and what libpq is to be told.

    :param conninfo: a connection string or URI
    :param password: in the place of the conninfo's
    :raises ProgrammingError: the conninfo cannot be read
    :raises OperationalError: it asks for what cannot be: no such service, hosts and ports that do not match
    :raises DataError: there is a NUL or half a character in it
    """

    def __init__(self, conninfo: str, password: str | None = None) -> None:
        self.library = pq.library()
        self.given = {key: str(value) for key, value in conninfo_to_dict(conninfo).items()}
        if password is not None:
            self.given["password"] = password
        self.options = _merged(self.library, self.given)
        self.seconds = self._seconds()
        self.is_balanced = self.options.get("load_balance_hosts") == "random"
        """Whether hosts, and the addresses of each, are tried in random order."""
        self.passes = self._passes()
        """The `target_session_attrs` to go through the hosts with, one after the other."""
        self._hosts = self._all_hosts()
        self._conninfos: dict[tuple[Host, str, str], bytes] = {}

    def _seconds(self) -> float | None:
        """Return the seconds for each host; `None` for as long as it takes."""
        text = self.options.get("connect_timeout") or str(PATIENCE)
        try:
            seconds = float(text)
        except ValueError as exc:
            raise OperationalError(f"connect_timeout is {text!r}, make it a number of seconds") from exc
        return seconds if 0 < seconds < float("inf") else None

    def _passes(self) -> tuple[str, ...]:
        asked = self.options.get("target_session_attrs", "any")
        return ("standby", "any") if asked == "prefer-standby" else (asked,)

    def hosts(self) -> list[Host]:
        """Return the hosts in the order to try them in."""
        return _shuffled(self._hosts) if self.is_balanced else self._hosts

    def _all_hosts(self) -> list[Host]:
        names = self.options.get("host", "").split(",")
        addresses = self.options.get("hostaddr", "").split(",")
        ports = self.options.get("port", "").split(",")
        if len(ports) == 1:
            ports *= max(len(names), len(addresses))
        places = zip_longest(names, ports, addresses, fillvalue="")
        return [Host(name, port or _DEFAULT_PORT, address) for name, port, address in places]

    def addresses(self, found: Sequence[str]) -> list[str]:
        """Return a name's addresses in the order to try them in; the resolver's, its families in turns.

        RFC 8305, section 4: a whole family that leads nowhere does not stand before all of the other one.
        """
        if self.is_balanced:
            return _shuffled(found)
        first = [address for address in found if (":" in address) == (":" in found[0])]
        others = [address for address in found if address not in first]
        return [address for pair in zip_longest(first, others) for address in pair if address]

    def conninfo(self, host: Host, address: str, attrs: str) -> bytes:
        """Return what libpq is to be told: this host at this address, and no other."""
        place = host, address, attrs
        told = self._conninfos.get(place)
        if told is None:
            if len(self._conninfos) >= _KEPT:  # a name may have other addresses each day
                self._conninfos.clear()
            told = self._conninfos[place] = self._conninfo(host, address, attrs)
        return told

    def _conninfo(self, host: Host, address: str, attrs: str) -> bytes:
        changed = {"host": host.name, "hostaddr": address, "port": host.port, "target_session_attrs": attrs}
        if self.is_balanced:
            changed["load_balance_hosts"] = "disable"
        needed = {key: value for key, value in changed.items() if self.options.get(key, "") != value}
        defaults = {key: value for key, value in DEFAULTS.items() if key not in self.options}
        return make_conninfo(**{**defaults, **self.given, **needed}).encode()


def _shuffled(items: Sequence[T]) -> list[T]:
    return random.sample(items, len(items))


def _merged(library: Library, given: Mapping[str, str]) -> dict[str, str]:
    """Return all parameters that libpq would go by: the given ones, the service's, the environment's.

    :raises OperationalError: in libpq's words, it does not come so far
    """
    # libpq refuses this sslmode once all is put together, before it does anything, and reads no passfile
    asked = make_conninfo(**{**given, "sslmode": "?", "password": "?"})
    refused = library.connect_start(asked.encode())
    message = refused.get_error_message()
    if "?" not in message:
        raise OperationalError(message)
    found = {option.keyword: option.val for option in refused.info if option.val is not None}
    options = {key.decode(): value.decode(errors="surrogateescape") for key, value in found.items()}
    if options.get("gssencmode") == "prefer" and not os.environ.get("PGGSSENCMODE"):
        del options["gssencmode"]  # libpq's own default, or a service's word that is the same
    return {**{key: value for key, value in options.items() if value != "?"}, **given}
