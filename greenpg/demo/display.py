"""What the demo shows in the terminal: live progress and a closing table, by rich.

Its rule: without a terminal the same facts come as plain lines, with no control characters.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from greenpg.demo.phases import KINDS, MODES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from greenpg.demo.phases import Job, Phase, Show


class Display:
    """The terminal, or whatever stdout is."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)

    def line(self, text: str) -> None:
        """Print a line as it is, however long."""
        self._console.print(text, markup=False, soft_wrap=True)

    def busy(self, text: str) -> AbstractContextManager[object]:
        """Say what takes its time, for as long as it does."""
        if self._console.is_terminal:
            return self._console.status(text)
        self.line(text)
        return nullcontext()

    def introduce(self, job: Job) -> None:
        """Say what is about to run."""
        self.line(
            f"{job.crowd} in one thread, under {job.library}, each: "
            f"urlopen ({job.sleep:g} s), then a psycopg2 query ({job.sleep:g} s)"
        )

    @contextmanager
    def progress(self, job: Job) -> Iterator[Iterator[tuple[str, Show]]]:
        """Show the phases' progress; give each mode in its turn, with the callback that follows it."""
        columns = (
            TextColumn("{task.description:<8}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("waits"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[now]}"),
        )
        with Progress(*columns, console=self._console, disable=not self._console.is_terminal) as progress:
            yield (self._phase(progress, job, mode) for mode in MODES)

    def _phase(self, progress: Progress, job: Job, mode: str) -> tuple[str, Show]:
        total = len(KINDS) * job.users
        task = progress.add_task(mode, total=total, now="")
        if progress.disable:
            self.line(f"{mode}: {total} waits")

        def show(done: int, waiting: dict[str, int]) -> None:
            now = ", ".join(f"{users} in {kind}" for kind, users in waiting.items() if users)
            progress.update(task, completed=done, now=now and f"waiting: {now}")

        return mode, show

    def table(self, job: Job, phases: list[Phase]) -> None:
        """Print the closing table."""
        table = Table("", "wall time", "overlap", "longest hub pause", caption_justify="left")
        for column in table.columns[1:]:
            column.justify = "right"
        for phase in phases:
            table.add_row(
                phase.mode, f"{phase.wall:.2f} s", f"{phase.overlap:.1f}", f"{phase.pause * 1000:.0f} ms"
            )
        self._console.print(table)
        self.line(f"overlap: users served at once, on average ({job.users} would be perfect)")
        self.line(f"the difference is one line: greenpg.{job.library}.patch()")
