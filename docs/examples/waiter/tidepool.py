"""A wait callback for plain threads: the thread that asks is the one that stops."""

import select

from greenpg.abc import Ready

EVENTS = {1: select.POLLIN, 2: select.POLLOUT, 3: select.POLLIN | select.POLLOUT}


def wait(fd, need, timeout, /):
    """Wait until `fd` is ready for `need`, or until `timeout` seconds have passed."""
    poll = select.poll()
    poll.register(fd, EVENTS[need])
    milliseconds = None if timeout is None else min(timeout, 1e6) * 1000  # a C int
    found = poll.poll(milliseconds)
    if not found:
        return Ready.NONE
    ((_, event),) = found
    if event & select.POLLNVAL:
        raise OSError(f"file descriptor {fd} is closed")
    if event & (select.POLLHUP | select.POLLERR):
        return Ready(need)
    return Ready(bool(event & select.POLLIN) | bool(event & select.POLLOUT) << 1)
