"""What people see of a report: plain lines, coloured in a terminal, and nothing but them elsewhere.

Its rule: the verdict comes last, where a terminal ends, and what is wrong right above it.
"""

from __future__ import annotations

import itertools
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from greenpg.doctor.report import Driver, Finding, Libpq, Measurement, Process, Report, Step

_COLOURS = {"note": "2", "ok": "32", "warning": "33", "problem": "31"}
_ORDER = tuple(_COLOURS)
_DRIVERS = ("driver", "version", "state", "waits through", "libpq")
_STEPS = ("driver", "step", "at once", "took", "hub held")


def render(report: Report, *, width: int | None = None, colours: bool = False) -> str:
    """Return a report as text that ends with a line feed.

    :param width: columns to wrap at; by default each finding is one line, however long
    :param colours: whether to mark the findings in a terminal's colours
    """
    blocks: list[list[str]] = [[f"greenpg doctor: {report.how}"], list(_facts(report.process))]
    if report.drivers:
        blocks.append(_table(_DRIVERS, map(_driver, report.drivers)))
    if report.server is not None:
        blocks.append(list(_tried(report)))
    blocks.append([line for finding in _sorted(report) for line in _lines(finding, width, colours)])
    blocks.append([_verdict(report, colours)])
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks) + "\n"


def _facts(process: Process) -> Iterator[str]:
    facts = {
        "process": f"{process.python}, pid {process.pid}",
        "versions": ", ".join(f"{name} {version}" for name, version in process.versions.items()),
        "patched by": ", ".join(
            f"{library} ({' '.join(modules)})" for library, modules in process.monkey_patched.items()
        ),
        "greenpg": f"active for {process.greenpg}" if process.greenpg else "not active",
        "it waits by": process.waiter,
        "its libpq": _libpq(process.libpq),
        "its binding": process.binding,
        "environment": " ".join(f"{name}={value}" for name, value in process.environment.items()),
    }
    for name, text in facts.items():
        yield f"  {name:<11}  {text or '-'}"


def _driver(driver: Driver) -> tuple[str, ...]:
    return driver.name, driver.version, driver.state, driver.waits, _libpq(driver.libpq)


def _libpq(libpq: Libpq | None) -> str:
    if libpq is None:
        return "-"
    path = Path(libpq.path)
    installed = {"site-packages", "dist-packages"}.intersection(path.parts)
    return f"{libpq.version} {Path(*path.parts[-2:]) if installed else path}"


def _tried(report: Report) -> Iterator[str]:
    assert report.server is not None
    server, encrypted = report.server, "" if report.server.encrypted else "not "
    yield f"  PostgreSQL {server.version} at {server.address}, {encrypted}encrypted"
    rows = [(measured, step) for measured in report.measurements for step in measured.steps]
    if rows:
        yield from _table(_STEPS, itertools.starmap(_step, rows))


def _step(measured: Measurement, step: Step) -> tuple[str, ...]:
    at_once = "-" if step.at_once is None else f"{step.at_once} of {measured.concurrency}"
    return measured.driver, step.name, at_once, f"{step.took:.2f} s", f"{step.held * 1000:.0f} ms"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a table's lines."""
    table = [heads, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  " + "  ".join(map(str.ljust, row, widths)) for row in table]


def _sorted(report: Report) -> list[Finding]:
    return sorted(report.findings, key=lambda finding: _ORDER.index(finding.level))


def _lines(finding: Finding, width: int | None, colours: bool) -> list[str]:
    mark = f"{finding.level:<7}"
    text = f"{finding.about}: {finding.text}" + (f" -> {finding.fix}" if finding.fix else "")
    lines = [text] if width is None else textwrap.wrap(text, max(40, width - len(mark) - 4))
    first = _coloured(mark, _COLOURS[finding.level], colours)
    return [f"  {first}  {lines[0]}", *(" " * (len(mark) + 4) + line for line in lines[1:])]


def _verdict(report: Report, colours: bool) -> str:
    if report.green:
        return _coloured("green", "1;32", colours) + _counted(report, "warning")
    if report.process.runtime is None:
        return _coloured("not a green process", "1", colours) + _counted(report, "problem")
    return _coloured("not green", "1;31", colours) + _counted(report, "problem") + _counted(report, "warning")


def _counted(report: Report, level: str) -> str:
    count = sum(finding.level == level for finding in report.findings)
    return f", {count} {level}{'s' if count > 1 else ''}" if count else ""


def _coloured(text: str, colour: str, colours: bool) -> str:
    return f"\033[{colour}m{text}\033[0m" if colours else text
