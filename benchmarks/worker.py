"""Measurements in a process of its own: one contender, one workload, or several with `--quick`.

Its rule: for each workload, one line of JSON goes to stdout: `{workload, points}`, or `{workload, error}`.
The DSN comes in $GREENPG_TEST_DSN, for a command line is public.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from benchmarks.contenders import CONTENDERS
from benchmarks.scheduling import apart
from benchmarks.workloads import WORKLOADS

if TYPE_CHECKING:
    from benchmarks.contenders.base import Contender
    from benchmarks.drivers.base import Driver
    from benchmarks.runtimes.base import Runtime


def main() -> int:
    """Do what the command line says and report it; return the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("contender", choices=CONTENDERS)
    parser.add_argument("workloads", nargs="+", help="NAME=SIZE")
    parser.add_argument("--processors", type=int, nargs="*", default=[])
    options = parser.parse_args()
    _take_all_files()
    contender = CONTENDERS[options.contender]
    started: tuple[Driver, Runtime] | None = None
    for name, size in (workload.split("=") for workload in options.workloads):
        try:
            started = started or _start(contender)
            found = {"points": _measure(*started, name, int(size), options.processors)}
        except Exception as error:
            found = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps({"workload": name, **found}), flush=True)
    return 0


def _take_all_files() -> None:
    """Raise the limit of open files to what it may be: it is often less than a thousand connections need."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _start(contender: Contender) -> tuple[Driver, Runtime]:
    runtime = contender.runtime()
    runtime.start()
    if contender.patch is not None:
        contender.patch()
    driver = contender.driver(os.environ["GREENPG_TEST_DSN"])
    driver.start()
    return driver, runtime


def _measure(driver: Driver, runtime: Runtime, name: str, size: int, processors: list[int]) -> Any:
    workload = WORKLOADS[name]
    with apart(processors) if workload.apart else nullcontext():
        return runtime.drive(workload.steps(driver, runtime, size))


if __name__ == "__main__":
    sys.exit(main())
