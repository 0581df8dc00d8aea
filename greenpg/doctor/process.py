"""What the process is: its runtime, what has monkey-patched it, greenpg in it, versions, environment.

Its rule: nothing is imported that the process has not imported, but greenpg's own rooms.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, entry_points, version
from typing import TYPE_CHECKING, Any

import greenpg
from greenpg import pq
from greenpg.compat._drivers import activation
from greenpg.compat._monkey import monkey_patched
from greenpg.doctor.report import Finding, Libpq, Process
from greenpg.errors import InterfaceError
from greenpg.waiters import get_wait_callback

if TYPE_CHECKING:
    from collections.abc import Iterator

NEEDED = ("socket", "select", "thread")
"""The standard modules without which a process of green threads is not green."""

_LIBRARIES = (
    *("greenlet", "gevent", "eventlet", "uWSGI", "gunicorn", "celery", "Django", "SQLAlchemy", "peewee"),
    "psycogreen",
)
_VARIABLES = ("GREENPG_", "PSYCOPG_", "GEVENT", "EVENTLET_")
_HOOKS = "gevent.plugins.monkey.did_patch_builtins"


def look_at_process() -> Process:
    """Describe the process as it is."""
    return Process(
        pid=os.getpid(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        runtime=runtime_of_this(),
        monkey_patched=monkey_patched(),
        greenpg=activation.runtime,
        waiter=_waiter()[0],
        libpq=_own_libpq()[0],
        versions={"greenpg": greenpg.__version__, **dict(_versions())},
        environment={
            name: value
            for name, value in sorted(os.environ.items())
            if name.startswith(_VARIABLES) and "DSN" not in name
        },
        binding=_binding(),
    )


def findings_of_process(process: Process) -> Iterator[Finding]:
    """Say what is wrong with the process itself, the drivers left aside."""
    yield from _monkey_findings(process)
    yield from _waiter_findings(process)
    _, error = _own_libpq()
    if error and "GREENPG_LIBPQ" in process.environment:
        yield Finding("problem", "libpq", error, "unset GREENPG_LIBPQ, or set it to the path of a libpq")
    elif error:
        yield Finding("note", "libpq", error)


def is_muddled(process: Process) -> bool:
    """Return whether it waits in more than one way, so that trying a driver may hold the hub for ever."""
    return len(process.monkey_patched) > 1 or any(
        finding.level == "problem" for finding in _waiter_findings(process)
    )


def missing_activation(runtime: str) -> str:
    """Return what to do in a process in which greenpg is not active."""
    call = f"call greenpg.{runtime}.patch() at process start"
    if runtime != "gevent":
        return call
    if os.environ.get("GREENPG_AUTO") == "0":
        return f"unset GREENPG_AUTO, or {call}"
    if not any(hook.name == "greenpg" for hook in entry_points(group=_HOOKS)):
        return f"install greenpg with pip, so that gevent finds it, or {call}"
    return call


def name_of(function: Any) -> str:
    """Return where a function is to be found, as `module.name`."""
    module = getattr(function, "__module__", None) or type(function).__module__
    name = getattr(function, "__qualname__", None)
    if name is None:  # an object with `__call__`: the name that its module has for it
        names = vars(sys.modules[module]).items() if module in sys.modules else ()
        name = next((name for name, value in names if value is function), type(function).__qualname__)
    return f"{module}.{name}"


def libpq_at(path: str) -> Libpq:
    """Describe the libpq that a file is, or is linked to.

    :raises greenpg.errors.InterfaceError: there is none
    """
    library = pq.library(path)
    return Libpq(version_text(library.version), _file_of(library.path))


def version_text(number: int) -> str:
    """Return libpq's or a server's version number as people write it: 170006 is 17.6."""
    return f"{number // 10000}.{number % 10000}"


def runtime_of_this() -> str | None:
    """Return whose green threads run in this process; `None` if it has none."""
    if activation.runtime is not None:
        return activation.runtime
    for library in monkey_patched():
        return library
    return "uwsgi" if "async" in getattr(sys.modules.get("uwsgi"), "opt", ()) else None


def _waiter() -> tuple[str, str]:
    """Return the wait callback's name, and its runtime if it is one of greenpg's; or what is wrong."""
    try:
        name = name_of(get_wait_callback())
    except (LookupError, ImportError) as error:
        return f"none: {error}", ""
    return name, name.split(".")[2] if name.startswith("greenpg.waiters.") else ""


def _own_libpq() -> tuple[Libpq | None, str]:
    try:
        library = pq.library()
    except (InterfaceError, ImportError) as error:
        return None, str(error)
    return libpq_at(library.path), ""


def _binding() -> str:
    try:
        implementation = pq.library().implementation
    except (InterfaceError, ImportError):
        return "none"
    return "compiled" if implementation == "c" else f"ctypes, {pq.why_not_compiled()}"


class _DlInfo(ctypes.Structure):
    """What dladdr(3) tells of an address."""

    _fields_ = (
        ("dli_fname", ctypes.c_char_p),
        ("dli_fbase", ctypes.c_void_p),
        ("dli_sname", ctypes.c_char_p),
        ("dli_saddr", ctypes.c_void_p),
    )


def _file_of(path: str) -> str:
    """Return the file of the libpq behind `path`, which may be a module that is linked to it."""
    info = _DlInfo()
    function = ctypes.cast(ctypes.CDLL(path).PQlibVersion, ctypes.c_void_p)
    if ctypes.CDLL(None).dladdr(function, ctypes.byref(info)) and info.dli_fname:
        return os.path.normpath(os.fsdecode(info.dli_fname))
    return path


def _versions() -> Iterator[tuple[str, str]]:
    for name in _LIBRARIES:
        try:
            yield name, version(name)
        except PackageNotFoundError:  # noqa: PERF203  # a handful
            continue


def _monkey_findings(process: Process) -> Iterator[Finding]:
    patched = process.monkey_patched
    if len(patched) > 1:
        yield Finding(
            "problem",
            "process",
            f"monkey-patched by {' and '.join(patched)}: the hub of one blocks that of the other",
            "monkey-patch with one of them",
        )
    for library, modules in patched.items():
        if missing := [name for name in NEEDED if name not in modules]:
            yield Finding(
                "problem",
                "process",
                f"{library} has monkey-patched it without {', '.join(missing)}: {_lacks(missing)}",
                f"leave nothing out: {_PATCH_ALL[library]}",
            )
    if process.runtime is None:
        yield Finding(
            "note",
            "process",
            "not a green process: neither gevent nor eventlet is at work in it, so a driver blocks the"
            " native thread that calls it, as it should",
            "greenpg doctor --gevent or --eventlet shows a process as your application has it",
        )
    elif process.runtime in _PATCH_ALL and not patched:
        yield Finding(
            "warning",
            "process",
            f"not monkey-patched: drivers wait through {process.runtime}, while {_lacks(list(NEEDED))}",
            f"call {_PATCH_ALL[process.runtime]} at process start",
        )


_PATCH_ALL = {"gevent": "gevent.monkey.patch_all()", "eventlet": "eventlet.monkey_patch()"}
_LACKS = {
    "socket": "sockets and name look-ups block",
    "select": "select() and poll() block",
    "thread": "locks block, and green threads share their thread-locals",
}


def _lacks(modules: list[str]) -> str:
    return ", ".join(_LACKS[name] for name in modules)


def _waiter_findings(process: Process) -> Iterator[Finding]:
    _, runtime = _waiter()
    if process.waiter.startswith("none: "):
        text = f"there is no wait callback to wait through: {process.waiter[6:]}"
        yield Finding("problem", "greenpg", text, "unset GREENPG_WAITER, or correct it")
    elif process.greenpg and runtime and runtime != process.greenpg:
        yield Finding(
            "problem",
            "greenpg",
            f"patched for {process.greenpg}, but the wait callback in force is {process.waiter}",
            f"do not call greenpg.waiters.set_wait_callback(), or give it {process.greenpg!r}",
        )
    others = process.monkey_patched.keys() - {process.greenpg}
    if process.greenpg and others and process.greenpg not in process.monkey_patched:
        other = others.pop()
        yield Finding(
            "problem",
            "greenpg",
            f"patched for {process.greenpg}, but the process is monkey-patched by {other}: the hub of"
            f" {process.greenpg} blocks that of {other}",
            f"call greenpg.{other}.patch() instead",
        )
