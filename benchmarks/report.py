"""What a run has found: a table for people, JSON for programs."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from rich.table import Table

from benchmarks.contenders import CONTENDERS
from benchmarks.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.figures import Figure
    from benchmarks.server import Server

_PER_SECOND = {"µs": 1e6, "ms": 1e3}
_DISTRIBUTIONS = {"psycopg2": "psycopg2-binary"}


def rival_of(figure: Figure, figures: Sequence[Figure]) -> Figure | None:
    """Return the figure that this one is compared with, if there is one."""
    same = {other.contender: other for other in figures if other.workload == figure.workload}
    return next((same[name] for name in CONTENDERS[figure.contender].rivals if name in same), None)


def table(figures: Sequence[Figure], rounds: int, server: Server) -> Table:
    """Return the figures as a table: a row for each contender, a column for each workload."""
    workloads = list(dict.fromkeys(figure.workload for figure in figures))
    drawn = Table(
        title=f"client CPU per operation, median ± spread of {rounds} rounds (in brackets: times its rival)",
        caption="\n".join([*(f"{name}: {WORKLOADS[name].title}" for name in workloads), _remark(server)]),
        caption_justify="left",
    )
    drawn.add_column("")
    for name in workloads:
        drawn.add_column(f"{name} {WORKLOADS[name].unit}", justify="right")
    found = {(figure.contender, figure.workload): figure for figure in figures}
    for contender in dict.fromkeys(figure.contender for figure in figures):
        cells = [_cell(found.get((contender, name)), figures) for name in workloads]
        drawn.add_row(CONTENDERS[contender].title, *cells)
    return drawn


def _remark(server: Server) -> str:
    if server.shares_processor:
        return "Client and server take turns on one processor: see benchmarks/scheduling.py."
    return "The server is scheduled as it comes: differences of less than 20 % may be its doing."


def _cell(figure: Figure | None, figures: Sequence[Figure]) -> str:
    if figure is None:
        return "refused"
    scale = _PER_SECOND[WORKLOADS[figure.workload].unit]
    text = f"{figure.median * scale:.1f} ± {figure.spread * scale:.1f}"
    rival = rival_of(figure, figures)
    return text if rival is None else f"{text} ({figure.ratio(rival):.2f})"


def write_json(path: Path, figures: Sequence[Figure], server: Server) -> None:
    """Write all samples, and what they were measured with.

    :raises OSError: the file cannot be written
    """
    modules = {module for figure in figures for module in CONTENDERS[figure.contender].packages}
    report = {
        "python": platform.python_version(),
        "machine": platform.platform(),
        "server": server.version,
        "shares_processor": server.shares_processor,
        "versions": {name: _version(name) for name in sorted({"greenpg", *modules})},
        "unit": "seconds of client CPU per operation",
        "figures": [_as_json(figure, figures) for figure in figures],
    }
    path.write_text(json.dumps(report, indent=1) + "\n")


def _version(module: str) -> str:
    return version(_DISTRIBUTIONS.get(module, module))


def _as_json(figure: Figure, figures: Sequence[Figure]) -> dict[str, Any]:
    found: dict[str, Any] = {**vars(figure), "median": figure.median, "spread": figure.spread}
    rival = rival_of(figure, figures)
    if rival is not None:
        found |= {"rival": rival.contender, "ratio": figure.ratio(rival)}
    return found
