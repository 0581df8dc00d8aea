"""The tables for the documentation, as reStructuredText."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.report import Table, remarks, tables

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.findings import Findings

_HEAD = ".. Written by `python -m benchmarks --plots`: change nothing by hand.\n\n"


def write_tables(path: Path, found: Findings) -> None:
    """Write the tables and what must be said beside them.

    :raises OSError: the file cannot be written
    """
    parts = [*(_drawn(table) for table in tables(found)), *remarks(found)]
    path.write_text(_HEAD + "\n\n".join(parts) + "\n")


def _drawn(table: Table) -> str:
    lines = [f".. list-table:: {table.title}", "   :header-rows: 1", ""]
    for row in (table.header, *table.rows):
        for number, cell in enumerate(row):
            lines.append(f"   {'-' if number else '* -'} {cell}".replace("   - ", "     - ", 1))
    if table.notes:
        lines += ["", *(f"{note}." if note is table.notes[-1] else f"{note};" for note in table.notes)]
    return "\n".join(lines)
