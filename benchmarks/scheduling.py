"""One processor for client and server, and a server that never interrupts the client.

Left to the scheduler, a server that is woken up by a query often preempts the client there and then, and has
answered before the client comes to wait: no wait is measured. How often depends on the microseconds that the
client takes and on what else runs; a faster client may even look slower, since to be preempted costs less
than to sleep. With this, every wait of every contender is a wait, and figures vary by 2 % instead of 20 %.

A server of SCHED_BATCH runs only when the client sleeps (see sched(7)). Where a system other than Linux, or a
server that is not ours, does not allow it, the report says so.
"""

from __future__ import annotations

import os
import sys


def share_one_processor(server: int) -> bool:
    """Bind this process, its children to come, and those of the server to one processor.

    :param server: process id of a PostgreSQL that has no sessions yet; they inherit it
    :return: whether this system can do that
    """
    if sys.platform != "linux":
        return False
    processor = {max(os.sched_getaffinity(0))}
    for pid in (0, server):
        os.sched_setaffinity(pid, processor)
    os.sched_setscheduler(server, os.SCHED_BATCH, os.sched_param(0))
    return True
