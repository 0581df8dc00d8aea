"""Which database call a thread is in: the driver, the statement, the line of the application.

Its rule: it looks at a thread that is running something else, so nothing of that is called, and nothing kept
but text. Attributes are read without their owners' code.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from inspect import getattr_static
from types import (
    BuiltinFunctionType,
    CoroutineType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    ModuleType,
)
from typing import TYPE_CHECKING, Any, NamedTuple

from greenpg.detector._callee import RESULT, UNKNOWN, Callee, callee, is_beginning, managers
from greenpg.detector._statement import normalized, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType

_DRIVERS = {
    *("asyncpg", "MySQLdb", "mysql", "oracledb", "pg8000", "psycopg", "psycopg2", "psycopg_pool"),
    *("pymysql", "pyodbc", "sqlite3"),
}
"""Known by name; others by the globals of PEP 249."""
_IN_C = ("psycopg2", "MySQLdb", "pyodbc", "oracledb", "sqlite3")
_MYSQL = ("MySQLdb", "mysql", "pymysql")
_PARTS = {"psycopg_binary": "psycopg", "psycopg_c": "psycopg", "psycopg2cffi": "psycopg2"}
_RUNTIMES = {"eventlet", "gevent", "greenlet", "trio", "uvloop"}
_LIBRARIES = {
    *("django", "flask_sqlalchemy", "peewee", "playhouse", "pony", "sqlalchemy", "sqlmodel", "tortoise"),
    *("aiopg", "aiosqlite", "greenpg", "psycogreen", *_RUNTIMES),
}
"""What stands between an application and its driver."""
_MEASURE = "greenpg.detector._measure"
_FRAMES = {"framed_asyncpg": "asyncpg"}
"""Functions of that module that give a frame to a driver's in C."""
_LOOPS = ("asyncio.base_events", "asyncio.runners", "uvloop")
"""Whoever is below their frames has started the loop, and has nothing to do with what it runs."""

# PEP 249, and what drivers have added: enough where the object cannot be told, as in `connect().cursor()`.
_METHODS = {
    *("callproc", "commit", "execute", "executemany", "executescript", "fetchall", "fetchmany", "fetchone"),
    *("copy_expert", "copy_from", "copy_to", "rollback"),
}
_TAKE_SQL = {"callproc", "copy_expert", "execute", "executemany", "executescript"}
_STATEMENTS = ("query", "sql", "statement", "operation", "stmt")
"""What drivers call the parameter with the statement."""
_DECODE = {"__next__", "data_received", "fetchall", "fetchmany", "fetchone"}
"""What works on what has come; everything else talks with the server."""
_AFTER_WITH = "__exit__"
_SLOTS = (GetSetDescriptorType, MemberDescriptorType)
_NOTHING = object()


class Place(NamedTuple):
    """Where a frame was when it was looked at: the thread may have gone on since."""

    frame: FrameType
    instruction: int

    @property
    def module(self) -> str:
        """The name of its module."""
        return self.frame.f_globals.get("__name__") or UNKNOWN

    @property
    def line(self) -> int:
        """Its line."""
        lines = self.frame.f_code.co_lines()
        found = (line for begin, end, line in lines if begin <= self.instruction < end)
        return next(found, None) or self.frame.f_code.co_firstlineno

    def callee(self) -> Callee | None:
        """Return what it calls."""
        return callee(self.frame.f_code, self.instruction)


class Entry(NamedTuple):
    """Where a thread has gone into a driver; it cannot be told from the next call by the same line."""

    frame: int
    """The id of the outermost frame of the driver, or of the one that calls it."""
    instruction: int
    """Which one of it calls the driver; -1 if it is the driver's."""
    driver: str | None
    """`None`: the frame calls something in C, and may mean a driver."""


class Call(NamedTuple):
    """A database call, in words."""

    driver: str
    method: str
    statement: str | None
    """Normalized; `None` for what has none, such as a commit."""
    filename: str
    line: int
    function: str
    measured: bool
    """Whether it goes through our own wrapper, which takes the time."""


