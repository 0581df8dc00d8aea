"""Which statements to prepare on the server, under which names, and what is known of their results.

A statement is prepared when it has been executed often enough; those that were not used for longest are
given up for new ones. What its columns were the last time decides whether binary is asked for the next time.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from typing import TYPE_CHECKING

from greenpg.errors import Error
from greenpg.pq.enums import ExecStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from greenpg.adapt import AdaptersMap
    from greenpg.pq.abc import PGconn, PGresult

Key = tuple[bytes, tuple[int, ...]]
"""A statement: its text, and the types of its parameters."""
Settings = tuple[bytes | None, ...]
"""Those of the server that a statement is read by."""

# Commands whose columns are always the same: FETCH and EXECUTE, for one, are about something else each time.
_STEADY = (b"SELECT", b"INSERT", b"UPDATE", b"DELETE", b"MERGE")
_REMEMBERED = 500
_FEW = 1
"""Rows of a statement that looks for one thing; one that has returned some more may return a million next."""
_CHANGES = (b"ALTER ", b"CREATE ", b"DROP ")

READ_BY = (b"client_encoding", b"standard_conforming_strings", b"DateStyle", b"IntervalStyle", b"TimeZone")
"""What the text of a statement, and the constants in it, are read by; values are converted by it, too.

