"""A psycopg 3 user changes the import: its public names, attributes and parameters are ours too.

What differs on purpose is listed here with the reason; a difference that is gone has to leave the list.
"""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

import greenpg

if TYPE_CHECKING:
    from collections.abc import Iterator

PAIRS = (
    *("Connection", "Cursor", "ServerCursor", "ClientCursor", "RawCursor", "RawServerCursor"),
    *("Copy", "Pipeline", "Transaction"),
)
CLASSES = [*PAIRS, *(f"Async{name}" for name in PAIRS)]
CLASSES += ["Column", "ConnectionInfo", "Notify", "Xid", "IsolationLevel", "Rollback", "Capabilities"]
CLASSES += ["Error", "errors.Diagnostic", "adapt.AdaptersMap", "adapt.Dumper", "adapt.Loader"]
CLASSES += ["types.TypeInfo", "types.TypesRegistry", "types.range.Range", "types.multirange.Multirange"]
CLASSES += ["types.enum.EnumInfo", "types.composite.CompositeInfo", "types.range.RangeInfo"]
CLASSES += ["sql.Composable", "sql.Composed", "sql.SQL", "sql.Identifier", "sql.Literal", "sql.Placeholder"]
ENUMS = (
    *("ConnStatus", "DiagnosticField", "ExecStatus", "Format", "Ping", "PipelineStatus", "PollingStatus"),
    *("Trace", "TransactionStatus"),
)
MODULES = (
    *("adapt", "conninfo", "errors", "postgres", "rows", "sql", "types"),
    *("types.composite", "types.datetime", "types.enum", "types.hstore", "types.json", "types.range"),
    *("types.multirange", "types.shapely", "types.string", "types.numeric", "types.uuid", "types.array"),
)

WAITING = "the generators that a connection waits for are not public: greenpg.waiters is the place for that"
LIBPQ = "what is raised has the message and the diag of libpq's objects, and they are freed at once"
WRITERS = "data that is formatted goes where the caller likes; a COPY always goes to the server"
ON_OBJECTS = "set on each object, where theirs has a slot of the class"
OWN_CLASSES = "made by the adapters as the values ask for it; those that users derive from are there"
MISSING = {
    "": {
        "connection_async": "a module of theirs",
        "cursor_async": "a module of theirs",
        "dbapi20": "a module of theirs; its names are greenpg's own",
        "generators": WAITING,
        "logger": "the logger is logging.getLogger('greenpg')",
        "logging": "a module of Python's",
        "version": "a module of theirs; the version is greenpg.__version__",
        "waiting": WAITING,
    },
    "Connection": {"wait": WAITING},
    "AsyncConnection": {"wait": WAITING},
    "Error": {"pgconn": LIBPQ, "pgresult": LIBPQ},
    "conninfo": {
        "timeout_from_conninfo": "hosts are tried, each within its time, as part of connecting",
    },
    "errors": {
        "FinishedPGconn": LIBPQ,
        "finish_pgconn": LIBPQ,
        "get_base_exception": "how they find classes",
    },
    "postgres": dict.fromkeys(("register_default_adapters", "register_default_types"), "done by the import"),
    "types.composite": {"T": "a type variable of theirs"},
    "types.enum": {"E": "a type variable of theirs"},
    "types.numeric": dict.fromkeys(
        ("dump_decimal_to_numeric_binary", "dump_decimal_to_text", "dump_int_to_numeric_binary"),
        "how they convert",
    ),
    **{f"types.{name}": {"*": OWN_CLASSES} for name in ("range", "multirange", "hstore", "shapely", "array")},
    **{
        name: dict.fromkeys(("arraysize", "format", "pgresult"), ON_OBJECTS)
        | ({"itersize": ON_OBJECTS} if "Server" in name else {})
        for name in CLASSES
        if name.endswith("Cursor")
    },
}
PARAMETERS = {
    **{
        f"{name}.copy": {"writer": WRITERS}
        for name in CLASSES
        if name.removeprefix("Async") in PAIRS and name.endswith("Cursor")
    },
    "Xid.from_string": {"s": "a name that says what it is"},
    "Column": {"cursor": "made by cursors alone", "index": "as above"},
    "Pipeline": {"conn": "made by connections alone"},
    "AsyncPipeline": {"conn": "as above"},
    "Copy": {"binary": WRITERS, "writer": WRITERS},
    "AsyncCopy": {"binary": WRITERS, "writer": WRITERS},
    "errors.Diagnostic": {"info": LIBPQ, "encoding": LIBPQ},
    "Error": {"info": LIBPQ, "encoding": LIBPQ, "pgconn": LIBPQ},
}


