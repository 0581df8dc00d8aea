"""One processor for client and server, and a server that never interrupts the client.

Left to the scheduler, a server that is woken up by a query often preempts the client there and then, and has
answered before the client comes to wait: no wait is measured. How often depends on the microseconds that the
client takes and on what else runs; a faster client may even look slower, since to be preempted costs less
than to sleep. With this, every wait of every contender is a wait, and figures vary by 2 % instead of 20 %.

A server of SCHED_BATCH runs only when the client sleeps (see sched(7)). Where a system other than Linux, or a
server that is not ours, does not allow it, the report says so. What is about time and not about CPU, pauses,
is measured on a processor of its own instead: see `Workload.apart`.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


def share_one_processor(server: int) -> frozenset[int]:
    """Bind this process, its children to come, and those of the server to one processor.

    :param server: process id of a PostgreSQL that has no sessions yet; they inherit it
    :return: the processors that this process had before; none if this system cannot do that
    """
    if sys.platform != "linux":
        return frozenset()
    before = frozenset(os.sched_getaffinity(0))
    for pid in (0, server):
        os.sched_setaffinity(pid, {max(before)})
    os.sched_setscheduler(server, os.SCHED_BATCH, os.sched_param(0))
    return before


@contextmanager
def apart(processors: Collection[int]) -> Iterator[None]:
    """Let this process leave the server's processor for a while.

    :param processors: what `share_one_processor()` has returned; with none, or only one, nothing changes
    """
    if not processors:
        yield
        return
    shared = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {*processors} - shared or shared)
    try:
        yield
    finally:
        os.sched_setaffinity(0, shared)
