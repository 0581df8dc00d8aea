"""SQL is put together of parts, and what is a name or a value in it stays one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenpg import DataError, ProgrammingError, adapters, sql
from greenpg.sql import SQL, Composed, Identifier, Literal, Placeholder
from tests.templates import Interpolation, Template

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


class InLatin1:
    """A context with a connection whose client encoding is LATIN1, as far as names go."""

    adapters = adapters
    connection = SimpleNamespace(pgconn=SimpleNamespace(parameter_status={b"client_encoding": b"LATIN1"}.get))


def read_identifiers(text: str) -> list[str]:
    """Read names in double quotes with dots between, as PostgreSQL's scanner does."""
    names, rest = [""], text
    while rest:
        assert rest[0] == '"'
        end = 1
        while rest[end : end + 2] == '""' or rest[end] != '"':
            step = 2 if rest[end] == '"' else 1
            names[-1] += rest[end]
            end += step
        rest = rest[end + 1 :]
        if rest:
            assert rest[0] == "."
            names.append("")
            rest = rest[1:]
    return names


class TestSQL:
    @pytest.mark.parametrize(
        ("text", "args", "kwargs", "made"),
        [
            ("select 1", (), {}, "select 1"),
            ("{} {}", (Identifier("a"), 1), {}, '"a" 1'),
            ("{1} {0} {1}", ("x", SQL("y")), {}, "y 'x' y"),
            ("{a} {} {a}", (1,), {"a": Identifier("b")}, '"b" 1 "b"'),
            ("{{}} %s %(a)s", (), {}, "{} %s %(a)s"),
            ("{}", (1, 2), {}, "1"),
            ("{}", (SQL("{}").format("%s"),), {}, "'%s'"),
        ],
    )
    def test_format(self, text: str, args: Any, kwargs: Any, made: str) -> None:
        assert SQL(text).format(*args, **kwargs).as_string() == made

    @pytest.mark.parametrize(
        ("text", "error", "reason"),
        [
            ("{} {}", IndexError, "range"),
            ("{1}", IndexError, "range"),
            ("{x}", KeyError, "x"),
            ("{} {0}", ValueError, "cannot mix"),
            ("{0} {}", ValueError, "cannot mix"),
            ("{!r}", ValueError, "no formats or conversions"),
            ("{:s}", ValueError, "no formats or conversions"),
            ("{", ValueError, "'{'"),
            ("}", ValueError, "'}'"),
        ],
    )
    def test_bad_format(self, text: str, error: type[Exception], reason: str) -> None:
        with pytest.raises(error, match=reason):
            SQL(text).format(1)

    def test_join(self) -> None:
        assert SQL(", ").join([Identifier("a"), 1, SQL("x")]).as_string() == '"a", 1, x'
        assert SQL(", ").join(iter([SQL("x")])) == Composed([SQL("x")])
        assert SQL(", ").join([]).as_string() == ""

    @pytest.mark.parametrize("obj", [3, None, b"select 1", SQL("x")])
    def test_only_text_is_sql(self, obj: Any) -> None:
        with pytest.raises(TypeError, match="SQL must be a str"):
            SQL(obj)


class TestIdentifier:
    @pytest.mark.parametrize(
        ("names", "text"),
        [(("a",), '"a"'), (("a", "b"), '"a"."b"'), (('a"b', "%s; --"), '"a""b"."%s; --"'), (("é",), '"é"')],
    )
    def test_names_are_quoted(self, names: tuple[str, ...], text: str) -> None:
        assert Identifier(*names).as_string() == text
        assert Identifier(*names).as_bytes() == text.encode()

    @given(st.lists(TEXTS, min_size=1))
    def test_any_name_is_read_again(self, names: list[str]) -> None:
        assert read_identifiers(Identifier(*names).as_string()) == names

    @pytest.mark.parametrize("names", [(), (3,), ("a", None), (b"a",)])
    def test_names_must_be_text(self, names: Any) -> None:
        with pytest.raises(TypeError, match="Identifier"):
            Identifier(*names)


