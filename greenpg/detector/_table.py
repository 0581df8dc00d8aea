"""The statistics of statements: one record for all executions that differ in data alone, and not too many."""

from __future__ import annotations

from dataclasses import dataclass, replace

from greenpg.detector._statement import normalized, text_of

OTHERS = "(other statements)"
_UNREADABLE = "(no text)"
_LONGEST_KEY = 10_000  # characters of a text that is kept to be recognized
_TEXTS = 4  # times as many texts are recognized as there are statements


@dataclass
class Statement:
    """How long the executions of a statement have waited for the server, and held the hub.

    Where a method is called more often than 200 times a second, they are estimated from so many.
    """

    __module__ = "greenpg.detector"

    statement: str
    """Without literals; `COMMIT` and the like for what has no text."""
    calls: int = 0
    """Executions, by drivers that greenpg has made green."""
    waited: float = 0.0
    """Seconds in which they waited and others ran."""
    held: float = 0.0
    """Seconds in which they ran and nobody else could; of other drivers, the seconds of `holds`."""
    holds: int = 0
    """How often one has held the hub for longer than the limit."""
    longest: float = 0.0
    """Seconds of the longest of these."""


class Table:
    """Bounded: when it is full, the half that was executed least becomes one record, `OTHERS`."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._texts: dict[str, Statement] = {}  # by the text as the driver was given it
        self._records: dict[str, Statement] = {}

    def record(self, query: object) -> Statement:
        """Return the record of what a driver was given to execute; never raises."""
        if type(query) is str and query in self._texts:
            return self._texts[query]
        try:
            text = text_of(query)
        except Exception:  # an object of the caller's
            text = None
        if text is None:
            return self._record(_UNREADABLE)
        found = self._record(normalized(text))
        if type(query) is str and len(query) <= _LONGEST_KEY:
            if len(self._texts) >= _TEXTS * self.size:
                self._texts.clear()
            self._texts[query] = found
        return found

    def held(self, statement: str, seconds: float, measured: bool, told: float = 0.0) -> None:
        """Note a hold.

        :param measured: whether its time is counted as that of an execution
        :param told: seconds of it that were noted before
        """
        found = self._record(statement)
        found.holds += not told
        found.longest = max(found.longest, seconds)
        if not measured:
            found.held += seconds - told

    def clear(self) -> None:
        """Forget everything."""
        self._texts.clear()
        self._records.clear()

    def snapshot(self) -> list[Statement]:
        """Return copies of all records, those that have held longest first."""
        copies = [replace(found) for found in list(self._records.values())]
        return sorted(copies, key=lambda found: found.held, reverse=True)

    def _record(self, statement: str) -> Statement:
        found = self._records.get(statement)
        if found is None:
            if len(self._records) >= self.size:
                self._drop_half()
            found = self._records.setdefault(statement, Statement(statement))
        return found

    def _drop_half(self) -> None:
        others = self._records.pop(OTHERS, Statement(OTHERS))
        ranked = sorted(self._records.values(), key=lambda found: (found.calls, found.holds))
        for found in ranked[: max(len(ranked) // 2, len(ranked) + 2 - self.size)]:
            del self._records[found.statement]
            others.calls += found.calls
            others.waited += found.waited
            others.held += found.held
            others.holds += found.holds
            others.longest = max(others.longest, found.longest)
        self._records[OTHERS] = others
        self._texts.clear()  # they lead to the dropped ones
