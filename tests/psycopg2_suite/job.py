"""Run one module of psycopg2's tests under one runtime, in as many processes as it takes.

Its rule: a test that hangs or kills its process is the verdict of that test alone. The process group is
killed, the database made new, and a fresh process goes on with the tests that are left.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests import fresh

if TYPE_CHECKING:
    from .database import ScratchDatabase

HERE = Path(__file__).resolve().parent
PROCESS_LIMIT = 600.0  # seconds; a process watches itself test by test, this is for one that cannot
TAIL = 6000  # characters of a dead process's output that are reported
PLAIN = "plain"


@dataclass(frozen=True)
class Outcome:
    """What became of one test: `verdict` is passed, skipped, failed or hung; `detail` says why."""

    verdict: str
    detail: str = ""
    seconds: float = 0.0


Outcomes = dict[str, Outcome]


@dataclass
class Job:
    """One module under one runtime.

    `suite` is the folder that holds psycopg2's `tests` package; `limit` is what a test may take, in
    seconds, and `limits` the same for single tests.
    """

    suite: Path
    runtime: str
    module: str
    limit: float = 60.0
    limits: dict[str, float] = field(default_factory=dict)

    def run(self, database: ScratchDatabase) -> Outcomes:
        """Return the outcome of every test of the module, and of its import and exit if they go wrong."""
        outcomes: Outcomes = {}
        while True:
            database.renew()
            child = self._run_child(database.environ, done=list(outcomes))
            outcomes.update(child.outcomes)
            if child.interrupted is None:
                break
            outcomes[child.interrupted] = child.death()
        if child.plan is None or not child.ended:
            outcomes[f"tests.{self.module} (import)"] = child.death()
        elif child.ran.returncode != 0:
            outcomes[f"tests.{self.module} (exit)"] = child.death()
        for test in child.plan or ():
            outcomes.setdefault(test, Outcome("failed", "never ran"))
        return outcomes

    def green_skips(self, database: ScratchDatabase) -> set[str]:
        """Return the tests that psycopg2's own green mode would not run; nothing is run."""
        green = {**database.environ, "PSYCOPG2_TEST_GREEN": "1"}
        child = self._run_child(green, only_list_skipped=True)
        if not child.ended:
            raise RuntimeError(f"could not list the tests of {self.module}: {child.death().detail}")
        return child.skipped

    def _run_child(self, environ: dict[str, str], **request: Any) -> _Child:
        with tempfile.TemporaryDirectory(prefix="greenpg-psycopg2-suite-") as folder:
            events = Path(folder, "events")
            events.touch()
            request = {"only_list_skipped": False, "done": [], **request}
            request |= {"suite": str(self.suite), "module": self.module, "events": str(events)}
            request |= {"limit": self.limit, "limits": self.limits, "green": self.runtime != PLAIN}
            ran = fresh.run(
                sys.executable,
                str(HERE / "child.py"),
                json.dumps(request),
                env={
                    "PSYCOPG2_TEST_GREEN": "",
                    **environ,
                    "PYTHONPATH": os.pathsep.join([str(HERE / "bootstrap"), str(fresh.ROOT)]),
                    "GREENPG_SUITE_RUNTIME": self.runtime,
                },
                timeout=PROCESS_LIMIT,
            )
            return _Child.read(events, ran)


@dataclass
class _Child:
    """What one process left behind."""

    ran: fresh.Ran
    plan: list[str] | None = None
    skipped: set[str] = field(default_factory=set)
    outcomes: Outcomes = field(default_factory=dict)
    interrupted: str | None = None
    ended: bool = False

    @classmethod
    def read(cls, events: Path, ran: fresh.Ran) -> _Child:
        child = cls(ran)
        for line in events.read_text(encoding="utf-8").splitlines():
            child._take(json.loads(line))
        return child

    def _take(self, event: dict[str, Any]) -> None:
        if "start" in event:
            self.interrupted = event["start"]
        elif "result" in event:
            self.interrupted = None
            self.outcomes[event["result"]] = Outcome(event["verdict"], event["detail"], event["seconds"])
        elif "plan" in event:
            self.plan = event["plan"]
        elif "skipped" in event:
            self.skipped = set(event["skipped"])
        self.ended = "end" in event

    def death(self) -> Outcome:
        """Tell how the process ended, with the last of what it printed: the stacks, if it hung."""
        printed = self.ran.stdout + self.ran.stderr
        if self.ran.timed_out or "Timeout (" in printed:  # so faulthandler begins
            return Outcome("hung", printed[-TAIL:])
        return Outcome("failed", f"the process ended with status {self.ran.returncode}\n{printed[-TAIL:]}")
