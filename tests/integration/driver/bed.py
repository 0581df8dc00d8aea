"""What a test of the driver is given as `db`: connections, tasks, and an observer of the server.

The driver is greenpg. With $GREENPG_TEST_DRIVER=psycopg it is psycopg 3, whose behaviour is the specification
wherever it has the thing: a test that fails there says something of ours alone, and is marked `beyond`.
"""

from __future__ import annotations

import gc
import importlib
import inspect
import itertools
import os
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg2

from tests.integration.driver.blocking import Facades, bare
from tests.integration.driver.runtimes import LIMIT, Task

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator
    from contextlib import AbstractContextManager
    from types import ModuleType

    from tests.integration.driver.runtimes import Event, Runtime

T = TypeVar("T")

DRIVER = os.environ.get("GREENPG_TEST_DRIVER", "greenpg")
WATCHDOG = 100.0
"""Seconds that a whole test may take."""
CLEANING_UP = 20.0
"""Seconds within which the sockets of a test are closed."""

_numbers = itertools.count()


class HangError(SystemExit):
    """Raised in the main thread of a test that has taken too long; nothing on the way should swallow it."""


class Observer:
    """Another driver's connection, in autocommit: what the server says of a test's own."""

    def __init__(self, dsn: str) -> None:
        self._connection = psycopg2.connect(dsn, options="-c statement_timeout=60s -c lock_timeout=30s")
        self._connection.autocommit = True

    def __call__(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        with self._connection.cursor() as cursor:
            cursor.execute(query, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def sockets() -> set[str]:
    """Return the sockets that this process has open."""
    found = set()
    for fd in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{fd}")
        except OSError:  # that of the listing itself
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """See that the body takes no longer, less what a busy machine adds.

    A native thread does nothing but sleep meanwhile. By what its sleeps are late the body was late as well;
    but not by the time in which we computed ourselves, which may have kept the thread.
    """
    over = threading.Event()
    late = 0.0

    def tick() -> None:
        nonlocal late
        while not over.is_set():
            began = time.monotonic()
            over.wait(0.005)
            late += max(time.monotonic() - began - 0.006, 0.0)

    ticker = threading.Thread(target=tick)
    ticker.start()
    began, computed = time.monotonic(), time.process_time()
    try:
        yield
        took, computed = time.monotonic() - began, time.process_time() - computed
    finally:
        over.set()
        ticker.join()
    spared = max(late - computed, 0.0)
    assert took - spared < seconds, f"it took {took:.3f} s, of which the machine is to blame for {spared:.3f}"


class Db:
    """The test bed of one test, in one runtime.

    :param sql: run a statement on the observer's connection, `db.sql("select ... where pid = %s", pid)`
    """

    def __init__(self, runtime: Runtime, dsn: str, sql: Observer) -> None:
        self.runtime = runtime
        self.is_async = runtime.is_async
        self.dsn = dsn
        self.sql = sql
        self.label = f"test{next(_numbers)}"
        """The application name of this test's connections."""
        self.driver: Any = importlib.import_module(DRIVER)
        self.errors: Any = self.module("errors")
        self._facades = Facades(self.driver)
        self._opened: list[Any] = []
        self._tables: list[str] = []
        self._tasks: list[Task[Any]] = []

    def module(self, name: str) -> ModuleType:
        """Return a module of the driver."""
        return importlib.import_module(f"{DRIVER}.{name}")

    def kind(self, name: str) -> Any:
        """Return a class of the driver in this runtime's colour: `kind("Cursor")` may be AsyncCursor."""
        return getattr(self.driver, f"Async{name}" if self.is_async else name)

    # --- Connections

    async def connect(self, conninfo: str = "", **options: Any) -> Any:
        """Connect to the session's server; the connection is closed at the end of the test.

        :param conninfo: instead of the server's
        """
        options = {"application_name": self.label, **options}
        return self.keep(await self.call(self.kind("Connection").connect, conninfo or self.dsn, **options))

    def keep(self, connection: Any) -> Any:
        """Close a connection at the end of the test; return it."""
        self._opened.append(self._facade(connection))
        return connection

    def _facade(self, value: Any) -> Any:
        return value if self.is_async else self._facades.wrap(value)

    async def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call what is awaitable in the async colour alone, with bare objects, and return its result."""
        result = function(*bare(args), **kwargs)
        if inspect.isawaitable(result):
            result = await result
        return self._facade(result)

    async def fetch(self, connection: Any, query: str, *args: Any) -> list[Any]:
        """Run a query on a connection and return its rows."""
        rows: list[Any] = await (await connection.execute(query, *args)).fetchall()
        return rows

    async def value(self, connection: Any, query: str = "select 42", *args: Any) -> Any:
        """Return the one value of a query."""
        [[value]] = await self.fetch(connection, query, *args)
        return value

    # --- At the same time

    def spawn(self, function: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> Task[T]:
        """Run an async function in a task of the runtime; `await task.get()` before the test ends."""
        task = self.runtime.spawn(function, *args)
        self._tasks.append(task)
        return task

    def event(self) -> Event:
        """Return an event of the runtime."""
        return self.runtime.event()

    def timeout(self, seconds: float) -> AbstractContextManager[object]:
        """Interrupt the body of the `with` statement; `db.Timeout` comes out of it. In the main task only."""
        return self.runtime.timeout(seconds)

    @property
    def Timeout(self) -> type[BaseException]:
        """What comes out of `timeout()`."""
        return self.runtime.Timeout

    async def until(self, condition: Callable[[], T]) -> T:
        """Ask until the answer is true, letting others run: for what only the server knows."""
        for _ in range(int(LIMIT / 0.01)):
            answer = condition()
            if answer:
                return answer
            await self.runtime.pause(0.01)
        raise AssertionError(f"{condition} has not come true within {LIMIT} s")

    async def under_way(self, connection: Any) -> None:
        """Wait until a statement is under way on a connection, as the server sees it."""
        await self.until(self.asks_active(connection))

    async def interrupt(
        self, connection: Any, function: Callable[..., Coroutine[Any, Any, T]], *args: Any
    ) -> Task[T]:
        """Run `function` and interrupt it, as the runtime does, once its statement is under way.

        In a task that is killed, or in the main thread by a signal where the runtime has no tasks.
        :return: the task, which has ended; its `error` is what the function raised
        """
        return await self.interrupt_when(self.asks_active(connection), function, *args)

    async def interrupt_when(
        self, condition: Callable[[], object], function: Callable[..., Coroutine[Any, Any, T]], *args: Any
    ) -> Task[T]:
        """Run `function` and interrupt it once a condition is true; else as `interrupt()`."""
        task = Task(self.runtime, function, args)
        await self.runtime.interrupt(task, condition)
        return task

    def asks_active(self, connection: Any) -> Callable[[], bool]:
        """Return a condition: that the server is at a statement of the connection, other than BEGIN."""
        pid = connection.info.backend_pid
        query = "select state = 'active' and query not ilike 'begin%%' from pg_stat_activity where pid = %s"
        return lambda: self.sql(query, pid) == [(True,)]

    @contextmanager
    def hold(self) -> Iterator[str]:
        """Have a statement wait until the body has ended: yield the SQL of the call in which it does."""
        lock = f"({os.getpid()}, {next(_numbers)})"
        self.sql(f"select pg_advisory_lock{lock}")
        try:
            yield f"pg_advisory_lock{lock}"
        finally:
            self.sql(f"select pg_advisory_unlock{lock}")

    # --- Names

    def name(self) -> str:
        """Return a name that nothing else on the server has."""
        return f"greenpg_{os.getpid()}_{next(_numbers)}"

    def table(self, columns: str = "id int, data text") -> str:
        """Create a table that other connections see too; it is dropped at the end. Return its name."""
        self._tables.append(self.name())
        self.sql(f"create table {self._tables[-1]} ({columns})")
        return self._tables[-1]

    def sessions(self, columns: str = "pid") -> list[tuple[Any, ...]]:
        """Return the server's sessions of this test's connections."""
        return self.sql(f"select {columns} from pg_stat_activity where application_name = %s", self.label)

    # --- The test

    def run(self, test: Callable[[], Awaitable[None]]) -> None:
        """Run the test, close what it has opened, and complain of what is left."""

        async def main() -> None:
            try:
                await test()
            finally:
                for connection in self._opened:
                    await connection.close()

        before = sockets()
        with Watchdog(WATCHDOG):
            self.runtime.run(main)
        self._opened.clear()
        for table in self._tables:
            self.sql(f"drop table {table}")
        assert all(task.is_over for task in self._tasks), "a task is left"
        self._complain_of_sockets(before)

    def _complain_of_sockets(self, before: set[str]) -> None:
        for _ in range(int(CLEANING_UP / 0.01)):  # a request to cancel may be on its way, in a native thread
            if not sockets() - before:
                return
            threading.Event().wait(0.01)
        gc.collect()  # which warns of whose they were
        raise AssertionError(f"the test has left sockets open: {sockets() - before} are after the collector")


class Watchdog:
    """Raises `HangError` in the main thread when the body takes too long; again, if that is swallowed."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, args=(threading.get_ident(),), daemon=True)

    def __enter__(self) -> None:
        self._previous = signal.signal(signal.SIGUSR2, self._bark)
        try:
            self._thread.start()
        except BaseException:  # it has barked right here
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        try:
            self._over.set()
        finally:  # it may have barked right here: it would go on in what comes after the test
            self._over.set()
            self._thread.join()
            signal.signal(signal.SIGUSR2, self._previous)

    def _watch(self, main: int) -> None:
        left = self._seconds
        while not self._over.wait(left):
            signal.pthread_kill(main, signal.SIGUSR2)
            left = 1.0

    def _bark(self, *_: object) -> None:
        if not self._over.is_set():
            raise HangError(f"the test has not ended within {self._seconds} s")
