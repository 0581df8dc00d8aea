"""executemany() through the compiled loops and through the Python ones: the same, whatever comes between."""

from __future__ import annotations

import gc
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

import greenpg
from greenpg.adapt import Dumper
from greenpg.pq import many
from greenpg.pq._ctypes import many as uncompiled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greenpg import Connection, Cursor


@pytest.fixture(params=["compiled", "python"])
def cursor(
    request: pytest.FixtureRequest, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cursor[Any]]:
    """A cursor of a connection whose executemany() uses the one kind of loops or the other."""
    with greenpg.connect(dsn) as conn:
        if request.param == "python":
            monkeypatch.setattr("greenpg._core.many.loops", lambda *_: (uncompiled.Sender, uncompiled.Tally))
        elif many.loops(conn.pgconn, conn.adapters.encoders)[0] is uncompiled.Sender:
            pytest.skip("the compiled binding is not in use")
        cur = conn.cursor()
        cur.execute("create temp table many (n serial, value text, other numeric)")
        conn.commit()
        yield cur


def fetched(cur: Cursor[Any]) -> list[Any]:
    return cur.execute("select value, other from many order by n").fetchall()


INSERT = "insert into many (value, other) values (%s, %s)"


def test_values_of_any_size_and_type(cursor: Cursor[Any]) -> None:
    texts = ["", "a", "gr\xfcn", "x" * 4095, "y" * 4096, "\u20ac" * 50_000, None, "'\\\t\n"]
    numbers = [1, 70_000, 2**40, -(10**30), 1.5, Decimal("2.50"), None, True and 2]
    rows = [(texts[n % 8], numbers[n // 3 % 8]) for n in range(600)]
    cursor.executemany(INSERT, rows)
    assert cursor.rowcount == 600
    assert fetched(cursor) == [(text, None if n is None else Decimal(str(n))) for text, n in rows]


def test_names_in_any_order(cursor: Cursor[Any]) -> None:
    class Other(dict[str, Any]):
        def __missing__(self, name: str) -> str:
            return f"no {name}"

    rows: list[Any] = [{"b": 2, "a": "x", "c": 0}, Other(b=3), {"a": None, "b": None}]
    cursor.executemany("insert into many (other, value) values (%(b)s, %(a)s)", rows * 2)
    assert fetched(cursor) == [("x", 2), ("no a", 3), (None, None)] * 2
    with pytest.raises(greenpg.ProgrammingError, match="placeholders without a parameter: 'b'"):
        cursor.executemany("insert into many (other, value) values (%(b)s, %(a)s)", [*rows, {"a": 1}])


@pytest.mark.parametrize("wrong", [(1,), (1, 2, 3), "ab", 5, None, {"a": 1}])
def test_a_set_that_is_none(cursor: Cursor[Any], wrong: Any) -> None:
    """It is refused as execute() refuses it, wherever it comes."""
    with pytest.raises(greenpg.ProgrammingError) as alone:
        cursor.execute(INSERT, () if wrong is None else wrong)
    with pytest.raises(greenpg.ProgrammingError) as among:
        cursor.executemany(INSERT, [("a", 1)] * 3 + [wrong])
    assert wrong is None or str(among.value) == str(alone.value)
    cursor.connection.rollback()
    assert fetched(cursor) == []


def test_nothing_is_prepared_where_that_is_not_wanted(cursor: Cursor[Any]) -> None:
    cursor.connection.prepare_threshold = None
    cursor.executemany(INSERT, [(f"row {n}", n) for n in range(1000)])
    assert cursor.rowcount == len(fetched(cursor)) == 1000
    assert cursor.execute("select count(*) from pg_prepared_statements").fetchone() == (0,)


def test_an_error_among_thousands(cursor: Cursor[Any]) -> None:
    """The first is raised, what follows is not done, and there is no end to what comes after."""
    cursor.execute("create unique index on many (value)")
    cursor.connection.commit()
    with pytest.raises(greenpg.errors.UniqueViolation, match=r"\(value\)=\(7\)"):
        cursor.executemany(INSERT, ((str(n if n != 3000 else 7), n) for n in range(5000)))
    cursor.connection.rollback()
    assert fetched(cursor) == []
    cursor.executemany(INSERT, ((str(n), n) for n in range(5000)), returning=False)
    assert cursor.rowcount == 5000


def test_it_ends_early_once_one_has_failed(cursor: Cursor[Any]) -> None:
    """Nobody waits for a million sets of parameters of which the first is wrong."""
    asked = 0

    def rows() -> Iterator[tuple[Any, ...]]:
        nonlocal asked
        for asked in range(10**6):
            yield "x" * 1000, asked

    cursor.execute("alter table many add check (other <> 5)")
    with pytest.raises(greenpg.errors.CheckViolation):
        cursor.executemany(INSERT, rows())
    assert asked < 10**5


def test_results_that_are_kept(cursor: Cursor[Any]) -> None:
    cursor.executemany("select %s::int, %s::text", [(n, "x" * (n % 50)) for n in range(1000)], returning=True)
    found = [result.fetchone() for result in cursor.results()]
    assert found == [(n, "x" * (n % 50)) for n in range(1000)]
    cursor.executemany("select generate_series(1, %s)", [(n,) for n in range(100)])
    assert (cursor.rowcount, cursor.statusmessage) == (sum(range(100)), "SELECT 99")


def test_commands_that_change_what_is_known(cursor: Cursor[Any]) -> None:
    """Settings that statements are read by; and commands that are no work on rows."""
    zones = ["UTC", "Europe/Berlin", "America/New_York"] * 30
    cursor.executemany("select set_config('TimeZone', %s, false)", [(zone,) for zone in zones])
    cursor.executemany("notify many", [()] * 3)
    assert (cursor.statusmessage, cursor.rowcount) == ("NOTIFY", 0)
    cursor.executemany(INSERT, [("a", 1)] * 3)
    assert fetched(cursor) == [("a", 1)] * 3


def test_notices_in_between(cursor: Cursor[Any]) -> None:
    told: list[str] = []
    cursor.connection.add_notice_handler(lambda diag: told.append(diag.message_primary))
    cursor.execute(
        "create function pg_temp.tell(n int) returns int language plpgsql"
        " as $$ begin raise notice 'at %', n; return n; end $$"
    )
    cursor.executemany("select pg_temp.tell(%s)", [(n,) for n in range(2000)])
    assert told == [f"at {n}" for n in range(2000)]


class Thing:
    def __init__(self, act: Callable[[], Any]) -> None:
        self.act = act


class ThingDumper(Dumper):
    def dump(self, obj: Thing) -> Any:
        return obj.act()


def closing(conn: Connection[Any]) -> bytes:
    conn.close()
    return b"5"


def test_what_a_dumper_may_do(cursor: Cursor[Any]) -> None:
    """It may change what it is asked about, have none, return any buffer, or a text that is none."""

    def clear() -> bytes:
        row.clear()
        return b"cleared"

    cursor.adapters.register_dumper(Thing, ThingDumper)
    row: list[Any] = [Thing(clear), 5]
    rows = [("a", 1), row, (Thing(lambda: None), 2), (Thing(lambda: memoryview(b"xyz")[1:]), 3)]
    cursor.executemany(INSERT, rows)
    assert fetched(cursor) == [("a", 1), ("cleared", 5), (None, 2), ("yz", 3)]
    with pytest.raises(greenpg.DataError, match="no text with a NUL"):
        cursor.executemany(INSERT, [("a", 1), ("b", 1), (Thing(lambda: b"a\0b"), 2)])
    with pytest.raises(greenpg.DataError, match=r"cannot adapt .*Thing.* by zero"):
        cursor.executemany(INSERT, [("a", 1), ("b", 1), (Thing(lambda: b"%d" % (1 // 0)), 2)])


@pytest.mark.parametrize("where", ["dumper", "rows"])
def test_the_connection_is_closed_in_between(cursor: Cursor[Any], where: str) -> None:
    """By Python code that runs while the sets of parameters are read."""
    cursor.adapters.register_dumper(Thing, ThingDumper)
    conn = cursor.connection

    def rows() -> Iterator[tuple[Any, ...]]:
        yield from [("a", 1)] * 5
        yield (Thing(conn.close), 2) if where == "dumper" else (conn.close(), 2)
        yield from [("b", 1)] * 5

    with pytest.raises(greenpg.Error):
        cursor.executemany(INSERT, rows())
    assert conn.closed or conn.execute("select 1").fetchone() == (1,)


def test_rows_that_use_the_connection(cursor: Cursor[Any]) -> None:
    """It is busy."""
    conn = cursor.connection

    def rows() -> Iterator[tuple[Any, ...]]:
        yield from [("a", 1)] * 5
        conn.execute("select 1")

    with pytest.raises(greenpg.InterfaceError):
        cursor.executemany(INSERT, rows())
    conn.rollback()
    assert fetched(cursor) == []


def test_nothing_is_kept(cursor: Cursor[Any]) -> None:
    text, number = "gr\xfcn" * 3000, Decimal("1.25")
    before = []
    for _ in range(4):
        cursor.executemany(INSERT + " returning value", [(text, number)] * 100)
        with pytest.raises(greenpg.DataError):
            cursor.executemany(INSERT, [(text, number)] * 100 + [("\0", number)])
        cursor.connection.rollback()
        gc.collect()
        before.append((sys.getrefcount(text), sys.getrefcount(number), len(gc.get_objects())))
    assert before[1][:2] == before[2][:2] == before[3][:2]
    assert before[3][2] - before[1][2] < 50
