"""The server reads composed SQL as it was meant, in every encoding and with either kind of strings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import greenpg
from greenpg import DataError
from greenpg.adapt import codec_of, disputed
from greenpg.errors import CharacterNotInRepertoire, UntranslatableCharacter
from greenpg.sql import SQL, Identifier, Literal
from tests.templates import Interpolation, Template

if TYPE_CHECKING:
    from collections.abc import Iterator

# Besides one like any other those in which the second byte of a character may look like a backslash.
ENCODINGS = {"UTF8": "é", "LATIN1": "é", "SJIS": "ソ表", "GBK": "乗誠", "BIG5": "功許"}
EXAMPLES = 30


@pytest.fixture(scope="module", params=ENCODINGS)
def conn(dsn: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A connection whose client encoding is one of `ENCODINGS`."""
    with greenpg.connect(dsn, client_encoding=request.param, autocommit=True) as conn:
        yield conn


@pytest.fixture
def texts(conn: Any) -> st.SearchStrategy[str]:
    """Texts that the encoding has, with many characters that mean something in SQL."""
    name = conn.execute("show client_encoding").fetchone()[0]
    letters = [letter for letter in map(chr, range(1, 1 << 16)) if survives(letter, codec_of(conn))]
    return st.text(st.one_of(st.sampled_from(letters), st.sampled_from("'\"\\%;-$ " + ENCODINGS[name])))


def survives(letter: str, codec: str) -> bool:
    """Return whether a character is sent at all: `¥` is another one in EUC_JP, and refused."""
    try:
        letter.encode(codec)
        return letter.isprintable() and letter not in disputed(codec)
    except UnicodeError:
        return False


@pytest.fixture(params=["on", "off"])
def strings(conn: Any, request: pytest.FixtureRequest) -> None:
    """The two meanings of a backslash between plain quotes."""
    conn.execute(f"set standard_conforming_strings to {request.param}")
    conn.execute("set escape_string_warning to off")


def as_bound(conn: Any, text: str) -> str | None:
    """Return what the server makes of a text that it gets as a parameter; `None` if it knows it not."""
    try:
        return str(conn.execute("select %s::text", (text,)).fetchone()[0])
    except (UntranslatableCharacter, CharacterNotInRepertoire):
        return None


@pytest.mark.usefixtures("strings")
def test_any_text_is_a_literal(conn: Any, texts: st.SearchStrategy[str]) -> None:
    read = []

    @settings(max_examples=EXAMPLES)
    @given(texts)
    def is_read_as_a_parameter_is(text: str) -> None:
        if (bound := as_bound(conn, text)) is not None:
            statement = SQL("select {}::text, {}").format(text, Literal(1))
            assert conn.execute(statement).fetchone() == (bound, 1)
            read.append(text)

    is_read_as_a_parameter_is()
    assert len(read) > EXAMPLES / 4


@pytest.mark.usefixtures("strings")
def test_any_name_is_an_identifier(conn: Any, texts: st.SearchStrategy[str]) -> None:
    read = []

    @settings(max_examples=EXAMPLES)
    @given(texts.filter(lambda text: 0 < len(text) < 16))  # the server cuts names at 63 bytes
    def is_read_as_a_parameter_is(name: str) -> None:
        if (bound := as_bound(conn, name)) is not None:
            statement = SQL("select x.{0} from (select 1 as {0}) x").format(Identifier(name))
            assert conn.execute(statement).description[0].name == bound
            read.append(name)

    is_read_as_a_parameter_is()
    assert len(read) > EXAMPLES / 4


def test_template_string_is_executed(conn: Any) -> None:
    where = Template("n > ", Interpolation(1, "least"))
    template = Template(
        "select n, ", Interpolation("it's", "text"), "::text from generate_series(1, ",
        Interpolation(3, "most", None, "l"), ") as ", Interpolation("n", "name", None, "i"),
        " where ", Interpolation(where, "where", None, "q"), " order by n",
    )  # fmt: skip
    assert conn.execute(template).fetchall() == [(2, "it's"), (3, "it's")]


def test_character_that_would_become_another_is_refused(dsn: str) -> None:
    """Python encodes a yen sign as a backslash here."""
    with greenpg.connect(dsn, client_encoding="EUC_JP") as conn:
        for statement in ("select '¥'", SQL("select '¥'"), SQL("select {}").format(Identifier("¥"))):
            with pytest.raises(DataError, match=r"has no '\\xa5': at character"):
                conn.execute(statement)
        assert conn.execute("select '表'").fetchone() == ("表",)
