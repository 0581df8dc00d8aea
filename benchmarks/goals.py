"""What greenpg is to reach, and whether it does."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.contenders import CONTENDERS
from benchmarks.contenders.base import Kind
from benchmarks.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.figures import Figure
    from benchmarks.findings import Findings

BEST_PEER = "the best peer"
NOBODY = ""
_GREEN, _LOOP = "greenpg-gevent", "greenpg-uvloop"
_ASYNCPG, _PSYCOPG3, _PSYCOPG3_GREEN = "asyncpg-uvloop", "psycopg3", "psycopg3-gevent"
_PSYCOPG2, _PSYCOGREEN, _LIMIT = "psycopg2", "psycopg2-psycogreen", "libpq"


@dataclass(frozen=True)
class Goal:
    """What one contender may need at most: so many times what another one does, or so much."""

    ours: str
    workload: str
    rival: str
    """A contender, the best peer, or nobody: `most` is seconds then."""
    most: float
    metric: str = "cpu"


def _each(ours: str, workload: str, **most: float) -> list[Goal]:
    rivals = {
        "asyncpg": _ASYNCPG,
        "psycogreen": _PSYCOGREEN,
        "psycopg3_gevent": _PSYCOPG3_GREEN,
        "psycopg3": _PSYCOPG3,
        "psycopg2": _PSYCOPG2,
        "limit": _LIMIT,
    }
    return [Goal(ours, workload, rivals[name], value) for name, value in most.items()]


GOALS = [
    *_each(_GREEN, "W1", asyncpg=0.7, psycogreen=0.65, psycopg3_gevent=0.3, limit=2.0),
    *_each(_GREEN, "W2", asyncpg=0.65, psycogreen=0.65, psycopg3_gevent=0.3, limit=3.0),
    *_each(_GREEN, "W3", asyncpg=0.45, psycopg3=0.7, psycopg2=0.7, limit=2.5),
    *_each(_GREEN, "W3b", asyncpg=0.45, psycopg3=0.7, psycopg2=0.7, limit=2.5),
    *_each(_GREEN, "W3c", asyncpg=0.45, psycopg3=0.7, psycopg2=0.7, limit=2.5),
    *_each(_LOOP, "W1", asyncpg=0.8),
    *_each(_LOOP, "W2", asyncpg=0.8),
    *_each(_GREEN, "W4", asyncpg=0.5, psycopg3=0.15),
    Goal(_GREEN, "W5out", BEST_PEER, 0.6),
    Goal(_GREEN, "W5in", BEST_PEER, 1.0),
    *_each(_GREEN, "W6", psycopg3=0.6, asyncpg=0.5),
    Goal(_GREEN, "W8", NOBODY, 0.015, "pause"),
    Goal(_GREEN, "W8", BEST_PEER, 1 / 3, "pause"),
    Goal(_GREEN, "W8M", NOBODY, 0.015, "pause"),
    Goal(_GREEN, "W8M", BEST_PEER, 1 / 3, "pause"),
    Goal(_GREEN, "W3", BEST_PEER, 1.0, "memory"),
    Goal(_GREEN, "memory", BEST_PEER, 1.2, "memory"),
]


def _important() -> set[tuple[str, str]]:
    named = {(who, goal.workload) for goal in GOALS for who in (goal.ours, goal.rival)}
    likely = ("asyncpg-asyncio", _ASYNCPG, _PSYCOPG2, "psycopg2-eventlet", _PSYCOPG3_GREEN)
    return named | {(who, goal.workload) for goal in GOALS if goal.rival == BEST_PEER for who in likely}


IMPORTANT = _important()
"""The contenders at the workloads that goals are about; those are measured first and most often."""


@dataclass(frozen=True)
class Result:
    """What has become of a goal."""

    goal: Goal
    against: str
    """The contender that it was compared with; nobody, if it is about so many seconds."""
    measured: float | None
    """None: not all that is needed was measured."""

    @property
    def met(self) -> bool | None:
        """Whether it is reached, if that is known."""
        return None if self.measured is None else self.measured <= self.goal.most

    def as_json(self) -> dict[str, Any]:
        """Return it for a file."""
        return {**asdict(self.goal), "against": self.against, "measured": self.measured, "met": self.met}


def results(found: Findings) -> Iterator[Result]:
    """Yield what has become of each goal whose workload was asked for; a quick run says nothing of them."""
    for goal in () if found.about["quick"] else GOALS:
        if goal.workload in found.workloads and goal.ours in found.contenders:
            yield _result(goal, found)


def _result(goal: Goal, found: Findings) -> Result:
    ours = found.find(goal.ours, goal.workload, goal.metric)
    if goal.rival == NOBODY:
        return Result(goal, NOBODY, ours.median if ours else None)
    rival = _rival(goal, found)
    name = rival.contender if rival else goal.rival
    return Result(goal, name, ours.ratio(rival) if ours and rival else None)


def _rival(goal: Goal, found: Findings) -> Figure | None:
    if goal.rival != BEST_PEER:
        return found.find(goal.rival, goal.workload, goal.metric)
    peers = [name for name, contender in CONTENDERS.items() if contender.kind is Kind.PEER]
    figures = [found.find(name, goal.workload, goal.metric) for name in peers]
    return min((figure for figure in figures if figure), key=lambda figure: figure.median, default=None)


def words(result: Result) -> tuple[str, str, str, str, str, str]:
    """Return a goal in words: what, who, against whom, at most, measured, met."""
    goal = result.goal
    against = CONTENDERS[result.against].title if result.against in CONTENDERS else goal.rival
    if goal.rival == BEST_PEER and against != BEST_PEER:
        against = f"{BEST_PEER}: {against}"
    numbers = [goal.most, *([] if result.measured is None else [result.measured])]
    if goal.rival == NOBODY:
        unit = WORKLOADS[goal.workload].units[goal.metric]
        shown = [f"{number * 1000:.1f} {unit}" for number in numbers]
    else:
        shown = [f"{number:.2f} times" for number in numbers]
    met = {True: "yes", False: "no", None: "not measured"}[result.met]
    what = WORKLOADS[goal.workload].heading(goal.metric)
    return what, CONTENDERS[goal.ours].title, against, shown[0], [*shown, "-"][1], met
