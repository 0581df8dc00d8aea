"""Dates and times of the server in text: in the DateStyle and the TimeZone that the session has.

`DateStyle` says how: `ISO`, `SQL`, `German` or `Postgres`, and for some whether the day comes before the
month. What Python's calendar has not (infinity, years before 1 and after 9999, 24 o'clock) is a
`DataError`.

See "Date/Time Output" in PostgreSQL's manual, and `EncodeDateTime` in its src/backend/utils/adt/datetime.c.
"""

from __future__ import annotations

import logging
import re
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any

from greenpg.adapt import shown
from greenpg.errors import DataError

_log = logging.getLogger("greenpg")

ADVICE = "greenpg.types.datetime.register_infinity() has infinity loaded as the largest and smallest"

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d{1,6}))?"
_OFFSET = r"(?P<sign>[+-])(?P<off_hours>\d\d)(?::(?P<off_minutes>\d\d))?(?::(?P<off_seconds>\d\d))?"
_ZONE = rf"(?: ?{_OFFSET}| (?P<abbreviation>[^ ]+))"
_YEAR, _MONTH, _DAY = r"(?P<year>\d{4,})", r"(?P<month>\d\d)", r"(?P<day>\d\d)"
_NAME = rf"(?P<name>{'|'.join(_MONTHS)})"

_TIME = re.compile(rf"{_CLOCK}(?:{_OFFSET})?")


class Calendar:
    """How a session writes dates: what to look for in its texts."""

    def __init__(self, style: str) -> None:
        """Make it for a value of DateStyle."""
        kind, _, order = style.partition(", ")
        self.is_iso = kind == "ISO"
        day_month = f"{_DAY}{{0}}{_MONTH}" if order == "DMY" or kind == "German" else f"{_MONTH}{{0}}{_DAY}"
        days = {
            "ISO": f"{_YEAR}-{_MONTH}-{_DAY}",
            "SQL": f"{day_month.format('/')}/{_YEAR}",
            "German": rf"{day_month.format('[.]')}\.{_YEAR}",
            "Postgres": f"{day_month.format('-')}-{_YEAR}",
        }
        if kind not in days:
            raise DataError(f"cannot load dates in the DateStyle {style!r}: set it to ISO")
        moment = f"{days[kind]} {_CLOCK}"
        if kind == "Postgres":
            names = f"{_DAY} {_NAME}" if order == "DMY" else f"{_NAME} {_DAY}"
            moment = f"[A-Z][a-z][a-z] {names} {_CLOCK} {_YEAR}"
        self._date = re.compile(f"{days[kind]}(?P<bc> BC)?")
        self._timestamp = re.compile(f"{moment}(?P<bc> BC)?")
        self._timestamptz = re.compile(f"{moment}{_ZONE}(?P<bc> BC)?")

    def date(self, text: str) -> date:
        """Return the date of a text.

        :raises DataError: Python has no such date
        """
        return date(*_year_month_day(_match(self._date, text, "date"), text, "date"))

    def timestamp(self, text: str) -> datetime:
        """Return the timestamp of a text.

        :raises DataError: Python has no such timestamp
        """
        return _moment(_match(self._timestamp, text, "timestamp"), text, "timestamp")

    def timestamptz(self, text: str, zone: tzinfo) -> datetime:
        """Return what a text with a zone means, as a time of the session's zone.

        A style other than ISO has abbreviations of the session's zone, which tell apart the two hours of one
        name in autumn; one that does not is refused.

        :raises DataError: Python has no such timestamp
        """
        found = _match(self._timestamptz, text, "timestamptz")
        moment = _moment(found, text, "timestamptz")
        if found["sign"]:
            return moment.replace(tzinfo=timezone(_offset(found))).astimezone(zone)
        folds = [moment.replace(tzinfo=zone, fold=fold) for fold in (1, 0)]
        fitting = {at.utcoffset(): at for at in folds if at.tzname() == found["abbreviation"]}
        if len(fitting) != 1:
            raise DataError(
                f"cannot load the timestamptz {text!r}: in {zone} that is not one certain time,"
                " set the DateStyle to ISO"
            )
        return next(iter(fitting.values()))


