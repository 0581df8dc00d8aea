"""Dates, times and timestamps as Python's classes, which have not all that PostgreSQL's types have.

What is not there is a `DataError`. The binary layouts count from 2000-01-01, see PostgreSQL's
src/include/datatype/timestamp.h.
"""

from __future__ import annotations

import datetime as dt
from struct import Struct
from typing import TYPE_CHECKING, Any, ClassVar

from greenpg.adapt import Dumper, Format, Loader, PyFormat, shown
from greenpg.adapt._decoders import decodable
from greenpg.adapt._encoders import encodable
from greenpg.errors import DataError
from greenpg.types._calendar import ADVICE, calendar_of, fixed_offset, parse_time, zone_of

if TYPE_CHECKING:
    from greenpg.adapt import AdaptContext

_DATE, _TIME, _TIMETZ, _TIMESTAMP, _TIMESTAMPTZ = 1082, 1083, 1266, 1114, 1184

_INT32, _INT64, _TIMETZ_LAYOUT = Struct("!i"), Struct("!q"), Struct("!qi")
_EPOCH_DAY = dt.date(2000, 1, 1).toordinal()
_EPOCH = dt.datetime(2000, 1, 1)
_EPOCH_UTC = _EPOCH.replace(tzinfo=dt.timezone.utc)
_SECOND, _DAY = 10**6, 86400 * 10**6
_MAX_OFFSET = 16 * 3600  # seconds, MAX_TZDISP_HOUR and a bit in PostgreSQL's timestamp.h
_MAX_DATE, _MAX_MOMENT = 2**31 - 1, 2**63 - 1
_MICROSECOND = dt.timedelta(microseconds=1)


# Dates


@encodable("date")
class DateDumper(Dumper):
    """A `date` as text."""

    oid = _DATE

    def dump(self, obj: dt.date) -> bytes:
        """Return year, month and day."""
        return dt.date.isoformat(_just_date(obj)).encode()


@encodable("date")
class DateBinaryDumper(Dumper):
    """A `date` as the number of its day."""

    format = Format.BINARY
    oid = _DATE

    def dump(self, obj: dt.date) -> bytes:
        """Return date_recv's layout."""
        return _INT32.pack(_just_date(obj).toordinal() - _EPOCH_DAY)


def _just_date(obj: dt.date) -> dt.date:
    if isinstance(obj, dt.datetime):
        raise DataError(f"cannot take {shown(obj)} as a date: it has a time")
    return obj


class DateLoader(Loader):
    """Text as a `date`."""

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        """Make a loader; see `Loader`."""
        super().__init__(oid, context)
        self._parse = calendar_of(self.connection).date

    @decodable(lambda self: ("date text",) if self._parse.__self__.is_iso else None)
    def load(self, data: bytes) -> dt.date:
        """Return the `date`."""
        return self._parse(str(data, "utf-8"))


class DateBinaryLoader(Loader):
    """The number of a day as a `date`."""

    format = Format.BINARY

    @decodable(lambda _: ("date",))
    def load(self, data: bytes) -> dt.date:
        """Return the `date`."""
        days = _INT32.unpack(data)[0]
        try:
            return dt.date.fromordinal(days + _EPOCH_DAY)
        except (ValueError, OverflowError) as error:
            raise _beyond("date", days, _MAX_DATE, "days") from error


def _beyond(kind: str, count: int, largest: int, unit: str) -> DataError:
    if count in (largest, -largest - 1):
        return DataError(f"cannot load the {kind} {'-' if count < 0 else ''}infinity: {ADVICE}")
    return DataError(
        f"cannot load the {kind} {count} {unit} from 2000-01-01 on: Python's years are 1 to 9999"
    )


# Times


def _offset(obj: dt.time | dt.datetime) -> dt.timedelta:
    """Return the offset of an aware time.

    :raises DataError: there is none, or `timetz` cannot hold it
    """
    offset = obj.utcoffset()
    if offset is None:
        raise DataError(f"cannot dump {shown(obj)}: its time zone gives no offset without a date")
    if offset.microseconds or abs(offset.total_seconds()) >= _MAX_OFFSET:
        raise DataError(
            f"cannot dump {shown(obj)}: PostgreSQL's offsets are whole seconds, less than 16 hours"
        )
    return offset


def _microseconds(obj: dt.time) -> int:
    return ((obj.hour * 60 + obj.minute) * 60 + obj.second) * _SECOND + obj.microsecond


