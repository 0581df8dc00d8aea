"""Rows to objects: whatever the compiled decoders make of a value, its loader would have made the same."""

from __future__ import annotations

import gc
import json
import struct
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenpg.adapt import AdaptersMap, Format, Loader, Transformer, adapters
from greenpg.pq._ctypes import rows as python_rows
from greenpg.pq.rows import UnloadableCell
from greenpg.types.datetime import DateLoader, TimestamptzBinaryLoader, register_infinity, register_interval
from greenpg.types.json import set_json_loads
from greenpg.types.numeric import Int4BinaryLoader, IntLoader
from tests.test_types_fuzz import BYTES, KNOWN, LOADERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

compiled_rows = pytest.importorskip("greenpg.pq._rows", reason="no compiled decoders")
Compiled, Python = compiled_rows.RowLoader, python_rows.RowLoader

DAYS = "2024-02-29 0001-01-01 9999-12-31 1900-03-01 2023-02-29 1900-02-29 2024-04-31 0044-03-15BC 10000-01-01"
CLOCKS = "00:00:00 23:59:59.999999 12:30:01.5 24:00:00 04:05:60 1:02:03"
ZONES = "+00 -05:30 +01:02:03 -15:59:59 +23:59 +24"
NUMBERS = (
    "0 -0 7 -1 00012 32767 2147483648 999999999999999999 9223372036854775807 -9223372036854775809 1_0 +5"
)
FLOATS = (
    "0 -0 1.5 -1e-5 1e300 5e-324 1e999 3.5e38 0.1 1. .5 1e NaN -Infinity 123456789012345678901234567890.1"
)
SPANS = "1 day|-3 days +04:05:06.7|00:00:00|-04:05:06.789|1 mon|999999999 days|@ 1 day|P1D|infinity|1 day 2"
LISTS = (
    '{}|{1}|{1,NULL,-3}|{{1,2},{3,4}}|[2:3]={1,2}|{a,"b\\"c","",null,"NULL"," x "}|{"\\\\"}|{ a}|{a b }|{,2}'
)
JSONS = '{"a": [1, 2.5, null, "\\u00e9"]}|1|"x"|[] | {}|tru|1 2|[1e999]|"\u00e9"|\ufeff1|{"a": 1, "a": 2}'


MOMENTS = [f"{day[:10]} {clock}{day[10:]}" for day in DAYS.split() for clock in CLOCKS.split()]
STRINGS = ["", "a", "gr\xfcn \U0001f40d", "x" * 300]
TEXTS: dict[int, list[str]] = {
    16: ["t", "f", "true", ""],
    **dict.fromkeys((21, 23, 26, 28, 5069), NUMBERS.split()),
    **dict.fromkeys((700, 701, 1700), FLOATS.split()),
    **dict.fromkeys((18, 25, 1042), STRINGS),
    17: ["\\x", "\\x00ffAb", "\\x0", "\\x0g", "a\\\\b", "plain"],
    1082: [*DAYS.split(), "infinity"],
    1083: CLOCKS.split(),
    1266: [clock + zone for clock in CLOCKS.split() for zone in ZONES.split()],
    1114: [*MOMENTS, "-infinity"],
    1184: [moment + zone for moment in MOMENTS for zone in ZONES.split()],
    1186: SPANS.split("|"),
    2950: ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{a0eebc999c0b4ef8bb6d6bb9bd380a11}", "A" * 32, "F" * 36],
    **dict.fromkeys((114, 3802), JSONS.split("|")),
    **dict.fromkeys((1007, 1009, 199), LISTS.split("|")),
}