def find(driver: Any, path: str) -> Any:
    """Return what a dotted path leads to; nothing leads to the package itself."""
    found = driver
    for name in path.split(".") if path else ():
        module = f"{found.__name__}.{name}" if inspect.ismodule(found) else ""
        found = importlib.import_module(module) if not hasattr(found, name) else getattr(found, name)
    return found


def public(of: Any) -> set[str]:
    """Return the public names of a module, or of a class."""
    names = {name for name in dir(of) if not name.startswith("_")}
    if not inspect.ismodule(of) or of.__name__ == "psycopg":
        return names
    return {name for name in names if getattr(getattr(of, name), "__module__", "") == of.__name__}


def parameters(function: Any, *, in_order: bool = False) -> list[str]:
    """Return the names of what a function is given; none if nobody can tell.

    :param in_order: only those that can be given without a name
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return []
    kinds: list[Any] = [inspect.Parameter.POSITIONAL_OR_KEYWORD]
    if not in_order:
        kinds += [inspect.Parameter.KEYWORD_ONLY]
    return [name for name, each in signature.parameters.items() if each.kind in kinds and name[0] != "_"]


def calls(path: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield each callable of a class by its path, theirs and ours; the class itself is the first."""
    theirs, ours = find(psycopg, path), find(greenpg, path)
    yield path, theirs, ours
    for name in sorted(public(theirs) & public(ours)):
        if callable(getattr(theirs, name)) and not inspect.isclass(getattr(theirs, name)):
            yield f"{path}.{name}", getattr(theirs, name), getattr(ours, name)


@pytest.mark.parametrize("path", ["", *CLASSES, *MODULES, *(f"pq.{name}" for name in ENUMS)])
def test_names(path: str) -> None:
    missing = public(find(psycopg, path)) - set(dir(find(greenpg, path)))
    listed = MISSING.get(path, {})
    if "*" in listed:
        missing = {name for name in missing if not name.endswith(("Dumper", "Loader")) and name[0].isupper()}
        listed = {}
    assert missing == set(listed)


@pytest.mark.parametrize("path", CLASSES)
def test_parameters(path: str) -> None:
    found = {}
    for name, theirs, ours in calls(path):
        missing = set(parameters(theirs)) - set(parameters(ours))
        if missing and not _takes_all(ours):
            found[name] = missing
        if not missing:
            order = parameters(theirs, in_order=True)
            assert parameters(ours, in_order=True)[: len(order)] == order, name
    assert found == {
        name: set(reasons)
        for name, reasons in PARAMETERS.items()
        if name.rpartition(".")[0] == path or name == path
    }


@pytest.mark.parametrize("path", CLASSES)
def test_colours(path: str) -> None:
    for name, theirs, ours in calls(path):
        assert inspect.iscoroutinefunction(theirs) == inspect.iscoroutinefunction(ours), name


@pytest.mark.parametrize("name", ENUMS)
def test_values(name: str) -> None:
    ours = find(greenpg.pq, name)
    assert {member.name: member.value for member in find(psycopg.pq, name)}.items() <= {
        member.name: member.value for member in ours
    }.items()


def test_what_is_said_of_libpq() -> None:
    capabilities: Any = greenpg.capabilities
    for name in public(greenpg.Capabilities):
        assert getattr(capabilities, name)() is getattr(capabilities, name)(check=False)
    assert capabilities.has_hostaddr(check=True)


def _takes_all(function: Any) -> bool:
    kinds = {each.kind for each in inspect.signature(function).parameters.values()}
    return inspect.Parameter.VAR_KEYWORD in kinds
