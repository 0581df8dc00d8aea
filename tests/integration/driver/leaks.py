"""Does things over and over, in one runtime, and prints how much has grown by it, as JSON.

    python -m tests.integration.driver.leaks <runtime> <dsn> <share>

`share` is by how much less often it is done than the promise says. In a process of its own,
for memory and the objects of libpq are counted too.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from collections import Counter
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greenpg import _turn, pq
from tests import bindings
from tests.faults import FaultProxy
from tests.integration.driver.bed import Db
from tests.integration.driver.runtimes import RUNTIMES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.integration.driver.runtimes import Runtime

WARM_UP = 50
"""Times that a thing is done before anything is counted."""

CUTS = (1, 8, 20, 60, 200, 300)
"""Bytes of the server after which a connect is cut: from the first message to the last."""

# What makes an object of libpq, what does away with it, and what it is.
_MAKERS = {
    "PQconnectStart": ("PQfinish", "PGconn"),
    "PQgetResult": ("PQclear", "PGresult"),
    "PQgetCancel": ("PQfreeCancel", "PGcancel"),
    "PQcancelCreate": ("PQcancelFinish", "PGcancelConn"),
}


def count_libpq(alive: Counter[str]) -> None:
    """Have the objects of libpq counted in `alive`."""

    def change(kind: str, by: int, value: object) -> None:
        if by < 0 or value:
            alive[kind] += by

    for maker, (unmaker, kind) in _MAKERS.items():
        bindings.listen(pq.library(), maker, partial(change, kind, 1))
        bindings.listen(pq.library(), unmaker, partial(change, kind, -1))


class Things:
    """What is done over and over; each leaves everything as it was."""

    def __init__(self, db: Db, conn: Any, proxy: FaultProxy) -> None:
        self._db = db
        self._conn = conn
        self._proxy = proxy
        self._sizes = cycle(CUTS)

    async def timeouts(self) -> None:
        """Run into a timeout."""
        await self._fail(
            self._db.errors.StatementTimeout, self._conn.execute("select pg_sleep(9)", timeout=0.005)
        )

    async def errors(self) -> None:
        """Run into an error of the server, and into one of ours."""
        await self._fail(self._db.errors.DivisionByZero, self._conn.execute("select %s / 0", (1,)))
        await self._fail(self._db.errors.ProgrammingError, self._conn.execute("select %s", ()))

    async def connects(self) -> None:
        """Connect, do something, close."""
        conn = await self._db.call(self._db.kind("Connection").connect, self._db.dsn)
        await conn.execute("select 1")
        await conn.close()

    async def cut_connects(self) -> None:
        """Connect to a server that goes away in the midst of it."""
        self._proxy.cut_after(next(self._sizes))
        connect = self._db.call(self._db.kind("Connection").connect, self._proxy.dsn)
        await self._fail(self._db.errors.OperationalError, connect)

    async def rest(self) -> None:
        """Have the connection settle what was interrupted last."""
        assert await self._db.value(self._conn) == 42

    async def _fail(self, kind: type[Exception], call: Awaitable[Any]) -> None:
        try:
            await call
        except kind:
            return
        raise AssertionError(f"no {kind.__name__} was raised")


TIMES = {"timeouts": 1000, "errors": 1000, "connects": 300, "cut_connects": 200}


class Census:
    """Counts what is there."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._libpq: Counter[str] = Counter()
        count_libpq(self._libpq)

    def take(self) -> dict[str, int]:
        """Return how many of each are there."""
        gc.collect()
        return {
            "descriptors": len(os.listdir("/proc/self/fd")),
            "threads": len(os.listdir("/proc/self/task")),
            "tasks": self._tasks(),
            "greenlets": sum(
                type(thing).__name__ in ("Greenlet", "GreenThread") for thing in gc.get_objects()
            ),
            **{kind: self._libpq[kind] for _, kind in _MAKERS.values()},
        }

    def _tasks(self) -> int:
        if self._runtime.name == "trio":
            import trio

            return int(trio.lowlevel.current_statistics().tasks_living)
        return len(asyncio.all_tasks()) if self._runtime.is_async else 0

    async def growth(
        self, thing: Callable[[], Awaitable[None]], rest: Callable[[], Awaitable[object]], times: int
    ) -> dict[str, int]:
        """Do a thing many times, and return what has grown: by how many, and by how many bytes of memory."""
        for _ in range(WARM_UP):
            await thing()
        await rest()
        before, memory = self.take(), _memory()
        for _ in range(times):
            await thing()
        await rest()
        for _ in range(1000):  # a thread may be about to end
            grown = {name: now - before[name] for name, now in self.take().items()}
            if max(grown.values()) <= 0:
                break
            await self._runtime.pause(0.01)
        return {**grown, "bytes": _memory() - memory}


def _memory() -> int:
    """Return the bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main(runtime_name: str, dsn: str, share: str) -> None:
    """Print what each thing has made grow."""
    _turn.RECOVERY_LIMIT = 30.0  # a machine may be busy
    runtime = RUNTIMES[runtime_name]()
    unused: Any = None
    db = Db(runtime, dsn, unused)
    census = Census(runtime)
    found: dict[str, dict[str, int]] = {}

    async def test() -> None:
        conn = await db.connect(autocommit=True)
        things = Things(db, conn, proxy)
        for name, times in TIMES.items():
            thing = getattr(things, name)
            found[name] = await census.growth(thing, things.rest, times // int(share))
        await conn.close()

    with FaultProxy(dsn) as proxy:
        runtime.run(test)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
