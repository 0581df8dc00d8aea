"""One measurement, in a process of its own: one contender, one workload.

Its rule: one line of JSON goes to stdout, `{seconds}` of CPU (user and system) per operation, or `{error}`.
The DSN comes in $GREENPG_TEST_DSN, for a command line is public.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time

from benchmarks.contenders import CONTENDERS
from benchmarks.workloads import WORKLOADS


def main() -> int:
    """Do what the command line says and report it; return the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("contender", choices=CONTENDERS)
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("count", type=int)
    options = parser.parse_args()
    try:
        seconds = _measure(options.contender, options.workload, options.count)
    except Exception as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}))
        return 1
    print(json.dumps({"seconds": seconds}))
    return 0


def _measure(contender_name: str, workload_name: str, count: int) -> float:
    """Start the contender, warm up, and return the seconds that each of `count` operations took."""
    contender = CONTENDERS[contender_name](os.environ["GREENPG_TEST_DSN"])
    contender.start()
    workload = WORKLOADS[workload_name](contender)
    contender.run(workload.warm_up(count))
    jobs = workload.jobs(count)
    began = time.process_time()
    contender.run(jobs)
    return (time.process_time() - began) / count


if __name__ == "__main__":
    sys.exit(main())
