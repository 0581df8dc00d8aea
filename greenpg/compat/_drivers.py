"""Which drivers can be made green, and the one way to do it to all of them, imported or not yet."""

from __future__ import annotations

import logging
import os
import sys
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from greenpg.compat._imports import AfterImport
from greenpg.compat._monkey import patched_for
from greenpg.compat._preloaded import repair, warn_of_connections
from greenpg.waiters import set_wait_callback

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from greenpg.abc import WaitCallback

_log = logging.getLogger("greenpg")

DRIVERS = {
    "psycopg2": "queries, connects, COPY and large objects",
    "psycopg": "queries, connects, COPY, pipelines and notifications",
}
"""Top-level modules, and what waits green in them for the log.

`greenpg.compat.<driver>` has `patch()`, `unpatch()` and `is_patched()`.
"""

ADD_ONS = {"psycopg_pool": "whoever waits for a connection, and the pool's own threads"}
"""The same for modules that are patched like drivers, and are of no use without one."""


class Activation:
    """What one runtime's `patch()` has set up in this process, and how to put it back."""

    def __init__(self) -> None:
        self.runtime: str | None = None
        self.imported_before: tuple[str, ...] = ()
        """The modules that were there before the patch, for whoever asks what was too early."""
        self._installed: WaitCallback | None = None
        self._previous: WaitCallback | None = None
        self._options: dict[str, float] = {}
        self._hooks: list[AfterImport] = []
        self._follows = False

    def patch(self, runtime: str, **options: float | None) -> None:
        """Install the runtime's wait callback and make every installed driver green, now or when imported.

        :param options: limits in seconds, for the drivers; `None` is their default
        :raises ImportError: the runtime is not installed, or there is no driver to patch
        :raises RuntimeError: the process waits in another runtime already, or is monkey-patched by one
        :raises ValueError: a limit is not a positive number
        """
        given = _checked(options)
        self._check_runtime(runtime)
        drivers = installed_drivers()
        if not drivers:
            raise ImportError(
                f"there is no driver to patch: install one of {', '.join(DRIVERS)}"
                ' (pip install "greenpg[psycopg2]" or "greenpg[psycopg]")'
            )
        modules = [*drivers, *installed(ADD_ONS)]
        self._options, self._follows = given, False
        if self.runtime is None:
            warn_of_connections()
            self._activate(runtime, modules)
        try:
            for module in modules:
                if sys.modules.get(module) is not None:
                    self._make_green(module)
        except BaseException:
            self.unpatch()
            raise
        repair()

    def follow(self, runtime: str) -> None:
        """Patch because the process was monkey-patched for `runtime`; never an error to the process.

        `GREENPG_AUTO=0` in the environment means: not before somebody calls `patch()`.
        """
        try:
            if self.runtime is None:
                if os.environ.get("GREENPG_AUTO") != "0" and installed_drivers():
                    self.patch(runtime)
                    self._follows = True
                return
            _warn_of_two({self.runtime, *patched_for()})
            if self.runtime == runtime:
                repair()  # patched before the monkey-patching: what was made in between is native
        except Exception as exc:
            _log.warning("greenpg does not follow the monkey-patching: %s", exc)

    def unpatch(self) -> None:
        """Put everything back; doing it without a patch is doing nothing."""
        if self.runtime is None:
            return
        while self._hooks:
            self._hooks.pop().remove()
        for module in (*DRIVERS, *ADD_ONS):
            room = _room(module)
            if room is not None:
                room.unpatch()
        current = set_wait_callback(self._previous)
        if current is not self._installed:  # somebody has installed another one since: it is theirs
            set_wait_callback(current)
        self.runtime = None

    def _check_runtime(self, runtime: str) -> None:
        """Refuse a runtime in which nobody else in this process waits.

        :raises RuntimeError: the drivers or the standard library wait in another one
        """
        if self.runtime not in (None, runtime):
            raise RuntimeError(
                f"this process waits in {self.runtime} already: call greenpg.{self.runtime}.unpatch() first"
            )
        libraries = patched_for()
        if libraries and runtime not in libraries:
            raise RuntimeError(
                f"this process is monkey-patched by {libraries[0]}: call greenpg.{libraries[0]}.patch()"
            )
        _warn_of_two(libraries)

    def _activate(self, runtime: str, modules: list[str]) -> None:
        """Install the wait callback, and a hook for each module's import."""
        self._previous = set_wait_callback(runtime)
        self._installed = set_wait_callback(runtime)  # once more, to see what the name stands for
        self.runtime = runtime
        self.imported_before = tuple(module for module in modules if sys.modules.get(module) is not None)
        for module in modules:
            hook = AfterImport(module, partial(self._imported, module))
            hook.install()
            self._hooks.append(hook)

    def _imported(self, module: str) -> None:
        """Make a module green that was imported just now, or reloaded."""
        room = _room(module)
        if room is not None:
            room.unpatch()  # a reload has put back half of it already
        try:
            self._make_green(module)
        except ImportError as exc:
            if not self._follows:
                raise
            _log.warning("greenpg does not follow the monkey-patching: %s", exc)

    def _make_green(self, module: str) -> None:
        """Make one imported module green, and say so once.

        :raises ImportError: it is not the one that we know
        """
        try:
            room = import_module(f"greenpg.compat.{module}")
            was_patched = room.is_patched()
            room.patch(**self._options)
        except Exception as exc:
            where = getattr(sys.modules.get(module), "__file__", None)
            raise ImportError(f"{module} ({where}) cannot be made green: {exc}", name=module) from exc
        if room.is_patched() and not was_patched:
            what = (DRIVERS | ADD_ONS)[module]
            _log.info("%s waits through %s now: %s", module, self.runtime, what)


def installed_drivers() -> list[str]:
    """Return the drivers that can be imported here, without importing them."""
    return installed(DRIVERS)


def installed(modules: Iterable[str]) -> list[str]:
    """Return those of some top-level modules that can be imported here, without importing them."""
    return [module for module in modules if sys.modules.get(module) is not None or _can_import(module)]


def _can_import(module: str) -> bool:
    try:
        spec = find_spec(module)
    except ImportError:  # a finder that forbids it
        return False
    return spec is not None and spec.origin is not None  # a folder of that name is not the module


def _warn_of_two(runtimes: Collection[str]) -> None:
    """Warn of a process that waits in more than one runtime."""
    if len(runtimes) > 1:
        _log.warning(
            "this process waits in %s: the hub of one blocks that of the other; monkey-patch with one",
            " and in ".join(sorted(runtimes)),
        )


def _room(module: str) -> Any:
    """Return what makes the module green, if that is imported."""
    return sys.modules.get(f"greenpg.compat.{module}")


def _checked(options: dict[str, float | None]) -> dict[str, float]:
    """Return the limits that were given; checked here, because the driver may be imported much later.

    :raises ValueError: a limit is not a positive number
    """
    given = {name: seconds for name, seconds in options.items() if seconds is not None}
    for name, seconds in given.items():
        if not seconds > 0:
            raise ValueError(f"{name} is a positive number of seconds, not {seconds!r}")
    return given


activation = Activation()
"""The process's one activation: wait callbacks and drivers are process-wide."""
