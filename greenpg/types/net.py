"""Network addresses: objects of `ipaddress` both ways, MAC addresses as strings.

An `inet` without a netmask of its own is an address, with one an interface; a `cidr` is a network. What
PostgreSQL has no place for, an IPv6 scope, is refused.

See "Network Address Types" in PostgreSQL's manual, and network_send in its source.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, ClassVar

from greenpg.adapt import Dumper, Loader, adapters_of
from greenpg.errors import DataError
from greenpg.pq import Format
from greenpg.types._wire import Wire

if TYPE_CHECKING:
    from greenpg.adapt import AdaptContext

_FAMILIES = {2: (ipaddress.IPv4Interface, 32), 3: (ipaddress.IPv6Interface, 128)}  # PGSQL_AF_INET and _INET6


def _refuse_scope(obj: Any) -> None:
    if getattr(obj, "scope_id", None) is not None:
        raise DataError(f"cannot dump {obj!r}: PostgreSQL keeps no scope of an IPv6 address")


class InetDumper(Dumper):
    """An address or an interface as `inet`."""

    format = Format.TEXT
    oid = 869

    def dump(self, obj: Any) -> bytes:
        _refuse_scope(obj)
        return str(obj).encode()


class CidrDumper(InetDumper):
    """A network as `cidr`."""

    oid = 650


class InetBinaryDumper(Dumper):
    """An address or an interface as `inet` in binary."""

    format = Format.BINARY
    oid = 869

    def dump(self, obj: Any) -> bytes:
        _refuse_scope(obj)
        network = getattr(obj, "network", None)
        return _packed(obj, network.prefixlen if network is not None else obj.max_prefixlen, is_cidr=False)


class CidrBinaryDumper(Dumper):
    """A network as `cidr` in binary."""

    format = Format.BINARY
    oid = 650

    def dump(self, obj: Any) -> bytes:
        _refuse_scope(obj.network_address)
        return _packed(obj.network_address, obj.prefixlen, is_cidr=True)


def _packed(address: Any, prefix: int, *, is_cidr: bool) -> bytes:
    packed: bytes = address.packed
    return bytes([2 if address.version == 4 else 3, prefix, is_cidr, len(packed)]) + packed


class InetLoader(Loader):
    """`inet` from text."""

    format = Format.TEXT

    def load(self, data: bytes) -> Any:
        try:
            text = bytes(data).decode("ascii")
            return ipaddress.ip_interface(text) if "/" in text else ipaddress.ip_address(text)
        except ValueError as error:
            raise DataError(f"cannot read an inet: {error}") from error


class CidrLoader(Loader):
    """`cidr` from text."""

    format = Format.TEXT

    def load(self, data: bytes) -> Any:
        try:
            return ipaddress.ip_network(bytes(data).decode("ascii"))
        except ValueError as error:
            raise DataError(f"cannot read a cidr: {error}") from error


class InetBinaryLoader(Loader):
    """`inet` from binary."""

    format = Format.BINARY

    def load(self, data: bytes) -> Any:
        interface, prefix = _read(data, "inet")
        return interface.ip if prefix == interface.max_prefixlen else interface


class CidrBinaryLoader(Loader):
    """`cidr` from binary."""

    format = Format.BINARY

    def load(self, data: bytes) -> Any:
        return _read(data, "cidr")[0].network


def _read(data: bytes, what: str) -> tuple[Any, int]:
    wire = Wire(data, what)
    family, prefix, _is_cidr, size = wire.take(4)
    if family not in _FAMILIES or prefix > _FAMILIES[family][1] or size * 8 != _FAMILIES[family][1]:
        raise wire.fail(f"family {family}, {size} bytes, prefix {prefix}")
    address = wire.take(size)
    wire.end()
    return _FAMILIES[family][0]((address, prefix)), prefix


class MacaddrBinaryLoader(Loader):
    """`macaddr` and `macaddr8` from binary, as the server writes them in text."""

    format = Format.BINARY
    size: ClassVar[int] = 6

    def load(self, data: bytes) -> str:
        wire = Wire(data, "macaddr")
        address = wire.take(self.size)
        wire.end()
        return address.hex(":")


class Macaddr8BinaryLoader(MacaddrBinaryLoader):
    """`macaddr8` from binary."""

    size = 8


def register_default_adapters(context: AdaptContext) -> None:
    """Register the four types, and by name the classes of `ipaddress`."""
    adapters = adapters_of(context)
    for kind, binary, text in (
        ("Address", InetBinaryDumper, InetDumper),
        ("Interface", InetBinaryDumper, InetDumper),
        ("Network", CidrBinaryDumper, CidrDumper),
    ):
        for version in ("v4", "v6"):
            adapters.register_dumper(f"ipaddress.IP{version}{kind}", text)
            adapters.register_dumper(f"ipaddress.IP{version}{kind}", binary)
    adapters.register_loader("inet", InetLoader)
    adapters.register_loader("inet", InetBinaryLoader)
    adapters.register_loader("cidr", CidrLoader)
    adapters.register_loader("cidr", CidrBinaryLoader)
    adapters.register_loader("macaddr", MacaddrBinaryLoader)
    adapters.register_loader("macaddr8", Macaddr8BinaryLoader)
