"""What was made before the process was monkey-patched: native locks, queues, thread-locals, threads.

Its rule: it names the place (`shop.stock:POOL._lock`). It goes from the application's modules through what
they hold, wakes no lazy object, and leaves alone what greenpg repairs by itself.
"""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict, defaultdict, deque
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from greenpg.compat._drivers import ADD_ONS, DRIVERS
from greenpg.compat._preloaded import REPAIRS, is_native, leftovers
from greenpg.doctor.report import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What is made of native parts, and named as a whole.
_COMPOSED = {"threading", "queue", "concurrent.futures.thread", "multiprocessing.pool"}
_C_MODULES = {"_thread", "_queue"}
_WORDS = {"lock": "Lock", "_local": "thread-local"}
_INSTALLED = {"site-packages", "dist-packages"}
# No application's: the standard library, what makes green threads, what is repaired.
_FOREIGN = {
    *sys.stdlib_module_names,
    *("gevent", "eventlet", "greenlet", "greenpg", "django", *DRIVERS, *ADD_ONS),
    *(module.partition(".")[0] for module, _ in REPAIRS),
}
_MOST = 20_000
"""Objects that are looked at."""
_MOST_OF_ONE = 100
"""Members of one object that are looked at."""


def native_findings(app: Iterable[str], fix: str) -> Iterator[Finding]:
    """Name what is native in a monkey-patched process, and should not be.

    :param app: packages that are the application's, besides all modules outside of `site-packages`
    :param fix: how greenpg is activated, which repairs the libraries that it knows
    """
    if is_native(threading.local()):
        return  # not monkey-patched, or not threads: native is what they are
    for name, count in leftovers().items():
        if name.startswith("psycopg2.extensions."):
            text = f"{count} opened before the patch: an interruption closes it"
            yield Finding("warning", name, text, "open connections after the patch")
        else:
            text = f"{count} made before the process was monkey-patched, with native locks or thread-locals"
            yield Finding("problem", name, text, fix)
    for place, kind in natives(app):
        fate = "one that waits for it stops them all"
        if kind == "thread-local":
            fate = "all green threads share it"
        text = f"a native {kind}, made before the process was monkey-patched: {fate}"
        yield Finding("warning", place, text, "make it at first use, or monkey-patch before this import")


def natives(app: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield where the application holds something native, and what it is.

    :param app: packages that are the application's, besides all modules outside of `site-packages`
    """
    modules = list(_modules(app))
    names = {module.__name__ for module in modules}
    todo = deque((f"{module.__name__}:", dict(vars(module))) for module in modules)
    seen: set[int] = set()
    while todo and len(seen) < _MOST:
        place, members = todo.popleft()
        for name, value in members.items():
            if name.startswith("__") or id(value) in seen:
                continue
            seen.add(id(value))
            kind = _native_kind(value)
            if kind is not None:
                yield place + name, kind
            elif inner := _members(value, names):
                todo.append((place + name, inner))


def _modules(app: Iterable[str]) -> Iterator[ModuleType]:
    packages = {name.partition(".")[0] for name in app}
    for module in list(sys.modules.values()):
        if type(module) is not ModuleType or not (file := getattr(module, "__file__", None)):
            continue
        # what runs by `-m` knows its own name only by its spec
        name = getattr(getattr(module, "__spec__", None), "name", module.__name__)
        top = str(name).partition(".")[0]
        if top in packages or not (top in _FOREIGN or _INSTALLED.intersection(Path(str(file)).parts)):
            yield module


def _members(value: Any, modules: set[str]) -> dict[str, Any]:
    """Return what a container, an application's class or an object holds, by how one would write it."""
    cls = type(value)  # by type(), not isinstance(): that one wakes lazy proxies
    if cls in (dict, OrderedDict, defaultdict):
        return {_key(key): item for key, item in islice(list(value.items()), _MOST_OF_ONE)}
    if cls in (list, tuple, set, frozenset, deque):
        return {f"[{number}]": item for number, item in enumerate(islice(list(value), _MOST_OF_ONE))}
    if issubclass(cls, type):
        held = dict(vars(value)) if value.__module__ in modules else {}
    else:
        held = {} if str(cls.__module__).partition(".")[0] in _FOREIGN else _attributes(value)
    return {f".{name}": item for name, item in held.items() if not name.startswith("__")}


def _key(key: object) -> str:
    return f"[{key!r:.40}]" if type(key) in (str, int) else f"[a {type(key).__name__}]"


def _attributes(value: Any) -> dict[str, Any]:
    """Return the instance's own attributes, without asking the instance."""
    try:
        held = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return dict(held) if isinstance(held, dict) else {}


def _native_kind(value: Any) -> str | None:
    """Return what a native thing is called; `None` if it is not one."""
    cls = type(value)
    if cls.__module__ in _COMPOSED:
        parts = list(_attributes(value).values())
        inner = [each for part in parts for each in _attributes(part).values()]
        return cls.__name__ if any(map(_is_native, (value, *parts, *inner))) else None
    bases = [base.__name__ for base in cls.__mro__ if base.__module__ in _C_MODULES]
    return _WORDS.get(bases[0], bases[0]) if bases else None


def _is_native(value: Any) -> bool:
    cls = type(value)
    if issubclass(cls, threading.Condition):
        return is_native(value)
    return any(base.__module__ in _C_MODULES for base in cls.__mro__)
