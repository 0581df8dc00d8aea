"""A fresh process that is made what an application's would be, and examined.

Its rule: the order of events is the application's. What to do comes as JSON on stdin, for it may hold a
password; the report goes, pickled, to the open file that the only argument names: an application may print
what it likes.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import signal
import sys
import warnings
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING

from greenpg._pristine import pristine
from greenpg.compat._drivers import installed
from greenpg.doctor.drivers import KNOWN
from greenpg.doctor.examination import examine
from greenpg.doctor.report import DoctorError, Finding, Report, StuckError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NoReturn


@dataclass(frozen=True)
class Job:
    """What is to become of a process before it is examined, and how it is examined."""

    runtime: str | None
    """What monkey-patches it; `None` leaves that to the application."""
    app: tuple[str, ...] = ()
    """The application's modules, which are imported."""
    preload: bool = False
    """Whether all imports come before the monkey-patching."""
    drivers: tuple[str, ...] = ()
    """By default all that are installed."""
    dsn: str | None = None
    concurrency: int = 10
    seconds: float = 0.2
    limit: float = 60.0
    """Seconds that the examination may take, besides what the server is told to take."""

    @property
    def how(self) -> str:
        """What becomes of the process, in words."""
        if self.runtime is None:
            return f"a process that has imported {', '.join(self.app)}"
        return (
            f"a process of {self.runtime}, monkey-patched {'after' if self.preload else 'before'} the imports"
        )


def main() -> NoReturn:
    """Do what stdin says, hand over the report or the DoctorError, and end at once."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # what is to be said then, our parent says
    job = Job(**json.load(sys.stdin))
    desk, sys.argv = int(sys.argv[1]), ["greenpg doctor"]
    try:
        result: Report | DoctorError = _examine(job, desk)
    except DoctorError as error:
        result = error
    _hand_over(result, desk)


def import_app(modules: Iterable[str]) -> None:
    """Import an application's modules.

    :raises DoctorError: one cannot be imported
    """
    for name in modules:
        try:
            import_module(name)
        except (Exception, SystemExit) as error:  # noqa: PERF203  # an application has few
            raise DoctorError(f"cannot import {name}: {type(error).__name__}: {error}") from error


def _examine(job: Job, desk: int) -> Report:
    drivers = job.drivers or installed(KNOWN)
    noted = _Notes()
    if job.preload:
        import_app(job.app)
        for name in drivers:
            with suppress(Exception):  # what does not work will be a finding
                import_module(name)
    if job.runtime is not None:
        noted.make_green(job.runtime)
    if not job.preload:
        import_app(job.app)
    _watch(job.limit + 5 * len(drivers) * job.concurrency * job.seconds, desk)
    report = examine(
        job.dsn,
        drivers=drivers,
        app=job.app,
        concurrency=job.concurrency,
        seconds=job.seconds,
        how=job.how,
    )
    return replace(report, findings=(*noted.findings, *report.findings))


class _Notes(logging.Handler):
    """What was said while the process was made green: by greenpg's log, and by warnings."""

    def __init__(self) -> None:
        super().__init__()
        self.findings: list[Finding] = []
        log = logging.getLogger("greenpg")
        log.addHandler(self)
        log.setLevel(logging.INFO)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record, unless the examination will say the same."""
        if record.funcName == "warn_of_connections":
            return
        if record.levelno > logging.INFO:
            self.findings.append(Finding("warning", "greenpg", record.getMessage()))
        elif record.module == "_preloaded":
            self.findings.append(Finding("ok", "greenpg", record.getMessage()))

    def make_green(self, runtime: str) -> None:
        """Do what an application does at its start.

        :raises DoctorError: it fails
        """
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                _STARTS[runtime]()
            except Exception as error:  # an application's object that was looked at, for one
                reason = f"{type(error).__name__}: {error}"
                raise DoctorError(f"{runtime} fails to monkey-patch the process: {reason}") from error
        for warning in caught:
            if warning.category.__name__ == "MonkeyPatchWarning":
                self.findings.append(Finding("warning", runtime, " ".join(str(warning.message).split())))


def _start_gevent() -> None:
    import gevent.monkey

    gevent.monkey.patch_all()  # an installed greenpg follows by itself


def _start_eventlet() -> None:
    import eventlet

    eventlet.monkey_patch()
    if os.environ.get("GREENPG_AUTO") != "0":
        import greenpg.eventlet

        with suppress(ImportError):  # no driver
            greenpg.eventlet.patch()


_STARTS = {"gevent": _start_gevent, "eventlet": _start_eventlet}


def _watch(limit: float, desk: int) -> None:
    """End this process if it is still there after so many seconds."""
    thread = pristine("_thread")
    held = thread.allocate_lock()
    held.acquire()

    def give_up() -> None:
        held.acquire(timeout=limit)
        text = f"the examination did not end within {limit:.0f} s: something holds the hub for ever"
        _hand_over(StuckError(text), desk)

    thread.start_new_thread(give_up, ())


def _hand_over(result: Report | DoctorError, desk: int) -> NoReturn:
    with open(desk, "wb") as file:
        pickle.dump(result, file)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)  # an application's threads would go on


if __name__ == "__main__":
    main()
