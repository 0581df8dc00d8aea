"""Network addresses: objects of `ipaddress` there and back, MAC addresses as strings."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenpg.adapt import Format, PyFormat, Transformer
from greenpg.errors import DataError
from tests.roundtrip import FORMATS_OUT

if TYPE_CHECKING:
    from tests.roundtrip import RoundTrip

ADDRESS = st.ip_addresses()


@settings(max_examples=60, deadline=None)
@given(address=ADDRESS, data=st.data())
def test_values(session: RoundTrip, address: Any, data: st.DataObject) -> None:
    assert all(way == address for way in session.all_ways(address, "inet"))
    prefix = data.draw(st.integers(0, address.max_prefixlen - 1))
    interface = ipaddress.ip_interface((address.packed, prefix))
    for way in session.all_ways(interface, "inet"):
        assert (type(way), way) == (type(interface), interface)
    network = interface.network
    assert all(way == network for way in session.all_ways(network, "cidr"))


@pytest.mark.parametrize("out", FORMATS_OUT)
def test_a_full_netmask_is_an_address_in_inet_and_a_network_in_cidr(trip: RoundTrip, out: Format) -> None:
    loaded = trip.select("select '1.2.3.4/32'::inet", fmt_out=out)
    assert (type(loaded), loaded) == (ipaddress.IPv4Address, ipaddress.ip_address("1.2.3.4"))
    assert trip.select("select '1.2.3.4/32'::cidr", fmt_out=out) == ipaddress.ip_network("1.2.3.4/32")
    assert trip.select("select '::ffff:1.2.3.4'::inet", fmt_out=out) == ipaddress.ip_address("::ffff:102:304")


@pytest.mark.parametrize("form", list(PyFormat))
@pytest.mark.parametrize("value", [ipaddress.ip_address("fe80::1%a"), ipaddress.ip_interface("fe80::1%a/64")])
def test_a_scope_is_refused(form: PyFormat, value: Any) -> None:
    with pytest.raises(DataError, match="scope"):
        Transformer().dump_sequence([value], [form])


@settings(max_examples=20, deadline=None)
@given(packed=st.binary(min_size=8, max_size=8))
def test_mac_addresses(session: RoundTrip, packed: bytes) -> None:
    for out in FORMATS_OUT:
        assert session.select("select $1::macaddr", [packed[:6].hex(":")], fmt_out=out) == packed[:6].hex(":")
        assert session.select("select $1::macaddr8", [packed.hex(":")], fmt_out=out) == packed.hex(":")
