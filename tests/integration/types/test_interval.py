"""Intervals in every IntervalStyle, as `timedelta` and without loss."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from greenpg.adapt import Format, PyFormat
from greenpg.errors import DataError
from greenpg.types.datetime import Interval, register_interval
from tests.roundtrip import FORMATS_OUT, LIVE

if TYPE_CHECKING:
    from tests.roundtrip import RoundTrip

STYLES = ["postgres", "postgres_verbose", "sql_standard", "iso_8601"]

SMALL = st.integers(-40, 40)
INT32 = st.integers(-(2**31) + 1, 2**31 - 2)
INT64 = st.integers(-(2**63) + 1, 2**63 - 2)
INTERVALS = st.builds(Interval, SMALL | INT32, SMALL | INT32, SMALL | INT64)


@pytest.mark.parametrize("style", STYLES)
@LIVE
@given(value=st.timedeltas())
@example(value=dt.timedelta.min)
@example(value=dt.timedelta.max)
@example(value=dt.timedelta(seconds=-1))
def test_timedeltas(trip: RoundTrip, style: str, value: dt.timedelta) -> None:
    """All of them, in every style."""
    trip.command(f"set intervalstyle to {style}")
    trip.check(value, "interval")


@pytest.mark.parametrize("style", STYLES)
@LIVE
@given(value=INTERVALS)
@example(value=Interval(0, 0, 0))
@example(value=Interval(-14, -3, -1))
@example(value=Interval(-14, 0, 0))
@example(value=Interval(0, -3, -(10**10)))
@example(value=Interval(14, -3, 10**10 + 1))
@example(value=Interval(0, 0, -1))
@example(value=Interval(0, 5, 0))
def test_without_loss(trip: RoundTrip, style: str, value: Interval) -> None:
    """Three numbers, three numbers: 24 hours are no day, 30 days no month."""
    trip.command(f"set intervalstyle to {style}")
    register_interval(trip)
    trip.check(value, "interval")


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("format", FORMATS_OUT)
@pytest.mark.parametrize("sql", ["1 month", "-1 year", "1 year -1 day 2 hours", "178000000 years"])
def test_months_are_refused(trip: RoundTrip, style: str, sql: str, format: Format) -> None:
    """With the way out in the message; psycopg takes a month for thirty days."""
    trip.command(f"set intervalstyle to {style}")
    with pytest.raises(DataError, match=r"no months.*register_interval.*column 'i'"):
        trip.select(f"select interval '{sql}' as i", fmt_out=format)


@pytest.mark.parametrize("format", FORMATS_OUT)
def test_too_long_for_a_timedelta(trip: RoundTrip, format: Format) -> None:
    """A `timedelta` has a thousand million days."""
    with pytest.raises(DataError, match="register_interval"):
        trip.select("select interval '2000000000 days'", fmt_out=format)


@pytest.mark.parametrize("format", PyFormat)
def test_out_of_range(trip: RoundTrip, format: PyFormat) -> None:
    """The error is ours, and names the value."""
    with pytest.raises(DataError, match="Interval"):
        trip.select("select $1", [Interval(2**31, 0, 0)], format)


@pytest.mark.parametrize("format", PyFormat)
def test_a_second_ago_is_no_day_ago(trip: RoundTrip, format: PyFormat) -> None:
    """Python keeps it as minus a day and the rest back; the server adds days by the calendar."""
    assert trip.select("select extract(day from $1)::int", [dt.timedelta(seconds=-1)], format) == 0


def test_infinity(trip: RoundTrip) -> None:
    """PostgreSQL 17 has infinite intervals; without loss, they are the largest and the smallest."""
    if trip.pgconn.server_version < 170000:
        pytest.skip("PostgreSQL 17 brought infinite intervals")
    for format in FORMATS_OUT:
        with pytest.raises(DataError, match="infinite"):
            trip.select("select interval 'infinity'", fmt_out=format)
    register_interval(trip)
    for word, value in (
        ("infinity", Interval(2**31 - 1, 2**31 - 1, 2**63 - 1)),
        ("-infinity", Interval(-(2**31), -(2**31), -(2**63))),
    ):
        for format in FORMATS_OUT:
            assert trip.select(f"select interval '{word}'", fmt_out=format) == value
            for there in PyFormat:
                assert trip.select(f"select $1 = interval '{word}'", [value], there, format) is True