WORDS = [0, 1, -1, 2**15 - 1, -(2**15), 2**31 - 1, -(2**31), 2**63 - 1, -(2**63), 123456789, 10**15]
MOMENTS_IN = [0, -1, 252455615999999999, 252455616000000000, -63082281600000000, -63082281600000001, *WORDS]
NUMERICS = [
    *((1, 0, 0, 0, 1), (1, 0, 0x4000, 2, 1, 5000), (0, 0, 0, 3), (2, -2, 0, 12, 1, 2), (1, 5, 0, 0, 42)),
    *((0, 0, 0xC000, 0), (0, 0, 0xD000, 0), (0, 0, 0xF000, 0), (1, 0, 0x1000, 0, 1), (1, 0, 0, 0, 10000)),
    *((1, -1, 0, 1, 9999), (1, 31, 0, 0, 1), (1, 0, 0, 16383, 1), (1, 0, 0, 16384, 1), (2, 0, 0, 0, 1, 1)),
]


def array(dims: list[int], oid: int, *items: bytes | None) -> bytes:
    """Return an array as the server sends it."""
    head = struct.pack("!iiI", len(dims), 0, oid) + b"".join([struct.pack("!ii", size, 1) for size in dims])
    sent = [struct.pack("!i", -1) if i is None else struct.pack("!i", len(i)) + i for i in items]
    return b"".join([head, *sent])


FOUR = b"\0\0\0\4"
WORDS_4 = [struct.pack("!I", word & 0xFFFFFFFF) for word in WORDS]
WORDS_8 = [struct.pack("!Q", word & (2**64 - 1)) for word in WORDS]
CLOCKS_IN = [struct.pack("!q", count) for count in MOMENTS_IN]
BINARIES: dict[int, list[bytes]] = {
    16: [b"\0", b"\1", b"\2"],
    21: [struct.pack("!H", word & 0xFFFF) for word in WORDS],
    **dict.fromkeys((23, 26, 28, 700, 1082), WORDS_4),
    **dict.fromkeys((20, 5069, 701), WORDS_8),
    1700: [struct.pack(f"!HhHH{len(numeric) - 4}H", *numeric) for numeric in NUMERICS],
    18: [b"\0", b"a", b"\x7f", b"\x80", b"ab"],
    **dict.fromkeys((25, 1042), [text.encode() for text in TEXTS[25]] + [b"\xff", b"\xed\xa0\x80"]),
    17: [b"", bytes(range(256))],
    **dict.fromkeys((1083, 1114, 1184), CLOCKS_IN),
    1266: [
        struct.pack("!qi", clock, west) for clock in MOMENTS_IN for west in (0, -3600, 19801, 86400, -(2**31))
    ],
    1186: [struct.pack("!qii", clock, days, 0) for clock in WORDS for days in (0, -5, 10**9, -(2**31))]
    + [struct.pack("!qii", 5, 1, 2)],
    2950: [bytes(16), bytes(range(240, 256)), bytes(15)],
    114: [text.encode() for text in TEXTS[114]] + [b"[\0", b"\0\0\0[", b"\xff", b'"\xed\xa0\x80"'],
    3802: [b"\1" + text.encode() for text in TEXTS[114]] + [b"\2{}"],
    1007: [
        *(array([], 23), array([3], 23, FOUR, None, FOUR), array([2, 2], 23, FOUR, None, FOUR, FOUR)),
        *(array([0], 23), array([1, 1, 1, 1, 1, 1], 23, FOUR), array([1], 25, b"x"), array([1], 23, b"x")),
        *(array([1], 99999, b"x"), array([-1], 23), array([2], 16, b"\1", b"\0")),
    ],
}


class Session:
    """A context with settings; it is its own connection."""

    def __init__(self, known: AdaptersMap = KNOWN, **parameters: str) -> None:
        self.adapters = known
        self.connection = self.pgconn = self
        self.parameters = {
            "client_encoding": "UTF8",
            "DateStyle": "ISO, MDY",
            "TimeZone": "UTC",
            **parameters,
        }

    def parameter_status(self, name: bytes) -> bytes:
        return self.parameters[name.decode()].encode()


