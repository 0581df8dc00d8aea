"""Switches the detector on and off, and keeps it on in forked children."""

from __future__ import annotations

import atexit
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from greenpg._pristine import pristine
from greenpg.detector._loops import loop_here
from greenpg.detector._measure import Measurement
from greenpg.detector._reports import Reports, log
from greenpg.detector._table import Table
from greenpg.detector._watch import Watch, Watcher

if TYPE_CHECKING:
    from greenpg.detector._loops import Loop
    from greenpg.detector._reports import Counters, Hook
    from greenpg.detector._table import Statement

VARIABLE = "GREENPG_DETECT"
LIMIT = 0.05
"""Seconds, where nothing is said."""
LEAST = 0.01
"""Seconds: Python hands over the GIL every 0.005."""
MOST = 10.0
"""Seconds: who says 50 means milliseconds."""
STATEMENTS = 1000
_TIME = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(ms|s)\s*", re.ASCII)

_thread = pristine("_thread")


class Detector:
    """The detector of this process, while it is on."""

    def __init__(self) -> None:
        self.limit = LIMIT
        self.libraries: frozenset[str] = frozenset()
        self.table = Table(STATEMENTS)
        self.reports = Reports(self.table)
        self._measurement = Measurement(self.table)
        self._watcher: Watcher | None = None

    def measure_statements(self, wanted: bool) -> None:
        """Begin to measure statements, or end it."""
        if self._measurement.measures_statements and not wanted:
            self._measurement.undo()
            self._measurement = Measurement(self.table)
        if wanted:
            self._measurement.measure_statements()

    def watch(self, loop: Loop) -> None:
        """Watch the loop of this thread, by the limit in force now; no other of this thread any more."""
        others = self._halt()
        for watch in [watch for watch in others if watch.ident == _thread.get_ident()]:
            others.remove(watch)
            watch.loop.close()
        self._start([*others, Watch(loop, self.limit, self.libraries, self.reports)])

    def stop(self) -> None:
        """Tell of what is still to be told, and leave nothing behind."""
        for watch in self._halt():
            with suppress(Exception):  # it is closed
                if watch.ident == _thread.get_ident():
                    watch.loop.close()
                else:
                    watch.loop.post(watch.loop.close)
        self._measurement.undo()
        self.reports.deliver()

    def begin_anew(self) -> None:
        """Go on in a forked child, where the watching thread is not, and nothing has happened yet."""
        watches = [] if self._watcher is None else self._watcher.watches
        self._watcher = None
        self.table.clear()
        self.reports.clear()
        for watch in watches:
            if watch.ident == _thread.get_ident() and watch.loop.survives_fork:
                self._start([Watch(watch.loop, self.limit, self.libraries, self.reports)])

    def _start(self, watches: list[Watch]) -> None:
        self._watcher = Watcher(watches, self.limit, self.reports)

    def _halt(self) -> list[Watch]:
        """End the watching thread; return what it has watched."""
        watcher, self._watcher = self._watcher, None
        if watcher is None:
            return []
        watcher.stop()
        return watcher.watches


_detector: Detector | None = None
_forks_are_followed = False