@lru_cache(maxsize=4096)
def driver_of(module: str) -> str | None:
    """Return the name of the driver that a module belongs to."""
    parts = module.split(".")
    if parts[0] == "greenpg":
        return parts[2] if parts[1:2] == ["compat"] and parts[2:3] and parts[2] in _DRIVERS else None
    top = _PARTS.get(parts[0], parts[0])
    if top in _LIBRARIES:
        return None
    # PEP 249, "Module Interface": https://peps.python.org/pep-0249/#module-interface
    names = vars(sys.modules[top]) if top in sys.modules else {}
    return top if top in _DRIVERS or {"apilevel", "paramstyle"} <= names.keys() else None


def is_idle(frame: FrameType) -> bool:
    """Return whether a thread is in a hub that waits: what most looks find, and are over with then."""
    return frame.f_back is None and _calls_no_driver(frame.f_globals.get("__name__") or UNKNOWN)


def places(frame: FrameType | None) -> list[Place]:
    """Return where all frames of a thread are, from the innermost, which is given."""
    found = []
    while frame is not None:
        found.append(Place(frame, frame.f_lasti))
        frame = frame.f_back
    return found


def entry(stack: list[Place]) -> Entry | None:
    """Return where a thread may have gone into a driver."""
    for place in reversed(stack):
        driver = _driver_in(place)
        if driver is not None:
            return Entry(id(place.frame), -1, driver)
    innermost = stack[0]
    if _calls_no_driver(innermost.module):
        return None
    return Entry(id(innermost.frame), innermost.instruction, None)


def with_driver(stack: list[Place], into: Entry) -> Entry | None:
    """Return an entry with its driver, if it is one into a driver; this takes its time."""
    driver = into.driver or _driver_called(stack[0])
    return None if driver is None else into._replace(driver=driver)


def is_fresh(stack: list[Place], into: Entry) -> bool:
    """Return whether a thread may have come into a call only in the moment that it let others run."""
    innermost = stack[0]
    if into.instruction < 0:
        beginning = is_beginning(innermost.frame.f_code, innermost.instruction)
        return id(innermost.frame) == into.frame and beginning
    called = innermost.callee()
    return called is None or _method(innermost, called) not in _DECODE


def describe(
    stack: list[Place],
    into: Entry,
    libraries: frozenset[str] = frozenset(),
    suspended: Callable[[], Iterable[Any]] = tuple,
) -> Call | None:
    """Return the call that was found, in words.

    :param libraries: more top-level modules that are not the application
    :param suspended: returns the coroutines that wait in the thread's loop
    """
    at = next((index for index, place in enumerate(stack) if id(place.frame) == into.frame), None)
    if at is None or into.driver is None:
        return None
    outermost = at + (into.instruction < 0)
    inside, outside = stack[:outermost], stack[outermost:]
    caller = outside[0] if outside else None
    called = None if caller is None else caller.callee()
    method = stack[at].frame.f_code.co_name
    if caller is not None and called is not None and into.instruction >= 0:
        method = _method(caller, called)
    application, measured = _application(outside, libraries)
    if application is None:  # the loop itself has called the driver, which decodes for somebody
        waiting = _waiting_for(stack[at], called, suspended())
        method = next((place.frame.f_code.co_name for place in waiting if _driver_in(place)), method)
        inside += reversed(waiting)
        # Where it has gone on meanwhile, there is at least who has started the loop.
        around = (*reversed(waiting), *outside)
        application = next((one for one in around if not _is_library(one, libraries)), stack[at])
    statement = _statement(inside, caller, called)
    return Call(
        driver=into.driver,
        method=method,
        statement=statement and normalized(statement, quotes_names=into.driver not in _MYSQL),
        filename=application.frame.f_code.co_filename,
        line=application.line,
        function=application.frame.f_code.co_name,
        measured=measured,
    )