class _TimeDumper(Dumper):
    """What both formats share: an aware time is of another type."""

    with_zone: ClassVar[type[Dumper]]

    def get_key(self, obj: dt.time, format: PyFormat) -> Any:
        """Return the class, or that it is aware."""
        return self.cls if obj.tzinfo is None else (self.cls, "tz")

    def upgrade(self, obj: dt.time, format: PyFormat) -> Dumper:
        """Return the dumper that fits."""
        return self if obj.tzinfo is None else self.with_zone(self.cls)


class TimeTzDumper(Dumper):
    """An aware `time` as text."""

    oid = _TIMETZ

    def dump(self, obj: dt.time) -> bytes:
        """Return time and offset."""
        _offset(obj)
        return dt.time.isoformat(obj).encode()


@encodable("time")
class TimeDumper(_TimeDumper):
    """A `time` as text."""

    oid = _TIME
    with_zone = TimeTzDumper

    def dump(self, obj: dt.time) -> bytes:
        """Return the time."""
        return dt.time.isoformat(_naive(obj, "time")).encode()


class TimeTzBinaryDumper(Dumper):
    """An aware `time` as microseconds, and seconds west of Greenwich."""

    format = Format.BINARY
    oid = _TIMETZ

    def dump(self, obj: dt.time) -> bytes:
        """Return timetz_recv's layout."""
        return _TIMETZ_LAYOUT.pack(_microseconds(obj), -int(_offset(obj).total_seconds()))


@encodable("time")
class TimeBinaryDumper(_TimeDumper):
    """A `time` as microseconds."""

    format = Format.BINARY
    oid = _TIME
    with_zone = TimeTzBinaryDumper

    def dump(self, obj: dt.time) -> bytes:
        """Return time_recv's layout."""
        return _INT64.pack(_microseconds(_naive(obj, "time")))


class TimeLoader(Loader):
    """Text as a `time`."""

    @decodable(lambda _: ("time text",))
    def load(self, data: bytes) -> dt.time:
        """Return the `time`."""
        found = parse_time(str(data, "utf-8"), "time")
        _naive(found, "time")
        return found


class TimetzLoader(Loader):
    """Text as an aware `time`."""

    @decodable(lambda _: ("timetz text",))
    def load(self, data: bytes) -> dt.time:
        """Return the `time`."""
        found = parse_time(str(data, "utf-8"), "timetz")
        if found.tzinfo is None:
            raise DataError(f"cannot load the timetz {shown(data)}: it has no offset")
        return found


def _time(microseconds: int, zone: dt.tzinfo | None, kind: str) -> dt.time:
    if not 0 <= microseconds < _DAY:
        what = "24:00" if microseconds == _DAY else f"of {microseconds} microseconds"
        raise DataError(f"cannot load the {kind} {what}: Python's day ends before 24:00")
    seconds, rest = divmod(microseconds, _SECOND)
    minutes, second = divmod(seconds, 60)
    return dt.time(*divmod(minutes, 60), second, rest, zone)


class TimeBinaryLoader(Loader):
    """Microseconds as a `time`."""

    format = Format.BINARY

    @decodable(lambda _: ("time",))
    def load(self, data: bytes) -> dt.time:
        """Return the `time`."""
        return _time(_INT64.unpack(data)[0], None, "time")


class TimetzBinaryLoader(Loader):
    """Microseconds, and seconds west of Greenwich, as an aware `time`."""

    format = Format.BINARY

    @decodable(lambda _: ("timetz",))
    def load(self, data: bytes) -> dt.time:
        """Return the `time`."""
        microseconds, west = _TIMETZ_LAYOUT.unpack(data)
        return _time(microseconds, dt.timezone(dt.timedelta(seconds=-west)), "timetz")


# Timestamps


def _naive(obj: Any, kind: str) -> Any:
    """Return a value that has no zone, for a type that has none: nobody would know it was dropped."""
    if obj.tzinfo is not None:
        raise DataError(f"cannot take {shown(obj)} as a {kind}: it has a time zone, {kind} has none")
    return obj


def _aware(obj: dt.datetime) -> dt.datetime:
    if obj.tzinfo is None or obj.utcoffset() is None:
        raise DataError(f"cannot take {shown(obj)} as a timestamptz: it has no time zone")
    return obj


def _whole(obj: Any) -> Any:
    """Refuse nanoseconds, which pandas' subclass of `datetime` has."""
    if getattr(obj, "nanosecond", 0):
        raise DataError(f"cannot dump {shown(obj)}: PostgreSQL has no nanoseconds")
    return obj


@encodable("timestamp")
class DatetimeNoTzDumper(Dumper):
    """A naive `datetime` as text."""

    oid = _TIMESTAMP

    def dump(self, obj: dt.datetime) -> bytes:
        """Return date and time."""
        return dt.datetime.isoformat(_whole(_naive(obj, "timestamp")), " ").encode()


