"""Run a phase of the demo in a child process and make figures of what it reports.

Its rule: no drawing here; and no figure that does not come from the child's JSON lines.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeAlias

    Show: TypeAlias = Callable[[int, dict[str, int]], None]

MODES = ("blocking", "green")
"""The phases, in this order."""

KINDS = ("http", "sql")
"""What the users wait for, in this order."""


class DemoError(Exception):
    """Something that the user of the demo can put right: the message is the one line to show."""


@dataclass(frozen=True)
class Job:
    """What a phase does: `users` at once, each waiting `sleep` seconds for `url` and then for the `dsn`."""

    library: str
    users: int
    sleep: float
    url: str
    dsn: str

    @property
    def crowd(self) -> str:
        """How many users, in words."""
        return f"{self.users} user{'s' if self.users > 1 else ''} at once"


@dataclass(frozen=True)
class Span:
    """One wait of one user. Times in seconds since the phase began."""

    user: int
    kind: str
    start: float
    end: float
    served: float
    """How long the other side says it worked: the rest of the wait is our own lateness."""

    @property
    def late(self) -> float:
        """Seconds that the user waited longer than the other side took."""
        return max(0.0, self.end - self.start - self.served)


@dataclass(frozen=True)
class Phase:
    """What was measured. Seconds: `wall`, the whole time; `pause`, the longest without a turn in the hub."""

    mode: str
    spans: tuple[Span, ...]
    wall: float
    pause: float

    @property
    def overlap(self) -> float:
        """How many users were served at once on average: the servers' time over the wall time.

        The servers' and not the users' time, or a blocked hub would be counted as overlap.
        """
        return sum(span.served for span in self.spans) / self.wall


def run_phase(job: Job, mode: str, show: Show) -> Phase:
    """Run `job` in a fresh process; mode is "blocking" or "green".

    `show` is called at each event with the number of waits that are over and, by kind, of those under way.
    Raises DemoError if the child cannot do its work.
    """
    command = [sys.executable, "-m", "greenpg.demo.worker", f"--mode={mode}", f"--library={job.library}"]
    command += [f"--users={job.users}", f"--sleep={job.sleep}", f"--url={job.url}"]
    # An installed greenpg would make the blocking phase green by itself: with GREENPG_AUTO=0 one visible line
    # makes the difference. A proxy set for the Internet does not know our 127.0.0.1.
    environ = os.environ | {"GREENPG_TEST_DSN": job.dsn, "GREENPG_AUTO": "0", "no_proxy": "*"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environ, start_new_session=True
    ) as child:
        assert child.stdout is not None
        try:
            spans, close = _follow(map(json.loads, child.stdout), show)
        except BaseException:
            child.kill()
            raise
    if not close:
        raise DemoError(f"the {mode} phase broke off with exit status {child.returncode}")
    return Phase(mode, tuple(spans), **close)


def _follow(events: Iterable[dict[str, Any]], show: Show) -> tuple[list[Span], dict[str, float]]:
    spans: list[Span] = []
    waiting = dict.fromkeys(KINDS, 0)
    close: dict[str, float] = {}
    for event in events:
        if "error" in event:
            raise DemoError(event["error"])
        if "end" in event:
            spans.append(Span(**event))
            waiting[event["kind"]] -= 1
        elif "start" in event:
            waiting[event["kind"]] += 1
        else:
            close = event
        show(len(spans), waiting)
    return spans, close
