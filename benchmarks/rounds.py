"""Rounds: in each, contenders do workloads once, one after the other, each time in a fresh process.

So no contender has a good or bad hour, memory layout or neighbour of its own, and nothing of one contender
is in the process of another.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks import goals
from benchmarks.contenders import CONTENDERS
from benchmarks.figures import Figure
from benchmarks.planning import Need, plan
from benchmarks.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from benchmarks.server import Server

_ROOT = Path(__file__).parent.parent
_LIMIT = 120.0
"""Seconds for a process."""
_SPARE_CONNECTIONS = 8
"""For our own, those that are just being closed, and the superuser's."""


class BenchmarkError(Exception):
    """The run cannot go on; the message says why, in one line."""


class Task(NamedTuple):
    """What one process does."""

    contender: str
    workloads: tuple[str, ...]


def does(contender: str, workload: str) -> bool:
    """Return whether a contender is for a workload and has all that it needs."""
    who, what = CONTENDERS[contender], WORKLOADS[workload]
    lacks = {*who.lacks, *(() if who.runtime.has_hub else ("hub",))}
    asked = (not who.only or workload in who.only) and (not what.only or contender in what.only)
    return asked and not lacks & {*what.needs}


def tasks(contenders: Iterable[str], workloads: Iterable[str], together: bool) -> list[Task]:
    """Return what there is to do; contenders of the same workload are neighbours.

    What goals and curves are about comes first, for the time may be up before the rest.

    :param together: whether one process does all workloads of a contender: quicker, and less exact
    """
    if together:
        found = [Task(who, tuple(what for what in workloads if does(who, what))) for who in contenders]
    else:
        found = [Task(who, (what,)) for what in workloads for who in contenders if does(who, what)]
    return sorted((task for task in found if task.workloads), key=lambda task: not is_first(task))


def is_first(task: Task) -> bool:
    """Return whether a task is one of those that must not be missing."""
    return any(
        WORKLOADS[name].is_curve or (task.contender, name) in goals.IMPORTANT for name in task.workloads
    )


def size_of(workload: str, server: Server, quick: bool) -> int:
    """Return the size of a workload, as much as the server has connections for.

    :raises BenchmarkError: it needs more of them than the server has
    """
    what, most = WORKLOADS[workload], server.most_connections - _SPARE_CONNECTIONS
    size = what.quick_size if quick else what.size
    if what.connections > most:
        raise BenchmarkError(
            f"{what.connections} connections are needed and the server takes {server.most_connections}: "
            f"raise its max_connections, or leave {workload} out with --workload"
        )
    return size if what.connections else min(size, most)


class Rounds:
    """The rounds of a run and what they have found."""

    def __init__(
        self, dsn: str, processors: Collection[int], sizes: Mapping[str, int], say: Callable[[str], object]
    ) -> None:
        """:param say: called with what is done next"""
        self._dsn = dsn
        self._processors = processors
        self._sizes = sizes
        self._say = say
        self._samples: dict[tuple[str, str, str, int], dict[int, float]] = {}
        self.failures: dict[tuple[str, str], str] = {}
        """What could not be measured: `{(contender, workload): error}`."""
        self.seconds: dict[Task, float] = {}
        """How long each task has taken, the last time."""

    @property
    def figures(self) -> list[Figure]:
        """What was measured."""
        return [
            Figure(contender, workload, metric, samples, point)
            for (contender, workload, metric, point), samples in self._samples.items()
        ]

    def plan(self, chosen: Collection[Task], seconds: float) -> dict[Task, int]:
        """Return how many rounds more there is time for."""
        needs = {
            task: Need(
                self.seconds[task],
                min(WORKLOADS[name].rounds for name in task.workloads) - 1,
                4.0 if is_first(task) else 1.0,
            )
            for task in chosen
            if task in self.seconds
            and not any((task.contender, name) in self.failures for name in task.workloads)
        }
        return plan(needs, seconds)

    def run(self, number: int, chosen: list[Task], until: float) -> bool:
        """Do one round; return whether it was done before `until`, of the monotonic clock."""
        # To and fro, so that nobody always comes first.
        for task in chosen if number % 2 == 0 else reversed(chosen):
            began = time.monotonic()
            if began + self.seconds.get(task, 0.0) > until:
                return False
            self._say(f"round {number + 1}: {', '.join(task.workloads)}, {task.contender}")
            self._do(task, number)
            self.seconds[task] = time.monotonic() - began
        return True

    def _do(self, task: Task, number: int) -> None:
        lines, end = self._process(task)
        told = {line["workload"]: line for line in lines}
        for workload in task.workloads:
            points = told.get(workload, {}).get("points")
            if points is None:
                self.failures[task.contender, workload] = told.get(workload, {}).get("error", end)
                continue
            for point, values in points.items():
                for metric, value in values.items():
                    key = (task.contender, workload, metric, int(point))
                    self._samples.setdefault(key, {})[number] = value

    def _process(self, task: Task) -> tuple[list[Any], str]:
        """Return what the worker has reported, and how it ended."""
        # GREENPG_AUTO: an installed greenpg follows gevent's monkey-patching, psycogreen's process included.
        env = {**os.environ, "GREENPG_TEST_DSN": self._dsn, "GREENPG_AUTO": "0", "PYTHONFAULTHANDLER": "1"}
        for name in ("GREENPG_WAITER", "GREENPG_IMPL", "PYTHONMALLOC"):
            env.pop(name, None)
        command = [sys.executable, "-m", "benchmarks.worker", task.contender]
        command += [f"{name}={self._sizes[name]}" for name in task.workloads]
        command += ["--processors", *map(str, self._processors)]
        with subprocess.Popen(
            command,
            cwd=_ROOT,
            env={**env, **CONTENDERS[task.contender].environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as worker:
            try:
                out, err = worker.communicate(timeout=_LIMIT)
                end = f"the process ended with {worker.returncode}: {err[-500:]}"
            except subprocess.TimeoutExpired:
                worker.kill()
                out, err = worker.communicate()
                end = f"the process did not end within {_LIMIT:.0f} s"
        try:
            return [json.loads(line) for line in out.splitlines()], end
        except ValueError:
            return [], f"it wrote what is no report: {out[-500:]}"