The encoding comes first, as a `Transformer` has it."""

_NO_STATEMENT = "26000"
# These have no state of their own, and their messages are translated: the server's function tells them.
_OUTDATED = frozenset({("0A000", "RevalidateCachedQuery"), ("42883", "getTypeBinaryOutputInfo")})


class Statement:
    """What one connection knows of one statement; it is the same object each time it is executed."""

    __slots__ = (
        *("_columns", "_executions", "_is_big", "_is_single", "_status"),
        *("is_binary", "is_learned", "is_small", "judged_by", "key", "name"),
    )

    def __init__(self, key: Key) -> None:
        self.key = key
        self.name: bytes | None = None
        """Under which it is prepared on the server; `None` if it is not."""
        self.is_binary = False
        """Whether every column has a binary loader, by `judged()`."""
        self.is_learned = False
        """Whether the types of all columns are known, by `judged()`."""
        self.is_small = False
        """Whether all its results were so small that chunks are not worth the trouble."""
        self.judged_by: object | None = None
        """The state of the adapters that `judged()` was told last; `None` if its columns changed since."""
        self._columns: tuple[int, ...] | None = None
        """The types of the columns it had the last time; `None`: who knows which it has the next time."""
        self._status = ExecStatus.EMPTY_QUERY
        self._executions = 0
        self._is_big = False
        self._is_single = True
        """Whether it is one command: the server prepares no more."""

    @property
    def is_known(self) -> bool:
        """Whether it is known what its columns are."""
        return self._columns is not None

    def judged(self, adapters: AdaptersMap) -> Statement:
        """Return the statement itself, with what adapters can do with its columns if those are known."""
        if self.judged_by is not adapters.state:
            oids = frozenset(self._columns or ())
            self.is_binary = bool(oids) and all(map(adapters.prefers_binary, oids))
            self.is_learned = self._columns is not None and all(map(adapters.is_known, oids))
            self.judged_by = adapters.state
        return self

    def saw_columns(self, result: PGresult) -> None:
        """Take note of what its columns are."""
        self._columns = tuple([result.ftype(i) for i in range(result.nfields)])
        self._status = result.status
        self.judged_by = None
        self.is_binary = self.is_learned = False

    def saw_size(self, rows: int) -> None:
        """Take note of how many rows it has returned."""
        self._is_big = self._is_big or rows > _FEW
        self.is_small = not self._is_big

    def is_as_before(self, results: Sequence[PGresult]) -> bool:
        """Return whether these are results as they were the last time, so that there is nothing to note."""
        columns = self._columns
        if columns is None or len(results) != 1:
            return False
        result = results[0]
        return (
            result.status is self._status
            and (result.ntuples <= _FEW or not self.is_small)
            and result.has_columns(columns)
        )

    def forget_columns(self) -> None:
        """Know nothing of its columns."""
        self._columns = self.judged_by = None
        self.is_binary = self.is_learned = False


class Statements:
    """What one connection knows of the statements that were executed on it."""

    def __init__(self) -> None:
        self.threshold: int | None = 5
        """Executions before a statement is prepared; 0: at once, None: never (PgBouncer before 1.22)."""
        self.maximum: int | None = 100
        """Statements prepared at a time; None: any number."""
        self.given_up: list[bytes] = []
        """Names that the server is still to forget."""
        self._prepared: OrderedDict[Key, Statement] = OrderedDict()
        self._others: OrderedDict[Key, Statement] = OrderedDict()
        self._prefix = b""
        self._made = 0
        self.settings: Settings = ()
        """Those that all statements were prepared under."""
        self._has_changes = False
        """Whether the transaction has changed the schema, which is undone if it is rolled back."""
        self.latest: Statement | None = None
        """The prepared one that was used last; `used()` need not be called for it."""

    def find(self, query: bytes, types: tuple[int, ...]) -> Statement:
        """Return the statement of a text, for parameters of these types."""
        key = query, types
        statement = self._prepared.get(key)
        if statement is not None:
            self.used(statement)
            return statement
        statement = self._others.get(key)
        if statement is None:
            statement = self._others[key] = Statement(key)
            if len(self._others) > _REMEMBERED:
                self._others.popitem(last=False)
        else:
            self._others.move_to_end(key)
        return statement

    def used(self, statement: Statement) -> None:
        """Take note that a prepared statement is used: others are given up before it."""
        if statement is not self.latest:
            self._prepared.move_to_end(statement.key)
            self.latest = statement

    def name_of(
        self, statement: Statement, wish: bool | None, pgconn: PGconn, settings: Settings | None = None
    ) -> bytes | None:
        """Return the name under which a statement is prepared, `None` if it is not, or not to be used.

        :param wish: as for `shall_prepare()`
        :param settings: if they were asked for just now, which reads much memory that nothing else needs
        """
        if statement.name is None or wish is False or self.threshold is None:
            return None
        settings = settings or pgconn.parameter_statuses(READ_BY)
        if settings is not self.settings:
            self.follow(settings)
        return statement.name

    def shall_prepare(self, statement: Statement, wish: bool | None) -> bool:
        """Count an execution, and return whether it is time to prepare the statement.

        :param wish: of the caller: whether to prepare it, or `None` to leave it to the threshold
        """
        if self.threshold is None or wish is False or not (wish or statement._is_single):
            return False
        if wish or statement._executions >= self.threshold:
            return True
        statement._executions += 1
        return False

    def new_name(self) -> bytes:
        """Return a name that was not used on this connection."""
        self._made += 1
        # behind a pooler, what has that name must never be another connection's statement
        self._prefix = self._prefix or b"_greenpg_" + os.urandom(4).hex().encode()
        return b"%b_%d" % (self._prefix, self._made)

    def was_prepared(self, statement: Statement, name: bytes, settings: Settings) -> None:
        """Take note of a statement that the server has prepared; others may be given up for it.

        :param settings: when it was sent
        """
        self.follow(settings)
        statement.name, statement._executions = name, 0
        self._others.pop(statement.key, None)
        self._prepared[statement.key] = self.latest = statement
        while self.maximum is not None and len(self._prepared) > max(self.maximum, 0):
            self._give_up(next(iter(self._prepared.values())))

    def follow(self, settings: Settings) -> None:
        """Give up what was prepared under other settings: its text would mean something else now."""
        if settings != self.settings:
            self._give_up_all()
        self.settings = settings

    def _give_up(self, statement: Statement) -> None:
        """Have the server forget a statement, of which the rest stays known."""
        if statement.name is not None:
            self.given_up.append(statement.name)
        self.forget(statement)

    def _give_up_all(self) -> None:
        for statement in tuple(self._prepared.values()):
            self._give_up(statement)

    def was_outdated(self, statement: Statement, error: Exception) -> bool:
        """Return whether a statement failed, before it began, for what was known of it; forget that then.

        Its columns are of other types now, perhaps of one that is not to be had in binary; or the server does
        not have it: it is another server, behind a pooler, or a function has made it forget.
        """
        if not isinstance(error, Error):
            return False
        is_lost = error.sqlstate == _NO_STATEMENT
        if not is_lost and (error.sqlstate, error.diag.source_function) not in _OUTDATED:
            return False
        was_known = statement.name is not None or statement.is_binary
        if is_lost:
            self.forget(statement)
        else:
            self._give_up(statement)
        statement.forget_columns()
        return was_known

    def forget(self, statement: Statement) -> None:
        """Take note that a statement is not prepared, or not any more."""
        if self._prepared.pop(statement.key, None) is not None:
            self._others[statement.key] = statement
        statement.name = None

    def saw(self, statement: Statement, results: Sequence[PGresult]) -> None:
        """Take note of what a statement's results were, and of commands that make the server forget."""
        if statement.is_as_before(results):
            return
        for tag in _tags(results):
            if tag == b"DISCARD ALL" or tag.startswith(b"DEALLOCATE"):
                self.clear()
                return
        self.saw_changes(results)
        statement._is_single = len(results) == 1
        if statement._is_single and (results[0].command_status or b"").startswith(_STEADY):
            statement.saw_columns(results[0])
            statement.saw_size(results[0].ntuples)

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
                self._give_up_all()
                for statement in self._others.values():
                    statement.forget_columns()

    def clear(self) -> None:
        """Forget all names: the server has forgotten the statements."""
        self._give_up_all()
        self.given_up.clear()
        for statement in self._others.values():
            statement._executions = 0


def _tags(results: Sequence[PGresult]) -> Iterator[bytes]:
    return (result.command_status or b"" for result in results)
