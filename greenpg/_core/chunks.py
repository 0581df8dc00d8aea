"""Results that come in chunks, so that nobody has to wait for all of one, or to have it in memory twice.

The second chunk tells that a result is big. Its rows are made as they come then, and what libpq has of them
is given back: it is as big as the rows. But where that could be noticed, as a value is loaded by a loader of
the user's, is refused, or can be changed by who fetches it, the chunks are kept and loaded when fetched.

See libpq, "Retrieving Query Results in Chunks".
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any, cast

from greenpg._core.protocol import give_way_gen, result_gen
from greenpg.adapt._decoders import is_steady
from greenpg.errors import Error, NotSupportedError, OperationalError, ProtocolError
from greenpg.pq.enums import COPY_STATES, ExecStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greenpg.abc import Gen, Slice
    from greenpg.adapt import Transformer
    from greenpg.pq.abc import PGconn, PGresult
    from greenpg.rows import Row

CHUNK = 256
"""Rows in each: enough to be worth the trouble, few enough to be made while they are in the cache."""
_DROPPED = 4000
"""Rows that are freed at a time, in a millisecond or less."""


class ChunkedResult:
    """What has come in more chunks than one, as if it were one `PGresult`."""

    def __init__(self, tx: Transformer | None) -> None:
        """Make one.

        :param tx: makes the rows as they come, if that can be; None: who fetches them does
        """
        self._tx = tx
        self._end: PGresult
        """What has come after the last chunk; it has the columns, too."""
        self.command_status: bytes | None = None
        self.command_tuples: int | None = None
        self._rows: list[tuple[Any, ...]] = []
        """The first of the rows, which are made already."""
        self._chunks: list[PGresult] = []
        """The rows after them, as they came."""
        self._starts: list[int] = []
        """The number of the first row in each."""
        self.status = ExecStatus.TUPLES_OK
        self.ntuples = 0

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__} has no {name!r}")
        return getattr(self._end, name)

    @property
    def made(self) -> list[tuple[Any, ...]]:
        """The first of the rows, all as a rule, that have only to be handed out; not to be changed."""
        return self._rows

    def get_value(self, row_number: int, column_number: int) -> bytes | None:
        """Return a value as the server has sent it.

        :raises NotSupportedError: the row was made of it when it came
        """
        chunk, row = self._locate(row_number)
        return chunk.get_value(row, column_number)

    def get_isnull(self, row_number: int, column_number: int) -> bool:
        """Return whether a value is null; else as `get_value()`."""
        chunk, row = self._locate(row_number)
        return chunk.get_isnull(row, column_number)

    def get_length(self, row_number: int, column_number: int) -> int:
        """Return the length of a value in bytes; else as `get_value()`."""
        chunk, row = self._locate(row_number)
        return chunk.get_length(row, column_number)

    def clear(self) -> None:
        """Free the memory at once."""
        for each in (*self._chunks, self._end):
            each.clear()

    def load(
        self, tx: Transformer, start: int, stop: int, make_row: Callable[[Sequence[Any]], Row]
    ) -> list[Row]:
        """Return rows; see `Transformer.load_rows()`."""
        made = self._rows[start:stop]
        rows = cast("list[Row]", made) if make_row is tuple else list(map(make_row, made))
        while start + len(rows) < stop:
            chunk, first = self._locate(start + len(rows))
            tx.set_pgresult(chunk, set_loaders=False)
            rows += tx.load_rows(first, min(first + stop - start - len(rows), chunk.ntuples), make_row)
        return rows

    def _locate(self, row: int) -> tuple[PGresult, int]:
        """Return the chunk that has a row, and the number that it has there."""
        if not 0 <= row < self.ntuples:
            raise IndexError(f"there is no row {row} in a result of {self.ntuples}")
        if row < len(self._rows):
            raise NotSupportedError("the bytes of a big result are not kept: fetch its rows")
        number = bisect_right(self._starts, row) - 1
        return self._chunks[number], row - self._starts[number]

    def drop_gen(self, pgconn: PGconn, time: Slice) -> Gen[None]:
        """Let go of the rows, with turns for the others: to free a million takes a while."""
        time.begin()
        while self._rows:
            del self._rows[-_DROPPED:]
            if time():
                yield from give_way_gen(pgconn)

    # As it comes

    def fill_gen(self, pgconn: PGconn, result: PGresult, time: Slice) -> Gen[PGresult]:
        """Take in a chunk and all that follow; return what comes after the last."""
        while result.status == ExecStatus.TUPLES_CHUNK:
            yield from self.take_gen(pgconn, result, time)
            result = yield from _next_gen(pgconn)
        return result

    def take_gen(self, pgconn: PGconn, chunk: PGresult, time: Slice) -> Gen[None]:
        """Take in the next chunk."""
        self._starts.append(self.ntuples)
        self._chunks.append(chunk)
        self.ntuples += chunk.ntuples
        self._take_tag(chunk)
        while self._tx is not None and self._chunks:
            yield from self._make_gen(pgconn, self._tx, time)

    def _make_gen(self, pgconn: PGconn, tx: Transformer, time: Slice) -> Gen[None]:
        """Make rows of the first chunk that is kept; others get a turn when it is time."""
        chunk, before = self._chunks[0], len(self._rows)
        tx.set_pgresult(chunk, set_loaders=False)
        for start, stop in time.pieces(0, chunk.ntuples):
            try:
                self._rows += tx.load_rows(start, stop, tuple)
            except Error:  # it is for who fetches the row
                del self._rows[before:]
                self._tx = None
                return
            if time():
                yield from give_way_gen(pgconn)
        del self._chunks[0], self._starts[0]

    def ended(self, end: PGresult) -> PGresult:
        """Take in what has come after the last chunk, and return what looks like the whole result."""
        self._end, self._tx = end, None
        if self.command_status is None:
            self._take_tag(end)
        return cast("PGresult", self)

    def _take_tag(self, result: PGresult) -> None:
        """Take note of the command's tag: the last chunk has it, unless that is full."""
        self.command_status, self.command_tuples = result.command_status, result.command_tuples