def install(
    limit: float | str | None = None,
    *,
    hook: Hook | None = None,
    libraries: Iterable[str] = (),
    statistics: bool = False,
    statements: int = STATEMENTS,
    runtime: str | None = None,
) -> None:
    """Report database calls that hold the hub or event loop of this thread for longer than `limit`.

    Call it in each native thread that runs a loop: in a coroutine for asyncio, after the monkey-patching
    for gevent and eventlet. Doing it again is doing it once, with the options of the last time. A native
    thread of the detector's own looks at the others, a little more often than the limit: no call that is
    shorter than the limit is reported, and from twice the limit on none is missed.

    :param limit: seconds, from 0.01 to 10, or a text such as `50ms`; by default `$GREENPG_DETECT`, else 0.05
    :param hook: is called with each `Hold`, in a green thread or in the loop, after it was logged
    :param libraries: top-level modules that are not the application: what is between it and your ORM, say
    :param statistics: whether to measure each statement too, of the drivers that greenpg has made green; that
        costs some 2 % of a query
    :param statements: how many statements have statistics of their own, at least 2
    :param runtime: gevent, eventlet or asyncio; by default what runs here, or has monkey-patched the process
    :raises ValueError: an option cannot be
    :raises RuntimeError: there is no loop to watch
    """
    global _detector
    seconds = _limit(limit)
    names = _names(libraries)
    if not (isinstance(statements, int) and statements >= 2):
        raise ValueError(f"statements is a number from 2 on, not {statements!r}")
    if hook is not None and not callable(hook):
        raise ValueError(f"the hook is something to be called with each hold, not {hook!r}")
    loop = loop_here(runtime)
    if _detector is None:
        _detector = Detector()
        _follow_forks()
        atexit.register(uninstall)
    _detector.limit, _detector.libraries = seconds, names
    _detector.table.size, _detector.reports.hook = statements, hook
    _detector.measure_statements(statistics)
    _detector.watch(loop)


def uninstall() -> None:
    """Switch the detector off, in all threads, and put everything back; tell first what is to be told."""
    global _detector
    detector, _detector = _detector, None
    if detector is not None:
        atexit.unregister(uninstall)
        detector.stop()


def is_installed() -> bool:
    """Return whether the detector is on."""
    return _detector is not None


def statistics() -> list[Statement]:
    """Return how long each statement has waited and held the hub, those first that have held it longest.

    Exact with `install(statistics=True)`, for the drivers that greenpg has made green. Without it, and of
    other drivers and calls that fetch, there is what was longer than the limit. Forked children begin at
    zero.
    """
    return [] if _detector is None else _detector.table.snapshot()


def counters() -> Counters:
    """Return what was seen since `install()`, or since this process was forked."""
    from greenpg.detector._reports import Counters

    return Counters() if _detector is None else _detector.reports.counters()


def follow_environment(runtime: str) -> None:
    """Do what `GREENPG_DETECT` says while greenpg is being activated; never an error to the process."""
    try:
        if _detector is None and _limit_of_environment() is not None:
            install(runtime=runtime)
    except Exception as exc:
        log.warning("the detector is not on: %s", exc)


def _limit(given: float | str | None) -> float:
    """Return a limit in seconds.

    :raises ValueError: it cannot be one
    """
    if given is None:
        return _limit_of_environment() or LIMIT
    seconds = _seconds(given) if isinstance(given, str) else given
    if not (isinstance(seconds, float | int) and LEAST <= seconds <= MOST):
        raise ValueError(f"the limit is from {LEAST} to {MOST:g} seconds, not {given!r}")
    return seconds


def _limit_of_environment() -> float | None:
    """Return the limit that `$GREENPG_DETECT` gives; `None` for nothing and for 0, which is off.

    :raises ValueError: it cannot be one
    """
    text = os.environ.get(VARIABLE, "")
    try:
        return None if text.strip() in ("", "0") or not _seconds(text) else _limit(text)
    except ValueError as exc:
        raise ValueError(f"${VARIABLE}: {exc}") from exc


def _names(libraries: Iterable[str]) -> frozenset[str]:
    """Return the names of modules as a set.

    :raises ValueError: they are none
    """
    names = list(libraries) if isinstance(libraries, Iterable) else [libraries]
    if isinstance(libraries, str) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"libraries are names of modules, as in ['layer'], not {libraries!r}")
    return frozenset(names)


def _seconds(text: str) -> float:
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"the limit is a time such as 50ms or 0.05s, not {text!r}")
    return float(found[1]) / (1000 if found[2] == "ms" else 1)


def _follow_forks() -> None:
    """Go on in forked children; this cannot be taken back, so it is done once."""
    global _forks_are_followed
    if not _forks_are_followed:
        _forks_are_followed = True
        os.register_at_fork(after_in_child=_forked)


def _forked() -> None:
    if _detector is not None:
        _detector.begin_anew()
