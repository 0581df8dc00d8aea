"""Sending a statement again that is known: what was found out when it was executed before serves as it is.

Its text leads to what sends it, whichever cursor executes it. That looks at nothing but what may have
changed; whenever something has, the statement goes the long way, where everything is found out anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TypeAlias

    from greenpg._core.prepare import Statement, Statements
    from greenpg._core.query import PostgresQuery
    from greenpg.adapt import Transformer
    from greenpg.pq.abc import PGconn
    from greenpg.pq.many import Repeat

    _Known: TypeAlias = dict[str, tuple[type[PostgresQuery], object, Repeat]]
    """By the text: the kind of its placeholders, the state of the adapters, and what sends it."""

_MOST = 500
"""Texts that are remembered at a time."""
_UNKNOWN: tuple[Any, Any, Any] = None, None, None


class Repeats:
    """What sends the statements of one connection again, by the texts that they were made of."""

    __slots__ = ("_bare", "_statements", "_with_params")

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._with_params: _Known = {}
        self._bare: _Known = {}

    def remember(self, query: PostgresQuery, tx: Transformer, pgconn: PGconn) -> None:
        """Take note of how a statement that is prepared can be sent again, if it is of a usual kind."""
        text = query.text_of
        if text is None:
            return
        known = self._bare if query.is_bare else self._with_params
        kind, state, repeat = known.get(text, _UNKNOWN)
        if kind is not type(query) or state is not tx.adapters.state:
            repeat = query.repeat(tx, pgconn)
            if repeat is None:
                return
            if len(known) >= _MOST:
                known.clear()
            known[text] = type(query), tx.adapters.state, repeat
        repeat.remember(query.statement)

    def send(
        self, query: object, params: Any, kind: type[PostgresQuery], tx: Transformer
    ) -> Statement | None:
        """Send a statement that was sent before, with other parameters of the same types.

        :param kind: of placeholders
        :param tx: made for the settings and the adapters in force
        :return: the statement; `None`, and nothing was sent, where there is something to find out or do first
        """
        statements = self._statements
        if type(query) is not str or tx.settings is not statements.settings or statements.given_up:
            return None
        known = self._bare if params is None else self._with_params
        of_kind, state, repeat = known.get(query, _UNKNOWN)
        if of_kind is not kind or state is not tx.adapters.state or statements.threshold is None:
            return None
        statement: Statement | None = repeat.send(params, tx, state)
        if statement is not None and statement is not statements.latest:
            statements.used(statement)
        return statement
