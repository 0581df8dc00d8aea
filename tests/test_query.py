"""Placeholders become `$1`, values become bytes, and what does not go together is an error at once."""

from __future__ import annotations

import sys
from collections import ChainMap, UserList, defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenpg import DataError, ProgrammingError
from greenpg._core import query as query_module
from greenpg._core.query import ClientQuery, PostgresQuery, RawQuery, parse
from greenpg.adapt import AdaptersMap, Dumper, PyFormat, Transformer
from greenpg.pq import Format
from greenpg.sql import SQL, Identifier, Placeholder
from tests.templates import Interpolation, Template

AUTO, TEXT, BINARY = PyFormat.AUTO, PyFormat.TEXT, PyFormat.BINARY


class AsText(Dumper):
    oid = 25

    def dump(self, obj: str) -> bytes:
        return obj.encode()


class AsBinary(AsText):
    format = Format.BINARY
    oid = 17


class Nobody:
    """A value that there is no dumper for."""


class Context:
    """Where a str may be sent as text, which is the default, or in binary."""

    connection = None

    def __init__(self) -> None:
        self.adapters = AdaptersMap()
        self.adapters.register_dumper(str, AsBinary)
        self.adapters.register_dumper(str, AsText)


def converted(query: Any, params: Any = None, kind: type[PostgresQuery] = PostgresQuery) -> PostgresQuery:
    made = kind(Transformer(Context()))
    made.convert(query, params)
    return made


@pytest.mark.parametrize(
    ("query", "params", "sent", "values"),
    [
        ("select 1", None, b"select 1", None),
        ("select '%%', %s, 100%", None, b"select '%%', %s, 100%", None),
        ("select 1", (), b"select 1", []),
        ("select 1", {}, b"select 1", []),
        ("select 1", {"unused": "x"}, b"select 1", []),
        ("100%%", (), b"100%", []),
        ("%s", ("a",), b"$1", [b"a"]),
        ("%s, %b, %t", ["a", "b", "c"], b"$1, $2, $3", [b"a", b"b", b"c"]),
        ("%s%s", ("a", None), b"$1$2", [b"a", None]),
        ("%%s %s %%%s%%", ("a", "b"), b"%s $1 %$2%", [b"a", b"b"]),
        ("%(a)s, %(b)s, %(a)s", {"a": "x", "b": "y", "c": "z"}, b"$1, $2, $1", [b"x", b"y"]),
        ("%(a b%)s", {"a b%": "x"}, b"$1", [b"x"]),
        ("%(é)s", {"é": "x"}, b"$1", [b"x"]),
        ("é %s", ("ü",), "é $1".encode(), ["ü".encode()]),
        (b"%s", ("a",), b"$1", [b"a"]),
        ("'%s' -- %s\n/* %s */", ("a", "b", "c"), b"'$1' -- $2\n/* $3 */", [b"a", b"b", b"c"]),
        ("%s", UserList(["a"]), b"$1", [b"a"]),
        ("%(a)s", ChainMap({"a": "x"}), b"$1", [b"x"]),
        ("%(a)s", defaultdict(lambda: "x"), b"$1", [b"x"]),
        (SQL("%s, {}").format(Identifier("a%%b")), ("x",), b'$1, "a%b"', [b"x"]),
        (Placeholder("a") + SQL(" ") + Placeholder("a"), {"a": "x"}, b"$1 $1", [b"x"]),
        ("", None, b"", None),
    ],
)
def test_statement_becomes_what_the_server_takes(
    query: Any, params: Any, sent: bytes, values: list[bytes | None] | None
) -> None:
    made = converted(query, params)
    assert (made.query, made.params) == (sent, values)


def test_each_value_has_its_type_and_format() -> None:
    made = converted("%s %b %t %s", ("a", "b", "c", None))
    assert made.types == (25, 17, 25, 0)
    assert made.formats == [Format.TEXT, Format.BINARY, Format.TEXT, Format.TEXT]
    assert made.want_formats == (AUTO, BINARY, TEXT, AUTO)


def test_without_parameters_there_is_nothing_to_say_of_them() -> None:
    made = converted("select 1")
    assert (made.params, made.types, made.formats, made.want_formats) == (None, (), None, None)


