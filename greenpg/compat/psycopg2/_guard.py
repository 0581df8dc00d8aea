"""The frame around each psycopg2 method that speaks with the server: refuse, call, raise what was kept."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2.extensions import STATUS_IN_TRANSACTION
from psycopg2.sql import Composable

from greenpg.compat.psycopg2._session import entry_points

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenpg.compat.psycopg2._session import Session


def guarded(plain: Any, name: str | None = None) -> Callable[..., Any]:
    """Return psycopg2's connection method `plain`, refused at once while another green thread waits."""
    what = name or plain.__name__

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        session: Session = self._greenpg
        if session.holder is not None:
            session.refuse(what)
        try:
            return plain(self, *args, **kwargs)
        except BaseException as exc:
            session.settle(self, exc)
            raise
        finally:
            session.transactions += self.status != STATUS_IN_TRANSACTION
            if session.interruption is not None:
                session.raise_interruption()

    entry_points.add(method.__code__)
    return wraps(plain)(method)


def guarded_property(plain: Any) -> property:
    """Return psycopg2's connection attribute `plain`, set only while nobody waits on the connection."""
    setter = guarded(plain.__set__, plain.__name__)
    return property(plain.__get__, setter, doc=plain.__doc__)


def guarded_cursor(plain: Any) -> Callable[..., Any]:
    """Return psycopg2's cursor method `plain`, refused at once while another green thread waits."""
    what = plain.__name__

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            session: Session = self.connection._greenpg
        except AttributeError:  # a cursor that was never initialized: psycopg2 says so itself
            return plain(self, *args, **kwargs)
        if session.holder is not None:
            session.refuse(what)
        try:
            return plain(self, *args, **kwargs)
        except BaseException as exc:
            session.settle(self.connection, exc)
            raise
        finally:
            if session.interruption is not None:
                session.raise_interruption()

    entry_points.add(method.__code__)
    return wraps(plain)(method)


def whole(text: Any, context: Any = None) -> Any:
    """Return SQL, or a name in it, that libpq will not cut short.

    :param text: str, bytes, or one of `psycopg2.sql`, which is turned into str
    :param context: the cursor or connection that `psycopg2.sql` quotes for
    :raises psycopg2.ProgrammingError: there is a NUL in it, at which C would take it to end
    """
    if isinstance(text, Composable):
        text = text.as_string(context)
    if (isinstance(text, str) and "\0" in text) or (isinstance(text, bytes) and b"\0" in text):
        raise psycopg2.ProgrammingError("SQL cannot contain NUL (0x00) characters; take them out")
    return text