def unframed_entry(greenlet: Any) -> Entry | None:
    """Return where a greenlet has gone into a driver that runs a function in C and nothing else."""
    driver = _driver_of_object(greenlet._run)
    return None if driver is None else Entry(id(greenlet), -1, driver)


def describe_unframed(greenlet: Any, into: Entry, libraries: frozenset[str] = frozenset()) -> Call | None:
    """Return the call of such a greenlet in words; the application is who has spawned it."""
    function, arguments = greenlet._run, greenlet.args
    text = text_of(arguments[0]) if arguments and function.__name__ in _TAKE_SQL else None
    statement = text or _last_statement(function.__self__)
    frame = greenlet.spawning_stack
    while frame is not None and _is_library_module(_module_of(frame.f_code.co_filename), libraries):
        frame = frame.f_back
    if frame is None or into.driver is None:
        return None
    return Call(
        driver=into.driver,
        method=function.__name__,
        statement=statement and normalized(statement, quotes_names=into.driver not in _MYSQL),
        filename=frame.f_code.co_filename,
        line=frame.f_lineno,
        function=frame.f_code.co_name,
        measured=False,
    )


def _module_of(filename: str) -> str:
    """Return the name of the module in a file: of the frames that gevent keeps, no more is known."""
    modules = [found for found in list(sys.modules.values()) if type(found) is ModuleType]
    return next((one.__name__ for one in modules if vars(one).get("__file__") == filename), UNKNOWN)


def _driver_in(place: Place) -> str | None:
    """Return the driver whose code runs in a place; to import it is not to call it."""
    function = place.frame.f_code.co_name
    if place.module == _MEASURE:
        return _FRAMES.get(function)
    return None if function == "<module>" else driver_of(place.module)


@lru_cache(maxsize=4096)
def _calls_no_driver(module: str) -> bool:
    """Return whether no function of a module calls a driver's functions in C."""
    top = module.partition(".")[0]
    if top == "greenpg":
        return module != _MEASURE
    return top in sys.stdlib_module_names or top in _RUNTIMES


def _driver_called(place: Place) -> str | None:
    """Return the driver whose code in C is called in a place."""
    called = place.callee()
    if called is None:
        return None
    if called.path == (UNKNOWN, _AFTER_WITH):
        paths = managers(place.frame.f_code, place.instruction)
        entered = [[*_objects(place, path)][-1] for path in paths]
        connections = [
            value for value in (*entered, *place.frame.f_locals.values()) if hasattr(type(value), "commit")
        ]
        return next(filter(None, map(_driver_of_object, connections)), None)
    objects = list(_objects(place, called.path[:-1] or called.path))
    driver = next(filter(None, map(_driver_of_object, objects)), None)
    if driver is None and objects[-1] is _NOTHING and called.path[-1] in _METHODS:
        driver = next((name for name in _IN_C if name in sys.modules), None)
    return driver


def _method(place: Place, called: Callee) -> str:
    """Return the name of what is called in a place, its own and not that of the variable it is in."""
    if len(called.path) == 1:
        [function] = _objects(place, called.path)
        if isinstance(function, BuiltinFunctionType | MethodDescriptorType):
            return function.__name__
    return called.path[-1]


def _driver_of_object(found: Any) -> str | None:
    """Return the driver that an object, a class or a function belongs to."""
    kind = type(found)
    if kind is ModuleType:
        return driver_of(found.__name__)
    if kind is BuiltinFunctionType:
        return _driver_of_object(found.__self__)
    if kind is MethodDescriptorType:
        kind = found.__objclass__
    elif issubclass(kind, type):
        kind = found
    modules = [*(base.__module__ for base in kind.__mro__), _attribute(found, "__module__")]
    return next(filter(None, (driver_of(name) for name in modules if isinstance(name, str))), None)


def _objects(place: Place, path: tuple[str, ...]) -> Iterator[Any]:
    """Yield what the names of a path stand for in a place, from left to right; at last maybe `_NOTHING`."""
    if not path:
        return
    variables = place.frame.f_locals
    found = variables[path[0]] if path[0] in variables else place.frame.f_globals.get(path[0], _NOTHING)
    yield found
    for name in path[1:]:
        if found is _NOTHING:
            return
        found = _NOTHING if name == RESULT else _attribute(found, name)
        yield found


