"""Runs something first thing in every forked child, uWSGI's workers included.

uWSGI forks behind Python's back: what `os.register_at_fork()` was given is not called in its workers (unless
by `--py-call-osafterfork`), but `uwsgi.post_fork_hook` is. There is one, and `uwsgidecorators` takes it for
itself when it is imported.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from greenpg.compat._imports import AfterImport

if TYPE_CHECKING:
    from collections.abc import Callable

_actions: list[Callable[[], None]] = []
_done_in = os.getpid()


def in_forked_children(action: Callable[[], None]) -> None:
    """Call `action` in every child that is forked from now on, before anything of the application's."""
    _actions.append(action)


def _after_fork() -> None:
    """Call what there is to be called, once in a process."""
    global _done_in
    if os.getpid() != _done_in:
        _done_in = os.getpid()
        for action in _actions:
            action()


def _take_uwsgi_hook() -> None:
    """Be called by uWSGI, ahead of whoever is called by it now."""
    uwsgi: Any = sys.modules["uwsgi"]
    theirs = getattr(uwsgi, "post_fork_hook", None)

    def post_fork() -> None:
        _after_fork()
        if theirs is not None:
            theirs()

    uwsgi.post_fork_hook = post_fork


os.register_at_fork(after_in_child=_after_fork)
if hasattr(sys.modules.get("uwsgi"), "masterpid"):  # else it is another module of that name
    _take_uwsgi_hook()
    if "uwsgidecorators" not in sys.modules:
        AfterImport("uwsgidecorators", _take_uwsgi_hook).install()
