"""Dates, times, timestamps and intervals.

A naive `datetime` is a `timestamp`, an aware one a `timestamptz`, which comes back in the session's time
zone. What Python's classes have not raises `DataError`: infinity, years before 1 and after 9999, 24:00,
intervals with months. `register_infinity()` and `register_interval()` have such values loaded all the same.

Text is written so that every DateStyle and IntervalStyle reads it alike, and read in each of them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from greenpg.adapt import Dumper, Loader, adapters_of
from greenpg.types import _interval
from greenpg.types._infinity import InfDateBinaryDumper as InfDateBinaryDumper
from greenpg.types._infinity import InfDateBinaryLoader as InfDateBinaryLoader
from greenpg.types._infinity import InfDateDumper as InfDateDumper
from greenpg.types._infinity import InfDateLoader as InfDateLoader
from greenpg.types._infinity import InfDatetimeBinaryDumper as InfDatetimeBinaryDumper
from greenpg.types._infinity import InfDatetimeDumper as InfDatetimeDumper
from greenpg.types._infinity import InfDatetimeNoTzBinaryDumper as InfDatetimeNoTzBinaryDumper
from greenpg.types._infinity import InfDatetimeNoTzDumper as InfDatetimeNoTzDumper
from greenpg.types._infinity import InfTimestampBinaryLoader as InfTimestampBinaryLoader
from greenpg.types._infinity import InfTimestampLoader as InfTimestampLoader
from greenpg.types._infinity import InfTimestamptzBinaryLoader as InfTimestamptzBinaryLoader
from greenpg.types._infinity import InfTimestamptzLoader as InfTimestamptzLoader
from greenpg.types._infinity import register_infinity as register_infinity
from greenpg.types._interval import ExactIntervalBinaryLoader as ExactIntervalBinaryLoader
from greenpg.types._interval import ExactIntervalLoader as ExactIntervalLoader
from greenpg.types._interval import Interval as Interval
from greenpg.types._interval import IntervalBinaryDumper as IntervalBinaryDumper
from greenpg.types._interval import IntervalBinaryLoader as IntervalBinaryLoader
from greenpg.types._interval import IntervalDumper as IntervalDumper
from greenpg.types._interval import IntervalLoader as IntervalLoader
from greenpg.types._interval import TimedeltaBinaryDumper as TimedeltaBinaryDumper
from greenpg.types._interval import TimedeltaDumper as TimedeltaDumper
from greenpg.types._interval import register_interval as register_interval
from greenpg.types._moments import DateBinaryDumper as DateBinaryDumper
from greenpg.types._moments import DateBinaryLoader as DateBinaryLoader
from greenpg.types._moments import DateDumper as DateDumper
from greenpg.types._moments import DateLoader as DateLoader
from greenpg.types._moments import DatetimeBinaryDumper as DatetimeBinaryDumper
from greenpg.types._moments import DatetimeDumper as DatetimeDumper
from greenpg.types._moments import DatetimeNoTzBinaryDumper as DatetimeNoTzBinaryDumper
from greenpg.types._moments import DatetimeNoTzDumper as DatetimeNoTzDumper
from greenpg.types._moments import TimeBinaryDumper as TimeBinaryDumper
from greenpg.types._moments import TimeBinaryLoader as TimeBinaryLoader
from greenpg.types._moments import TimeDumper as TimeDumper
from greenpg.types._moments import TimeLoader as TimeLoader
from greenpg.types._moments import TimestampBinaryLoader as TimestampBinaryLoader
from greenpg.types._moments import TimestampLoader as TimestampLoader
from greenpg.types._moments import TimestamptzBinaryLoader as TimestamptzBinaryLoader
from greenpg.types._moments import TimestamptzLoader as TimestamptzLoader
from greenpg.types._moments import TimeTzBinaryDumper as TimeTzBinaryDumper
from greenpg.types._moments import TimetzBinaryLoader as TimetzBinaryLoader
from greenpg.types._moments import TimeTzDumper as TimeTzDumper
from greenpg.types._moments import TimetzLoader as TimetzLoader

if TYPE_CHECKING:
    from greenpg.adapt import AdaptContext


def register_default_adapters(context: AdaptContext) -> None:
    """Register dumpers and loaders of dates, times, timestamps and intervals."""
    adapters = adapters_of(context)
    dumpers: tuple[tuple[type | None, type[Dumper], type[Dumper]], ...] = (
        (dt.date, DateDumper, DateBinaryDumper),
        (dt.time, TimeDumper, TimeBinaryDumper),
        (None, TimeTzDumper, TimeTzBinaryDumper),
        (dt.datetime, DatetimeDumper, DatetimeBinaryDumper),
        (None, DatetimeNoTzDumper, DatetimeNoTzBinaryDumper),
    )
    for cls, text_dumper, binary_dumper in dumpers:
        adapters.register_dumper(cls, text_dumper)
        adapters.register_dumper(cls, binary_dumper)
    loaders: tuple[tuple[str, type[Loader], type[Loader]], ...] = (
        ("date", DateLoader, DateBinaryLoader),
        ("time", TimeLoader, TimeBinaryLoader),
        ("timetz", TimetzLoader, TimetzBinaryLoader),
        ("timestamp", TimestampLoader, TimestampBinaryLoader),
        ("timestamptz", TimestamptzLoader, TimestamptzBinaryLoader),
    )
    for name, text_loader, binary_loader in loaders:
        adapters.register_loader(name, text_loader)
        adapters.register_loader(name, binary_loader)
    _interval.register_default_adapters(context)
