"""Connection strings are put together so that libpq reads what was meant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenpg import DataError, ProgrammingError, pq
from greenpg.conninfo import conninfo_to_dict, make_conninfo

if TYPE_CHECKING:
    from collections.abc import Callable

# What a C string can hold; every option takes any text as long as nobody connects.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
KEYWORDS = st.sampled_from(["host", "user", "password", "dbname", "options", "sslrootcert", "port"])


def read_by_libpq(conninfo: str) -> dict[str, str]:
    """Return what libpq reads, without anything of ours."""
    options = pq.library().parse_conninfo(conninfo.encode())
    return {option.keyword.decode(): option.val.decode() for option in options if option.val is not None}


def outcome(read: Callable[[str], object], conninfo: str) -> object:
    """Return what a string is read as, or why it cannot be."""
    try:
        return read(conninfo)
    except ProgrammingError as error:
        return str(error)


@pytest.mark.parametrize(
    ("conninfo", "options", "made"),
    [
        ("", {}, ""),
        ("host=a", {"port": 1}, "host=a port=1"),
        ("host=a", {"host": "b"}, "host=b"),
        ("host=a", {"host": None}, "host=a"),
        ("  host = a ", {}, "  host = a "),
        ("postgresql://u:p%40%20s@h/db?sslmode=require", {"dbname": "x"},
         "user=u password='p@ s' dbname=x host=h sslmode=require"),
        ("", {"password": r"a b\'%20"}, r"password='a b\\\'%20'"),
        ("host=a", {"user": ""}, "host=a user=''"),
        ("", {"keepalives": False, "connect_timeout": 3}, "keepalives=0 connect_timeout=3"),
        ("", {"sslrootcert": Path("/a b")}, "sslrootcert='/a b'"),
        ("", {"dbname": "postgresql://x/y z"}, "dbname='postgresql://x/y z'"),
    ],
)  # fmt: skip
def test_string_is_made_of_string_and_keywords(conninfo: str, options: dict[str, Any], made: str) -> None:
    assert make_conninfo(conninfo, **options) == made


@given(st.dictionaries(KEYWORDS, TEXTS))
def test_libpq_reads_what_was_written(options: dict[str, Any]) -> None:
    made = make_conninfo(**options)
    assert read_by_libpq(made) == options
    assert conninfo_to_dict(made) == options


@given(st.dictionaries(KEYWORDS, TEXTS), st.dictionaries(KEYWORDS, st.one_of(st.none(), TEXTS)))
def test_keywords_win_over_the_string(options: dict[str, Any], winners: dict[str, Any]) -> None:
    expected = {**options, **{keyword: value for keyword, value in winners.items() if value is not None}}
    assert read_by_libpq(make_conninfo(make_conninfo(**options), **winners)) == expected


@given(st.one_of(TEXTS, st.from_regex(r"\A(postgresql://|host=|')[-:/@%?=&'\\ \[\]a-z0-9]*\Z")))
def test_any_string_is_read_as_libpq_does_or_refused_as_libpq_does(conninfo: str) -> None:
    assert outcome(conninfo_to_dict, conninfo) == outcome(read_by_libpq, conninfo)


def test_dictionary_has_strings_from_the_string_and_keywords_as_they_are() -> None:
    assert conninfo_to_dict("host=a port=''", port=3, user="", password=None) == {
        "host": "a",
        "port": 3,
        "user": "",
    }


@pytest.mark.parametrize(
    ("conninfo", "options", "reason"),
    [
        ("host", {}, 'missing "=" after "host"'),
        ("no_such_option=1", {}, 'invalid connection option "no_such_option"'),
        ("", {"no_such_option": 1}, 'invalid connection option "no_such_option"'),
        ("", {"host": ["a", "b"]}, "option 'host' must be a str or a number, not list"),
        ("", {"password": b"x"}, "option 'password' must be a str or a number, not bytes"),
        (b"host=a", {}, "must be a str, not bytes"),
        (None, {"host": "a"}, "must be a str, not NoneType"),
    ],
)
def test_bad_string_is_a_programming_error(conninfo: Any, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ProgrammingError, match=reason):
        make_conninfo(conninfo, **options)


@pytest.mark.parametrize("text", ["a\0b", "a\udc80", "\ud800"])
def test_nul_and_surrogates_are_refused(text: str) -> None:
    for conninfo, options in (("", {"host": text}), (f"host='{text}'", {}), (f"host='{text}'", {"port": 1})):
        with pytest.raises(DataError, match=r"NUL|surrogate"):
            make_conninfo(conninfo, **options)


@pytest.mark.parametrize("uri", ["postgresql://%ff", "postgresql:///?application_name=%c3"])
def test_uri_of_bytes_that_are_no_text_is_refused(uri: str) -> None:
    with pytest.raises(DataError, match="must be UTF-8"):
        conninfo_to_dict(uri)
