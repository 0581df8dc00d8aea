"""The tables in a terminal, and the progress of a run, by rich."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table as Drawn

from benchmarks.report import remarks, tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.findings import Findings

_WIDE = 160
"""Columns of what is written to a file."""
_ERRORS = Console(stderr=True, highlight=False, soft_wrap=True)


def show(found: Findings, against: str) -> None:
    """Print the tables."""
    console = Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False)
    for table in tables(found, against):
        drawn = Drawn(title=table.title, caption="\n".join(table.notes), caption_justify="left")
        for number, heading in enumerate(table.header):
            drawn.add_column(heading, justify="right" if number and not table.is_words else "left")
        for row in table.rows:
            drawn.add_row(*row)
        console.print(drawn)
        console.print()
    for line in remarks(found):
        console.print(line)


def say(line: str) -> None:
    """Print a line on stderr."""
    _ERRORS.print(line, markup=False)


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Give a function that shows what is being done, on a terminal in one line that comes and goes."""
    if not _ERRORS.is_terminal:
        yield _SometimesSaying()
        return
    with _ERRORS.status("beginning") as status:
        yield lambda line: status.update(line)


class _SometimesSaying:
    """Says a line every ten seconds, for a log."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, line: str) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + 10
            say(line)
