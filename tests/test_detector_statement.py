"""Statements without their data, and their statistics."""

from __future__ import annotations

from typing import Any

import psycopg.sql
import psycopg2.sql
import pytest

from greenpg.detector._statement import LONGEST, SHORT, normalized, shortened, text_of
from greenpg.detector._table import OTHERS, Table

SQL = [
    ("select 1", "select ?"),
    ("select  *\n\tfrom t", "select * from t"),
    ("select a1, b_2 from t3 where c = 4.5e-6", "select a1, b_2 from t3 where c = ?-?"),
    ("where password = 'hunter2'", "where password = ?"),
    ("where a = 'it''s' and b = ''", "where a = ? and b = ?"),
    (r"where a = E'it\'s' and b = 'c'", "where a = ? and b = ?"),
    (r"where a = 'C:\' and b = 'c'", "where a = ?"),  # to MySQL, the quote goes on: nothing more is said
    (r"where a = 'C:\dir' and b = 'c'", "where a = ? and b = ?"),
    ("select b'101', X'ff', N'n', u&'d\\0061t'", "select ?, ..."),
    ("select $$it's$$, $tag$ $$ $tag$, $1, $2", "select ?, ..."),
    ("select 'unterminated hunter2", "select ?"),
    ("select $$unterminated hunter2", "select ?"),
    ("select 1 -- password 'hunter2'\n, 2", "select ?, ..."),
    ("/* hunter2 */ select a", "select a"),
    ("select a /* unterminated hunter2", "select a"),
    ("select a /* b /* c */ hunter2 */, d", "select a"),  # elsewhere, the first end of a comment is its end
    ("/* a */ select /* b */ c / * d", "select c / * d"),
    ('select "Name 1" from "it\'s"', 'select "Name 1" from "it\'s"'),
    ("in (1, 2,3)", "in (?, ...)"),
    ("in (%s,%s , %s)", "in (%s, ...)"),
    ("in ($1, $2)", "in ($1, ...)"),
    ("values (1, 'a'), (2, 'b')", "values (?, ...), ..."),
    ("values (%s), (%s)", "values (%s), ..."),
    ("where a = %(name)s and b = :b", "where a = %(name)s and b = :b"),
    ("where a is not null and b is null and not c", "where a is not null and b is null and not c"),
    ("set a = null, b = true, c = FALSE", "set a = ?, b = ?, c = ?"),
    ("select '{}'::jsonb ->> 'key'", "select ?::jsonb ->> ?"),
    ("select -1, a$1 from t$2", "select -?, a$1 from t$2"),
    ("", ""),
]


@pytest.mark.parametrize(("sql", "expected"), SQL)
def test_normalized(sql: str, expected: str) -> None:
    assert normalized(sql) == expected
    assert "hunter2" not in expected


def test_double_quotes_are_around_texts_elsewhere() -> None:
    assert normalized('where a = "hunter2"', quotes_names=False) == "where a = ?"


def test_only_so_much_is_looked_at() -> None:
    sql = "select " + "a, " * LONGEST
    assert normalized(sql) == sql[:LONGEST].strip() + "..."


def test_a_record_shows_the_beginning() -> None:
    assert shortened("select 1") == "select 1"
    assert shortened("a" * SHORT) == "a" * SHORT
    assert shortened("a" * (SHORT + 1)) == "a" * (SHORT - 3) + "..."


@pytest.mark.parametrize("sql", [psycopg2.sql, psycopg.sql])
def test_compositions(sql: Any) -> None:
    parts = sql.SQL("select {} from {} where a = {} and b = {}")
    query = parts.format(sql.Identifier("s", "t"), sql.Identifier("t"), sql.Literal("x"), sql.Placeholder())
    assert text_of(query) == 'select "s"."t" from "t" where a = ? and b = ?'
    assert text_of(sql.Literal("hunter2")) == "?"


def test_texts() -> None:
    assert text_of("select 1") == text_of(b"select 1") == text_of(bytearray(b"select 1")) == "select 1"
    assert text_of(b"select \xff") == "select \N{REPLACEMENT CHARACTER}"
    assert text_of(7) is None
    assert text_of(psycopg2.sql.SQL) is None


def execute(table: Table, query: object, times: int = 1) -> None:
    record = table.record(query)
    record.calls += times
    record.held += times


def test_executions_that_differ_in_data_are_one_statement() -> None:
    table = Table(10)
    for query in ("select 1", "select  2", b"select 3", "select 'x'"):
        execute(table, query)
    [found] = table.snapshot()
    assert (found.statement, found.calls) == ("select ?", 4)


def test_the_longest_come_first() -> None:
    table = Table(10)
    execute(table, "select a")
    execute(table, "select b", 2)
    table.held("select c", 5.0, measured=False)
    assert [found.statement for found in table.snapshot()] == ["select c", "select b", "select a"]


def test_a_hold_counts_as_held_unless_it_is_measured() -> None:
    table = Table(10)
    table.held("select a", 0.5, measured=True)
    table.held("select a", 0.25, measured=False)
    [found] = table.snapshot()
    assert (found.calls, found.held, found.holds, found.longest) == (0, 0.25, 2, 0.5)


def test_what_is_no_statement_has_one_record() -> None:
    class Bad:
        def as_string(self, _context: object) -> str:
            raise ValueError

        @property
        def seq(self) -> str:
            raise ValueError

    table = Table(10)
    for query in (None, 7, Bad()):
        execute(table, query)
    assert [found.calls for found in table.snapshot()] == [3]


@pytest.mark.parametrize("size", [2, 3, 10])
def test_there_are_never_too_many_statements_and_no_second_is_lost(size: int) -> None:
    table = Table(size)
    execute(table, "select often", 100)
    for number in range(50):
        execute(table, f"select a{number}")
        assert len(table.snapshot()) <= size
    found = {found.statement: found for found in table.snapshot()}
    assert sum(one.calls for one in found.values()) == 150
    assert sum(one.held for one in found.values()) == 150
    assert OTHERS in found
    if size > 2:
        assert found["select often"].calls == 100


def test_a_long_text_is_not_kept() -> None:
    table = Table(10)
    execute(table, "select 1" + " " * 20_000)
    assert table._texts == {}


def test_different_texts_of_one_statement_are_not_all_kept() -> None:
    table = Table(10)
    for number in range(1000):
        execute(table, f"select {number}")
    assert len(table._texts) <= 40
    assert table.snapshot()[0].calls == 1000
