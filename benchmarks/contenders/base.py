"""What a contender is: a driver in a runtime, and what has been done to both."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from importlib.util import find_spec
from typing import TYPE_CHECKING

from benchmarks.drivers.libpq import Libpq
from benchmarks.drivers.psycopg3 import AsyncGreenpg, Greenpg
from benchmarks.limit import building

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.drivers.base import Driver
    from benchmarks.runtimes.base import Runtime


class Kind(Enum):
    """Whose work it is."""

    OURS = "greenpg"
    PATCHED = "another driver, made green by greenpg"
    PEER = "a peer"
    LIMIT = "the limit"


@dataclass(frozen=True)
class Contender:
    """One driver in one runtime."""

    name: str
    title: str
    kind: Kind
    driver: type[Driver]
    runtime: type[Runtime]
    patch: Callable[[], object] | None = None
    """Called between the runtime's start and the driver's."""
    packages: tuple[str, ...] = ()
    """The modules that it needs beside those of its driver and runtime."""
    lacks: tuple[str, ...] = ()
    """What it refuses of what workloads need: `copy`."""
    only: tuple[str, ...] = ()
    """The workloads that it is for; all, if there are none."""
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def modules(self) -> set[str]:
        """All the modules that it needs."""
        return {*self.driver.packages, *self.runtime.packages, *self.packages}

    def why_not(self) -> str:
        """Return why it cannot be measured here though all is installed; nothing, if it can."""
        if self.driver is Libpq:
            return building.why_not()
        compiled = self.driver in (Greenpg, AsyncGreenpg) and self.environment.get("GREENPG_IMPL") == "c"
        return "not built" if compiled and find_spec("greenpg.pq._libpq") is None else ""
