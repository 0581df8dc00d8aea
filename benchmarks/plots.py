"""Pictures: for each workload who needs how much, and how cost grows; SVG, by matplotlib.

Their rule: readable on white and on black, so no background and colours from the middle; text stays text, so
that a picture is small; the same figures give the same file.
"""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure as Drawing
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch

from benchmarks.contenders import CONTENDERS
from benchmarks.contenders.base import Kind
from benchmarks.report import METRICS, PER_UNIT, short
from benchmarks.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from matplotlib.axes import Axes

    from benchmarks.figures import Figure
    from benchmarks.findings import Findings
    from benchmarks.workloads.base import Workload

_INK = "#768390"
_COLOURS = {Kind.OURS: "#2da44e", Kind.PATCHED: "#7cc78f", Kind.PEER: "#6e94c4", Kind.LIMIT: "#b0862d"}
_LINES = ("#2da44e", "#8f6fd0", "#e0707a", "#d99a2b", "#4a8fd6", "#8b949e")
_LONG = 4.0
"""Times the median; a bar that is longer is cut, or the others could not be told apart."""
_TINY = re.compile(r"(\d+\.\d)\d+")
"""What is less than a tenth of a point."""
_TITLE: dict[str, Any] = {"x": 0.01, "horizontalalignment": "left", "fontsize": 11, "weight": "bold"}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "greenpg",
    "font.family": "DejaVu Sans",  # by whose widths it is laid out; see `_save`
    "font.size": 10,
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _INK),
}


def draw(found: Findings, folder: Path) -> None:
    """Draw all pictures into a folder: `W1.svg`, `W3-memory.svg`, `by-rows.svg`, …

    :raises OSError: a file cannot be written
    """
    with mpl.rc_context(_STYLE):
        for workload in WORKLOADS.values():
            if workload.is_curve:
                _curves(found, workload, folder)
                continue
            for metric in workload.units:
                if metric != "wall":
                    name = workload.heading(metric).replace(" ", "-")
                    _bars(found, workload, metric, folder / f"{name}.svg")


def _bars(found: Findings, workload: Workload, metric: str, path: Path) -> None:
    figures = [found.find(name, workload.name, metric) for name in CONTENDERS]
    shown = sorted((figure for figure in figures if figure), key=lambda figure: figure.median)
    if not shown or not shown[-1].median:
        return
    unit = workload.units[metric]
    drawing = _drawing(8.5, 0.8 + 0.24 * len(shown))
    panel = drawing.subplots()
    longest = min(shown[-1].median, _LONG * shown[len(shown) // 2].median or shown[-1].median)
    for place, figure in enumerate(shown):
        _bar(panel, place, figure, PER_UNIT[unit], longest)
    drawing.suptitle(f"{workload.name}: {workload.title}", **_TITLE)
    panel.set_xlabel(f"{METRICS[metric]}, {unit}: less is better")
    panel.set_xlim(0, longest * PER_UNIT[unit] * 1.12)
    panel.set_ylim(len(shown) - 0.4, -0.6)
    panel.set_yticks(range(len(shown)), [CONTENDERS[figure.contender].title for figure in shown])
    for label, figure in zip(panel.get_yticklabels(), shown, strict=True):
        if CONTENDERS[figure.contender].kind is Kind.OURS:
            label.set(weight="bold", color=_COLOURS[Kind.OURS])
    panel.tick_params(length=0)
    panel.spines[["top", "right", "left"]].set_visible(False)
    kinds = [kind for kind in Kind if any(CONTENDERS[figure.contender].kind is kind for figure in shown)]
    handles = [Patch(color=_COLOURS[kind], label=kind.value) for kind in kinds]
    panel.legend(handles=handles, loc="upper right", frameon=False, fontsize=9)
    _save(drawing, path, workload.title)


def _bar(panel: Axes, place: int, figure: Figure, scale: float, longest: float) -> None:
    length = min(figure.median, longest)
    colour = _COLOURS[CONTENDERS[figure.contender].kind]
    panel.barh(place, length * scale, height=0.72, color=colour)
    cut = figure.median > longest
    if not cut and figure.spread:
        ends = [max(length - figure.spread, 0) * scale, (length + figure.spread) * scale]
        panel.plot(ends, [place, place], color=_INK, linewidth=1)
    text = f"{'… ' * cut}{short(figure.median * scale)}"
    end = length + longest * 0.008 + figure.spread * (not cut)
    panel.text(end * scale, place, text, va="center", fontsize=9)


def _curves(found: Findings, workload: Workload, folder: Path) -> None:
    lines = dict(_points(found, workload))
    if not lines:
        return
    drawing = _drawing(8.5, 4.2)
    panel = drawing.subplots()
    for colour, name in zip(_LINES, workload.only, strict=False):
        if name in lines:
            points = lines[name]
            ours = CONTENDERS[name].kind is Kind.OURS
            panel.plot(
                [figure.point for figure in points],
                [figure.median * 1e6 for figure in points],
                color=colour,
                linewidth=2.4 if ours else 1.4,
                marker="o",
                markersize=4,
                label=CONTENDERS[name].title,
            )
    panel.set(xscale="log", yscale="log")
    drawing.suptitle(workload.title, **_TITLE)
    panel.set_xlabel(workload.name.removeprefix("by-"))
    panel.set_ylabel("client CPU for a query, µs")
    panel.grid(color=_INK, alpha=0.25, linewidth=0.6)
    panel.minorticks_off()
    panel.tick_params(length=0)
    panel.spines[["top", "right"]].set_visible(False)
    drawing.legend(loc="outside lower center", ncols=3, frameon=False)
    _save(drawing, folder / f"{workload.name}.svg", workload.title)


def _points(found: Findings, workload: Workload) -> Iterator[tuple[str, list[Figure]]]:
    for name in workload.only:
        points = [
            f for f in found.figures if (f.contender, f.workload, f.metric) == (name, workload.name, "cpu")
        ]
        if points:
            yield name, sorted(points, key=lambda figure: figure.point)


def _drawing(width: float, height: float) -> Drawing:
    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08)  # inches
    return Drawing(figsize=(width, height), layout=layout, facecolor="none")


def _save(drawing: Drawing, path: Path, title: str) -> None:
    for panel in drawing.axes:
        panel.set_facecolor("none")
    written = StringIO()
    drawing.savefig(written, format="svg", metadata={"Date": None, "Creator": None, "Title": title})
    text = _TINY.sub(r"\1", written.getvalue().replace("'DejaVu Sans'", "sans-serif"))
    path.write_text(re.sub(r"\n\s*", "\n", text))
