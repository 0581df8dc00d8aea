"""The small families: booleans, UUIDs and NULL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenpg.errors import DataError
from tests.roundtrip import LIVE

if TYPE_CHECKING:
    import uuid

    from tests.roundtrip import RoundTrip


@pytest.mark.parametrize("value", [True, False])
def test_booleans(trip: RoundTrip, value: bool) -> None:
    """Both of them."""
    trip.check(value, "bool")


@LIVE
@given(st.uuids())
def test_uuids(trip: RoundTrip, value: uuid.UUID) -> None:
    """Any UUID."""
    trip.check(value, "uuid")


@pytest.mark.parametrize("type", ["bool", "int4", "text", "uuid", "date", "numeric", "bytea", "interval"])
def test_null(trip: RoundTrip, type: str) -> None:
    """None is NULL of every type."""
    trip.check(None, type)


def test_a_boolean_column_takes_no_other_truth(trip: RoundTrip) -> None:
    """COPY may bring "f" for a boolean column, which Python takes as true."""
    from greenpg.adapt import Format, Transformer

    tx = Transformer(trip)
    tx.set_dumper_types([16], Format.BINARY)
    with pytest.raises(DataError, match="'f'"):
        tx.dump_sequence(["f"], [])