def _attribute(owner: Any, name: str) -> Any:
    """Return an attribute if that takes none of the owner's code, else `_NOTHING`."""
    try:
        found = getattr_static(owner, name, _NOTHING)
        if isinstance(found, _SLOTS):
            return found.__get__(owner)
    except Exception:  # an empty slot; an object that pretends to be another one
        return _NOTHING
    return _NOTHING if hasattr(type(found), "__get__") else found


def _statement(inside: list[Place], caller: Place | None, called: Callee | None) -> str | None:
    """Return the text that is executed, or was executed last, with the data that may be in it.

    :param inside: the places below the caller, from the innermost
    """
    objects: list[Any] = []
    if caller is not None and called is not None:
        if called.path[-1] in _TAKE_SQL:
            text = called.text or _argument(caller, called)
            if text is not None:
                return text
        found = _objects(caller, called.path[:-1] or called.path)
        objects += (one.__self__ if type(one) is BuiltinFunctionType else one for one in found)
    for place in reversed(inside):
        if _driver_in(place) is None:
            continue
        variables = place.frame.f_locals
        for name in _STATEMENTS:
            text = text_of(variables.get(name))
            if text is not None:
                return text
        objects.append(variables.get("self"))
    cursors = (found for found in objects if _driver_of_object(found) is not None)
    return next(filter(None, map(_last_statement, cursors)), None)


def _argument(place: Place, called: Callee) -> str | None:
    """Return the text of the first argument of a call."""
    if not called.argument:
        return None
    *_, value = _objects(place, called.argument)
    if isinstance(value, tuple | list) and value:  # of f(*arguments)
        value = value[0]
    return text_of(value)


def _last_statement(cursor: Any) -> str | None:
    """Return what a cursor of psycopg2 or psycopg has executed last."""
    query = _attribute(cursor, "query")
    return text_of(_attribute(_attribute(cursor, "_query"), "query") if query is _NOTHING else query)


def _application(outside: list[Place], libraries: frozenset[str]) -> tuple[Place | None, bool]:
    """Return the nearest place in the application, and whether our own wrapper is on the way there.

    :param outside: the places above the driver, from the innermost
    """
    measured = False
    for place in outside:
        measured = measured or place.module == _MEASURE
        if place.module in _LOOPS:
            break
        if not _is_library(place, libraries):
            return place, measured
    return None, measured


def _is_library(place: Place, libraries: frozenset[str]) -> bool:
    """Return whether a place is between the application and the server, or below both."""
    return _is_library_module(place.module, libraries)


def _is_library_module(module: str, libraries: frozenset[str]) -> bool:
    top = module.partition(".")[0]
    known = top in sys.stdlib_module_names or top in _LIBRARIES or top in libraries
    return known or driver_of(module) is not None


def _waiting_for(place: Place, called: Callee | None, coroutines: Iterable[Any]) -> list[Place]:
    """Return the places of the coroutine that waits for what is called in a place, from the outermost.

    That is the one in whose midst an object of the driver has the called one as its `_protocol`.
    """
    objects = [place.frame.f_locals.get("self"), *(_objects(place, called.path[:-1]) if called else ())]
    ours = {id(found) for found in objects if _driver_of_object(found) is not None}
    for coroutine in coroutines:
        waiting = [Place(frame, frame.f_lasti) for frame in _frames(coroutine)]
        owners = (one.frame.f_locals.get("self") for one in waiting)
        if any(id(_attribute(owner, "_protocol")) in ours for owner in owners):
            return waiting
    return []


def _frames(coroutine: Any) -> Iterator[FrameType]:
    """Yield the frames of a coroutine that is suspended, from the outermost."""
    while isinstance(coroutine, CoroutineType) and coroutine.cr_frame is not None:
        yield coroutine.cr_frame
        coroutine = coroutine.cr_await
