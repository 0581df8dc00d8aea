"""Cursors for statements in PostgreSQL's own style, with `$1`; `%` is plain text in them."""

from __future__ import annotations

from greenpg._core.query import RawQuery
from greenpg.cursor import AsyncCursor, Cursor
from greenpg.rows import Row
from greenpg.server_cursor import AsyncServerCursor, ServerCursor


class RawCursor(Cursor[Row]):
    """A cursor with `$1` for parameters: `execute("select $1", [1])`."""

    __module__ = "greenpg"
    _query_class = RawQuery


class AsyncRawCursor(AsyncCursor[Row]):
    """Async `RawCursor`."""

    __module__ = "greenpg"
    _query_class = RawQuery


class RawServerCursor(ServerCursor[Row]):
    """A cursor of the server with `$1` for parameters."""

    __module__ = "greenpg"
    _query_class = RawQuery


class AsyncRawServerCursor(AsyncServerCursor[Row]):
    """Async `RawServerCursor`."""

    __module__ = "greenpg"
    _query_class = RawQuery
