"""Say what is wrong: plain psycopg2 is the measure, and the table below the only excuse.

Its rule: every test passes under every runtime, but for those that plain psycopg2 skips too and those that
cannot pass, each with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .job import PLAIN, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .job import Outcomes

RUNTIMES = ("select", "gevent", "eventlet")
PASSED = Outcome("passed")
MISSING = Outcome("failed", "the test was not there")

_CONNECTION = "tests.test_connection.ConnectionTests"


@dataclass(frozen=True)
class Allowance:
    """Where a test may fail or hang, and why it has to."""

    runtimes: tuple[str, ...]
    reason: str


_SIGNAL = Allowance(
    ("gevent", "eventlet"),
    "the Python signal handler runs in the green thread that sent the signal and ends that one alone; "
    "the main one goes on for ever",
)
ALLOWED = {
    f"{_CONNECTION}.test_pgconn_ptr": Allowance(
        (PLAIN, *RUNTIMES),
        "it calls the system's libpq on a connection of the libpq that the wheel brings",
    ),
    f"{_CONNECTION}.test_cursor_factory_none": Allowance(
        RUNTIMES,
        "it compares a cursor's exact class with psycopg2's own; a green cursor is of a subclass",
    ),
    f"{_CONNECTION}.test_multiprocess_close": Allowance(
        ("gevent", "eventlet"),
        "fork copies green threads: the child's copy of the thread uses the parent's connection, which "
        "greenpg refuses, and the test wants nothing on stderr",
    ),
    f"{_CONNECTION}.test_commit_concurrency": Allowance(
        ("gevent", "eventlet"),
        "a thread calls commit() in a loop with nothing to send, and so never lets another run",
    ),
    "tests.test_connection.SignalTestCase.test_bug_551_returning": _SIGNAL,
    "tests.test_connection.SignalTestCase.test_bug_551_no_returning": _SIGNAL,
}


@dataclass(frozen=True)
class Difference:
    """A test that should have passed under `runtime` and did not."""

    runtime: str
    test: str
    outcome: Outcome


def compare(results: Mapping[str, Outcomes]) -> list[Difference]:
    """Return what does not pass and has no excuse, runtime by runtime, plain included."""
    plain = results[PLAIN]
    wrong: list[Difference] = []
    for runtime, outcomes in results.items():
        for test in sorted((plain.keys() | outcomes.keys()) - hopeless(runtime)):
            outcome = outcomes.get(test, PASSED if test.endswith(")") else MISSING)
            expected = outcome if runtime == PLAIN else plain.get(test, PASSED)
            if not _is_fine(outcome, expected):
                wrong.append(Difference(runtime, test, outcome))
    return wrong


def hopeless(runtime: str) -> set[str]:
    """Return the tests that the table lets fail or hang there."""
    return {test for test, allowance in ALLOWED.items() if runtime in allowance.runtimes}


def _is_fine(outcome: Outcome, expected: Outcome) -> bool:
    if outcome.verdict == "skipped":
        # A server that is not configured for replication would leave those tests out in silence.
        return expected.verdict == "skipped" and "replication" not in outcome.detail
    return outcome.verdict == "passed"
