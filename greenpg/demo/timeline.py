"""The timeline picture: who waited for what, and when; one panel per phase on one time scale, by matplotlib.

Its rule: one bar per wait and user, drawn from what was measured; text stays text, so the SVG is small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch

from greenpg.demo.phases import KINDS

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from greenpg.demo.phases import Job, Phase, Span

_COLOURS = {"http": "#2a78b5", "sql": "#e08a1e"}
_LABELS = {"http": "urlopen: the web server works", "sql": "psycopg2: PostgreSQL works"}
_PALE = 0.25
_INK = "#24292f"
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "greenpg",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": "#8c959f",
    "xtick.color": _INK,
    "ytick.color": _INK,
}


def draw(job: Job, phases: list[Phase], path: Path) -> None:
    """Draw the phases, top to bottom, into the SVG file `path`. Raises OSError if it cannot be written."""
    with mpl.rc_context(_STYLE):
        height = 0.7 + min(0.22 * job.users, 6.0)
        layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1)  # inches
        figure = Figure(figsize=(9.5, 1.3 + height * len(phases)), layout=layout, facecolor="white")
        figure.suptitle(f"The same code, {job.crowd}, one thread", fontsize=14, weight="bold")
        panels = figure.subplots(len(phases), sharex=True, squeeze=False)[:, 0]
        for panel, phase in zip(panels, phases, strict=True):
            _panel(panel, job, phase)
        panels[-1].set_xlabel("seconds")
        panels[-1].set_xlim(0, max(phase.wall for phase in phases) * 1.01)
        handles = [Patch(color=_COLOURS[kind], label=_LABELS[kind]) for kind in KINDS]
        handles.append(
            Patch(color=_COLOURS["http"], alpha=_PALE, label="the rest of the wait: hub blocked, connecting")
        )
        figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None, "Title": "greenpg demo"})


def _panel(panel: Axes, job: Job, phase: Phase) -> None:
    for span in phase.spans:
        _bar(panel, phase, span)
    panel.axvline(phase.wall, color=_INK, linewidth=1, linestyle=":")
    how = (
        f"{job.library}, psycopg2 as it is" if phase.mode == "blocking" else f"greenpg.{job.library}.patch()"
    )
    panel.set_title(f"{phase.mode}: {how}", loc="left", fontsize=11, weight="bold")
    figures = (
        f"{phase.wall:.2f} s, overlap {phase.overlap:.1f}, longest hub pause {phase.pause * 1000:.0f} ms"
    )
    panel.set_title(figures, loc="right", fontsize=10)
    panel.set_ylabel("user")
    panel.set_ylim(job.users + 0.6, 0.4)
    panel.set_yticks(range(1, job.users + 1, 1 + (job.users - 1) // 20))
    panel.tick_params(length=0)
    panel.grid(axis="x", color="#d0d7de", linewidth=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right", "left"]].set_visible(False)


def _bar(panel: Axes, phase: Phase, span: Span) -> None:
    """One wait: full colour while the other side works, pale for what it lasts beyond that."""
    name = f"{phase.mode}-{span.user}-{span.kind}"
    look: dict[str, Any] = {"height": 0.75, "color": _COLOURS[span.kind]}
    answered = span.end - span.late
    panel.barh(span.user, answered - span.start, left=span.start, gid=name, **look)
    panel.barh(span.user, span.late, left=answered, gid=f"{name}-late", alpha=_PALE, **look)
