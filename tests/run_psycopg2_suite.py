#!/usr/bin/env python
"""Run psycopg2's own test suite under greenpg, and compare it with plain psycopg2, test by test.

    python tests/run_psycopg2_suite.py [--runtime gevent] [--module test_copy] [--dsn "host=… user=…"]

The tests come from psycopg2's source distribution, of the version that is installed, and run unchanged, with
the skips of psycopg2's green mode out of force, and with more time where a busy machine needs it. Exit status
1 if a test that passes with plain psycopg2 does not pass under a runtime and has no excuse in
`psycopg2_suite/verdict.py`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import platform
import queue
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import psycopg2

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))  # run as a script, only its own folder is there

from tests.psycopg2_suite.database import ScratchDatabase  # noqa: E402
from tests.psycopg2_suite.job import PLAIN, Job  # noqa: E402
from tests.psycopg2_suite.report import Report, count, flatten  # noqa: E402
from tests.psycopg2_suite.sdist import fetch, installed_version  # noqa: E402
from tests.psycopg2_suite.server import embedded  # noqa: E402
from tests.psycopg2_suite.verdict import RUNTIMES, compare, hopeless  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.psycopg2_suite.job import Outcomes

T = TypeVar("T")

SERVERS = 2  # embedded ones
LIMIT = 60.0  # seconds a test may take
HOPELESS_LIMIT = 5.0  # and one that will hang, we know


class Pool:
    """Runs jobs, one at once for each server; results come in the order asked for.

    A database each would not do: names of prepared transactions and of slots belong to the server.
    """

    def __init__(self, dsns: list[str]) -> None:
        self._size = len(dsns)
        self._databases: queue.SimpleQueue[ScratchDatabase] = queue.SimpleQueue()
        for dsn in dsns:
            self._databases.put(ScratchDatabase(dsn, "greenpg_psycopg2_suite"))

    def map(self, work: Callable[[Job, ScratchDatabase], T], jobs: list[Job]) -> Iterator[T]:
        """Yield what `work` returns for every job."""

        def one(job: Job) -> T:
            database = self._databases.get()
            try:
                return work(job, database)
            finally:
                self._databases.put(database)

        with ThreadPoolExecutor(self._size) as executor:
            yield from executor.map(one, jobs)

    def close(self) -> None:
        """Drop the databases."""
        while not self._databases.empty():
            self._databases.get().drop()


def run(dsns: list[str], runtimes: list[str], modules: list[str]) -> Report:
    """Run `modules` (all, if empty) under plain psycopg2 and then under every runtime."""
    suite = fetch(installed_version(), REPOSITORY / ".cache")
    known = sorted(path.stem for path in (suite / "tests").glob("test_*.py"))
    if unknown := set(modules) - set(known):
        raise SystemExit(f"no such module: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    modules = [module for module in known if module in modules or not modules]
    jobs = [
        Job(suite, runtime, module, LIMIT, dict.fromkeys(hopeless(runtime), HOPELESS_LIMIT))
        for runtime in (PLAIN, *runtimes)
        for module in modules
    ]
    results: dict[str, dict[str, Outcomes]] = {runtime: {} for runtime in (PLAIN, *runtimes)}
    with contextlib.closing(Pool(dsns)) as pool:
        for job, outcomes in zip(jobs, pool.map(Job.run, jobs), strict=True):
            results[job.runtime][job.module] = outcomes
            print(f"{job.runtime} {job.module} {count(outcomes.values())}", file=sys.stderr)
        green_skips = set().union(*pool.map(Job.green_skips, jobs[: len(modules)]))
    differences = compare({runtime: flatten(by_module) for runtime, by_module in results.items()})
    return Report(_versions(dsns[0]), results, green_skips, differences)


def _versions(dsn: str) -> str:
    with contextlib.closing(psycopg2.connect(dsn)) as connection:
        server = connection.info.parameter_status("server_version")
    libpq = psycopg2.extensions.libpq_version()
    return (
        f"psycopg2 {installed_version()}, libpq {libpq // 10000}.{libpq % 10000}, "
        f"PostgreSQL {server}, Python {platform.python_version()}"
    )


def main() -> int:
    """Do what the command line says; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runtime", action="append", choices=(PLAIN, *RUNTIMES), help="default: all")
    parser.add_argument("--module", action="append", default=[], help="such as test_copy; default: all")
    parser.add_argument(
        "--dsn",
        action="append",
        help="a superuser on a server with wal_level=logical and max_prepared_transactions; as many modules "
        f"run at once as there are servers; default: {SERVERS} embedded ones",
    )
    parser.add_argument("--server", type=int, default=16, help="version of the embedded server (16 or 18)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there, too")
    options = parser.parse_args()
    runtimes = [name for name in RUNTIMES if options.runtime is None or name in options.runtime]
    with contextlib.ExitStack() as stack:
        dsns = options.dsn or [stack.enter_context(embedded(options.server)) for _ in range(SERVERS)]
        report = run(dsns, runtimes, options.module)
    print("\n".join(report.lines()))
    if options.json:
        options.json.write_text(json.dumps(report.as_json(), indent=1))
    return 1 if report.differences else 0


if __name__ == "__main__":
    sys.exit(main())