SESSIONS = {
    "as usual": Session(),
    "zone": Session(TimeZone="Europe/Berlin"),
    "fixed": Session(TimeZone="<+05>-05:30"),
    "latin": Session(client_encoding="LATIN1", DateStyle="German, DMY", TimeZone="Asia/Kolkata"),
    "sjis": Session(client_encoding="SJIS", DateStyle="Postgres, MDY", TimeZone="America/New_York"),
    "ascii": Session(client_encoding="SQL_ASCII", DateStyle="SQL, DMY"),
}


def seen(value: Any) -> Any:
    """Return all that can be told apart of a value: NaN is NaN, -0.0 is not 0.0, True is not 1."""
    inner = [seen(item) for item in value] if isinstance(value, list | tuple) else None
    return type(value), repr(value), inner, getattr(value, "is_safe", None)


def outcome(loader: Any, data: bytes | None) -> Any:
    """Return what a value becomes, or the error."""
    try:
        return seen(loader.load_record([data]))
    except UnloadableCell as cell:
        return type(cell.__cause__), str(cell.__cause__), cell.row, cell.column


def alike(session: Any, oid: int, form: Format, values: list[bytes]) -> None:
    """Assert that both loops make the same of the values."""
    tx = Transformer(session)
    load = tx.get_loader(oid, form).load
    compiled, python = Compiled([load]), Python([load])
    for data in values:
        assert outcome(compiled, data) == outcome(python, data), data


@settings(max_examples=1000, deadline=None)
@given(which=st.sampled_from(LOADERS), data=BYTES, session=st.sampled_from(list(SESSIONS.values())))
def test_any_bytes(which: tuple[int, Format], data: bytes, session: Session) -> None:
    alike(session, *which, [data])


def spoiled(good: bytes) -> Iterator[bytes]:
    """Yield a value, every beginning of it, and it with one byte changed or added."""
    good = good[:60]
    yield good
    yield from (good[:end] for end in range(len(good)))
    yield from (good + more for more in (b"\0", b" ", b"1", b"}"))
    for at in range(len(good)):
        yield from (good[:at] + bytes([byte]) + good[at + 1 :] for byte in b'\0\xff0": -}')


@pytest.mark.parametrize("session", SESSIONS.values(), ids=SESSIONS)
@pytest.mark.parametrize("form", [Format.TEXT, Format.BINARY])
def test_values_as_they_come(session: Session, form: Format) -> None:
    values = {oid: [text.encode() for text in texts] for oid, texts in TEXTS.items()}
    for oid, good in (values if form == Format.TEXT else BINARIES).items():
        alike(session, oid, form, good)


@pytest.mark.parametrize("oid", sorted({*TEXTS, *BINARIES}))
def test_values_with_a_mistake(oid: int) -> None:
    texts = [text.encode() for text in TEXTS.get(oid, [])]
    for form, good in ((Format.TEXT, texts[:12]), (Format.BINARY, BINARIES.get(oid, [])[:9])):
        alike(SESSIONS["as usual"], oid, form, [bad for value in good for bad in spoiled(value)])


@given(st.binary(min_size=8, max_size=8), st.sampled_from(["Europe/London", "Asia/Kolkata", "UTC", "EST5"]))
def test_any_moment_in_any_zone(data: bytes, zone: str) -> None:
    near = struct.pack("!q", struct.unpack("!q", data)[0] % (2 * 10**18) - 10**18)
    for oid in (1083, 1114, 1184):
        alike(Session(TimeZone=zone), oid, Format.BINARY, [data, near])


@given(
    st.binary(min_size=4, max_size=4) | st.integers(-730200, 2921999).map(lambda day: struct.pack("!i", day))
)
def test_any_day(data: bytes) -> None:
    alike(SESSIONS["as usual"], 1082, Format.BINARY, [data])