@pytest.mark.parametrize(
    ("query", "params", "reason"),
    [
        ("%s %(a)s", {"a": "x"}, "positional and named placeholders cannot be mixed"),
        ("%(a)s %s", ("x",), "positional and named placeholders cannot be mixed"),
        ("%(a)s %(a)b", {"a": "x"}, "the placeholder 'a' has different formats"),
        ("%s %s", ("a",), "as many parameters as it has placeholders: 2, not 1"),
        ("%s", ("a", "b"), "as many parameters as it has placeholders: 1, not 2"),
        ("select 1", ("a",), "as many parameters as it has placeholders: 0, not 1"),
        ("%(a)s %(b)s %(c)s", {"b": "x"}, "without a parameter: 'a', 'c'"),
        ("%(a)s", ("x",), "named placeholders need a mapping"),
        ("%s", {"a": "x"}, "positional placeholders need a sequence"),
        ("100% ", ("a",), "incomplete placeholder '% ': write '%%'"),
        ("100%", (), "incomplete placeholder '%': write '%%'"),
        ("%\n", ("a",), r"incomplete placeholder '%\n'"),
        ("%(a", {"a": "x"}, "incomplete placeholder '%('"),
        ("%(a)", {"a": "x"}, "incomplete placeholder '%(a)'"),
        ("%()s", {"": "x"}, "incomplete placeholder '%('"),
        ("%d", ("a",), "no placeholder '%d': there are '%s', '%b' and '%t'"),
        ("%(a)d", {"a": "x"}, "no placeholder '%(a)d'"),
        ("%(a)%", {"a": "x"}, "no placeholder '%(a)%'"),
        ("%s", "a", "parameters must be a sequence or a mapping, not str"),
        ("%s", b"a", "parameters must be a sequence or a mapping, not bytes"),
        ("%s", {"a"}, "parameters must be a sequence or a mapping, not set"),
        ("%s", iter("a"), "parameters must be a sequence or a mapping, not str_"),
        ("%s", 5, "parameters must be a sequence or a mapping, not int"),
        ("%s", (Nobody(),), "Nobody"),
        (3, None, "must be a str, bytes, sql.SQL or a template string, not int"),
        (None, None, "not NoneType"),
        (bytearray(b"select 1"), None, "not bytearray"),
    ],
)
def test_what_does_not_go_together_is_a_programming_error(query: Any, params: Any, reason: str) -> None:
    with pytest.raises(ProgrammingError) as caught:
        converted(query, params)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("a\0b", "NUL in it: at character 2"),
        (b"a\0b", "NUL in it: at byte 2"),
        (SQL("a\0b"), "NUL in it"),
        (Identifier("a\0b"), "NUL in it"),
        ("ab\ud800", r"has no '\\ud800': at character 3"),
    ],
)
@pytest.mark.parametrize("params", [None, ("x",)])
def test_sql_that_cannot_be_sent_is_a_data_error(query: Any, params: Any, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        converted(query, params)


def test_parameters_are_counted_in_16_bits() -> None:
    most = query_module.MOST_PARAMETERS
    assert len(converted("%s," * most, [None] * most).params or ()) == most
    with pytest.raises(ProgrammingError, match="at most 65535 parameters, not 65536"):
        converted("%s," * (most + 1), [None] * (most + 1))


def test_other_parameters_for_the_same_statement() -> None:
    made = converted("%(a)s %(b)s", {"a": "1", "b": "2"})
    made.dump({"b": "4", "a": "3"})
    assert (made.query, made.params) == (b"$1 $2", [b"3", b"4"])
    with pytest.raises(ProgrammingError, match="need a mapping"):
        made.dump(("3", "4"))


def test_statement_converted_before_leaves_nothing_behind() -> None:
    made = converted("%(a)s", {"a": "1"})
    made.convert("select %s", ("x",))
    assert (made.query, made.params) == (b"select $1", [b"x"])
    made.convert("select '%s'")
    assert (made.query, made.params, made.types, made.formats) == (b"select '%s'", None, (), None)


def test_same_text_is_parsed_once_but_a_long_one_is_not_kept() -> None:
    cache = query_module._parse_cached
    cache.cache_clear()
    for params in (("a",), ("b",)):
        converted("select %s /* cached */", params)
    assert (cache.cache_info().hits, cache.cache_info().currsize) == (1, 1)
    converted("select %s" + " " * query_module._CACHED_LENGTH, ("a",))
    converted("%s" * (query_module._CACHED_PARAMETERS + 1), [None] * (query_module._CACHED_PARAMETERS + 1))
    assert cache.cache_info().currsize == 1


# A statement as a list of pieces: what it is written as, and the placeholder in it if it is one.
PLAIN = st.text(st.characters(exclude_characters="%\0", exclude_categories=["Cs"])).map(
    lambda text: (text, None)
)
PERCENT = st.just(("%%", None))
LETTERS = st.sampled_from("sbt")
POSITIONAL = LETTERS.map(lambda letter: (f"%{letter}", letter))
NAMES = st.text(st.characters(exclude_characters=")\0", exclude_categories=["Cs"]), min_size=1)
NAMED = NAMES.map(lambda name: (f"%({name})s", name))


@given(st.lists(st.one_of(PLAIN, PERCENT, POSITIONAL)))
def test_any_positional_statement_is_taken_apart(pieces: list[tuple[str, str | None]]) -> None:
    parsed = parse("".join(text for text, _ in pieces).encode(), "utf-8")
    letters = [letter for _, letter in pieces if letter]
    numbers = iter(range(1, len(letters) + 1))
    numbered = "".join(f"${next(numbers)}" if letter else text.replace("%%", "%") for text, letter in pieces)
    assert parsed.numbered == numbered.encode()
    assert parsed.formats == tuple(map(PyFormat, letters))
    assert parsed.names is None
    assert parsed.filled([b"%s"] * len(letters)).count(b"%s") >= len(letters)


@given(st.lists(st.one_of(PLAIN, PERCENT, NAMED)))
def test_any_named_statement_is_taken_apart(pieces: list[tuple[str, str | None]]) -> None:
    parsed = parse("".join(text for text, _ in pieces).encode(), "utf-8")
    names = list(dict.fromkeys(name for _, name in pieces if name))
    numbered = "".join(
        f"${names.index(name) + 1}" if name else text.replace("%%", "%") for text, name in pieces
    )
    assert parsed.numbered == numbered.encode()
    assert list(parsed.names or ()) == names


@given(st.one_of(st.binary(), st.from_regex(rb"\A[%()sbt%a ]*\Z")))
def test_whatever_is_no_statement_is_a_programming_error_only(text: bytes) -> None:
    try:
        parsed = parse(text, "utf-8")
    except ProgrammingError:
        assert b"%" in text
    else:
        assert len(parsed.chunks) == len(parsed.order) + 1


class TestRawQuery:
    def test_statement_stays_as_it_is(self) -> None:
        made = converted("select $1, $2 %s %", ("a", "b"), RawQuery)
        assert (made.query, made.params) == (b"select $1, $2 %s %", [b"a", b"b"])
        assert made.want_formats == (AUTO, AUTO)

    def test_without_parameters(self) -> None:
        assert converted("select 1", None, RawQuery).params is None
        assert converted("select 1", (), RawQuery).params == []

    @pytest.mark.parametrize("params", [{"a": "x"}, "x", 5])
    def test_parameters_must_be_a_sequence(self, params: Any) -> None:
        with pytest.raises(ProgrammingError, match="sequence"):
            converted("select $1", params, RawQuery)


class TestClientQuery:
    @pytest.mark.parametrize(
        ("query", "params", "sent"),
        [
            ("select %s, %%", ("it's",), b"select 'it''s', %"),
            ("%(a)s %(b)t %(a)s", {"a": "%s", "b": "y"}, b"'%s' 'y' '%s'"),
            ("%s %s %s %s %s %s %s %s %s %s %s", list("abcdefghijk"),
             b"'a' 'b' 'c' 'd' 'e' 'f' 'g' 'h' 'i' 'j' 'k'"),
            ("100%", None, b"100%"),
            ("select '%%'", (), b"select '%'"),
        ],
    )  # fmt: skip
    def test_values_are_put_in(self, query: str, params: Any, sent: bytes) -> None:
        made = converted(query, params, ClientQuery)
        assert (made.query, made.params, made.types) == (sent, None, ())

    def test_other_parameters_for_the_same_statement(self) -> None:
        made = converted("%s", ("a",), ClientQuery)
        made.dump(("b",))
        assert made.query == b"'b'"

    def test_more_parameters_than_the_protocol_counts(self) -> None:
        made = converted("%s" * 70000, ["x"] * 70000, ClientQuery)
        assert len(made.query) == 3 * 70000


class TestTemplate:
    """`t"..."`, by Python's own class where there is one and by one of the same interface elsewhere."""

    def test_values_are_parameters(self) -> None:
        template = Template("100% ", Interpolation("a", "x"), " %s ", Interpolation("b", "y", None, "b"))
        made = converted(template)
        assert (made.query, made.params) == (b"100% $1 %s $2", [b"a", b"b"])
        assert made.want_formats == (AUTO, BINARY)

    def test_names_and_literals_are_put_in(self) -> None:
        template = Template(
            "notify ", Interpolation('a"b', "channel", None, "i"), ", ", Interpolation("it's", "x", None, "l")
        )
        made = converted(template)
        assert (made.query, made.params) == (b"notify \"a\"\"b\", 'it''s'", None)

    def test_templates_in_templates_number_on(self) -> None:
        where = Template("a = ", Interpolation("x", "x"))
        inner = Template("(", Interpolation(where, "where", None, "q"), ")")
        both = SQL(" and ").join([inner, Template("b = ", Interpolation("y", "y"))])
        made = converted(
            Template("where ", Interpolation(both, "both", None, "q"), " limit ", Interpolation("z", "z"))
        )
        assert (made.query, made.params) == (b"where (a = $1) and b = $2 limit $3", [b"x", b"y", b"z"])

    def test_client_query_puts_everything_in(self) -> None:
        template = Template("select ", Interpolation("it's", "x"), ", %s")
        assert converted(template, None, ClientQuery).query == b"select 'it''s', %s"

    def test_raw_query_takes_one_too(self) -> None:
        made = converted(Template("select ", Interpolation("a", "x")), None, RawQuery)
        assert (made.query, made.params) == (b"select $1", [b"a"])

    @pytest.mark.parametrize("params", [(), ("x",), {"a": 1}])
    def test_parameters_beside_it_are_refused(self, params: Any) -> None:
        with pytest.raises(ProgrammingError, match="has its parameters in it"):
            converted(Template("select 1"), params)

    @pytest.mark.skipif(sys.version_info < (3, 14), reason="Python has template strings since 3.14")
    def test_as_python_writes_it(self) -> None:
        template = eval("t'select {x}, {x:b} from {table:i} where {x + x}'", {"x": "a", "table": "t"})
        made = converted(template)
        assert (made.query, made.params) == (b'select $1, $2 from "t" where $3', [b"a", b"a", b"aa"])
