"""Dates and times in every style and zone; the server writes and reads what Python is compared with."""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from greenpg.adapt import Format, PyFormat, Transformer
from greenpg.errors import DataError
from greenpg.types.datetime import register_infinity
from tests.roundtrip import FORMATS_OUT, LIVE

if TYPE_CHECKING:
    from tests.roundtrip import RoundTrip

STYLES = [
    f"{kind}, {order}" for kind in ("ISO", "SQL", "German", "Postgres") for order in ("MDY", "DMY", "YMD")
]
ZONES = ["UTC", "Europe/Rome", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia", "Africa/Monrovia"]
OFFSETS = st.integers(-16 * 3600 + 1, 16 * 3600 - 1).map(lambda s: dt.timezone(dt.timedelta(seconds=s)))

# The days around the edges are no instants in every zone.
MOMENTS = st.datetimes(min_value=dt.datetime(1, 1, 3), max_value=dt.datetime(9999, 12, 29))


@pytest.mark.parametrize("style", STYLES)
@LIVE
@given(value=st.dates())
@example(value=dt.date.min)
@example(value=dt.date.max)
@example(value=dt.date(2001, 2, 3))
def test_dates(trip: RoundTrip, style: str, value: dt.date) -> None:
    """In every style, month or day first."""
    trip.command(f"set datestyle to '{style}'")
    trip.check(value, "date")


@pytest.mark.parametrize("style", STYLES)
@LIVE
@given(value=st.datetimes())
@example(value=dt.datetime.min)
@example(value=dt.datetime.max)
def test_timestamps(trip: RoundTrip, style: str, value: dt.datetime) -> None:
    """In every style, down to the microsecond."""
    trip.command(f"set datestyle to '{style}'")
    trip.check(value, "timestamp")


def instant(value: dt.datetime) -> dt.datetime:
    """Return it in UTC: times that come twice in their zone are equal to nothing of another (PEP 495)."""
    return value.astimezone(dt.timezone.utc)


@pytest.mark.parametrize("zone", ZONES)
@LIVE
@given(value=MOMENTS, offset=OFFSETS)
@example(value=dt.datetime(1900, 1, 1), offset=dt.timezone.utc)
def test_timestamptz(trip: RoundTrip, zone: str, value: dt.datetime, offset: dt.timezone) -> None:
    """The instant is exact, whatever the zone; the zone is the session's."""
    trip.command(f"set timezone to '{zone}'")
    aware = value.replace(tzinfo=offset)
    for back in trip.all_ways(aware, "timestamptz"):
        assert instant(back) == aware
        assert str(back.tzinfo) == zone


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Rome", "America/New_York", "Asia/Kathmandu", "+02"])
@pytest.mark.parametrize("day", [(2024, 10, 27), (2024, 11, 3), (2024, 3, 31), (2024, 7, 1)])
def test_timestamptz_by_abbreviation(
    trip: RoundTrip, style: str, zone: str, day: tuple[int, int, int]
) -> None:
    """Styles with `CET` and `CEST` are read too, also in the hour that comes twice."""
    trip.command(f"set datestyle to '{style}'; set timezone to '{zone}'")
    for hour in range(8):
        value = dt.datetime(*day, hour, 30, 0, 12, dt.timezone.utc)
        assert instant(trip.roundtrip(value, "timestamptz")) == value


def test_an_abbreviation_that_is_not_clear(trip: RoundTrip) -> None:
    """One that the session's zone has not: refused, not guessed."""
    trip.command("set datestyle to 'SQL'; set timezone to 'Europe/Rome'")
    tx = Transformer(trip)
    tx.set_loader_types([1184], Format.TEXT)
    with pytest.raises(DataError, match="not one certain time"):
        tx.load_sequence([b"01/07/2024 00:00:00 XYZ"])


@pytest.mark.parametrize(
    ("sql", "hours"), [("'+02'", 2), ("-3.5", -3.5), ("interval '05:30' hour to minute", 5.5)]
)
def test_a_zone_that_is_an_offset(trip: RoundTrip, sql: str, hours: float) -> None:
    """What SET TIME ZONE makes of a number."""
    trip.command(f"set time zone {sql}")
    for format in FORMATS_OUT:
        back = trip.select("select '2020-01-01 00:00+00'::timestamptz", fmt_out=format)
        assert back.utcoffset() == dt.timedelta(hours=hours)


def test_a_zone_that_python_does_not_know(trip: RoundTrip, caplog: pytest.LogCaptureFixture) -> None:
    """UTC, and a warning in the log."""
    trip.command("set timezone to 'EST5EDT,M3.1.0,M11.1.0'")
    with caplog.at_level(logging.WARNING, "greenpg"):
        for format in FORMATS_OUT:
            back = trip.select("select '2020-01-01 12:00+00'::timestamptz", fmt_out=format)
            assert (back.hour, back.tzinfo) == (12, dt.timezone.utc)
    assert "EST5EDT,M3.1.0,M11.1.0" in caplog.text


def test_without_a_zone_python_must_give_one(trip: RoundTrip) -> None:
    """A zone that comes and goes with the daylight has no offset for a time of no day."""
    with pytest.raises(DataError, match="no offset"):
        trip.roundtrip(dt.time(12, tzinfo=ZoneInfo("Europe/Rome")), "timetz")


@pytest.mark.parametrize("format", PyFormat)
def test_offsets_that_postgresql_has_not(trip: RoundTrip, format: PyFormat) -> None:
    """An instant is one in UTC too; a time of day is refused."""
    odd = dt.timezone(dt.timedelta(hours=20, microseconds=7))
    value = dt.datetime(2020, 1, 1, tzinfo=odd)
    assert trip.roundtrip(value, "timestamptz", format) == value
    with pytest.raises(DataError, match="whole seconds"):
        trip.roundtrip(dt.time(12, tzinfo=odd), "timetz", format)


@LIVE
@given(value=st.times())
def test_times(trip: RoundTrip, value: dt.time) -> None:
    """Down to the microsecond."""
    trip.check(value, "time")


@LIVE
@given(value=st.times(timezones=OFFSETS))
def test_timetz(trip: RoundTrip, value: dt.time) -> None:
    """The offset too, to the second."""
    for back in trip.all_ways(value, "timetz"):
        assert (back, back.utcoffset()) == (value, value.utcoffset())


BEYOND = [
    ("infinity", "date"), ("-infinity", "date"), ("0044-03-15 BC", "date"), ("10000-01-01", "date"),
    ("infinity", "timestamp"), ("-infinity", "timestamp"), ("0044-03-15 BC", "timestamp"),
    ("10000-01-01", "timestamp"),
    ("infinity", "timestamptz"), ("-infinity", "timestamptz"), ("0044-03-15 BC", "timestamptz"),
    ("10000-01-01", "timestamptz"), ("24:00", "time"), ("24:00+01", "timetz"), ("294276-12-31", "timestamp"),
    ("4713-01-01 BC", "date"), ("5874897-12-31", "date"),
]  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("value", "type"), BEYOND)
def test_what_python_has_not(trip: RoundTrip, value: str, type: str, style: str) -> None:
    """Refused in both formats, with type and column."""
    trip.command(f"set datestyle to '{style}'")
    for format in FORMATS_OUT:
        with pytest.raises(DataError, match=rf"{type}.*column 'c'"):
            trip.select(f"select '{value}'::{type} as c", fmt_out=format)