class TestLiteral:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (1, "1"),
            ("it's", "'it''s'"),
            ("back\\slash", r" E'back\\slash'"),
            (None, "NULL"),
            (UUID(int=1), f"'{UUID(int=1).hex}'::uuid"),
        ],
    )
    def test_value_is_written_with_its_type(self, value: Any, text: str) -> None:
        assert Literal(value).as_string() == sql.as_string(value) == text

    def test_negative_number_makes_no_comment(self) -> None:
        assert "--" not in SQL("1 -{}").format(-1).as_string()

    def test_value_that_nobody_can_adapt(self) -> None:
        with pytest.raises(ProgrammingError, match="TestLiteral"):
            Literal(self).as_bytes()

    def test_quote_adds_no_type(self) -> None:
        assert sql.quote(UUID(int=1)) == f"'{UUID(int=1).hex}'"
        assert (sql.quote("it's"), sql.quote(None), sql.quote(1)) == ("'it''s'", "NULL", "1")


class TestPlaceholder:
    @pytest.mark.parametrize(
        ("placeholder", "text", "shown"),
        [
            (Placeholder(), "%s", "Placeholder()"),
            (Placeholder("x"), "%(x)s", "Placeholder('x')"),
            (Placeholder("x", format="b"), "%(x)b", "Placeholder('x', format=BINARY)"),
            (Placeholder(format=sql.Format.TEXT), "%t", "Placeholder(format=TEXT)"),
        ],
    )
    def test_it_is_written_as_in_a_query(self, placeholder: Placeholder, text: str, shown: str) -> None:
        assert placeholder.as_string() == text
        assert repr(placeholder) == shown

    def test_its_format_counts(self) -> None:
        assert Placeholder("x") == Placeholder("x", "s")
        assert Placeholder("x") != Placeholder("x", "b")

    def test_name_that_would_end_it(self) -> None:
        with pytest.raises(ValueError, match=r"cannot have a '\)'"):
            Placeholder("x)s; drop")

    @pytest.mark.parametrize(("args", "error"), [((3,), TypeError), (("x", "z"), ValueError)])
    def test_bad_one(self, args: Any, error: type[Exception]) -> None:
        with pytest.raises(error):
            Placeholder(*args)


class TestComposed:
    def test_parts_are_added_and_repeated(self) -> None:
        a, b = SQL("a"), Identifier("b")
        assert (a + b).as_string() == 'a"b"'
        assert list(a + b + Composed([1])) == [a, b, Literal(1)]
        assert (a * 3).as_string() == "aaa"
        assert ((a + b) * 2).as_string() == 'a"b"a"b"'

    def test_join(self) -> None:
        parts = Composed([SQL("a"), 1])
        assert parts.join(", ").as_string() == parts.join(SQL(", ")).as_string() == "a, 1"
        with pytest.raises(TypeError, match=r"join\(\) takes SQL or a str, not int"):
            parts.join(3)  # type: ignore[arg-type]

    @pytest.mark.parametrize("other", [1, "x", None])
    def test_only_parts_are_added(self, other: Any) -> None:
        with pytest.raises(TypeError, match="unsupported operand"):
            SQL("a") + other
        with pytest.raises(TypeError, match="unsupported operand"):
            Composed([]) + other

    def test_equal_parts_are_equal_and_hash_alike(self) -> None:
        assert Identifier("a") == Identifier("a") != SQL("a")
        assert len({SQL("a"), SQL("a"), SQL("a") + SQL("b"), SQL("a") + SQL("b")}) == 2

    def test_it_is_shown_as_it_is_made(self) -> None:
        made = SQL("a {}").format(Identifier("b", "c")) + Literal("x")
        assert repr(made) == "Composed([SQL('a '), Identifier('b', 'c'), Literal('x')])"
        assert eval(repr(made)) == made


