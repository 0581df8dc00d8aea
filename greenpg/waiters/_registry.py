"""Which wait callback is in force: the installed one, or what the process looks like.

Nothing is imported here before it is asked for by name, or has patched the process already.
"""

from __future__ import annotations

import inspect
import os
import sys
import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from importlib.metadata import EntryPoints

    from greenpg.abc import AsyncWaitCallback, WaitCallback

_GROUP = "greenpg.waiters"
_ASYNC_GROUP = "greenpg.waiters.async"

_BUILTIN = ("select", "gevent", "eventlet", "uwsgi")
_ASYNC_BUILTIN = ("asyncio", "trio")

_installed: WaitCallback | None = None

# A context variable is one C call to read (8 ns more than a global), and native threads, gevent's
# and eventlet's greenlets and asyncio's tasks each have their own.
_scoped: ContextVar[WaitCallback | None] = ContextVar("greenpg_wait_callback", default=None)


def set_wait_callback(callback: WaitCallback | str | None) -> WaitCallback | None:
    """Install the wait callback of the whole process, and return the one it replaces.

    A wait that has begun keeps the callback it began with.

    :param callback: a callable that takes (fd, need, timeout) as `greenpg.abc.WaitCallback` says; a
        name out of `names()`; or `None` for the default: `$GREENPG_WAITER`, else what has
        monkey-patched the process, else `select`
    :raise LookupError: there is no wait callback of that name
    :raise ImportError: what it needs is not installed
    :raise TypeError: `callback` does not take what a wait callback is given
    """
    global _installed
    previous, _installed = _installed, None if callback is None else _resolve(callback)
    return previous


def get_wait_callback() -> WaitCallback:
    """Return the wait callback in force here and now.

    It is that of `using()`, else the installed one, else the one that `$GREENPG_WAITER` names (read
    once), else that of the library that has monkey-patched `select` or `socket`, else `select`.

    :raise LookupError: `$GREENPG_WAITER` names one that does not exist
    :raise ImportError: `$GREENPG_WAITER` names one that cannot load
    """
    callback = _scoped.get()
    if callback is None:
        callback = _installed
    return _default() if callback is None else callback


@contextmanager
def using(callback: WaitCallback | str) -> Iterator[WaitCallback]:
    """Put a wait callback in force for this green thread, task or native thread alone.

    Green and native threads begun in the meantime do not inherit it.

    :param callback: as for `set_wait_callback()`
    """
    resolved = _resolve(callback)
    token = _scoped.set(resolved)
    try:
        yield resolved
    finally:
        _scoped.reset(token)


def names() -> list[str]:
    """Return the names that `set_wait_callback()` takes, installed packages' included.

    To be in the list a package declares an entry point in the group `greenpg.waiters`.
    """
    return [*_BUILTIN, *sorted(set(_entry_points(_GROUP).names) - set(_BUILTIN))]


def current_async() -> AsyncWaitCallback:
    """Return the wait callback of the event loop that is running.

    asyncio (with uvloop too) and trio are known. A package adds another loop by an entry point in the
    group `greenpg.waiters.async`, under the name by which sniffio knows the loop.

    :raise RuntimeError: none is running
    :raise LookupError: nothing is known about the one that is running
    """
    # All in one frame, for it is asked before each conversation.
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_task():  # first: it may be a guest in asyncio's loop
        return _load_async("trio")
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None and asyncio._get_running_loop() is not None:
        return _load_async("asyncio")
    return _load_async(_other_loop())


def _resolve(callback: WaitCallback | str) -> WaitCallback:
    if isinstance(callback, str):
        return _load(callback)
    _check_signature(callback)
    return callback


def _check_signature(callback: Callable[..., object]) -> None:
    if not callable(callback):
        raise TypeError(f"a wait callback is a callable or one of the names {names()}, not {callback!r}")
    if inspect.iscoroutinefunction(callback) or inspect.iscoroutinefunction(type(callback).__call__):
        raise TypeError(f"{callback!r} is async and cannot be installed: async code follows the running loop")
    try:
        signature = inspect.signature(callback)
    except ValueError:  # some callables written in C do not tell
        return
    try:
        signature.bind(0, 1, None)
    except TypeError as ex:
        raise TypeError(
            "a wait callback takes (fd, need, timeout), waits once and returns Ready;"
            f" {callback!r} takes {signature}"
        ) from ex


