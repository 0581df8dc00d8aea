"""`greenpg run`: its options, the checks before the start, and the start.

Its rule: what can be known to be wrong is one line and status 2 before the program has begun.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

from greenpg.run.isolation import isolating_option

if TYPE_CHECKING:
    from argparse import _SubParsersAction
    from typing import Any, NoReturn

_BOOTSTRAP = str(Path(__file__).parent / "bootstrap")


class RunError(Exception):
    """What the user can put right; the message is one line."""


def add_to(commands: _SubParsersAction[Any]) -> None:
    """Add the command `run` and its options."""
    text = "run a program with everything green before its first import, in its Python children too"
    run_command = commands.add_parser(
        "run",
        help=text,
        description=text,
        usage="%(prog)s [-h] (--gevent | --eventlet) -- COMMAND ...",
        epilog="Children inherit it through GREENPG_RUN and PYTHONPATH: one that is started with GREENPG_RUN"
        " empty stays as it is. The exit status is the program's own, or 2 if it cannot be started.",
        allow_abbrev=False,
    )
    runtimes = run_command.add_mutually_exclusive_group(required=True)
    for runtime in ("gevent", "eventlet"):
        runtimes.add_argument(
            f"--{runtime}",
            action="store_const",
            const=runtime,
            dest="runtime",
            help=f"monkey-patch with {runtime}, and let PostgreSQL drivers wait through it",
        )
    run_command.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND", help="what to run")
    run_command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Become the program. Return only if that fails: 2, after one line on stderr."""
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    try:
        _check(options.runtime, command)
        _become(options.runtime, command)
    except RunError as error:
        print("greenpg run: error:", error, file=sys.stderr)
        return 2


def _check(runtime: str, command: list[str]) -> None:
    from greenpg.compat._drivers import installed_drivers  # not for every other command's sake

    if not (command and command[0]):
        raise RunError(f"no command given: greenpg run --{runtime} -- COMMAND ...")
    if find_spec(runtime) is None:
        raise RunError(f'{runtime} is not installed: pip install "greenpg[{runtime}]"')
    if not installed_drivers():
        raise RunError('no driver is installed: pip install "greenpg[psycopg2]" or "greenpg[psycopg]"')
    if option := isolating_option(command):
        raise RunError(f"leave {option} out: with it, Python does not load what makes it green")


def _become(runtime: str, command: list[str]) -> NoReturn:
    """Execute the program in the place of this process."""
    given = os.environ.get("PYTHONPATH")
    paths = given.split(os.pathsep) if given else []  # an empty one in it is the current folder
    environment = {
        **os.environ,
        "GREENPG_RUN": runtime,
        "GREENPG_RUN_PID": str(os.getpid()),
        "PYTHONPATH": os.pathsep.join([_BOOTSTRAP, *(path for path in paths if path != _BOOTSTRAP)]),
    }
    # Python ignores these, and what is ignored stays so in the program, a shell's pipe for one.
    for name in ("SIGPIPE", "SIGXFZ", "SIGXFSZ"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execvpe(command[0], command, environment)
    except OSError as error:
        raise RunError(f"cannot start {command[0]!r}: {_reason(command[0], error)}") from error


def _reason(name: str, error: OSError) -> str:
    if name.endswith(".py"):
        return f"start it with python {name}"
    if isinstance(error, FileNotFoundError):
        return "the interpreter of its first line is not there" if which(name) else "no such command"
    return (error.strerror or str(error)).lower()
