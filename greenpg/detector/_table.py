"""The statistics of statements: one entry for all executions that differ in data alone, and not too many."""

from __future__ import annotations

from dataclasses import dataclass

from greenpg.detector._statement import normalized, text_of

OTHERS = "(other statements)"
_UNREADABLE = "(no text)"
_LONGEST_KEY = 10_000  # characters of a text that is kept to be recognized
_TEXTS = 4  # times as many texts are recognized as there are statements


@dataclass
class Statement:
    """How long the executions of a statement have waited for the server, and held the hub."""

    __module__ = "greenpg.detector"

    statement: str
    """Without literals; `COMMIT` and the like for what has no text."""
    calls: int = 0
    """Executions that were measured: those of drivers that greenpg has made green."""
    waited: float = 0.0
    """Seconds in which they waited and others ran."""
    held: float = 0.0
    """Seconds in which they ran and nobody else could; where they are not measured, those of `holds`."""
    holds: int = 0
    """How often one has held the hub for longer than the limit."""
    longest: float = 0.0
    """Seconds of the longest of these."""


class Table:
    """Bounded: when it is full, the half that was executed least becomes one entry, `OTHERS`."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.texts: dict[str, Statement] = {}
        """By the text as the driver was given it."""
        self._statements: dict[str, Statement] = {}

    def entry(self, query: object) -> Statement:
        """Return the entry of what a driver was given to execute; never raises."""
        try:
            text = text_of(query)
        except Exception:  # an object of the caller's
            text = None
        if text is None:
            return self._entry(_UNREADABLE)
        found = self._entry(normalized(text))
        if isinstance(query, str) and len(query) <= _LONGEST_KEY:
            if len(self.texts) >= _TEXTS * self.size:
                self.texts.clear()
            self.texts[query] = found
        return found

    def held(self, statement: str, seconds: float, measured: bool) -> None:
        """Note a hold.

        :param measured: whether its time is, or will be, in the entry already
        """
        found = self._entry(statement)
        found.holds += 1
        found.longest = max(found.longest, seconds)
        if not measured:
            found.held += seconds

    def clear(self) -> None:
        """Forget everything."""
        self.texts.clear()
        self._statements.clear()

    def snapshot(self) -> list[Statement]:
        """Return copies of all entries, those that have held longest first."""
        copies = [Statement(**vars(found)) for found in list(self._statements.values())]
        return sorted(copies, key=lambda found: found.held, reverse=True)

    def _entry(self, statement: str) -> Statement:
        found = self._statements.get(statement)
        if found is None:
            if len(self._statements) >= self.size:
                self._drop_half()
            found = self._statements.setdefault(statement, Statement(statement))
        return found

    def _drop_half(self) -> None:
        others = self._statements.pop(OTHERS, Statement(OTHERS))
        ranked = sorted(self._statements.values(), key=lambda found: (found.calls, found.holds))
        for found in ranked[: len(ranked) // 2 + 1]:
            del self._statements[found.statement]
            others.calls += found.calls
            others.waited += found.waited
            others.held += found.held
            others.holds += found.holds
            others.longest = max(others.longest, found.longest)
        self._statements[OTHERS] = others
        self.texts.clear()  # they lead to the dropped ones
