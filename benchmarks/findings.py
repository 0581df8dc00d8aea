"""What a run has found, and where: to JSON and back."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from benchmarks.contenders import CONTENDERS
from benchmarks.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmarks.server import Server

_DISTRIBUTIONS = {"psycopg2": "psycopg2-binary"}


@dataclass(frozen=True)
class Findings:
    """All figures of a run, and what is needed to understand them."""

    figures: Sequence[Figure]
    about: Mapping[str, Any]
    """The machine, the versions, how long it took."""
    absent: Mapping[str, str] = field(default_factory=dict)
    """Contenders that could not be asked, and why."""
    failures: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """What contenders could not do: `{(contender, workload): error}`."""

    def find(self, contender: str, workload: str, metric: str, point: int = 0) -> Figure | None:
        """Return a figure, if there is one."""
        return self._by_name.get((contender, workload, metric, point))

    @property
    def contenders(self) -> list[str]:
        """Those that were asked, or could not be, in the order of the table."""
        asked = {figure.contender for figure in self.figures} | {who for who, _ in self.failures}
        return [name for name in CONTENDERS if name in asked or name in self.absent]

    @property
    def workloads(self) -> set[str]:
        """What was measured."""
        return {figure.workload for figure in self.figures} | {what for _, what in self.failures}

    def __post_init__(self) -> None:
        named = {(f.contender, f.workload, f.metric, f.point): f for f in self.figures}
        object.__setattr__(self, "_by_name", named)

    _by_name: Mapping[tuple[str, str, str, int], Figure] = field(init=False, repr=False, default_factory=dict)


def about(server: Server, contenders: Sequence[str], seconds: float, quick: bool) -> dict[str, Any]:
    """Return what there is to know about a run beside its figures."""
    from greenpg import pq

    modules = {module for name in contenders for module in CONTENDERS[name].modules}
    return {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "server": server.version,
        "libpq": pq.library().version,
        "shares_processor": bool(server.processors),
        "seconds": round(seconds),
        "quick": quick,
        "versions": {name: _version(name) for name in sorted({"greenpg", *modules})},
    }


def _version(module: str) -> str:
    try:
        return version(_DISTRIBUTIONS.get(module, module))
    except PackageNotFoundError:  # a psycopg2 that is not called psycopg2-binary
        return version(module)


def write_json(path: Path, found: Findings, goals: Sequence[Mapping[str, Any]]) -> None:
    """Write everything, one figure a line.

    :raises OSError: the file cannot be written
    """
    lists = {
        "figures": [_as_json(figure) for figure in found.figures],
        "goals": goals,
        "failures": [[*key, error] for key, error in found.failures.items()],
    }
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in found.about.items()]
    lines.append(f'"absent": {json.dumps(dict(found.absent))}')
    for name, items in lists.items():
        lines.append(f'"{name}": [' + ",".join(f"\n {json.dumps(item)}" for item in items) + "]")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def _as_json(figure: Figure) -> dict[str, Any]:
    numbers = {"median": figure.median, "spread": figure.spread}
    return {
        "contender": figure.contender,
        "workload": figure.workload,
        "metric": figure.metric,
        "point": figure.point,
        **{name: _short(value) for name, value in numbers.items()},
        "samples": {number: _short(sample) for number, sample in figure.samples.items()},
    }


def _short(value: float) -> float:
    return float(f"{value:.5g}")


def read_json(path: Path) -> Findings:
    """Return what `write_json()` has written.

    :raises OSError: the file cannot be read
    :raises ValueError: it is not such a file
    """
    try:
        told = json.loads(path.read_text())
        figures = [
            Figure(
                *(item["contender"], item["workload"], item["metric"]),
                {int(number): sample for number, sample in item["samples"].items()},
                item["point"],
            )
            for item in told.pop("figures")
        ]
        failures = {(who, what): error for who, what, error in told.pop("failures")}
        del told["goals"]
        return Findings(figures, told, told.pop("absent"), failures)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not written by --json: {error}") from error
