"""The text of a statement without its data: one form for a log, and for all executions together.

Its rule: what may be data does not pass. A literal is `?`, whether it came from the caller's text or was put
there by a driver; where a text can be read in two ways, it ends.
"""

from __future__ import annotations

import re
from typing import Any

LONGEST = 2000
"""Characters that are looked at."""
SHORT = 200
"""Characters that a log record shows."""
_ELLIPSIS = "..."

# PostgreSQL's lexical structure (manual, chapter 4.1). MySQL and others take a backslash before a quote for
# an escape, PostgreSQL does not: from there on, what is inside of quotes and what is not is anybody's guess.
# So it is behind a comment in a comment: in PostgreSQL the outer one goes on, elsewhere both are over.
_TOKENS = re.compile(
    r"""
      (?P<comment> --[^\n]* | /\*(?:(?!/\*|\*/).)*(?:\*/|/\*.*|$) )
    | (?P<literal>
          e'(?:[^'\\]|\\.|'')*(?:'|$)
        | (?:[bnx]|u&)?'(?:[^'\\]|''|\\(?!'))*(?:'|\\'.*|$)
        | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|$)
        | (?<![\w$])\.?\d[\w.]*
      )
    | (?P<quoted> (?:u&)?"(?:[^"\\]|""|\\(?!"))*(?:"|\\".*|$) )
    | (?P<parameter> \$\d+ | %\(\w+\)s | %[a-z] )
    | (?P<test> \b(?:is|not)\s+(?:not\s+)?(?:true|false|null)\b )
    | (?P<constant> \b(?:true|false|null)\b )
    | (?P<word> [^\W\d][\w$]* )
    """,
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
_PLACE = r"(?:\?|%s|\$\d+)"
_PLACES = re.compile(rf"({_PLACE})(?:\s?,\s?{_PLACE})+")
_ROWS = re.compile(rf"(\({_PLACE}(?:, \.\.\.)?\))(?:\s?,\s?\({_PLACE}(?:, \.\.\.)?\))+")


def normalized(sql: str, *, quotes_names: bool = True) -> str:
    """Return a statement on one line, without its literals and comments; lists of them count as one.

    :param quotes_names: whether double quotes are around names, as in PostgreSQL, and not around texts
    """
    cut = sql[:LONGEST]

    def instead(found: re.Match[str]) -> str:
        kind = found.lastgroup
        if kind == "comment":
            return " "
        if kind in ("literal", "constant") or (kind == "quoted" and not quotes_names):
            return "?"
        return found[0]

    line = " ".join(_TOKENS.sub(instead, cut).split())
    line = _ROWS.sub(rf"\1, {_ELLIPSIS}", _PLACES.sub(rf"\1, {_ELLIPSIS}", line))
    return line if len(cut) == len(sql) else line + _ELLIPSIS


def shortened(statement: str) -> str:
    """Return a normalized statement in the length of a log record."""
    return statement if len(statement) <= SHORT else statement[: SHORT - len(_ELLIPSIS)] + _ELLIPSIS


def text_of(query: Any) -> str | None:
    """Return what a driver was given to execute as text without its data; `None` if it is none.

    :param query: str, bytes, or a composition of `psycopg2.sql` or `psycopg.sql`
    """
    if isinstance(query, str):
        return query
    if isinstance(query, bytes | bytearray | memoryview):
        return bytes(query[: LONGEST + 1]).decode(errors="replace")
    return _composed(query) if hasattr(query, "as_string") and not isinstance(query, type) else None


def _composed(query: Any) -> str:
    """Return the text of a composition; not by its `as_string()`, which may ask the connection."""
    kind = type(query).__name__
    parts = getattr(query, "seq", getattr(query, "_obj", None))
    if kind == "Composed" and isinstance(parts, list | tuple):
        return "".join(_composed(part) for part in parts)
    wrapped = getattr(query, "_wrapped", parts)
    if kind == "SQL":
        return str(wrapped)
    if kind == "Identifier" and isinstance(wrapped, tuple | list):
        return ".".join(f'"{name}"' for name in wrapped)
    return "?"
