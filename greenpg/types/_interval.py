"""Intervals: `timedelta`, or `Interval`, which keeps what a `timedelta` cannot.

PostgreSQL counts months, days and microseconds apart. A `timedelta` has no months: an interval with months
is refused, not taken for so many days. It does not tell 24 hours from a day either; `register_interval()`
has all intervals loaded as `Interval`, without loss.

Text is read in every IntervalStyle, see `EncodeInterval` in PostgreSQL's src/backend/utils/adt/datetime.c.
What is written has a sign on every number, as in the style `sql_standard` a first minus alone would count
for all.
"""

from __future__ import annotations

import re
from datetime import timedelta
from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

from greenpg.adapt import Dumper, Format, Loader, adapters_of, shown
from greenpg.adapt._decoders import decodable
from greenpg.adapt._encoders import encodable
from greenpg.errors import DataError

if TYPE_CHECKING:
    from greenpg.adapt import AdaptContext

INTERVAL = 1186

_LAYOUT = Struct("!qii")
_SECOND, _DAY = 10**6, 86400 * 10**6
_MAX, _MIN = (2**31 - 1, 2**31 - 1, 2**63 - 1), (-(2**31), -(2**31), -(2**63))


class Interval(NamedTuple):
    """An interval as PostgreSQL has it: three numbers that do not turn into each other.

    Infinity (PostgreSQL 17) is all three at their largest, minus infinity all three at their smallest.
    """

    months: int = 0
    days: int = 0
    microseconds: int = 0


Interval.__module__ = "greenpg.types.datetime"  # where everybody finds it; a NamedTuple's body cannot say so

_SECONDS = r"(?P<seconds>\d+)(?:\.(?P<fraction>\d{1,6}))?"
_CLOCK = r"(?P<minus>[+-])?(?P<hours>\d+):(?P<minutes>\d\d):" + _SECONDS
_STYLES = (
    # postgres: 1 year 2 mons -3 days +04:05:06.7; sql_standard's 4:05:06.7 too
    r"(?:(?P<years>[+-]?\d+) years? ?)?(?:(?P<months>[+-]?\d+) mons? ?)?(?:(?P<days>[+-]?\d+) days? ?)?"
    rf"(?:{_CLOCK})?",
    # postgres_verbose: @ 1 year 2 mons -3 days 4 hours 5 mins 6.7 secs ago
    r"@(?: (?P<years>-?\d+) years?)?(?: (?P<months>-?\d+) mons?)?(?: (?P<days>-?\d+) days?)?"
    r"(?: (?P<hours>-?\d+) hours?)?(?: (?P<minutes>-?\d+) mins?)?"
    rf"(?: (?P<sign>-)?{_SECONDS} secs?)?(?: 0)?(?P<ago> ago)?",
    # iso_8601: P1Y2M-3DT4H5M6.7S
    r"P(?:(?P<years>-?\d+)Y)?(?:(?P<months>-?\d+)M)?(?:(?P<days>-?\d+)D)?"
    rf"(?:T(?:(?P<hours>-?\d+)H)?(?:(?P<minutes>-?\d+)M)?(?:(?P<sign>-)?{_SECONDS}S)?)?",
    # sql_standard with signs: +1-2 -3 +4:05:06.7
    rf"(?P<yearminus>[+-])(?P<years>\d+)-(?P<months>\d+) (?P<days>[+-]\d+) {_CLOCK}",
    # sql_standard, where one minus counts for all: -1-2, or -3 4:05:06.7
    r"(?P<ago>-)?(?P<years>\d+)-(?P<months>\d+)|0",
    rf"(?P<ago>-)?(?P<days>\d+) {_CLOCK}",
)
_PATTERNS = tuple(map(re.compile, _STYLES))


def parse(text: str) -> Interval:
    """Return the interval of a text in any IntervalStyle: none means one thing here and another there.

    :raises DataError: it is none
    """
    if text in ("infinity", "-infinity"):
        return Interval(*(_MIN if text[0] == "-" else _MAX))
    for pattern in _PATTERNS:
        found = pattern.fullmatch(text)
        if text and found is not None:
            return _assemble(found.groupdict())
    raise DataError(f"cannot load {shown(text)} as an interval")


def _assemble(parts: dict[str, str | None]) -> Interval:
    def number(name: str) -> int:
        return int(parts.get(name) or 0)

    def sign(name: str) -> int:
        return -1 if parts.get(name) in ("-", " ago") else 1

    months = (12 * number("years") + number("months")) * sign("yearminus")
    seconds = number("seconds") * _SECOND + int((parts.get("fraction") or "").ljust(6, "0"))
    minutes = 60 * number("hours") + number("minutes")
    clock = (minutes * 60 * _SECOND + seconds * sign("sign")) * sign("minus")
    ago = sign("ago")
    return Interval(months * ago, number("days") * ago, clock * ago)


