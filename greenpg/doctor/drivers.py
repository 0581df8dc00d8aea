"""Which PostgreSQL drivers are installed, and how each waits: the one place that knows them by name.

Its rule: a driver that is not imported is not imported for this; whoever wants to know more imports it first.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from greenpg.compat._drivers import ADD_ONS, DRIVERS, activation, installed
from greenpg.compat._preloaded import is_native
from greenpg.doctor.process import libpq_at, missing_activation, name_of
from greenpg.doctor.report import DoctorError, Driver, Finding
from greenpg.errors import Error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from greenpg.doctor.report import Level, Libpq, Process, State


class Known(NamedTuple):
    """A driver that the doctor can say something about."""

    name: str
    """What is imported."""
    distributions: tuple[str, ...]
    way: Literal["libpq", "sockets", "asyncio", "threads"] = "libpq"
    """What it stands on: a C library that blocks, Python's sockets, an event loop, or threads and locks."""


_LISTED = (
    Known("psycopg2", ("psycopg2-binary", "psycopg2")),
    Known("psycopg", ("psycopg",)),
    Known("psycopg_pool", ("psycopg-pool",), "threads"),
    Known("psycopg2cffi", ("psycopg2cffi",)),
    Known("pgdb", ("PyGreSQL",)),
    Known("pg8000", ("pg8000",), "sockets"),
    Known("asyncpg", ("asyncpg",), "asyncio"),
    Known("aiopg", ("aiopg",), "asyncio"),
)
KNOWN = {known.name: known for known in (*(Known(name, (name,)) for name in DRIVERS), *_LISTED)}
"""All that are looked for, by name: what greenpg has a room for is in it, listed above or not."""


_WELL_KNOWN = ("psycogreen.", "eventlet.support.")
"""Where the wait callbacks come from that psycopg2 has had so far."""


TRY_IT = "try it with --dsn"
"""What to do about a driver of which looking does not tell."""


class _Verdict(NamedTuple):
    """What a driver's way to wait means in a process."""

    state: State
    waits: str
    level: Level
    text: str = ""
    """Nothing, if there is nothing to say."""
    fix: str = ""


def choose(names: Iterable[str] | None) -> list[Known]:
    """Return the drivers of these names; of none, all that are installed.

    :raises DoctorError: one is not known, or not installed
    """
    present = installed(KNOWN)
    if names is None:
        return [KNOWN[name] for name in present]
    chosen = list(names)
    for name in chosen:
        if name not in KNOWN:
            raise DoctorError(f"no driver is called {name!r}; known are {', '.join(KNOWN)}")
        if name not in present:
            raise DoctorError(f"{name} is not installed")
    return [KNOWN[name] for name in chosen]


def look_at_driver(known: Known, process: Process, *, imports: bool) -> tuple[Driver, Finding | None]:
    """Describe a driver as it is in this process, and say what that means, if anything.

    :param imports: import it first
    """
    libpq = None
    try:
        if imports:
            import_module(known.name)
        if sys.modules.get(known.name) is None:
            verdict = _not_imported(known, process)
        else:
            verdict, libpq = _verdict(known, process), _libpq(known.name)
    except Exception as error:
        verdict = _broken(error)
    finding = Finding(verdict.level, known.name, verdict.text, verdict.fix)
    driver = Driver(known.name, _version(known), verdict.state, verdict.waits, libpq)
    return driver, finding if verdict.text else None


def _broken(error: Exception) -> _Verdict:
    text = " ".join(str(error).split())
    if isinstance(error, ImportError):
        text = f"cannot be imported: {text}"
        return _Verdict("broken", "-", "problem", text, "install it anew, or uninstall it")
    return _Verdict("unknown", "-", "warning", f"not built as the doctor knows it: {text}", TRY_IT)


def _version(known: Known) -> str:
    found = {name: text for name in known.distributions if (text := _distribution_version(name))}
    texts = [text if name == known.name else f"{text} ({name})" for name, text in found.items()]
    if known.name == "psycopg" and (module := sys.modules.get("psycopg.pq")) is not None:
        texts.append(f"({module.__impl__})")
    return " ".join(texts) or "?"


def _distribution_version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _not_imported(known: Known, process: Process) -> _Verdict:
    if known.name in {*DRIVERS, *ADD_ONS} and process.greenpg is not None:
        return _Verdict("not imported", "-", "ok", "not imported yet: green as soon as it is")
    return _Verdict("not imported", "-", "note")


def _verdict(known: Known, process: Process) -> _Verdict:
    if process.runtime is None:
        return _Verdict("native", known.way, "note")
    if known.way == "asyncio":
        text = "needs asyncio, whose loop only one green thread of a native thread can run at a time"
        return _Verdict("asyncio", "asyncio", "warning", text, "run its loop in a native thread of its own")
    if known.way == "sockets":
        return _by_sockets(process)
    if known.way == "threads":
        return _by_threads(known, process)
    return _by_libpq(known, process)


