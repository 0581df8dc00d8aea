"""Cursors that put the parameters into the statement themselves, as literals.

For what the server takes no parameters in, for several statements with parameters in one call, and for code
that relies on it. Nothing is prepared.
"""

from __future__ import annotations

from typing import Any

from greenpg._core.cursor import BaseCursor
from greenpg._core.query import ClientQuery
from greenpg.cursor import AsyncCursor, Cursor
from greenpg.rows import Row


class _Mogrifying(BaseCursor[Row]):
    _query_class = ClientQuery

    def mogrify(self, query: Any, params: Any = None) -> str:
        """Return a query with its parameters put in, as it would be sent.

        :raises greenpg.ProgrammingError: they do not go together
        """
        converted = ClientQuery(self._tx)
        converted.convert(query, params)
        return converted.query.decode(self._tx.encoding)


class ClientCursor(_Mogrifying[Row], Cursor[Row]):
    """A cursor that puts the parameters into the statement as literals."""

    __module__ = "greenpg"


class AsyncClientCursor(_Mogrifying[Row], AsyncCursor[Row]):
    """Async `ClientCursor`."""

    __module__ = "greenpg"
