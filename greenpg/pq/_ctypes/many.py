"""One statement with many sets of parameters without a compiler, over any `PGconn`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenpg.pq import many as contract
from greenpg.pq.enums import ExecStatus
from greenpg.pq.many import Sent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from greenpg.pq.abc import PGconn, PGresult
    from greenpg.pq.params import Dumped, Dumps, Encoders

_OVERHEAD = 500  # bytes that take the time of an execution, about


class Sender(contract.Sender):
    """Sends what the encoders make of each set of parameters."""

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
        self._pgconn = pgconn
        self._dump, self._tx, self._formats, self._arrange = encoders.dump, tx, formats, arrange
        self._query = query
        self._sent = self._taken = 0
        self._pending: Dumped = [], (), []

    @property
    def sent(self) -> int:
        return self._sent

    @property
    def taken(self) -> int:
        return self._taken

    def send(self, rows: Iterator[Any], statements: contract.Names, limit: int) -> Sent:
        self._sent = self._taken = 0
        for params in rows:
            values, types, formats = dumped = self._dump(self._tx, self._arrange(params), self._formats)
            known = statements.get(types)
            if known is None:
                self._pending = dumped
                return Sent.UNTIL_UNKNOWN
            name, result_format = known
            if name is not None:
                self._pgconn.send_query_prepared(name, values, formats, result_format)
            else:
                self._pgconn.send_query_params(self._query, values, types, formats, result_format)
            self._sent += 1
            self._taken += _OVERHEAD + sum(map(len, filter(None, values)))
            if self._taken >= limit:
                return Sent.ENOUGH
        return Sent.ALL

    def take(self) -> Dumped:
        return self._pending


class Tally(contract.Tally):
    """Counts results as they are."""

    def __init__(self, is_kept: bool) -> None:
        self._left, self._is_kept = 0, is_kept
        self._is_awaiting_end = False
        self._touched = 0
        self._tag: bytes | None = None
        self._kept: list[PGresult] = []

    @property
    def left(self) -> int:
        return self._left

    def expect(self, count: int) -> None:
        self._left += count

    def collect(self, pgconn: PGconn, is_failed: bool) -> PGresult | None:
        while self._left and not pgconn.is_busy():
            result = pgconn.get_result()
            if result is None:
                if not self._is_awaiting_end:
                    break
                self._is_awaiting_end = False
                self._left -= 1
            elif self._is_awaiting_end or not self._take(result, is_failed):
                return result
            else:
                self._is_awaiting_end = True
        return None

    def _take(self, result: PGresult, is_failed: bool) -> bool:
        """Count a result, unless there is more to be done about it."""
        if is_failed and result.status == ExecStatus.PIPELINE_ABORTED:
            return True
        tag = result.command_status or b""
        if result.status not in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK) or not tag.startswith(
            contract.STEADY
        ):
            return False
        self._tag = tag
        self._touched += result.command_tuples or 0
        if self._is_kept:
            self._kept.append(result)
        return True

    def skip(self) -> None:
        self._left -= 1

    def give(self) -> tuple[int, bytes | None, list[PGresult]]:
        given = self._touched, self._tag, self._kept
        self._touched, self._kept = 0, []
        return given
