"""Which statements to prepare on the server, under which names, and what is known of their results.

A statement is prepared when it has been executed often enough; those that were not used for longest are
given up for new ones. What its columns were the last time decides whether binary is asked for the next time.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from greenpg._core.chunks import CHUNK
from greenpg.errors import Error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from greenpg.adapt import Transformer
    from greenpg.pq.abc import PGconn, PGresult

Key = tuple[bytes, tuple[int, ...]]
"""A statement: its text, and the types of its parameters."""
Settings = tuple[bytes | None, ...]
"""Those of the server that a statement is read by."""

# Commands whose columns are always the same: FETCH and EXECUTE, for one, are about something else each time.
_STEADY = (b"SELECT", b"INSERT", b"UPDATE", b"DELETE", b"MERGE")
_REMEMBERED = 500
_NEVER = -(1 << 60)
_CHANGES = (b"ALTER ", b"CREATE ", b"DROP ")

# What the text of a statement, and the constants in it, were read by when it was prepared.
_READ_BY = (b"client_encoding", b"standard_conforming_strings", b"DateStyle", b"IntervalStyle", b"TimeZone")
_NO_STATEMENT = "26000"
# These have no state of their own, and their messages are translated: the server's function tells them.
_OUTDATED = frozenset({("0A000", "RevalidateCachedQuery"), ("42883", "getTypeBinaryOutputInfo")})


class Statements:
    """What one connection knows of the statements that were executed on it."""

    def __init__(self) -> None:
        self.threshold: int | None = 5
        """Executions before a statement is prepared; 0: at once, None: never (PgBouncer before 1.22)."""
        self.maximum: int | None = 100
        """Statements prepared at a time; None: any number."""
        self.names: OrderedDict[Key, bytes] = OrderedDict()
        self.given_up: list[bytes] = []
        """Names that the server is still to forget."""
        self._counts: OrderedDict[Key, int] = OrderedDict()
        self._binary: OrderedDict[Key, bool] = OrderedDict()
        self._big: OrderedDict[Key, bool] = OrderedDict()
        # behind a pooler, what has that name must never be another connection's statement
        self._prefix = b"_greenpg_" + os.urandom(4).hex().encode()
        self._made = 0
        self._settings: Settings = ()
        """Those that all statements were prepared under."""
        self._has_changes = False
        """Whether the transaction has changed the schema, which is undone if it is rolled back."""

    def name_of(self, key: Key, wish: bool | None, pgconn: PGconn) -> bytes | None:
        """Return the name under which a statement is prepared, `None` if it is not, or not to be used.

        :param wish: as for `shall_prepare()`
        """
        if key not in self.names or wish is False or self.threshold is None:
            return None
        self._follow(settings_of(pgconn))
        name = self.names.get(key)
        if name is not None:
            self.names.move_to_end(key)
        return name

    def shall_prepare(self, key: Key, wish: bool | None) -> bool:
        """Count an execution, and return whether it is time to prepare the statement.

        :param wish: of the caller: whether to prepare it, or `None` to leave it to the threshold
        """
        if self.threshold is None or wish is False:
            return False
        count = self._counts.pop(key, 0)
        if wish or count >= self.threshold:
            return True
        self._counts[key] = count + 1
        _trim(self._counts)
        return False

    def new_name(self) -> bytes:
        """Return a name that was not used on this connection."""
        self._made += 1
        return b"%b_%d" % (self._prefix, self._made)

    def was_prepared(self, key: Key, name: bytes, settings: Settings) -> None:
        """Take note of a statement that the server has prepared; others may be given up for it.

        :param settings: when it was sent
        """
        self._follow(settings)
        self.names[key] = name
        while self.maximum is not None and len(self.names) > max(self.maximum, 0):
            self.given_up.append(self.names.popitem(last=False)[1])

    def _follow(self, settings: Settings) -> None:
        """Give up what was prepared under other settings: its text would mean something else now."""
        if settings != self._settings:
            self._settings = settings
            self.given_up += self.names.values()
            self.names.clear()

    def was_outdated(self, key: Key, error: Exception) -> bool:
        """Return whether a statement failed, before it began, for what was known of it; forget that then.

        Its columns are of other types now, perhaps of one that is not to be had in binary; or the server does
        not have it: it is another server, behind a pooler, or a function has made it forget.
        """
        if not isinstance(error, Error):
            return False
        is_lost = error.sqlstate == _NO_STATEMENT
        if not is_lost and (error.sqlstate, error.diag.source_function) not in _OUTDATED:
            return False
        name = self.names.pop(key, None)
        if name is not None and not is_lost:
            self.given_up.append(name)
        return self._binary.pop(key, False) or name is not None

    def forget(self, key: Key) -> None:
        """Take note that a statement is not prepared after all."""
        self.names.pop(key, None)

    def knows(self, key: Key) -> bool:
        """Return whether it is known what the statement's columns are."""
        return key in self._binary

    def is_binary(self, key: Key) -> bool:
        """Return whether every column of the statement had a binary loader the last time."""
        return self._binary.get(key, False)

    def is_small(self, key: Key) -> bool:
        """Return whether no result of the statement has had more rows than a chunk."""
        return self._big.get(key) is False

    def saw(self, key: Key, results: Sequence[PGresult], transformer: Transformer) -> None:
        """Take note of what a statement's results were, and of commands that make the server forget.

        :param transformer: knows which types are loaded from binary
        """
        for tag in _tags(results):
            if tag == b"DISCARD ALL" or tag.startswith(b"DEALLOCATE"):
                self.clear()
                return
        self.saw_changes(results)
        if len(results) != 1:
            self._counts[key] = _NEVER  # the server prepares one command at a time
        elif (results[0].command_status or b"").startswith(_STEADY):
            self.saw_columns(key, results[0], transformer)
            self._big[key] = results[0].ntuples > CHUNK or self._big.get(key, False)
            _trim(self._big)

    def saw_changes(self, results: Sequence[PGresult]) -> None:
        """Give all statements up, and what was known of them, if these change the schema, there or back.

        In a transaction the failure of one that is out of date would be the transaction's.
        """
        for tag in _tags(results):
            if tag.startswith(_CHANGES):
                self._has_changes = True
            elif tag in (b"BEGIN", b"COMMIT"):
                self._has_changes = False
            if self._has_changes and tag.startswith((b"ALTER ", b"DROP ", b"ROLLBACK")):
                self.given_up += self.names.values()
                self.names.clear()
                self._binary.clear()

    def saw_columns(self, key: Key, result: PGresult, transformer: Transformer) -> None:
        """Take note of what a statement's columns are."""
        oids = {result.ftype(i) for i in range(result.nfields)}
        self._binary[key] = bool(oids) and transformer.are_binary(oids)
        _trim(self._binary)

    def clear(self) -> None:
        """Forget all names: the server has forgotten the statements."""
        self.names.clear()
        self.given_up.clear()
        self._counts.clear()


def settings_of(pgconn: PGconn) -> Settings:
    """Return the settings that a statement sent now is read by."""
    return tuple(map(pgconn.parameter_status, _READ_BY))


def _tags(results: Sequence[PGresult]) -> Iterator[bytes]:
    return (result.command_status or b"" for result in results)


def _trim(remembered: OrderedDict[Key, Any]) -> None:
    if len(remembered) > _REMEMBERED:
        remembered.popitem(last=False)