@pytest.mark.parametrize("part", [SQL("é"), Identifier("é"), Placeholder("é"), SQL("{}").format(SQL("é"))])
def test_text_is_in_the_clients_encoding(part: sql.Composable) -> None:
    assert "é".encode("latin-1") in part.as_bytes(InLatin1())
    assert part.as_string(InLatin1()) == part.as_string() == part.as_bytes().decode()
    with pytest.raises(DataError, match=r"has no '\\u20ac': at character"):
        (part + SQL("€")).as_bytes(InLatin1())


@pytest.mark.parametrize("part", [SQL("a\0"), Identifier("a\0"), Literal("a\0"), Placeholder("a\0")])
def test_nul_is_refused(part: sql.Composable) -> None:
    with pytest.raises(DataError, match="NUL"):
        part.as_bytes()


@pytest.mark.parametrize("text", ["\ud800", "a\udcff"])
def test_surrogates_are_refused(text: str) -> None:
    for part in (SQL(text), Identifier(text), Literal(text)):
        with pytest.raises(DataError):
            part.as_bytes()


class TestTemplate:
    def test_everything_is_put_in(self) -> None:
        template = Template(
            "select ", Interpolation("it's", "x"), ", ", Interpolation("a", "y", None, "i"), " from ",
            Interpolation(Identifier("s", "t"), "t", None, "i"), " where ",
            Interpolation(SQL("b = {}").format(3), "part", None, "q"), " limit ",
            Interpolation(Literal(1), "n", None, "l"),
        )  # fmt: skip
        text = 'select \'it\'\'s\', "a" from "s"."t" where b = 3 limit 1'
        assert sql.as_string(template) == SQL(template).as_string() == text
        assert sql.as_bytes(template) == text.encode()
        assert SQL("{} -").format(template).as_string() == f"{text} -"

    def test_joined_templates_are_a_template(self) -> None:
        parts = [Template("a = ", Interpolation(1, "x")), Template("b = ", Interpolation(2, "y"), "!")]
        joined = SQL(" and ").join(parts)
        assert type(joined) is Template
        assert joined.strings == ("a = ", " and b = ", "!")
        assert [part.value for part in joined.interpolations] == [1, 2]

    @pytest.mark.parametrize("others", [[SQL("x")], [3], [Template("x"), "x"]])
    def test_templates_are_not_joined_with_others(self, others: list[Any]) -> None:
        with pytest.raises(TypeError, match="cannot mix template strings and other parts"):
            SQL(", ").join([Template("a"), *others])

    def test_sql_of_a_template_is_no_pattern(self) -> None:
        made = SQL(Template("{}"))
        for wrong in (lambda: made.format(1), lambda: made.join([Template("a"), Template("b")])):
            with pytest.raises(TypeError, match="give SQL a plain str"):
                wrong()

    @pytest.mark.parametrize(
        ("interpolation", "reason"),
        [
            (Interpolation(1, "x", "r"), r"takes no conversions: {x!r}"),
            (Interpolation(1, "x", None, ".2f"), r"has no format '.2f': {x:.2f}"),
            (Interpolation(1, "x", None, "i"), r"{x:i} must be a str or an Identifier, not int"),
            (
                Interpolation("x", "x", None, "q"),
                r"{x:q} must be SQL, Composed or a template string, not str",
            ),
            (Interpolation(SQL("a"), "x"), r"write {x:q} instead of {x}"),
            (Interpolation(SQL("a") + SQL("b"), "x", None, "s"), r"write {x:q} instead of {x:s}"),
            (Interpolation(Identifier("a"), "x"), r"write {x:i} instead of {x}"),
            (Interpolation(Literal("a"), "x", None, "q"), r"write {x:l} instead of {x:q}"),
            (Interpolation(Template("a"), "x"), r"write {x:q} instead of {x}"),
            (Interpolation(Placeholder(), "x", None, "q"), r"cannot have a Placeholder in it: {x:q}"),
        ],
    )
    def test_what_is_not_meant_so_is_refused(self, interpolation: Any, reason: str) -> None:
        with pytest.raises(ProgrammingError) as caught:
            sql.as_string(Template("a ", interpolation))
        assert reason in str(caught.value)
