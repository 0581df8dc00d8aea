"""Infinity as the largest date or timestamp that Python has, minus infinity as the smallest; opt-in.

What is really the last day of the year 9999, or the first of the year 1, cannot be told apart from it then.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from greenpg.adapt import adapters_of
from greenpg.types import _moments as m

if TYPE_CHECKING:
    from greenpg.adapt import AdaptContext

_TEXTS = {b"infinity": True, b"-infinity": False}
_DAYS = {b"\x7f" + b"\xff" * 3: True, b"\x80" + bytes(3): False}
_MOMENTS = {b"\x7f" + b"\xff" * 7: True, b"\x80" + bytes(7): False}
_DAYS_OF = {is_max: data for data, is_max in _DAYS.items()}
_MOMENTS_OF = {is_max: data for data, is_max in _MOMENTS.items()}
_TEXTS_OF = {is_max: data for data, is_max in _TEXTS.items()}

_DATES = {True: dt.date.max, False: dt.date.min}
_NAIVE = {True: dt.datetime.max, False: dt.datetime.min}
_AWARE = {is_max: moment.replace(tzinfo=dt.timezone.utc) for is_max, moment in _NAIVE.items()}


_STANDING_FOR: dict[dt.date, bool] = {
    value: is_max for values in (_DATES, _NAIVE, _AWARE) for is_max, value in values.items()
}


class InfDateLoader(m.DateLoader):
    """A `date` in text; infinity as the largest."""

    def load(self, data: bytes) -> dt.date:
        """Return the `date`."""
        is_max = _TEXTS.get(data)
        return super().load(data) if is_max is None else _DATES[is_max]


class InfDateBinaryLoader(m.DateBinaryLoader):
    """A `date` in binary; infinity as the largest."""

    def load(self, data: bytes) -> dt.date:
        """Return the `date`."""
        is_max = _DAYS.get(data)
        return super().load(data) if is_max is None else _DATES[is_max]


class InfTimestampLoader(m.TimestampLoader):
    """A `timestamp` in text; infinity as the largest."""

    def load(self, data: bytes) -> dt.datetime:
        """Return the `datetime`."""
        is_max = _TEXTS.get(data)
        return super().load(data) if is_max is None else _NAIVE[is_max]


class InfTimestampBinaryLoader(m.TimestampBinaryLoader):
    """A `timestamp` in binary; infinity as the largest."""

    def load(self, data: bytes) -> dt.datetime:
        """Return the `datetime`."""
        is_max = _MOMENTS.get(data)
        return super().load(data) if is_max is None else _NAIVE[is_max]


class InfTimestamptzLoader(m.TimestamptzLoader):
    """A `timestamptz` in text; infinity as the largest."""

    def load(self, data: bytes) -> dt.datetime:
        """Return the `datetime`."""
        is_max = _TEXTS.get(data)
        return super().load(data) if is_max is None else _AWARE[is_max]


class InfTimestamptzBinaryLoader(m.TimestamptzBinaryLoader):
    """A `timestamptz` in binary; infinity as the largest."""

    def load(self, data: bytes) -> dt.datetime:
        """Return the `datetime`."""
        is_max = _MOMENTS.get(data)
        return super().load(data) if is_max is None else _AWARE[is_max]


class InfDateDumper(m.DateDumper):
    """A `date` in text; the largest as infinity."""

    def dump(self, obj: dt.date) -> bytes:
        """Return the value."""
        is_max = _STANDING_FOR.get(obj)
        return super().dump(obj) if is_max is None else _TEXTS_OF[is_max]


class InfDateBinaryDumper(m.DateBinaryDumper):
    """A `date` in binary; the largest as infinity."""

    def dump(self, obj: dt.date) -> bytes:
        """Return the value."""
        is_max = _STANDING_FOR.get(obj)
        return super().dump(obj) if is_max is None else _DAYS_OF[is_max]


class InfDatetimeNoTzDumper(m.DatetimeNoTzDumper):
    """A `datetime` in text; the largest as infinity."""

    def dump(self, obj: dt.datetime) -> bytes:
        """Return the value."""
        is_max = _STANDING_FOR.get(obj)
        return super().dump(obj) if is_max is None else _TEXTS_OF[is_max]


class InfDatetimeNoTzBinaryDumper(m.DatetimeNoTzBinaryDumper):
    """A `datetime` in binary; the largest as infinity."""

    def dump(self, obj: dt.datetime) -> bytes:
        """Return the value."""
        is_max = _STANDING_FOR.get(obj)
        return super().dump(obj) if is_max is None else _MOMENTS_OF[is_max]


class InfDatetimeDumper(m.DatetimeDumper):
    """A `datetime` in text; the largest as infinity."""

    without_zone = InfDatetimeNoTzDumper

    def dump(self, obj: dt.datetime) -> bytes:
        """Return the value."""
        is_max = _STANDING_FOR.get(obj)
        return super().dump(obj) if is_max is None else _TEXTS_OF[is_max]


class InfDatetimeBinaryDumper(m.DatetimeBinaryDumper):
    """A `datetime` in binary; the largest as infinity."""

    without_zone = InfDatetimeNoTzBinaryDumper

    def dump(self, obj: dt.datetime) -> bytes:
        """Return the value."""
        is_max = _STANDING_FOR.get(obj)
        return super().dump(obj) if is_max is None else _MOMENTS_OF[is_max]


def register_infinity(context: AdaptContext | None = None) -> None:
    """Have infinity loaded as the largest date or timestamp that Python has, and dumped again as infinity.

    :param context: a connection or a cursor; None: everything made from now on
    """
    adapters = adapters_of(context)
    adapters.register_loader("date", InfDateLoader)
    adapters.register_loader("date", InfDateBinaryLoader)
    adapters.register_loader("timestamp", InfTimestampLoader)
    adapters.register_loader("timestamp", InfTimestampBinaryLoader)
    adapters.register_loader("timestamptz", InfTimestamptzLoader)
    adapters.register_loader("timestamptz", InfTimestamptzBinaryLoader)
    adapters.register_dumper(dt.date, InfDateDumper)
    adapters.register_dumper(dt.date, InfDateBinaryDumper)
    adapters.register_dumper(dt.datetime, InfDatetimeDumper)
    adapters.register_dumper(dt.datetime, InfDatetimeBinaryDumper)
    adapters.register_dumper(None, InfDatetimeNoTzDumper)
    adapters.register_dumper(None, InfDatetimeNoTzBinaryDumper)