def _default() -> WaitCallback:
    callback = _by_environment()
    return _by_monkey_patch() if callback is None else callback


@cache
def _by_environment() -> WaitCallback | None:
    name = os.environ.get("GREENPG_WAITER")
    if not name:
        return None
    try:
        return _load(name)
    except (LookupError, ImportError) as ex:
        raise type(ex)(f"$GREENPG_WAITER: {ex}") from ex


def _by_monkey_patch() -> WaitCallback:
    # Asked anew at each call, for a process may be patched late, after its first query (gunicorn
    # --preload). It costs a few dictionary lookups, far less than a wait.
    gevent = getattr(sys.modules.get("gevent.monkey"), "is_module_patched", None)
    if gevent is not None and (gevent("select") or gevent("socket")):
        return _load("gevent")
    eventlet = getattr(sys.modules.get("eventlet.patcher"), "is_monkey_patched", None)
    if eventlet is not None and (eventlet("select") or eventlet("socket")):
        return _load("eventlet")
    _warn_of_green_threads()
    return _load("select")


def _warn_of_green_threads() -> None:
    """Say so when a green thread is about to wait in a way that holds all others."""
    greenlet = sys.modules.get("greenlet")
    name = None if greenlet is None else _owner(greenlet.getcurrent().parent)
    if name is not None:
        warnings.warn(
            f"this green thread waits by select and holds all others: call set_wait_callback({name!r}),"
            f" or have {name} monkey-patch, at process start",
            RuntimeWarning,
            stacklevel=2,
        )


def _owner(parent: object) -> str | None:
    """Return whose hub the parent of a greenlet is, if it is a hub."""
    if type(parent).__module__ == "gevent.hub":
        return "gevent"
    hub = getattr(getattr(sys.modules.get("eventlet.hubs"), "_threadlocal", None), "hub", None)
    return "eventlet" if hub is not None and hub.greenlet is parent else None


@cache
def _load(name: str) -> WaitCallback:
    if name in _BUILTIN:
        return cast("WaitCallback", _load_builtin(name))
    if name in _ASYNC_BUILTIN:
        raise LookupError(f"{name!r} is async and cannot be installed: async code follows the running loop")
    callback = _load_entry_point(_GROUP, name, names())
    _check_signature(callback)
    return cast("WaitCallback", callback)


@cache
def _load_async(name: str) -> AsyncWaitCallback:
    if name in _ASYNC_BUILTIN:
        return cast("AsyncWaitCallback", _load_builtin(name))
    known = [*_ASYNC_BUILTIN, *sorted(_entry_points(_ASYNC_GROUP).names)]
    return cast("AsyncWaitCallback", _load_entry_point(_ASYNC_GROUP, name, known))


def _load_builtin(name: str) -> Any:
    try:
        return import_module(f"greenpg.waiters.{name}").wait
    except ImportError as ex:
        raise ImportError(
            f"the wait callback {name!r} needs {name} ({ex}): pip install 'greenpg[{name}]'", name=name
        ) from ex


def _load_entry_point(group: str, name: str, known: list[str]) -> Any:
    found = list(_entry_points(group).select(name=name))
    if not found:
        raise LookupError(
            f"no wait callback is called {name!r}; known are {', '.join(known)};"
            f" a package adds one by an entry point in the group {group!r}"
        )
    try:
        return found[0].load()
    except (ImportError, AttributeError) as ex:
        raise ImportError(
            f"the wait callback {name!r} ({found[0].value}) cannot be loaded: {ex}", name=name
        ) from ex


def _entry_points(group: str) -> EntryPoints:
    from importlib.metadata import entry_points  # brings half of the standard library along

    return entry_points(group=group)


def _other_loop() -> str:
    sniffio = sys.modules.get("sniffio")
    if sniffio is not None:
        try:
            return str(sniffio.current_async_library())
        except sniffio.AsyncLibraryNotFoundError:
            pass
    raise RuntimeError("no event loop is running here: await this in asyncio or trio")