@encodable("timestamp")
class DatetimeNoTzBinaryDumper(Dumper):
    """A naive `datetime` as microseconds."""

    format = Format.BINARY
    oid = _TIMESTAMP

    def dump(self, obj: dt.datetime) -> bytes:
        """Return timestamp_recv's layout."""
        span = dt.datetime.__sub__(_whole(_naive(obj, "timestamp")), _EPOCH)
        return _INT64.pack(span // _MICROSECOND)


class _DatetimeDumper(Dumper):
    """What both formats share: a naive `datetime` is of another type."""

    without_zone: ClassVar[type[Dumper]]

    def get_key(self, obj: dt.datetime, format: PyFormat) -> Any:
        """Return the class, or that it is naive."""
        return (self.cls, "naive") if obj.tzinfo is None else self.cls

    def upgrade(self, obj: dt.datetime, format: PyFormat) -> Dumper:
        """Return the dumper that fits."""
        return self.without_zone(self.cls) if obj.tzinfo is None else self


@encodable("timestamptz")
class DatetimeDumper(_DatetimeDumper):
    """An aware `datetime` as text."""

    oid = _TIMESTAMPTZ
    without_zone = DatetimeNoTzDumper

    def dump(self, obj: dt.datetime) -> bytes:
        """Return date, time and offset; in UTC if PostgreSQL would not take the offset."""
        offset = _whole(_aware(obj)).utcoffset()
        if offset.microseconds or abs(offset.total_seconds()) >= _MAX_OFFSET:
            obj = obj.astimezone(dt.timezone.utc)
        return dt.datetime.isoformat(obj, " ").encode()


@encodable("timestamptz")
class DatetimeBinaryDumper(_DatetimeDumper):
    """An aware `datetime` as microseconds."""

    format = Format.BINARY
    oid = _TIMESTAMPTZ
    without_zone = DatetimeNoTzBinaryDumper

    def dump(self, obj: dt.datetime) -> bytes:
        """Return timestamptz_recv's layout."""
        span = dt.datetime.__sub__(_whole(_aware(obj)), _EPOCH_UTC)
        return _INT64.pack(span // _MICROSECOND)


class TimestampLoader(Loader):
    """Text as a naive `datetime`."""

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        """Make a loader; see `Loader`."""
        super().__init__(oid, context)
        self._parse = calendar_of(self.connection).timestamp

    @decodable(lambda self: ("timestamp text",) if self._parse.__self__.is_iso else None)
    def load(self, data: bytes) -> dt.datetime:
        """Return the `datetime`."""
        return self._parse(str(data, "utf-8"))


class TimestampBinaryLoader(Loader):
    """Microseconds as a naive `datetime`."""

    format = Format.BINARY

    @decodable(lambda _: ("timestamp",))
    def load(self, data: bytes) -> dt.datetime:
        """Return the `datetime`."""
        count = _INT64.unpack(data)[0]
        try:
            return _EPOCH + dt.timedelta(0, 0, count)
        except OverflowError as error:
            raise _beyond("timestamp", count, _MAX_MOMENT, "microseconds") from error


class TimestamptzLoader(Loader):
    """Text as an aware `datetime` in the session's zone."""

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        """Make a loader; see `Loader`."""
        super().__init__(oid, context)
        self._parse = calendar_of(self.connection).timestamptz
        self._zone = zone_of(self.connection)

    @decodable(
        lambda self: (
            ("timestamptz text", self._zone, fixed_offset(self._zone))
            if self._parse.__self__.is_iso
            else None
        )
    )
    def load(self, data: bytes) -> dt.datetime:
        """Return the `datetime`."""
        return self._parse(str(data, "utf-8"), self._zone)


class TimestamptzBinaryLoader(Loader):
    """Microseconds as an aware `datetime` in the session's zone."""

    format = Format.BINARY

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        """Make a loader; see `Loader`."""
        super().__init__(oid, context)
        self._zone = zone_of(self.connection)

    @decodable(lambda self: ("timestamptz", self._zone, fixed_offset(self._zone)))
    def load(self, data: bytes) -> dt.datetime:
        """Return the `datetime`."""
        count = _INT64.unpack(data)[0]
        try:
            return (_EPOCH_UTC + dt.timedelta(0, 0, count)).astimezone(self._zone)
        except (OverflowError, ValueError) as error:
            raise _beyond("timestamptz", count, _MAX_MOMENT, "microseconds") from error