@given(
    st.tuples(st.integers(0, 5), st.integers(-3, 4), st.sampled_from([0, 0x4000]), st.integers(0, 20)),
    st.data(),
)
def test_any_numeric(head: tuple[int, int, int, int], data: Any) -> None:
    groups = data.draw(st.lists(st.integers(0, 9999), min_size=head[0], max_size=head[0]))
    alike(SESSIONS["as usual"], 1700, Format.BINARY, [struct.pack(f"!HhHH{head[0]}H", *head, *groups)])


# What is not ours is called


class Hundred(Int4BinaryLoader):
    """Loads everything as the same."""

    def load(self, data: bytes) -> int:
        return 100


class Halves(Int4BinaryLoader):
    """Inherits `load()`, and reads another layout by it."""

    layout = struct.Struct("!h")


class Own(TimestamptzBinaryLoader):
    """Inherits `load()`, and has another zone."""

    def __init__(self, oid: int, context: Any = None) -> None:
        super().__init__(oid, context)
        import datetime

        self._zone = datetime.timezone(datetime.timedelta(hours=3), "mine")


class Local(TimestamptzBinaryLoader):
    """Inherits `load()`, and has the zone of the machine."""

    def __init__(self, oid: int, context: Any = None) -> None:
        super().__init__(oid, context)
        self._zone: Any = None


class Parsing(DateLoader):
    """Inherits `load()`, and has something else parse."""

    def __init__(self, oid: int, context: Any = None) -> None:
        super().__init__(oid, context)
        self._parse: Any = str.title


def loaded(known: Any, oid: int, data: bytes, form: Format = Format.BINARY) -> Any:
    tx = Transformer(known)
    return Compiled([tx.get_loader(oid, form).load]).load_record([data])[0]


@pytest.mark.parametrize(
    ("loader", "oid", "data", "expected"),
    [
        (Hundred, 23, FOUR, "100"),
        (Halves, 23, b"\0\5", "5"),
        (Own, 1184, bytes(8), "2000-01-01 03:00:00+03:00"),
        (type("Plain", (Int4BinaryLoader,), {}), 23, FOUR, "4"),
    ],
)
def test_what_a_subclass_says_counts(loader: type[Loader], oid: int, data: bytes, expected: str) -> None:
    known = AdaptersMap(adapters)
    known.register_loader(oid, loader)
    assert str(loaded(known, oid, data)) == expected


@pytest.mark.parametrize(("loader", "oid", "data"), [(Local, 1184, bytes(8)), (Parsing, 1082, b"a b")])
def test_what_a_subclass_has_may_be_of_any_kind(loader: type[Loader], oid: int, data: bytes) -> None:
    known = AdaptersMap(adapters)
    known.register_loader(oid, loader)
    assert loaded(known, oid, data, loader.format) == loader(oid).load(data)


def test_elements_are_loaded_by_what_is_registered() -> None:
    known = AdaptersMap(adapters)
    known.register_loader(23, Hundred)
    tx = Transformer(known)
    assert Compiled([tx.get_loader(1007, Format.BINARY).load]).load_record([BINARIES[1007][1]]) == (
        [100, None, 100],
    )


def test_what_is_registered_instead_counts() -> None:
    known = AdaptersMap(adapters)
    register_infinity(known)
    register_interval(known)
    set_json_loads(lambda data: ("mine", data), known)
    alike(known, 1184, Format.BINARY, BINARIES[1184])
    alike(known, 1186, Format.TEXT, [text.encode() for text in TEXTS[1186]])
    assert loaded(known, 3802, b"\1[1]") == ("mine", b"[1]")
    assert loaded(known, 114, b"[1]", Format.TEXT) == ("mine", b"[1]")


def test_a_function_of_the_standard_library_that_was_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json, "loads", lambda _: "mine")
    assert loaded(adapters, 114, b"[1]") == [1]
    set_json_loads(json.loads, known := AdaptersMap(adapters))
    assert loaded(known, 114, b"[1]") == "mine"


