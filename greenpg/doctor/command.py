"""`greenpg doctor`: its options, which processes are examined, and the exit status.

Its rule: 0 means that all is green, 1 that something would hold the hub or is not green, 2 that there was
no examination, for the reason on stderr.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import sys
from contextlib import redirect_stdout
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import _SubParsersAction
    from typing import Any

    from greenpg.doctor.report import Report

_RUNTIMES = ("gevent", "eventlet")
_MOST = 1000


def add_to(commands: _SubParsersAction[Any]) -> None:
    """Add the command `doctor` and its options."""
    text = "tell whether a process is green, what in it would hold its hub, and what to do about it"
    doctor = commands.add_parser(
        "doctor",
        help=text,
        description=text,
        epilog="The exit status is 0 if all is green, 1 if something would hold the hub, 2 if it cannot be"
        " examined. Within an application: greenpg.doctor.examine().",
        allow_abbrev=False,
    )
    _add_processes(doctor)
    doctor.add_argument(
        "--driver",
        action="append",
        default=[],
        metavar="NAME",
        help="examine this driver alone, again for more (default: all that are installed)",
    )
    doctor.add_argument("--dsn", help="try the drivers on this PostgreSQL; '' takes libpq's environment")
    doctor.add_argument(
        "--concurrency",
        type=_concurrency,
        default=10,
        metavar="N",
        help="connections of one driver at once (default: 10)",
    )
    doctor.add_argument(
        "--seconds", type=_seconds, default=0.2, help="what a query takes on the server (default: 0.2)"
    )
    doctor.add_argument("--strict", action="store_true", help="count warnings as problems")
    doctor.add_argument("--json", action="store_true", help="print JSON")
    doctor.set_defaults(run=run)


def _add_processes(doctor: argparse.ArgumentParser) -> None:
    """Add the options that say what is examined."""
    which = doctor.add_mutually_exclusive_group()
    for runtime in _RUNTIMES:
        text = f"examine a fresh process of {runtime}, as an application has it"
        which.add_argument(f"--{runtime}", action="store_const", const=runtime, dest="runtime", help=text)
    which.add_argument(
        "--here",
        action="store_const",
        const="here",
        dest="runtime",
        help="examine this very process (default where it is green already: greenpg run --gevent --"
        " greenpg doctor)",
    )
    doctor.add_argument(
        "--import",
        action="append",
        default=[],
        dest="app",
        metavar="MODULE",
        help="import this module of an application before the examination, again for more; without"
        " --gevent or --eventlet, the application is to monkey-patch its process by itself",
    )
    doctor.add_argument(
        "--preload",
        action="store_true",
        help="import the modules and the drivers before the process is monkey-patched, as gunicorn"
        " --preload does",
    )


def run(options: argparse.Namespace) -> int:
    """Examine what the options say and print the reports; return the exit status."""
    from greenpg.doctor.report import DoctorError

    try:
        if sys.stdout is None:
            raise DoctorError("there is nowhere to write the report: standard output is closed")
        reports = _reports(options)
    except DoctorError as error:
        return _complain(error, error.status)
    green = all(report.green and not (options.strict and report.warnings) for report in reports)
    try:
        if options.json:
            print(json.dumps({"green": green, "reports": [report.as_dict() for report in reports]}, indent=2))
        else:
            _print(reports)
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is left to be flushed
        if not isinstance(error, BrokenPipeError):  # a reader that has seen enough
            return _complain(f"cannot write the report: {(error.strerror or str(error)).lower()}", 2)
    return 0 if green else 1


def _complain(error: object, status: int) -> int:
    print("greenpg doctor: error:", " ".join(str(error).split()), file=sys.stderr)
    return status


def _reports(options: argparse.Namespace) -> list[Report]:
    """Examine what the options say.

    :raises DoctorError: it cannot be examined
    """
    from greenpg.doctor.clinic import examine_fresh
    from greenpg.doctor.patient import Job
    from greenpg.doctor.report import DoctorError

    if options.preload and options.runtime not in _RUNTIMES:
        raise DoctorError("--preload needs --gevent or --eventlet: it is about what comes first")
    runtimes = _fresh_ones(options.runtime, bool(options.app))
    asked = (tuple(options.app), options.preload, tuple(options.driver))
    how = (options.dsn, options.concurrency, options.seconds)
    reports = [examine_fresh(Job(runtime, *asked, *how)) for runtime in runtimes]
    return reports or [_examine_this(options)]


def _fresh_ones(asked_for: str | None, has_app: bool) -> list[str | None]:
    """Return for which runtimes a fresh process is examined; if there are none, it is this process.

    An application of which nothing is said may well monkey-patch its process by itself: that is `None`.

    :raises DoctorError: the runtime that is asked for is not installed
    """
    from greenpg.doctor.process import runtime_of_this
    from greenpg.doctor.report import DoctorError

    if asked_for in _RUNTIMES:
        if find_spec(asked_for) is None:
            raise DoctorError(f'{asked_for} is not installed: pip install "greenpg[{asked_for}]"')
        return [asked_for]
    if asked_for == "here" or runtime_of_this() is not None:
        return []
    return [None] if has_app else [runtime for runtime in _RUNTIMES if find_spec(runtime) is not None]


def _examine_this(options: argparse.Namespace) -> Report:
    from greenpg.compat._drivers import installed
    from greenpg.doctor.drivers import KNOWN
    from greenpg.doctor.examination import examine
    from greenpg.doctor.patient import import_app

    if options.app:
        sys.path.insert(0, os.getcwd())  # as `python -m` has it
        with redirect_stdout(sys.stderr):
            import_app(options.app)
    return examine(
        options.dsn,
        drivers=options.driver or installed(KNOWN),
        app=options.app,
        concurrency=options.concurrency,
        seconds=options.seconds,
    )


def _print(reports: list[Report]) -> None:
    from greenpg.doctor.display import render

    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else None
    colours = terminal and not os.environ.get("NO_COLOR")
    print("\n".join(render(report, width=width, colours=colours) for report in reports), end="")


def _concurrency(text: str) -> int:
    if not (text.isdecimal() and 2 <= int(text) <= _MOST):
        raise argparse.ArgumentTypeError(f"must be a whole number from 2 to {_MOST}, not {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.05 <= seconds <= 10:
        raise argparse.ArgumentTypeError(f"must be a number of seconds from 0.05 to 10, not {text!r}")
    return seconds