def receive_gen(pgconn: PGconn, tx: Transformer, time: Slice) -> Gen[list[PGresult]]:
    """Return every result of the command just sent, which comes in chunks; else as `execute_gen()`.

    :param tx: makes the rows of the first one, if it is big
    :param time: asked after each piece of that work: true when others should have a turn
    """
    results: list[PGresult] = []
    try:
        while (result := (yield from result_gen(pgconn))) is not None:
            if result.status == ExecStatus.TUPLES_CHUNK:
                # what a later one is loaded by, a command in between may change
                result = yield from _whole_gen(pgconn, result, None if results else tx, time)
            results.append(result)
            if result.status in COPY_STATES:
                break
    except OperationalError:
        if not results or results[-1].status != ExecStatus.FATAL_ERROR:
            raise
    return results


def _whole_gen(pgconn: PGconn, chunk: PGresult, tx: Transformer | None, time: Slice) -> Gen[PGresult]:
    """Return the result that begins with a chunk, or the error that it ends with."""
    following = yield from _next_gen(pgconn)
    if following.status == ExecStatus.TUPLES_OK:
        chunk.be_whole(following)
        return chunk
    time.begin()
    chunked = ChunkedResult(tx if tx is not None and _may_make(tx, chunk) else None)
    yield from chunked.take_gen(pgconn, chunk, time)
    end = yield from chunked.fill_gen(pgconn, following, time)
    return chunked.ended(end) if end.status == ExecStatus.TUPLES_OK else end


def _may_make(tx: Transformer, chunk: PGresult) -> bool:
    """Return whether rows may be made when nobody has asked for them yet."""
    try:
        tx.set_pgresult(chunk)
    except Exception:  # of a loader that cannot be made: it comes again when the result has come
        return False
    return all(map(is_steady, tx.row_loader.loads))


def _next_gen(pgconn: PGconn) -> Gen[PGresult]:
    """Return what comes after a chunk."""
    following = yield from result_gen(pgconn)
    if following is None:
        raise ProtocolError("libpq has begun a result in chunks and not ended it")
    return following
