"""What a run has found, as tables of text, which the terminal and the documentation draw each their way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import goals
from benchmarks.contenders import CONTENDERS
from benchmarks.contenders.base import Kind
from benchmarks.rounds import does
from benchmarks.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.figures import Figure
    from benchmarks.findings import Findings

PER_UNIT = {"s": 1.0, "ms": 1e3, "µs": 1e6, "MB": 1e-6, "kB": 1e-3}
NOTHING = "-"
"""In a cell: this is not for that contender."""
METRICS = {"cpu": "client CPU", "wall": "wall time", "pause": "longest pause", "memory": "memory"}
_OURS = "greenpg-gevent"
_QUERIES = ("W1", "W2", "W6", "storm", "idle")
_BULK = ("W3", "W3b", "W3c", "W4", "W5in", "W5out")
_TABLES = (
    ("Statements and connections: client CPU", [(name, "cpu") for name in _QUERIES]),
    ("Many rows: client CPU", [(name, "cpu") for name in _BULK]),
    (
        "Pauses of the hub or loop, and memory",
        [("W8", "pause"), ("W8M", "pause"), ("W3", "memory"), ("memory", "memory")],
    ),
    ("Statements and connections: wall time, and how many a second", [(name, "wall") for name in _QUERIES]),
    ("Many rows: wall time, and how many rows a second", [(name, "wall") for name in _BULK]),
)


@dataclass(frozen=True)
class Table:
    """A table as text."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    is_words: bool = False
    """Whether its cells are to be read, and not compared from row to row."""


def tables(found: Findings, against: str = "") -> Iterator[Table]:
    """Yield all tables, the goals first.

    :param against: a contender; in brackets, each cell says how many times as much as it
    """
    results = [goals.words(result) for result in goals.results(found)]
    if results:
        yield Table("Goals", ("", "who", "against", "at most", "measured", "met"), results, is_words=True)
    for title, columns in _TABLES:
        shown = [column for column in columns if column[0] in found.workloads]
        if shown:
            yield _table(title, shown, found, against)
    if ahead := [row for _, columns in _TABLES for column in columns if (row := _ahead(*column, found))]:
        title = f"Where peers are ahead of {CONTENDERS[_OURS].title}: it needs so many times as much"
        yield Table(title, ("", "peers"), ahead, is_words=True)


def _table(title: str, columns: Sequence[tuple[str, str]], found: Findings, against: str) -> Table:
    about = [(WORKLOADS[name], metric) for name, metric in columns]
    header = [f"{workload.heading(metric)}, {workload.units[metric]}" for workload, metric in about]
    rows = []
    for name in found.contenders:
        cells = [_cell(name, *column, found, against) for column in columns]
        if any(cell != NOTHING for cell in cells):
            rows.append([CONTENDERS[name].title, *cells])
    # What comes first has been explained when it comes again.
    told = [
        f"{workload.name}: {workload.title}" for workload, metric in about if metric == workload.main_metric
    ]
    return Table(title, ["", *header], rows, told)


def _ahead(workload: str, metric: str, found: Findings) -> list[str]:
    """Return the peers that need less than we do, if there are any."""
    ours = found.find(_OURS, workload, metric)
    peers = [found.find(name, workload, metric) for name in CONTENDERS if CONTENDERS[name].kind is Kind.PEER]
    ratios = {peer.contender: ours.ratio(peer) for peer in peers if ours and peer}
    better = sorted((ratio, name) for name, ratio in ratios.items() if ratio and ratio > 1)
    told = [f"{CONTENDERS[name].title}: {ratio:.2f}" for ratio, name in reversed(better)]
    what = f"{WORKLOADS[workload].heading(metric)}, {METRICS[metric]}"
    return [what, "; ".join(told)] if told else []


def _cell(contender: str, workload: str, metric: str, found: Findings, against: str) -> str:
    figure = found.find(contender, workload, metric)
    if figure is None:
        return _why_not(contender, workload, found)
    scale = PER_UNIT[WORKLOADS[workload].units[metric]]
    if metric == "wall":
        rate = found.find(contender, workload, "throughput")
        return f"{short(figure.median * scale)} · {thousands(rate.median) if rate else ''}"
    spread = f" ± {short(figure.spread * scale)}" if len(figure.samples) > 1 else ""
    text = short(figure.median * scale) + spread
    return text + _times(figure, found.find(against, workload, metric))


def _times(figure: Figure, rival: Figure | None) -> str:
    ratio = figure.ratio(rival) if rival and rival is not figure else None
    return "" if ratio is None else f" ({ratio:.2f})"


def _why_not(contender: str, workload: str, found: Findings) -> str:
    if contender in found.absent:
        return found.absent[contender]
    if (contender, workload) in found.failures:
        return "failed"
    refused = {*CONTENDERS[contender].lacks} & {*WORKLOADS[workload].needs} == {"copy"}
    return "refused" if refused else "not measured" if does(contender, workload) else NOTHING


def short(number: float) -> str:
    """Return a number with as many digits as mean something."""
    return f"{number:.0f}" if abs(number) >= 100 else f"{number:.1f}" if abs(number) >= 1 else f"{number:.2f}"


def thousands(number: float) -> str:
    """Return a number with a letter for its thousands."""
    for letter, size in (("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{short(number / size)} {letter}"
    return short(number)


def remarks(found: Findings) -> list[str]:
    """Return what must be said beside the tables."""
    about = found.about
    rounds = [len(figure.samples) for figure in found.figures]
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    lines = [
        f"Medians ± spread (half of the samples are nearer) of {min(rounds, default=0)} to "
        f"{max(rounds, default=0)} rounds, in {about['seconds']} s. Python {about['python']}, "
        f"libpq {about['libpq']}, {versions}; {about['server']}; {about['processors']} processors.",
        "Client and server take turns on one processor, but for pauses: see benchmarks/scheduling.py."
        if about["shares_processor"]
        else "The server is scheduled as it comes: differences of less than 20 % may be its doing.",
    ]
    if about["quick"]:
        lines.append("A quick run: it shows that all of it works. Its figures are not for comparing.")
    return lines
