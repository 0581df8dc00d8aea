"""Tries a driver on a server: whether its calls overlap, how long they hold the hub, what a timeout leaves.

Its rule: what takes its time takes it on the server, so that a slow machine looks like itself.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from greenpg.compat._drivers import DRIVERS
from greenpg.doctor.clients import client, query
from greenpg.doctor.crowd import green_threads, together
from greenpg.doctor.report import Finding, Measurement, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from greenpg.doctor.clients import Client
    from greenpg.doctor.crowd import GreenThreads
    from greenpg.doctor.report import Driver, Level
    from greenpg.doctor.server import Target

_ABOUT_TO_RUN = 0.05
"""Seconds after which a statement has reached the server, as a rule."""
_CANCELED = "57014"


def measure_all(
    drivers: Iterable[Driver], runtime: str, target: Target, concurrency: int, seconds: float
) -> Iterator[Measurement]:
    """Try those drivers that are imported and that the doctor knows how to try.

    :param runtime: `gevent` or `eventlet`
    :param concurrency: connections at the same time, 2 or more
    :param seconds: what the server is to take for each query
    """
    threads = green_threads(runtime)
    for driver in drivers:
        if driver.state in ("not imported", "broken"):
            continue
        known = client(driver.name, target)
        if known is not None:
            yield _measure(driver.name, _Trial(known, threads, target, seconds), concurrency)


def _measure(driver: str, trial: _Trial, concurrency: int) -> Measurement:
    error = None
    try:
        trial.run(concurrency)
    except Exception as failure:
        error = trial.target.without_password(failure)
    finally:
        trial.close()
    return Measurement(driver, concurrency, trial.seconds, tuple(trial.steps), error)


class _Trial:
    """One driver's connections, and what they were made to do."""

    def __init__(self, driver: Client, threads: GreenThreads, target: Target, seconds: float) -> None:
        self.steps: list[Step] = []
        self._driver = driver
        self._threads = threads
        self.target = target
        self.seconds = seconds
        self._sleep = f"select 1 from pg_sleep({seconds})"
        self._connections: list[Any] = []

    def run(self, concurrency: int) -> None:
        """Make all steps, up to the first that fails."""
        self._driver.connect().close()  # what it imports at its first call is not to count
        if not self._step("connect", [self._connect] * concurrency):
            return
        queries = [partial(query, connection, self._sleep) for connection in self._connections]
        if not self._step("query", queries) or is_serial(self.steps[-1]):
            return  # one that blocks would block in all that follows
        first, second = self._connections[:2]
        if self._driver.copy is not None:
            self._step("COPY", [partial(self._driver.copy, first, f"copy ({self._sleep}) to stdout")])
        if self._driver.cancels:
            self._step("cancel()", [partial(self._cancel, second)])
        self._step("timeout", [partial(self._time_out, first)])

    def close(self) -> None:
        """Close what is open."""
        for connection in self._connections:
            with suppress(Exception):
                connection.close()

    def _connect(self) -> None:
        self._connections.append(self._driver.connect())

    def _step(self, name: str, calls: Sequence[Callable[[], object]]) -> bool:
        """Make the calls at once, note what came of it, and return whether all went well."""
        done = together(self._threads, calls)
        error = self.target.without_password(done.errors[0]) if done.errors else None
        at_once = done.at_once if len(calls) > 1 else None
        self.steps.append(Step(name, done.took, done.held, done.computed, at_once, error))
        return error is None

    def _cancel(self, connection: Any) -> None:
        """Cancel a query that would take far longer, from another green thread."""
        ended: list[Exception | None] = []

        def run() -> None:
            try:
                query(connection, f"select 1 from pg_sleep({10 * self.seconds})")
                ended.append(None)
            except Exception as error:
                ended.append(error)

        task = self._threads.spawn(run)
        while not ended:  # a request that comes before its statement is dropped
            self._threads.sleep(_ABOUT_TO_RUN)
            if not ended:
                connection.cancel()
        self._threads.join(task)
        connection.rollback()
        [error] = ended
        if _CANCELED not in (getattr(error, "pgcode", None), getattr(error, "sqlstate", None)):
            raise RuntimeError(f"it did not cancel the query: {error or 'that ended by itself'}")

    def _time_out(self, connection: Any) -> None:
        """Interrupt a query, and see whether its connection is of use afterwards."""
        limit = self._threads.timeout(self.seconds / 2)
        try:
            with limit:
                query(connection, self._sleep)
        except BaseException as error:
            if error is not limit:
                raise
        else:
            raise RuntimeError("it was not raised")
        connection.rollback()
        answer = query(connection, "select 42")
        if answer != 42:
            raise RuntimeError(f"afterwards, select 42 returned {answer!r}")


def findings_of_measurement(measured: Measurement) -> Iterator[Finding]:
    """Say what the figures mean."""
    found = [finding for step in measured.steps for finding in _of_step(measured, step)]
    if measured.error is not None:
        text = f"tried, and broken off: {measured.error}"
        found.append(Finding("problem", measured.driver, text))
    if not found:
        queries = next(step for step in measured.steps if step.name == "query")
        longest = max(step.held for step in measured.steps)
        text = (
            f"tried: {measured.concurrency} queries of {measured.seconds:g} s at once took {queries.took:.2f}"
            f" s, and nothing held the hub for longer than {_ms(longest)}"
        )
        found.append(Finding("ok", measured.driver, text))
    yield from found


def _of_step(measured: Measurement, step: Step) -> Iterator[Finding]:
    held = f"the hub was held for {_ms(step.held)}"
    if step.error is not None:
        # a driver without support may not outlive a timeout: that was said of it already
        harmless = step.name == "timeout" and measured.driver not in DRIVERS
        level: Level = "warning" if harmless else "problem"
        yield Finding(level, measured.driver, f"{step.name} failed: {step.error}")
    elif is_serial(step):
        what = {"query": "queries"}.get(step.name, f"{step.name}s")
        text = f"{measured.concurrency} {what} came one after the other, in {step.took:.2f} s: {held}"
        yield Finding("problem", measured.driver, text)
    elif step.held >= measured.seconds / 2:
        computing = step.computed >= step.held / 2
        text = f"{step.name}: {held}, {'computing' if computing else 'waiting'}"
        yield Finding("warning" if computing else "problem", measured.driver, text)


def is_serial(step: Step) -> bool:
    """Return whether what was started at once came one after the other."""
    return step.at_once == 1


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
