"""What the doctor reports: plain data, that JSON can hold.

Its rule: nothing here looks at anything.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["ok", "note", "warning", "problem"]
State = Literal[
    "green", "half green", "blocks", "native", "sockets", "asyncio", "not imported", "broken", "unknown"
]  # fmt: skip


class DoctorError(Exception):
    """The examination cannot be made: no server, a bad option; the message is one line, without passwords."""

    status = 2
    """What `greenpg doctor` ends with."""


class StuckError(DoctorError):
    """The examination did not come to an end, for something holds the hub."""

    status = 1


@dataclass(frozen=True)
class Libpq:
    """A libpq that is loaded in the process."""

    version: str
    path: str


@dataclass(frozen=True)
class Process:
    """The process that was examined."""

    pid: int
    python: str
    runtime: str | None
    """`gevent` or `eventlet` if it is a process of green threads; `uwsgi` in uWSGI's own async core."""
    monkey_patched: dict[str, tuple[str, ...]]
    """By library, the standard modules that it has replaced."""
    greenpg: str | None
    """The runtime that greenpg has patched the drivers for."""
    waiter: str
    """greenpg's wait callback in force, or why there is none."""
    libpq: Libpq | None
    """greenpg's own."""
    versions: dict[str, str]
    environment: dict[str, str]
    """What is set of the variables that matter."""
    binding: str = "none"
    """How greenpg uses its libpq: `compiled`, or `ctypes` and why not by the compiled one."""

    def patched(self, module: str) -> bool:
        """Return whether somebody has replaced a standard module."""
        return any(module in modules for modules in self.monkey_patched.values())

    @property
    def waits(self) -> bool:
        """Whether greenpg's waits let its green threads run, as far as `knows_waiter`."""
        if self.monkey_patched and self.runtime not in self.monkey_patched:
            return False
        if self.knows_waiter:
            return self.waiter.startswith(f"greenpg.waiters.{self.runtime}.")
        return not self.waiter.startswith("none: ")

    @property
    def knows_waiter(self) -> bool:
        """Whether the wait callback in force is one of greenpg's; somebody's own may do anything."""
        return self.waiter.startswith("greenpg.waiters.")


@dataclass(frozen=True)
class Driver:
    """A PostgreSQL driver that is installed."""

    name: str
    """What is imported."""
    version: str
    """With the distribution's name where that is another one."""
    state: State
    waits: str
    """What it waits through."""
    libpq: Libpq | None = None


@dataclass(frozen=True)
class Finding:
    """One thing that was found out."""

    level: Level
    about: str
    text: str
    """What, and the reason."""
    fix: str = ""


@dataclass(frozen=True)
class Server:
    """The PostgreSQL that was measured with."""

    version: str
    address: str
    encrypted: bool
    max_connections: int | None


@dataclass(frozen=True)
class Step:
    """One thing that a driver was made to do; times in seconds."""

    name: str
    took: float
    held: float
    """The longest time for which no other green thread had a turn."""
    computed: float = 0.0
    """How much of that went into computing, and not into waiting."""
    at_once: int | None = None
    """How many were under way at the same time; `None` where it was only one from the beginning."""
    error: str | None = None


@dataclass(frozen=True)
class Measurement:
    """What a driver did."""

    driver: str
    concurrency: int
    seconds: float
    """How long the server took for each query."""
    steps: tuple[Step, ...] = ()
    error: str | None = None
    """Why it could not be measured."""


@dataclass(frozen=True)
class Report:
    """The result of an examination; `render()` is for people, `as_dict()` for programs."""

    how: str
    """How the process came to be as it is."""
    process: Process
    drivers: tuple[Driver, ...]
    findings: tuple[Finding, ...]
    server: Server | None = None
    measurements: tuple[Measurement, ...] = ()

    @property
    def problems(self) -> tuple[Finding, ...]:
        """What would hold the hub, or did."""
        return tuple(finding for finding in self.findings if finding.level == "problem")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What may hold the hub, or is not safe."""
        return tuple(finding for finding in self.findings if finding.level == "warning")

    @property
    def green(self) -> bool:
        """Whether this is a process of green threads, in which no problem was found."""
        return self.process.runtime is not None and not self.problems

    def as_dict(self) -> dict[str, Any]:
        """Return it all as what `json.dumps()` takes."""
        return {"green": self.green, **asdict(self)}