def _by_sockets(process: Process) -> _Verdict:
    if not process.patched("socket"):
        text = "blocks: it waits through Python's sockets, which are not monkey-patched"
        return _Verdict("blocks", "socket", "problem", text, "monkey-patch the process")
    text = (
        "lets others run through monkey-patched sockets, but a timeout or kill() in the midst of an answer"
        " leaves it out of step: later queries fail, or get the answers of earlier ones"
    )
    fix = f"close its connection after each interruption; {' and '.join(DRIVERS)} need not be closed"
    return _Verdict("sockets", "socket", "warning", text, fix)


def _by_threads(known: Known, process: Process) -> _Verdict:
    if _is_patched(known.name):
        text = "green: an interruption of who waits for a connection loses none"
        return _Verdict("green", "threading", "ok", text)
    fix = missing_activation(process.runtime or "")
    if is_native(sys.modules[known.name]._acompat.Lock()):
        text = "blocks: imported before the process was monkey-patched, it keeps native locks"
        return _Verdict("blocks", "native locks", "problem", text, fix)
    text = "half green: a timeout or kill() of who waits for a connection loses one for ever"
    if process.greenpg is not None:
        text, fix = f"{text}; greenpg does not know this version", "install one that greenpg knows"
    return _Verdict("half green", "threading", "problem", text, fix)


def _by_libpq(known: Known, process: Process) -> _Verdict:
    """Judge a driver that blocks unless a function that it waits through is another one."""
    through = _holder(known.name)
    where = "" if through is None else name_of(through)
    if where.startswith("greenpg."):
        if process.waits and not process.knows_waiter:
            text = f"waits through {process.waiter}, which the doctor does not know"
            return _Verdict("unknown", process.waiter, "warning", text, TRY_IT)
        if process.waits:
            early = ", and was imported before the patch" if known.name in activation.imported_before else ""
            text = f"green: it waits through {process.waiter}{early}"
            return _Verdict("green", process.waiter, "ok", text)
        text = f"blocks: greenpg waits through {process.waiter}"
        return _Verdict("blocks", process.waiter, "problem", text, "see greenpg")
    half = _half_green(where, process)
    state: State = "half green" if half else "blocks"
    waits = where or "its C library"
    if _is_patched(known.name):
        text = f"{state}: greenpg made it green, but {waits} has been put in greenpg's place since{half}"
        return _Verdict(state, waits, "problem", text, "remove that: with greenpg nothing else is needed")
    fix = f"use {' or '.join(DRIVERS)}, which greenpg makes green"
    if known.name in DRIVERS:
        fix = missing_activation(process.runtime or "")
    return _Verdict(state, waits, "problem", f"{state}: it waits through {waits}{half}", fix)


def _holder(name: str) -> Any:
    """Return the function through which an imported driver waits; `None` if it waits in C."""
    module: Any = sys.modules[name]
    if name in ("psycopg2", "psycopg2cffi"):
        return module.extensions.get_wait_callback()
    if name == "psycopg":
        own = module.Connection.wait
        return module.waiting.wait if own.__module__ == "psycopg.connection" else own
    return None


def _is_patched(name: str) -> bool:
    room: Any = sys.modules.get(f"greenpg.compat.{name}")
    return room is not None and bool(room.is_patched())


def _half_green(where: str, process: Process) -> str:
    """Return what is missing where another function than greenpg's waits; nothing if that blocks."""
    if not where or where.endswith(".wait_c"):  # psycopg's, in C
        return ""
    others_run, more = "queries let others run", "COPY is refused and connect_timeout ignored"
    if where.startswith("psycopg.waiting."):
        if not process.patched("select"):
            return ""
        more = "each wait wakes up ten times a second"
    elif not where.startswith(_WELL_KNOWN):
        others_run = "queries let others run, if that does"
    return (
        f": {others_run}, but cancel() holds the hub, an interruption loses the connection and leaves the"
        f" statement running, and {more}"
    )


def _libpq(name: str) -> Libpq | None:
    """Return the libpq of an imported driver, if it can be told."""
    module: Any = sys.modules[name]
    # linked statically, hidden, or another version's layout
    with suppress(Error, OSError, AttributeError):
        if name == "psycopg2":
            return libpq_at(module._psycopg.__file__)
        if name == "psycopg":
            return libpq_at(_psycopg_libpq(module.pq))
    return None


def _psycopg_libpq(module: Any) -> str:
    binding = sys.modules[module.PGconn.__module__]
    if module.__impl__ == "python":
        return str(sys.modules["psycopg.pq._pq_ctypes"].pq._name)
    return str(binding.__file__)