@lru_cache(maxsize=16)
def calendar(style: str) -> Calendar:
    """Return the `Calendar` of a DateStyle."""
    return Calendar(style)


def calendar_of(connection: Any) -> Calendar:
    """Return the `Calendar` of a connection, an object with a `pgconn`, or None."""
    return calendar(_setting(connection, b"DateStyle") or "ISO")


def _setting(connection: Any, name: bytes) -> str | None:
    value = None if connection is None else connection.pgconn.parameter_status(name)
    return None if value is None else value.decode("utf-8", "replace")


def _match(pattern: re.Pattern[str], text: str, kind: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if found is None:
        advice = f": {ADVICE}" if text in ("infinity", "-infinity") else ""
        raise DataError(f"cannot load the {kind} {shown(text)}{advice}")
    return found


def _year_month_day(found: re.Match[str], text: str, kind: str) -> tuple[int, int, int]:
    parts = found.groupdict()
    if parts["bc"] or len(parts["year"]) > 4:
        raise DataError(f"cannot load the {kind} {text!r}: Python's years are 1 to 9999")
    month = _MONTHS.index(parts["name"]) + 1 if parts.get("name") else int(parts["month"])
    return int(parts["year"]), month, int(parts["day"])


def _clock(found: re.Match[str], text: str, kind: str) -> tuple[int, int, int, int]:
    hour, minute, second, fraction = found.group("hour", "minute", "second", "fraction")
    if hour == "24":
        raise DataError(f"cannot load the {kind} {text!r}: Python's day ends before 24:00")
    return int(hour), int(minute), int(second), int((fraction or "").ljust(6, "0"))


def _moment(found: re.Match[str], text: str, kind: str) -> datetime:
    return datetime(*_year_month_day(found, text, kind), *_clock(found, text, kind))


def _offset(found: re.Match[str]) -> timedelta:
    sign, hours, minutes, seconds = found.group("sign", "off_hours", "off_minutes", "off_seconds")
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0), seconds=int(seconds or 0))
    return -offset if sign == "-" else offset


def parse_time(text: str, kind: str) -> time:
    """Return the time of a text, with an offset if the text has one.

    :raises DataError: Python has no such time
    """
    found = _match(_TIME, text, kind)
    zone = timezone(_offset(found)) if found["sign"] else None
    return time(*_clock(found, text, kind), tzinfo=zone)


# POSIX: <+02>-02 or EST5, the sign turned round; what SET TIME ZONE makes of a number.
_POSIX = re.compile(r"(?:<([^<>]+)>|([A-Za-z]{3,}))([+-]?)(\d{1,2})(?::(\d\d))?(?::(\d\d))?")


@lru_cache(maxsize=64)
def zone_named(name: str) -> tzinfo:
    """Return the zone of a value of TimeZone; UTC, with a warning in the log, if Python does not know it."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        pass
    found = _POSIX.fullmatch(name)
    if found is not None:
        quoted, plain, sign, hours, minutes, seconds = found.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0), seconds=int(seconds or 0))
        return timezone(offset if sign == "-" else -offset, quoted or plain)
    _log.warning("unknown time zone %r of the session: timestamptz values are given in UTC", name)
    return timezone.utc


def zone_of(connection: Any) -> tzinfo:
    """Return the zone of a connection's session; UTC without one."""
    name = _setting(connection, b"TimeZone")
    return timezone.utc if name is None else zone_named(name)


def fixed_offset(zone: tzinfo) -> int | None:
    """Return how many microseconds a zone is always ahead of UTC; None if that changes, or nobody knows."""
    is_ours = type(zone) is timezone or (type(zone).__module__, type(zone).__name__) == (
        "zoneinfo",
        "ZoneInfo",
    )
    return _fixed_offset(zone) if is_ours else None  # another class may mean anything by it


@lru_cache(maxsize=64)
def _fixed_offset(zone: tzinfo) -> int | None:
    offset = zone.utcoffset(None)
    return None if offset is None else offset // timedelta(microseconds=1)