def _timedelta(months: int, days: int, microseconds: int) -> timedelta:
    """Return the `timedelta` that is an interval.

    :raises DataError: there is none
    """
    value = (months, days, microseconds)
    if value in (_MAX, _MIN):
        raise DataError(f"cannot load an infinite interval as a timedelta: {_ADVICE}")
    if months:
        raise DataError(f"cannot load {Interval(*value)} as a timedelta, which has no months: {_ADVICE}")
    try:
        return timedelta(days, 0, microseconds)
    except OverflowError as error:
        raise DataError(f"cannot load {Interval(*value)} as a timedelta: {error}; {_ADVICE}") from error


_ADVICE = "greenpg.types.datetime.register_interval() has it loaded as Interval"


def _text(months: int, days: int, microseconds: int) -> bytes:
    value = (months, days, microseconds)
    if value in (_MAX, _MIN):
        return b"infinity" if value == _MAX else b"-infinity"
    sign = -1 if microseconds < 0 else 1
    seconds, rest = divmod(abs(microseconds), _SECOND)
    return b"%+d mons %+d days %+d secs %+d us" % (months, days, sign * seconds, sign * rest)


def _binary(months: int, days: int, microseconds: int) -> bytes:
    try:
        return _LAYOUT.pack(microseconds, days, months)
    except Exception as error:
        raise DataError(f"{Interval(months, days, microseconds)} is out of range: {error}") from error


def _parts(value: timedelta | Interval) -> tuple[int, int, int]:
    """Return months, days and microseconds; of a `timedelta` of one sign: a minute ago is no day ago."""
    if isinstance(value, Interval):
        return value
    total = (timedelta.__abs__(value) // timedelta(microseconds=1)) * (-1 if value.days < 0 else 1)
    sign = -1 if total < 0 else 1
    days, rest = divmod(abs(total), _DAY)
    return 0, sign * days, sign * rest


class TimedeltaDumper(Dumper):
    """A `timedelta` as text."""

    oid = INTERVAL

    def dump(self, obj: timedelta | Interval) -> bytes:
        """Return the text."""
        parts = _parts(obj)
        _binary(*parts)  # refuses what is out of range
        return _text(*parts)


@encodable("interval")
class TimedeltaBinaryDumper(Dumper):
    """A `timedelta` in interval_recv's layout."""

    format = Format.BINARY
    oid = INTERVAL

    def dump(self, obj: timedelta | Interval) -> bytes:
        """Return the bytes."""
        return _binary(*_parts(obj))


class IntervalDumper(TimedeltaDumper):
    """An `Interval` as text."""


class IntervalBinaryDumper(TimedeltaBinaryDumper):
    """An `Interval` in interval_recv's layout."""


class IntervalLoader(Loader):
    """Text as a `timedelta`."""

    @decodable(lambda _: ("interval text",))
    def load(self, data: bytes) -> Any:
        """Return the `timedelta`."""
        return _timedelta(*parse(str(data, "ascii")))


class IntervalBinaryLoader(Loader):
    """interval_send's layout as a `timedelta`."""

    format = Format.BINARY

    @decodable(lambda _: ("interval",))
    def load(self, data: bytes) -> Any:
        """Return the `timedelta`."""
        microseconds, days, months = _LAYOUT.unpack(data)
        return _timedelta(months, days, microseconds)


class ExactIntervalLoader(Loader):
    """Text as an `Interval`."""

    def load(self, data: bytes) -> Interval:
        """Return the `Interval`."""
        return parse(str(data, "ascii"))


class ExactIntervalBinaryLoader(Loader):
    """interval_send's layout as an `Interval`."""

    format = Format.BINARY

    def load(self, data: bytes) -> Interval:
        """Return the `Interval`."""
        microseconds, days, months = _LAYOUT.unpack(data)
        return Interval(months, days, microseconds)


def register_interval(context: AdaptContext | None = None) -> None:
    """Have intervals loaded as `Interval`, without loss; both classes are dumped anyway.

    :param context: a connection or a cursor; None: everything made from now on
    """
    adapters = adapters_of(context)
    adapters.register_loader("interval", ExactIntervalLoader)
    adapters.register_loader("interval", ExactIntervalBinaryLoader)


def register_default_adapters(context: AdaptContext) -> None:
    """Register dumpers of `timedelta` and `Interval`, and loaders that give `timedelta`."""
    adapters = adapters_of(context)
    adapters.register_dumper(Interval, IntervalDumper)
    adapters.register_dumper(Interval, IntervalBinaryDumper)
    adapters.register_dumper(timedelta, TimedeltaDumper)
    adapters.register_dumper(timedelta, TimedeltaBinaryDumper)
    adapters.register_loader("interval", IntervalLoader)
    adapters.register_loader("interval", IntervalBinaryLoader)
