"""Parameters to bytes: whatever the compiled encoders do, the dumpers would have done the same."""

from __future__ import annotations

import datetime as dt
import gc
import sys
import uuid
import zoneinfo
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import greenpg
from greenpg.adapt import AdaptersMap, Dumper, PyFormat, Transformer, adapters
from greenpg.pq._ctypes.params import Encoders as Python
from greenpg.types.numeric import Int2Dumper, Int8
from greenpg.types.string import StrDumper

Compiled = pytest.importorskip("greenpg.pq._params", reason="no compiled encoders").Encoders

ZONES = [dt.timezone.utc, dt.timezone(dt.timedelta(hours=-3)), zoneinfo.ZoneInfo("Europe/Berlin")]
ODD = dt.timezone(dt.timedelta(hours=16, seconds=1, microseconds=5))


class Whole(int):
    def __repr__(self) -> str:
        return "seven"


class Text(str):
    def encode(self, *_: object) -> bytes:
        return b"another"


class Moment(dt.datetime):
    nanosecond = 1


class NoOffset(dt.tzinfo):
    def utcoffset(self, _: object) -> dt.timedelta | None:
        return None

    dst = utcoffset

    def tzname(self, _: object) -> None:
        return None


class BadOffset(NoOffset):
    error: type[BaseException] = RuntimeError

    def utcoffset(self, _: object) -> dt.timedelta:
        raise self.error("which way is north?")


class Away(BadOffset):
    error = KeyboardInterrupt


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**65), 2**65),
    st.sampled_from([edge + by for edge in (0, 2**15, 2**31, 2**63, -(2**15), -(2**31)) for by in (-1, 0)]),
    st.floats(),
    st.text(),
    st.text(st.characters(), min_size=1),
    st.binary(),
    st.binary().map(bytearray),
    st.dates(),
    st.times(),
    st.times(timezones=st.sampled_from(ZONES)),
    st.datetimes(),
    st.datetimes(timezones=st.sampled_from(ZONES)),
    st.timedeltas(),
    st.decimals(),
    st.decimals(allow_nan=False, allow_infinity=False, places=9),
    st.from_regex(r"-?[0-9]{1,30}(\.[0-9]{0,30})?", fullmatch=True).map(Decimal),
    st.uuids(),
    st.builds(object),
    st.lists(st.integers(), max_size=3),
    st.sampled_from([Whole(7), Text("text"), Moment(2000, 1, 1), Int8(5), dt.time(1, tzinfo=NoOffset())]),
    st.sampled_from([ODD, NoOffset(), BadOffset()]).map(lambda zone: dt.datetime(1, 1, 1, tzinfo=zone)),
)
forms = st.sampled_from(list(PyFormat))


def dumped(encoders: Any, tx: Transformer, params: Any, formats: Any) -> Any:
    """Return all there is to say of what came out, or of the error."""
    try:
        data, types, used = encoders.dump(tx, params, formats)
    except Exception as error:
        return type(error), str(error), type(error.__cause__)
    return [None if value is None else bytes(value) for value in data], types, used


class Lasting:
    """Encoders that have seen what came before."""

    compiled = Compiled()


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(values, forms), max_size=4))
@example([("a\0b", PyFormat.AUTO)])
@example([("\ud800", PyFormat.AUTO)])
@example([(Decimal("1E+131072"), PyFormat.BINARY), (Decimal("-0.00"), PyFormat.BINARY)])
@example([(Decimal("1" * 999), form) for form in PyFormat])
@example([(dt.timedelta.max, PyFormat.AUTO), (dt.timedelta.min, PyFormat.AUTO)])
@example([(dt.timedelta(-1, 1), PyFormat.AUTO), (dt.timedelta(0, -1), PyFormat.AUTO)])
@example([(dt.date.min, form) for form in PyFormat] + [(dt.datetime.max, form) for form in PyFormat])
def test_as_the_dumpers_do(pairs: list[tuple[Any, PyFormat]]) -> None:
    """The same bytes, types and formats, or the same error of the same value."""
    params = [value for value, _ in pairs]
    formats = [form for _, form in pairs]
    expected = dumped(Python(), Transformer(), params, formats)
    assert dumped(Lasting.compiled, Transformer(), params, formats) == expected
    assert dumped(Compiled(), Transformer(), tuple(params), formats) == expected


