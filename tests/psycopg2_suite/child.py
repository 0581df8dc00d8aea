"""Run one module of psycopg2's tests in this process and write down what happens, one JSON line an event.

Its rule: nothing but the standard library is imported before the tests are, and every line is on disk
before the next thing happens, so that a process that hangs or dies has still told how far it came.

Events: `{"plan": [ids]}`, `{"start": id}`, `{"result": id, "verdict", "detail", "seconds"}`, `{"end": true}`.
"""

from __future__ import annotations

import ast
import faulthandler
import gc
import importlib.util
import json
import signal
import sys
import time
import traceback
import unittest
from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, ModuleType, TracebackType

    ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


IMPORT_LIMIT = 60.0  # seconds, whatever a test may take
DUMP_TIME = 1.0  # seconds for the green threads' stacks; the process may be past running Python

PATIENCE = {"test_notifies_received_on_poll": {4: 45, 5: 50}}
"""By test, seconds that it allows and what they are here: another interpreter becomes green meanwhile."""


def load(name: str) -> ModuleType:
    """Import a module of tests, with `PATIENCE`."""
    spec = cast("Any", importlib.util.find_spec(name))
    tree = ast.parse(spec.loader.get_source(name))
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and (limits := PATIENCE.get(function.name)):
            for each in ast.walk(function):
                if isinstance(each, ast.Constant):
                    each.value = limits.get(cast("Any", each.value), each.value)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    exec(compile(tree, spec.origin, "exec"), vars(module))
    return module


def dump_green_threads(_signal: int, _frame: FrameType | None) -> None:
    """Print the stacks of the green threads that wait: faulthandler sees only the one that runs."""
    if greenlet := sys.modules.get("greenlet"):
        for each in gc.get_objects():
            if isinstance(each, greenlet.greenlet) and each.gr_frame is not None:
                print(f"Waiting: {each!r}", file=sys.__stderr__)
                traceback.print_stack(each.gr_frame, file=sys.__stderr__)


class Recorder(unittest.TestResult):
    """Writes the events of a run; a test that takes longer than its limit ends the process, stacks first."""

    def __init__(self, events: IO[str], limit: float, limits: dict[str, float]) -> None:
        super().__init__()
        self._events = events
        self._limit = limit
        self._limits = limits
        self._running: unittest.TestCase | None = None
        self._verdict, self._detail, self._started = "passed", "", 0.0

    def write(self, **event: Any) -> None:
        self._events.write(json.dumps(event) + "\n")
        self._events.flush()

    def watch(self, limit: float) -> None:
        """End the process after `limit` seconds; a native thread does it, whatever holds the interpreter."""
        signal.setitimer(signal.ITIMER_REAL, limit)
        faulthandler.dump_traceback_later(limit + DUMP_TIME, exit=True, file=2)

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._running = test
        self._verdict, self._detail, self._started = "passed", "", time.monotonic()
        self.write(start=test.id())
        self.watch(self._limits.get(test.id(), self._limit))

    def stopTest(self, test: unittest.TestCase) -> None:
        self.watch(self._limit)
        self._write_result(test)
        self._running = None
        super().stopTest(test)

    def addError(self, test: unittest.TestCase, err: ExcInfo) -> None:
        super().addError(test, err)
        self._note(test, "failed", self.errors[-1][1])

    def addFailure(self, test: unittest.TestCase, err: ExcInfo) -> None:
        super().addFailure(test, err)
        self._note(test, "failed", self.failures[-1][1])

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        super().addUnexpectedSuccess(test)
        self._note(test, "failed", "expected to fail, and passed")

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: ExcInfo | None) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._note(test, "failed", self._exc_info_to_string(err, test))  # type: ignore[attr-defined]

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self._note(test, "skipped", reason)

    def _note(self, test: unittest.TestCase, verdict: str, detail: str) -> None:
        if self._verdict != "failed":
            self._verdict, self._detail = verdict, detail
        if self._running is None:  # setUpClass or setUpModule: no test of this name was started
            self._write_result(test)

    def _write_result(self, test: unittest.TestCase) -> None:
        seconds = round(time.monotonic() - self._started, 3)
        self.write(result=test.id(), verdict=self._verdict, detail=self._detail, seconds=seconds)


def flatten(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    """Yield the tests of a suite of suites, in order."""
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flatten(test)
        else:
            yield test


def statically_skipped(test: unittest.TestCase) -> bool:
    """Tell whether a decorator has already decided that the test will not run."""
    method = getattr(test, test.id().rpartition(".")[2])
    return bool(getattr(test, "__unittest_skip__", False) or getattr(method, "__unittest_skip__", False))


def check_that_psycopg2_is_green() -> None:
    """Raise if the tests would run on plain psycopg2, and so prove nothing."""
    import greenpg.compat.psycopg2

    if not greenpg.compat.psycopg2.is_patched():
        raise RuntimeError("psycopg2 was imported and greenpg has not patched it")


def main(request: dict[str, Any]) -> None:
    """Run what `request` (see `job.py`) asks for."""
    sys.path.insert(0, request["suite"])
    signal.signal(signal.SIGALRM, dump_green_threads)
    with open(request["events"], "w", encoding="utf-8") as events:
        recorder = Recorder(events, request["limit"], request["limits"])
        recorder.watch(IMPORT_LIMIT)
        module = load(f"tests.{request['module']}")
        if request["green"]:
            check_that_psycopg2_is_green()
        tests = list(flatten(unittest.defaultTestLoader.loadTestsFromModule(module)))
        recorder.write(plan=[test.id() for test in tests])
        if request["only_list_skipped"]:
            recorder.write(skipped=[test.id() for test in tests if statically_skipped(test)])
        else:
            done = set(request["done"])
            unittest.TestSuite(test for test in tests if test.id() not in done).run(recorder)
        recorder.write(end=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
