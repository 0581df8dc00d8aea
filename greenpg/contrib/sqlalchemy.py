"""SQLAlchemy's dialect `postgresql+greenpg`, for `create_engine()` and `create_async_engine()`.

It is SQLAlchemy's own dialect of psycopg 3 with our names in it: what is here is where that one reaches for
psycopg itself. SQLAlchemy finds it by the entry point `sqlalchemy.dialects`; nothing of greenpg imports it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import sqlalchemy
from sqlalchemy.dialects.postgresql import psycopg as theirs
from sqlalchemy.util import await_only

import greenpg
from greenpg.adapt import AdaptersMap
from greenpg.pq import ExecStatus, TransactionStatus
from greenpg.types import TypeInfo
from greenpg.types.hstore import register_hstore
from greenpg.types.json import Json, Jsonb, set_json_dumps, set_json_loads
from greenpg.types.multirange import Multirange
from greenpg.types.range import Range
from greenpg.types.string import TextLoader

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Dialect

    from greenpg.types.json import JsonLoads


class Greenpg(theirs.PGDialect_psycopg):
    """The dialect, for `create_engine("postgresql+greenpg://...")`."""

    driver = "greenpg"
    supports_statement_cache = True
    minimum_dbapi_version = None  # type: ignore[assignment]  # theirs is psycopg's

    _psycopg_Json = Json
    _psycopg_Jsonb = Jsonb
    _psycopg_Range = Range
    _psycopg_Multirange = Multirange
    _psycopg_TransactionStatus = TransactionStatus

    def __init__(self, **options: Any) -> None:
        # not psycopg's own, which imports psycopg
        super(theirs.PGDialect_psycopg, self).__init__(**options)  # type: ignore[no-untyped-call]
        self._psycopg_adapters_map: Any = AdaptersMap(greenpg.adapters)
        adapters = self._psycopg_adapters_map
        if self._native_inet_types is False:
            adapters.register_loader("inet", TextLoader)
            adapters.register_loader("cidr", TextLoader)
        if self._json_deserializer:
            set_json_loads(cast("JsonLoads", self._json_deserializer), adapters)
        if self._json_serializer:
            set_json_dumps(self._json_serializer, adapters)

    @classmethod
    def import_dbapi(cls) -> Any:
        """Return the driver."""
        return greenpg

    @classmethod
    def get_async_dialect_cls(cls, url: URL) -> type[Dialect]:
        """Return the dialect of `create_async_engine()`."""
        return AsyncGreenpg

    def initialize(self, connection: Connection) -> None:
        """Learn what the server has, hstore among it, at an engine's first connection."""
        super(theirs.PGDialect_psycopg, self).initialize(connection)  # type: ignore[no-untyped-call]
        info = self._type_info_fetch(connection, "hstore") if self.use_native_hstore else None
        self._has_native_hstore = info is not None
        if info is not None:
            register_hstore(info, self._psycopg_adapters_map)
            register_hstore(info, connection.connection.driver_connection)

    def _type_info_fetch(self, connection: Connection, name: str) -> Any:
        return TypeInfo.fetch(connection.connection.driver_connection, name)

    def is_disconnect(self, error: Any, connection: Any, cursor: Any) -> bool:
        """Return whether the session is lost, as the error and the connection know; no text is read."""
        if isinstance(error, greenpg.Error) and error.connection_lost:
            return True
        lost: bool = super().is_disconnect(error, connection, cursor)  # type: ignore[no-untyped-call]
        return lost


class AsyncGreenpg(Greenpg, theirs.PGDialectAsync_psycopg):
    """The dialect, for `create_async_engine("postgresql+greenpg://...")`."""

    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> Any:
        """Return the driver, as SQLAlchemy awaits it."""
        if sqlalchemy.__version__.startswith("2.0."):
            cursors: Any = theirs.AsyncAdapt_psycopg_cursor
            cursors._psycopg_ExecStatus = ExecStatus  # its numbers are libpq's, as those of psycopg's
            return theirs.PsycopgAdaptDBAPI(greenpg)  # type: ignore[call-arg]
        return theirs.PsycopgAdaptDBAPI(greenpg, ExecStatus)

    def create_connect_args(self, url: URL) -> Any:
        """Return what `AsyncConnection.connect()` is called with."""
        positional, options = super().create_connect_args(url)  # type: ignore[no-untyped-call]
        return positional, {"cursor_factory": _AsyncCursor, **options}

    def _type_info_fetch(self, connection: Connection, name: str) -> Any:
        return await_only(super()._type_info_fetch(connection, name))


class _AsyncCursor(greenpg.AsyncCursor[Any]):
    """A cursor that SQLAlchemy closes where it cannot await."""

    def _close(self) -> None:
        self._forget()