class Latin:
    """A context in which texts are sent in another encoding."""

    def __init__(self, name: bytes) -> None:
        self.adapters = adapters
        self.connection = self.pgconn = self
        self.name = name

    def parameter_status(self, _: bytes) -> bytes:
        return self.name


@pytest.mark.parametrize("encoding", [b"LATIN1", b"SQL_ASCII", b"SJIS", b"UTF8"])
def test_the_client_encoding_counts(encoding: bytes) -> None:
    """What is no ASCII goes as the connection has it, and what it lacks is refused."""
    for text in ("plain", "gr\xfcn", "\u20ac", "\xa2", "\u65e5\u672c"):
        outcomes = [
            dumped(encoders, Transformer(Latin(encoding)), [text], [PyFormat.AUTO])
            for encoders in (Compiled(), Python())
        ]
        assert outcomes[0] == outcomes[1]


class Counting(Int2Dumper):
    def dump(self, obj: int) -> bytes:
        return b"counted"


class Inheriting(StrDumper):
    def upgrade(self, obj: object, format: PyFormat) -> Dumper:
        return Counting(int)

    def get_key(self, obj: object, format: PyFormat) -> str:
        return "another"


def test_registered_dumpers_win() -> None:
    """One that is registered later counts at once, there and in what is made of it, and nowhere else."""
    ours = AdaptersMap(adapters)
    before = Transformer(ours).dump_sequence([1, "a"], [PyFormat.AUTO] * 2)
    older = AdaptersMap(ours)
    ours.register_dumper(int, Counting)
    ours.register_dumper(str, Inheriting)
    for of in (ours, AdaptersMap(ours)):
        assert Transformer(of).dump_sequence([1, "a"], [PyFormat.AUTO] * 2) == [b"counted"] * 2
    for of in (older, adapters):
        assert Transformer(of).dump_sequence([1, "a"], [PyFormat.AUTO] * 2) == before


class Thing:
    pass


class ThingDumper(Dumper):
    params: Any = None

    def dump(self, obj: Thing) -> bytes | None:
        ThingDumper.params.clear()
        return None


def test_a_list_that_a_dumper_changes() -> None:
    """What was there at first is sent; NULL keeps the type of its dumper."""
    ours = AdaptersMap(adapters)
    ThingDumper.oid = 114
    ours.register_dumper(Thing, ThingDumper)
    for encoders in (Compiled(), Python()):
        ThingDumper.params = [Thing(), "a", 10**6]
        assert dumped(encoders, Transformer(ours), ThingDumper.params, [PyFormat.AUTO] * 3) == (
            [None, b"a", b"\x00\x0fB@"],
            (114, 0, 23),
            [0, 0, 1],
        )


def test_what_is_no_exception_passes() -> None:
    """Ctrl-C, and what a green thread is ended with, comes out of any Python code that is called."""
    with pytest.raises(KeyboardInterrupt):
        Compiled().dump(Transformer(), [dt.datetime(2000, 1, 1, tzinfo=Away())], [PyFormat.AUTO])


@pytest.mark.parametrize("encoders", [Compiled, Python])
def test_as_many_formats_as_parameters(encoders: Any) -> None:
    """It is a mistake of ours if there are not."""
    with pytest.raises(ValueError, match="got 2 parameters but 1 formats"):
        encoders().dump(Transformer(), (1, 2), [PyFormat.AUTO])


def test_nothing_is_kept() -> None:
    """Neither values, nor classes that somebody has made, nor the encoders of a map that has changed."""
    encoders = Compiled()
    passing = type("Passing", (int,), {})
    held = [10**6, "gr\xfcn", b"bytes" * 3, uuid.uuid4(), Decimal("1.5"), dt.datetime.now(dt.timezone.utc)]
    held += [passing(5), "ascii" * 9, dt.datetime.now(ZONES[2]), [1, 2]]

    def references() -> list[int]:
        for form in PyFormat:
            dumped(encoders, Transformer(), held, [form] * len(held))
            dumped(encoders, Transformer(), [*held, object()], [form] * len(held) + [form])
        gc.collect()  # an error and its traceback know each other
        return [sys.getrefcount(value) for value in (*held, passing)]

    before = references()
    assert [references() for _ in range(5)] == [before] * 5


def test_errors_say_which_value() -> None:
    """As they did when there were no encoders."""
    with pytest.raises(greenpg.DataError, match=r"cannot dump the text 'b\\x00': it has a NUL"):
        Transformer().dump_sequence(["a", "b\0"], [PyFormat.AUTO] * 2)
