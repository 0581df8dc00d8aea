"""Rounds: in each, every contender does every workload once, each time in a fresh process.

So no contender has a good or bad hour, memory layout or neighbour of its own, and nothing of one contender
is in the process of another.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.contenders import CONTENDERS
from benchmarks.figures import Figure
from benchmarks.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_ROOT = Path(__file__).parent.parent
_LIMIT = 300.0


class BenchmarkError(Exception):
    """The run cannot go on; the message says why, in one line."""


class Pair(NamedTuple):
    """What is measured: one contender at one workload."""

    contender: str
    workload: str


def pairs(contenders: Iterable[str], workloads: Iterable[str]) -> list[Pair]:
    """Return what there is to measure; rivals at the same workload are neighbours."""
    return [
        Pair(contender, workload)
        for workload in workloads
        for contender in contenders
        if CONTENDERS[contender].can_copy or not WORKLOADS[workload].is_copy
    ]


def measure(
    dsn: str, chosen: list[Pair], rounds: int, quick: bool, done: Callable[[], object]
) -> list[Figure]:
    """Run the rounds and return a figure for each pair.

    :param done: called after each measurement
    :raises BenchmarkError: a contender could not do a workload
    """
    samples: dict[Pair, list[float]] = {pair: [] for pair in chosen}
    for number in range(rounds):
        # To and fro, so that nobody always comes first.
        for pair in chosen if number % 2 == 0 else reversed(chosen):
            samples[pair].append(_sample(dsn, pair, quick))
            done()
    return [Figure(*pair, tuple(values)) for pair, values in samples.items()]


def _sample(dsn: str, pair: Pair, quick: bool) -> float:
    """Return seconds of CPU per operation, measured in a process of its own."""
    workload = WORKLOADS[pair.workload]
    count = workload.quick_count if quick else workload.count
    # GREENPG_AUTO: an installed greenpg follows gevent's monkey-patching, psycogreen's process included.
    env = {**os.environ, "GREENPG_TEST_DSN": dsn, "GREENPG_AUTO": "0"}
    env.pop("GREENPG_WAITER", None)
    what = f"{pair.contender} at {pair.workload}"
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "benchmarks.worker", *pair, str(count)],
            cwd=_ROOT,
            env=env,
            capture_output=True,
            text=True,
            timeout=_LIMIT,
        )
    except subprocess.TimeoutExpired as exc:
        raise BenchmarkError(f"{what} did not end within {_LIMIT:.0f} s") from exc
    try:
        reported = json.loads(ran.stdout)
    except ValueError as exc:
        raise BenchmarkError(f"{what} ended with {ran.returncode}: {ran.stderr[-500:]}") from exc
    if "error" in reported:
        raise BenchmarkError(f"{what} failed: {reported['error']}")
    return float(reported["seconds"])
