"""The contract of the loops that send one statement many times, and of those that take in what comes of it.

There is one of each without a compiler, over any `PGconn`, and one for the compiled `PGconn`. Neither waits,
and neither decides anything: whatever is not quite usual is given back. What sends a statement that is known
once more is compiled only: without it the statement goes the way of one that is not known.
"""

from __future__ import annotations

from enum import Enum, auto
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from greenpg.pq.abc import PGconn, PGresult
    from greenpg.pq.params import Dumped, Dumps, Encoders

Names = dict[tuple[int, ...], tuple["bytes | None", int]]
"""By the types of the parameters: the name of the prepared statement, None if it is sent unprepared; and the
`Format` of its result."""


class Sent(Enum):
    """How far the sender has come."""

    ALL = auto()
    """There are no more sets of parameters."""
    ENOUGH = auto()
    """Flush now: as much was sent as was asked for, or the socket takes no more."""
    UNTIL_UNKNOWN = auto()
    """There is no name for the types of the next ones: `take()` them."""


class Sender(Protocol):
    """Sends one statement with one set of parameters after the other."""

    def __init__(
        self,
        pgconn: PGconn,
        encoders: Encoders,
        tx: Dumps,
        query: bytes,
        formats: Sequence[Any],
        names: Sequence[str] | None,
        arrange: Callable[[Any], Sequence[Any]],
    ) -> None:
        """Make one.

        :param pgconn: in pipeline mode
        :param tx: dumps what there is no encoder for
        :param formats: a `PyFormat` for each parameter
        :param names: of the parameters, if the statement has names for them
        :param arrange: puts a set of parameters in order, or raises
        """

    @property
    def sent(self) -> int:
        """Executions that the last `send()` has sent, also if it has raised."""

    @property
    def taken(self) -> int:
        """Bytes that they are, about, and for what took long as many as would have taken that time."""

    def send(self, rows: Iterator[Any], statements: Names, limit: int) -> Sent:
        """Send sets of parameters.

        :param limit: bytes, about
        :raises DataError: a value cannot be dumped, `ProgrammingError`: parameters that are none
        """

    def take(self) -> Dumped:
        """Return the parameters that were not sent."""


class Repeatable(Protocol):
    """What a connection knows of a prepared statement, as far as it takes to send it again."""

    key: tuple[bytes, tuple[int, ...]]
    """Its text, and the types of its parameters."""
    name: bytes | None
    """Under which it is prepared now; `None` if it is not."""
    is_binary: bool
    """Whether to ask for binary results, by those adapters that it was judged by."""
    judged_by: object | None
    """The state of those adapters."""


class Repeat(Protocol):
    """Sends one statement that is known again, with other parameters: dumps and sends them in one step."""

    def remember(self, statement: Repeatable) -> None:
        """Take note of a statement of this text, for parameters of its types."""

    def send(self, params: Any, tx: Dumps, state: object) -> Any | None:
        """Send the one of the statements that is for parameters of these types.

        :param params: as they were given, or `None`
        :param tx: of the adapters in force
        :param state: of these adapters
        :return: the statement that was sent; `None`, and nothing was, if there is none, or if anything in
            the parameters is for a dumper, or for an error, to take care of
        """


class Tally(Protocol):
    """Takes in what comes of executions of one statement."""

    def __init__(self, is_kept: bool) -> None:
        """Make one.

        :param is_kept: whether results are kept, and not just counted
        """

    def expect(self, count: int) -> None:
        """Count executions that were sent."""

    @property
    def left(self) -> int:
        """Executions whose end has not come."""

    def collect(self, pgconn: PGconn, is_failed: bool) -> PGresult | None:
        """Take in what has come, up to a result that is not just rows that were inserted or the like.

        :param is_failed: whether that executions were skipped is known
        :return: that result; what follows it, up to the end of its execution, is the caller's to take
        """

    def skip(self) -> None:
        """Count an execution whose end the caller has taken."""

    def give(self) -> tuple[int, bytes | None, list[PGresult]]:
        """Return how many rows there were since the last time, the last command tag, and the results kept."""


STEADY = (b"INSERT", b"UPDATE", b"DELETE", b"SELECT", b"MERGE")
"""Commands that change nothing of what is known of statements."""


def loops(pgconn: PGconn, encoders: Encoders) -> tuple[type[Sender], type[Tally]]:
    """Return what sends many times, and what takes in the answers: compiled where the connection is, too."""
    compiled = _compiled_for(pgconn, encoders)
    if compiled is None:
        compiled = import_module("greenpg.pq._ctypes.many")  # which has its contract from here
    return compiled.Sender, compiled.Tally


MOST_REPEATED = 16
"""Parameters that a statement may have to be repeated."""


def new_repeat(
    pgconn: PGconn, encoders: Encoders, formats: Sequence[Any] | None, names: Sequence[str] | None
) -> Repeat | None:
    """Return what sends a statement again; `None` where only the long way leads there.

    :param formats: a `PyFormat` for each parameter; `None`: it is given without parameters
    :param names: of the parameters, if the statement has names for them
    """
    compiled = _compiled_for(pgconn, encoders)
    if compiled is None or len(formats or ()) > MOST_REPEATED:
        return None
    repeat: Repeat = compiled.Repeat(pgconn, encoders, formats, names)
    return repeat


def _compiled_for(pgconn: PGconn, encoders: Encoders) -> Any | None:
    """Return the module with the compiled loops, if these two are compiled."""
    try:
        from greenpg.pq import _libpq, _many, _params
    except ImportError:
        return None
    is_fit = isinstance(pgconn, _libpq.PGconn) and isinstance(encoders, _params.Encoders)
    return _many if is_fit else None
