"""Which drivers can be made green, and the one way to do it to all of them, imported or not yet."""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from greenpg.compat._imports import AfterImport
from greenpg.waiters import set_wait_callback

_log = logging.getLogger("greenpg")

DRIVERS = ("psycopg2",)
"""Top-level modules; `greenpg.compat.<driver>` has `patch()`, `unpatch()` and `is_patched()`."""


class Activation:
    """What one runtime's `patch()` has set up in this process, and how to put it back."""

    def __init__(self) -> None:
        self.runtime: str | None = None
        self._previous: Any = None
        self._hooks: list[AfterImport] = []

    def patch(self, runtime: str, **options: float) -> None:
        """Install the runtime's wait callback and make every installed driver green, now or when imported.

        :raises ImportError: the runtime is not installed, or there is no driver to patch
        :raises RuntimeError: the process waits in another runtime already
        """
        if self.runtime not in (None, runtime):
            raise RuntimeError(
                f"this process waits in {self.runtime} already: call greenpg.{self.runtime}.unpatch() first"
            )
        installed = [driver for driver in DRIVERS if driver in sys.modules or find_spec(driver) is not None]
        if not installed:
            raise ImportError(
                f"there is no driver to patch: install one of {', '.join(DRIVERS)}"
                ' (pip install "greenpg[psycopg2]")'
            )
        if self.runtime is None:
            self._previous = set_wait_callback(runtime)
            self.runtime = runtime
        self._remove_hooks()
        for driver in installed:
            if driver in sys.modules:
                _patch_driver(driver, runtime, options)
            else:
                self._await(driver, runtime, options)

    def unpatch(self) -> None:
        """Put everything back; doing it without a patch is doing nothing."""
        if self.runtime is None:
            return
        self._remove_hooks()
        for driver in DRIVERS:
            room = sys.modules.get(f"greenpg.compat.{driver}")
            if room is not None:
                room.unpatch()
        set_wait_callback(self._previous)
        self.runtime = None

    def _await(self, driver: str, runtime: str, options: dict[str, float]) -> None:
        """Patch the driver as soon as somebody imports it."""
        hook = AfterImport(driver, lambda: _patch_driver(driver, runtime, options))
        hook.install()
        self._hooks.append(hook)

    def _remove_hooks(self) -> None:
        while self._hooks:
            self._hooks.pop().remove()


def _patch_driver(driver: str, runtime: str, options: dict[str, float]) -> None:
    """Make one imported driver green, and say so once."""
    room = import_module(f"greenpg.compat.{driver}")
    if not room.is_patched():
        _log.info("%s waits through %s now: queries, connects, COPY and large objects", driver, runtime)
    room.patch(**options)


activation = Activation()
"""The process's one activation: wait callbacks and drivers are process-wide."""
