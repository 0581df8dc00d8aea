"""psycopg2's connection classes, green: all that plain ones can do, never blocking on a mutex or a socket."""

from __future__ import annotations

from typing import Any

import psycopg2
from psycopg2 import _psycopg, extensions

from greenpg._core.protocol import cancel_gen
from greenpg.compat.psycopg2 import _fork
from greenpg.compat.psycopg2._factories import green_cursor
from greenpg.compat.psycopg2._guard import guarded, guarded_property, whole
from greenpg.compat.psycopg2._lobject import green_lobject
from greenpg.compat.psycopg2._session import Forked, Session, limits
from greenpg.compat.psycopg2._twin import twin
from greenpg.errors import Error
from greenpg.waiters import drive, get_wait_callback

_plain: Any = _psycopg.connection
_plain_replication: Any = _psycopg.ReplicationConnection
_plain_closed: Any = vars(_plain)["closed"]
_plain_dsn: Any = vars(_plain)["dsn"]


class GreenBaseConnection(_psycopg.connection):
    """What every green connection has; the base of a green replication connection."""

    _greenpg: Session

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        self = super().__new__(cls)
        self._greenpg = Session()
        return self

    def __init__(self, dsn: Any, *args: Any, **kwargs: Any) -> None:
        session = self._greenpg
        _fork.watch(self)
        try:
            super().__init__(dsn if session.attempt is None else session.attempt.told(dsn), *args, **kwargs)
        except BaseException:
            _plain.close(self)  # the traceback keeps this object: the socket must not live as long
            raise
        session.connect(self)

    def become_green(self) -> None:
        """Take up a connection that was made past `__init__()`: by a function, or by psycopg2's own."""
        if "_greenpg" not in vars(self):
            self._greenpg = Session()
        if not self._greenpg.connected and self.pgconn_ptr is not None:  # some class may never connect
            self._greenpg.connect(self)
            _fork.watch(self)

    commit = guarded(_plain.commit)
    rollback = guarded(_plain.rollback)
    set_client_encoding = guarded(_plain.set_client_encoding)
    tpc_begin = guarded(_plain.tpc_begin)
    tpc_prepare = guarded(_plain.tpc_prepare)
    tpc_commit = guarded(_plain.tpc_commit)
    tpc_rollback = guarded(_plain.tpc_rollback)
    tpc_recover = guarded(_plain.tpc_recover)
    poll = guarded(_plain.poll)

    @property
    def closed(self) -> int:
        """0 while the connection is open; not 0 as soon as anybody has closed it, or in a forked child."""
        session = self._greenpg
        if session.closed_by is not None or isinstance(session.holder, Forked):
            return 2
        return _plain_closed.__get__(self)  # type: ignore[no-any-return]

    @property
    def dsn(self) -> str:
        """The conninfo as it was given, without the password."""
        given = self._greenpg.dsn
        if given is None:
            return _plain_dsn.__get__(self)  # type: ignore[no-any-return]
        parts = extensions.parse_dsn(given)
        return extensions.make_dsn(**parts | {"password": "xxx"}) if "password" in parts else given

    def get_dsn_parameters(self) -> dict[str, str]:
        """Return the parameters of the connection as they were asked for, not as they were resolved."""
        parameters: dict[str, str] = _plain.get_dsn_parameters(self)
        asked = self._greenpg.asked
        if asked is not None:
            for key in ("host", "hostaddr", "port", "load_balance_hosts"):
                parameters.pop(key, None)
                if key in asked:
                    parameters[key] = asked[key]
        return parameters

    def close(self) -> None:
        """Close the connection; a green thread that waits on it gets InterfaceError."""
        session = self._greenpg
        if isinstance(session.holder, Forked):
            if session.holder.under is None:
                _plain.close(self)  # only the file descriptor: it leads nowhere in a forked child
        elif session.holder is None or _plain_closed.__get__(self):
            session.release()
            _plain.close(self)
        else:
            session.close_under_holder(self)

    def cursor(self, name: Any = None, cursor_factory: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Return a new cursor, green whatever its factory."""
        if isinstance(self._greenpg.holder, Forked):
            self._greenpg.refuse("cursor")
        default: Any = self.cursor_factory
        factory = cursor_factory or default or _psycopg.cursor
        return _plain.cursor(self, whole(name), green_cursor(factory, name is not None), *args, **kwargs)

    def cancel(self) -> None:
        """Cancel the statement under way, from any green thread; return when the server has dealt with it.

        :raises psycopg2.OperationalError: the request could not be delivered in time
        """
        if self.closed:
            raise psycopg2.InterfaceError("connection already closed")
        if self.status == extensions.STATUS_PREPARED:
            raise psycopg2.ProgrammingError("cancel cannot be used with a prepared two-phase transaction")
        try:
            drive(cancel_gen(self._greenpg.pgconn(self)), get_wait_callback(), limits.cancel)
        except (OSError, Error) as exc:
            raise psycopg2.OperationalError(f"the statement could not be cancelled: {exc}") from exc
        except (AssertionError, RuntimeError):  # a signal handler in the hub: there, nobody can wait
            self._greenpg.cancel_unattended()

    def lobject(
        self,
        oid: int = 0,
        mode: str | None = "",
        new_oid: int = 0,
        new_file: str | None = None,
        lobject_factory: Any = _psycopg.lobject,
    ) -> Any:
        """Return a new or existing large object, read and written through this connection's cursors."""
        if self.closed:
            raise psycopg2.InterfaceError("connection already closed")
        if self.status == extensions.STATUS_PREPARED:
            raise psycopg2.ProgrammingError("lobject cannot be used with a prepared two-phase transaction")
        arguments = (oid, mode, new_oid) if new_file is None else (oid, mode, new_oid, new_file)
        made = green_lobject(lobject_factory)(self, *arguments)
        if not isinstance(made, _psycopg.lobject):
            raise TypeError("lobject factory must be subclass of psycopg2.extensions.lobject")
        return made


class GreenConnection(GreenBaseConnection):
    """psycopg2's connection, green."""

    reset = guarded(_plain.reset)
    set_session = guarded(_plain.set_session)
    set_isolation_level = guarded(_plain.set_isolation_level)
    autocommit = guarded_property(vars(_plain)["autocommit"])
    isolation_level = guarded_property(vars(_plain)["isolation_level"])
    readonly = guarded_property(vars(_plain)["readonly"])
    deferrable = guarded_property(vars(_plain)["deferrable"])


class GreenReplicationConnection(GreenBaseConnection, _psycopg.ReplicationConnection):
    """psycopg2's replication connection, green."""


class AsyncReplicationConnection(_psycopg.ReplicationConnection):
    """psycopg2's asynchronous replication connection: all as it was, only that its cursors can stream.

    Their own methods refuse to under a wait callback, whoever does the waiting.
    """

    def cursor(self, name: Any = None, cursor_factory: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Return a new cursor that can stream, whatever its factory."""
        factory: Any = cursor_factory or self.cursor_factory
        return _plain.cursor(self, name, green_cursor(factory, name is not None), *args, **kwargs)


def green_connection(factory: Any) -> Any:
    """Return the green twin of a connection class; anything else that makes connections as it is."""
    if not (isinstance(factory, type) and issubclass(factory, _plain)):
        return factory
    replication = issubclass(factory, _plain_replication)
    green = GreenReplicationConnection if replication else GreenConnection
    return twin(factory, green, guarded, ("commit", "rollback", "reset"))


def async_connection(factory: Any) -> Any:
    """Return what is to make an asynchronous connection: psycopg2's own, but for replication."""
    if not (isinstance(factory, type) and issubclass(factory, _plain_replication)):
        return factory
    return twin(factory, AsyncReplicationConnection)