@pytest.mark.parametrize("format", FORMATS_OUT)
@pytest.mark.parametrize("type", ["date", "timestamp", "timestamptz"])
def test_infinity_on_demand(trip: RoundTrip, type: str, format: Format) -> None:
    """It comes as the largest and the smallest, goes back as infinity, and all else is as before."""
    register_infinity(trip)
    for word, name in (("infinity", "max"), ("-infinity", "min")):
        value: Any = trip.select(f"select '{word}'::{type}", fmt_out=format)
        cls = dt.date if type == "date" else dt.datetime
        assert (
            value.replace(tzinfo=None) == getattr(cls, name)
            if type != "date"
            else value == getattr(cls, name)
        )
        for there in PyFormat:
            assert trip.select(f"select $1::{type} = '{word}'", [value], there) is True
    day = trip.select(f"select '2020-01-02'::{type}", fmt_out=format)
    assert (day.year, day.month, day.day) == (2020, 1, 2)


class _Stamp(dt.datetime):
    """What pandas has: a datetime with more digits."""

    nanosecond = 5


@pytest.mark.parametrize("format", PyFormat)
def test_nanoseconds_are_refused(trip: RoundTrip, format: PyFormat) -> None:
    """PostgreSQL would drop them."""
    for zone in (None, dt.timezone.utc):
        with pytest.raises(DataError, match="nanoseconds"):
            trip.select("select $1", [_Stamp(2020, 1, 1, tzinfo=zone)], format)


@pytest.mark.parametrize("format", Format)
@pytest.mark.parametrize(
    ("oid", "value"),
    [
        (1082, dt.datetime(2020, 1, 1, 12)),
        (1114, dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc)),
        (1184, dt.datetime(2020, 1, 1)),
        (1083, dt.time(1, tzinfo=dt.timezone.utc)),
    ],
)
def test_a_column_takes_nothing_that_it_would_cut(
    trip: RoundTrip, oid: int, value: Any, format: Format
) -> None:
    """COPY may bring a time for a date, and a zone for what has none."""
    tx = Transformer(trip)
    tx.set_dumper_types([oid], format)
    with pytest.raises(DataError, match="cannot"):
        tx.dump_sequence([value], [])