def test_without_a_loader_at_all() -> None:
    """Any function does, and what is no `bytes` goes to it as it is."""
    rows = Compiled([len, IntLoader(23).load, repr])
    assert rows.load_record([b"abc", bytearray(b"5"), None]) == (3, 5, None)
    assert len(rows.loads) == 3


# What a loop must stand


@pytest.mark.parametrize("implementation", [Compiled, Python])
def test_the_number_of_values(implementation: Any) -> None:
    rows = implementation([len, len])
    for record in ([], [b"a"], [b"a"] * 3):
        with pytest.raises(ValueError, match="expected 2 values in the row"):
            rows.load_record(record)
    assert implementation([]).load_record([]) == ()


@pytest.mark.parametrize("implementation", [Compiled, Python])
def test_a_loader_that_fails(implementation: Any) -> None:
    """The column is known; what is no `Exception` comes out as it is."""

    def fail(data: bytes) -> None:
        raise KeyboardInterrupt if data == b"now" else KeyError("oops")

    rows = implementation([len, fail])
    with pytest.raises(UnloadableCell) as caught:
        rows.load_record([b"a", b"b"])
    assert (caught.value.row, caught.value.column) == (0, 1)
    assert isinstance(caught.value.__cause__, KeyError)
    with pytest.raises(KeyboardInterrupt):
        rows.load_record([b"a", b"now"])


def test_a_loader_that_changes_the_record() -> None:
    record: list[bytes | None] = [b"a", b"b", b"c"]

    def clear(data: bytes) -> int:
        record.clear()
        return len(data)

    assert Compiled([clear, clear, len]).load_record(record) == (1, 1, 1)


def test_the_collector_sees_only_what_is_full() -> None:
    half_full: list[object] = []

    def look(data: bytes) -> list[int]:
        rows = [found for found in gc.get_objects() if type(found) is tuple and len(found) == 977]
        half_full.extend(row for row in rows if row[0] == 3)
        return [1]

    row = Compiled([len] * 976 + [look]).load_record([b"abc"] * 977)
    assert half_full == []
    assert gc.is_tracked(row)  # a list in it may hold the row itself
    assert not gc.is_tracked(Compiled([len, str]).load_record([b"abc", b""]))


def leaks(repeat: Callable[[], object]) -> bool:
    """Return whether a block of memory stays of each call, again and again: caches fill up at first."""
    for _ in range(4):
        gc.collect()
        before = sys.getallocatedblocks()
        for _ in range(100):
            repeat()
        gc.collect()
        if sys.getallocatedblocks() - before < 100:
            return False
    return True


@pytest.mark.parametrize("form", [Format.TEXT, Format.BINARY])
def test_nothing_leaks(form: Format) -> None:
    """Neither values nor errors."""
    values = {oid: [text.encode() for text in texts] for oid, texts in TEXTS.items()}
    samples = values if form == Format.TEXT else BINARIES
    tx = Transformer(SESSIONS["zone"])
    loaders = [(Compiled([tx.get_loader(oid, form).load]), good) for oid, good in samples.items()]

    def everything() -> None:
        for loader, good in loaders:
            for data in good[:15]:
                outcome(loader, data)

    assert not leaks(everything)


# Dictionaries


@pytest.mark.parametrize("rows", [compiled_rows, python_rows])
def test_dictionaries(rows: Any) -> None:
    """In the order of the names; of two of one name the last; never one for another row."""
    make = rows.dict_maker(["b", "a", "b"])
    first, second = make((1, 2, 3)), make([4, None, [6]])
    assert (list(first.items()), list(second.items())) == ([("b", 3), ("a", 2)], [("b", [6]), ("a", None)])
    assert rows.dict_maker([])(()) == {}
    for values in ((), (1, 2), (1, 2, 3, 4)):
        with pytest.raises(ValueError, match=f"expected 3 values in the row, got {len(values)}"):
            make(values)
    assert not leaks(lambda: make(("x" * 100, 2.5, [])))
