"""One phase of the demo, in a process of its own: N users at once in one thread, blocking or green.

Blocking is the process as people run it today: monkey-patched, so that `urlopen` waits in the hub, while
psycopg2 blocks it. Green is that and one line more. Everything else is the same.

Its rule: the figures go to stdout as JSON lines, times in seconds since the phase began:
`{user, kind, start}` when a wait begins, the same with `{end, served}` when it is over (`served`: what the
other side says it took), `{wall, pause}` at the close, `{error}` if it cannot go on. The DSN comes in
$GREENPG_TEST_DSN, for a command line is public.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_TICK = 0.001


class _Runtime(NamedTuple):
    spawn: Callable[..., Any]
    join: Callable[[Any], object]
    sleep: Callable[[float], object]


def _gevent(green: bool) -> _Runtime:
    import gevent.monkey

    gevent.monkey.patch_all()
    if green:
        import greenpg.gevent

        greenpg.gevent.patch()
    return _Runtime(gevent.spawn, gevent.Greenlet.join, gevent.sleep)


def _eventlet(green: bool) -> _Runtime:
    # Advice to leave eventlet, at every import: not what the demo is about.
    warnings.filterwarnings("ignore", message="\nEventlet is deprecated")
    import eventlet

    eventlet.monkey_patch(psycopg=False)  # by default it installs a psycopg2 callback of its own
    if green:
        import greenpg.eventlet

        greenpg.eventlet.patch()
    return _Runtime(eventlet.spawn, eventlet.greenthread.GreenThread.wait, eventlet.sleep)


class _Ticker:
    """A green thread that wants a turn every millisecond, and the longest that it had to wait for one."""

    def __init__(self, sleep: Callable[[float], object]) -> None:
        self.longest = 0.0
        self._sleep = sleep
        self._last = time.monotonic()

    def tick(self) -> None:
        now = time.monotonic()
        self.longest = max(self.longest, now - self._last - _TICK)
        self._last = now

    def run(self) -> None:
        while True:
            self._sleep(_TICK)
            self.tick()


def _report(**event: object) -> None:
    try:
        print(json.dumps(event), flush=True)
    except BrokenPipeError:  # who started us is gone, before it could end us too (Ctrl-C at the very start)
        os._exit(1)


class _Users:
    """The users: each asks the web server, then the database, and reports how long it waited."""

    def __init__(self, url: str, dsn: str, seconds: float) -> None:
        # Not before the monkey-patching, as in any gevent application.
        from greenpg.demo.users import ask_database, ask_web

        self._asks: dict[str, Callable[[], float]] = {
            "http": lambda: ask_web(url),
            "sql": lambda: ask_database(dsn, seconds),
        }
        self._began = time.monotonic()

    def run(self, user: int) -> None:
        try:
            for kind in self._asks:
                self._wait(user, kind)
        except Exception as error:
            _report(error=f"user {user}: {error}")

    def _wait(self, user: int, kind: str) -> None:
        start = self.clock()
        _report(user=user, kind=kind, start=start)
        served = self._asks[kind]()
        _report(user=user, kind=kind, start=start, end=self.clock(), served=served)

    def clock(self) -> float:
        return time.monotonic() - self._began


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", choices=["blocking", "green"], required=True)
    parser.add_argument("--library", choices=["gevent", "eventlet"], required=True)
    parser.add_argument("--users", type=int, required=True)
    parser.add_argument("--sleep", type=float, required=True)
    parser.add_argument("--url", required=True)
    return parser.parse_args()


def main() -> None:
    """Run one phase and report it."""
    options = _options()
    start = {"gevent": _gevent, "eventlet": _eventlet}[options.library]
    runtime = start(options.mode == "green")
    users = _Users(options.url, os.environ["GREENPG_TEST_DSN"], options.sleep)
    ticker = _Ticker(runtime.sleep)
    runtime.spawn(ticker.run)
    running = [runtime.spawn(users.run, number) for number in range(1, options.users + 1)]
    for user in running:
        runtime.join(user)
    wall = users.clock()
    ticker.tick()  # the last pause may be one that the ticker has not had its turn after
    _report(wall=wall, pause=ticker.longest)


if __name__ == "__main__":
    main()
