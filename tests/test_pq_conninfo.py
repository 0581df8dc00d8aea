"""Connection strings are libpq's to understand."""

from __future__ import annotations

import pytest

from greenpg import DataError, ProgrammingError, pq


def given(conninfo: bytes) -> dict[bytes, bytes]:
    return {option.keyword: option.val for option in pq.library().parse_conninfo(conninfo) if option.val}


@pytest.mark.parametrize(
    ("conninfo", "options"),
    [
        (b"", {}),
        (b"host=a,b port=1,2 dbname='my db'", {b"host": b"a,b", b"port": b"1,2", b"dbname": b"my db"}),
        (rb"password='it\'s \\'", {b"password": rb"it's " + b"\\"}),
        (b"user=\xc3\xa9", {b"user": "é".encode()}),
        (
            b"postgresql://me:p%40ss@[::1]:5433/db?connect_timeout=3",
            {b"host": b"::1", b"port": b"5433", b"user": b"me", b"password": b"p@ss", b"dbname": b"db",
             b"connect_timeout": b"3"},
        ),
    ],
)  # fmt: skip
def test_string_or_uri_gives_its_options(conninfo: bytes, options: dict[bytes, bytes]) -> None:
    assert given(conninfo) == options


def test_every_option_is_there_with_what_it_is() -> None:
    options = {option.keyword: option for option in pq.library().parse_conninfo(b"host=a")}
    password = options[b"password"]
    assert password == (b"password", b"PGPASSWORD", None, None, b"Database-Password", b"*", 20)
    assert options[b"host"].val == b"a"
    assert options[b"port"].val is None


@pytest.mark.parametrize(
    ("conninfo", "reason"),
    [
        (b"host", 'missing "=" after "host"'),
        (b"no_such_option=1", 'invalid connection option "no_such_option"'),
        (b"password='x", "unterminated quoted string"),
        (b"postgresql://[::1", 'end of string reached when looking for matching "]"'),
    ],
)
def test_malformed_string_is_an_error_that_says_why(conninfo: bytes, reason: str) -> None:
    with pytest.raises(ProgrammingError) as caught:
        given(conninfo)
    assert str(caught.value).startswith("bad connection string: ")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nul_is_refused_not_cut() -> None:
    with pytest.raises(DataError, match="NUL"):
        given(b"host=a\0 sslmode=verify-full")


def test_defaults_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "from.environment")
    monkeypatch.delenv("PGPORT", raising=False)
    defaults = {option.keyword: option.val for option in pq.library().conninfo_defaults()}
    assert defaults[b"host"] == b"from.environment"
    assert defaults[b"port"] == b"5432"


def test_bytea_as_text_becomes_binary() -> None:
    unescape = pq.library().unescape_bytea
    assert unescape(rb"\x00ff41") == b"\x00\xffA"
    assert unescape(rb"\000\377A\\") == b"\x00\xffA\\"
    assert unescape(b"") == b""
