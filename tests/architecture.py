"""What the design promises of the source, as checks: each takes modules and returns what is wrong with them.

A complaint is a line of text that begins with the place. `test_architecture` runs every check on greenpg, and
on small trees that are wrong on purpose.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

FILE_LINES = 500
FUNCTION_LINES = 40
EXEMPT = ("sqlstate", "suite")  # generated; others' work, kept as it is

SHELLS = (
    *("connection", "cursor", "client_cursor", "raw_cursor", "server_cursor", "copy", "pipeline"),
    *("transaction", "lobject", "pool", "listener"),
)

# Room -> the rooms right below it; whatever is below those may be imported too.
ARROWS: dict[str, tuple[str, ...]] = {
    "": ("_dbapi", "postgres", *SHELLS),
    "__main__": ("bench", "demo", "doctor", "run", "contrib"),
    "doctor": ("", "gevent", "eventlet"),
    "demo": ("gevent", "eventlet", "testing"),
    "run": ("gevent", "eventlet"),
    "bench": (),
    "contrib": ("", "gevent", "eventlet"),
    "gevent": ("compat", "detector"),
    "eventlet": ("compat", "detector"),
    "detector": ("compat",),
    "uwsgi": ("compat",),
    "testing": SHELLS,
    "compat": ("waiters", "_core", "pq"),
    **dict.fromkeys(SHELLS, ("_session", *SHELLS)),
    "_session": ("_waiting", "transaction", "lobject"),
    "_waiting": ("_liveness",),
    "_liveness": ("_turn",),
    "_turn": ("waiters", "_running", "tracing"),
    "_running": ("_core",),
    "tracing": ("sql",),
    "_core": ("pq", "types", "sql", "rows", "conninfo", "_pristine"),
    "sql": ("types",),
    "postgres": ("types",),
    "types": ("adapt",),
    **dict.fromkeys(("adapt", "conninfo"), ("pq",)),
    "rows": ("pq",),
    "pq": ("errors",),
    "errors": ("abc",),
    "waiters": ("abc", "_pristine"),
    **dict.fromkeys(("abc", "_dbapi", "_pristine"), ()),
}

# What has no place in `_core`: it neither waits nor knows the time or who does wait.
WAITING_MODULES = {
    *("asyncio", "concurrent", "eventlet", "gevent", "multiprocessing", "queue", "sched"),
    *("select", "selectors", "signal", "threading", "time", "trio"),
}
WAITING_NAMES = {
    *("sleep", "monotonic", "perf_counter"),
    *("Lock", "RLock", "Condition", "Semaphore", "Event", "Queue"),
}

# Places that are somebody's machine and not the repository.
FOREIGN = re.compile(r"(?<![\w.])/(?:home|root|work|Users|mnt|opt)/|/tmp/\w+/|file://|index-url")


@dataclass(frozen=True)
class Module:
    """A Python file and what it imports."""

    name: str
    path: Path
    text: str = field(repr=False)
    tree: ast.Module = field(repr=False)

    @property
    def is_package(self) -> bool:
        """Whether it is an `__init__.py`."""
        return self.path.name == "__init__.py"

    @property
    def room(self) -> str:
        """The second part of its name; of the face, nothing."""
        return [*self.name.split("."), ""][1]

    def at(self, node: ast.AST) -> str:
        """Return a place in it, for a complaint."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"

    def imports(self) -> Iterator[tuple[ast.stmt, str]]:
        """Yield everything that it may import, anywhere in it: `from a import b` may be `a` or `a.b`."""
        package = self.name if self.is_package else self.name.rpartition(".")[0]
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                parts = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
                base = ".".join([*parts, *([node.module] if node.module else [])])
                yield from ((node, f"{base}.{alias.name}") for alias in node.names)


def modules(root: Path) -> list[Module]:
    """Read every Python file below a package's folder."""
    found = []
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text()
        found.append(Module(name, path, text, ast.parse(text)))
    return found


def edges(of: Iterable[Module]) -> dict[Module, list[tuple[ast.stmt, Module]]]:
    """Return who imports whom, under TYPE_CHECKING and in functions too."""
    by_name = {module.name: module for module in of}
    found: dict[Module, list[tuple[ast.stmt, Module]]] = {}
    for module in by_name.values():
        found[module] = []
        for node, name in module.imports():
            target = by_name.get(name) or by_name.get(name.rpartition(".")[0])
            if target is not None and target is not module:
                found[module].append((node, target))
    return found


def below(room: str) -> set[str]:
    """Return the rooms that a room may import, itself included."""
    reached, todo = set(), [room]
    while todo:
        if (here := todo.pop()) not in reached:
            reached.add(here)
            todo.extend(ARROWS[here])
    return reached


def wrong_arrows(of: Iterable[Module]) -> Iterator[str]:
    """Complain of imports that go up or sideways, and of rooms that the design does not know."""
    for module, imported in edges(of).items():
        if module.room not in ARROWS:
            yield f"{module.path}:1 room {module.room!r} has no place in ARROWS"
            continue
        for node, target in imported:
            if target.room not in below(module.room):
                yield f"{module.at(node)} {module.room or 'the face'} must not import {target.name}"


def cycles(of: Iterable[Module]) -> Iterator[str]:
    """Complain of modules that import each other, by whatever way round."""
    graph = {module: [target for _, target in imported] for module, imported in edges(of).items()}
    done: set[Module] = set()

    def visit(module: Module, way: list[Module]) -> Iterator[str]:
        if module in way:
            yield f"{module.path}:1 cycle: " + " -> ".join(
                m.name for m in [*way[way.index(module) :], module]
            )
        elif module not in done:
            for target in graph[module]:
                yield from visit(target, [*way, module])
            done.add(module)

    for module in graph:
        yield from visit(module, [])


def waits(of: Iterable[Module]) -> Iterator[str]:
    """Complain of whatever in `_core` waits, looks at the clock or knows a loop."""
    for module in (module for module in of if module.room == "_core"):
        for statement, name in module.imports():
            if name.split(".")[0] in WAITING_MODULES:
                yield f"{module.at(statement)} _core must not import {name}"
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Await | ast.AsyncFunctionDef | ast.AsyncFor | ast.AsyncWith):
                yield f"{module.at(node)} _core must not await"
            word = getattr(node, "attr", getattr(node, "id", ""))
            if word in WAITING_NAMES:
                yield f"{module.at(node)} _core must not use {word}"


def too_long(of: Iterable[Module]) -> Iterator[str]:
    """Complain of files and functions above the limits; a function's docstring does not count."""
    for module in (module for module in of if module.path.stem not in EXEMPT):
        if (lines := len(module.text.splitlines())) > FILE_LINES:
            yield f"{module.path}:1 has {lines} lines, more than {FILE_LINES}"
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (
                (lines := function_lines(node)) > FUNCTION_LINES
            ):
                yield f"{module.at(node)} {node.name} has {lines} lines, more than {FUNCTION_LINES}"


def function_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function without its docstring and decorators."""
    assert node.end_lineno is not None
    lines = node.end_lineno - node.lineno + 1
    if ast.get_docstring(node) is not None:
        docstring = node.body[0]
        assert docstring.end_lineno is not None
        lines -= docstring.end_lineno - docstring.lineno + 1
    return lines


def compiled(root: Path) -> Iterator[str]:
    """Complain of what Cython's files import, of long ones, and of those that say nothing of themselves."""
    for path in sorted([*root.rglob("*.pyx"), *root.rglob("*.px[di]")]):
        text = path.read_text()
        if (lines := len(text.splitlines())) > FILE_LINES:
            yield f"{path}:1 has {lines} lines, more than {FILE_LINES}"
        if not text.startswith(('"""', "# ")):
            yield f"{path}:1 does not begin with what it is for"
        for name in re.findall(r"^ *(?:from|import|cimport) greenpg\.(\w+)", text, re.MULTILINE):
            if name not in below("pq"):
                yield f"{path}:1 pq must not import greenpg.{name}"


def code_in_packages(of: Iterable[Module]) -> Iterator[str]:
    """Complain of anything in an `__init__.py` but a docstring, imports and constants."""
    for module in (module for module in of if module.is_package):
        for statement in module.tree.body:
            docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            constant = isinstance(statement, ast.Assign) and not any(
                isinstance(part, ast.Call | ast.Lambda) for part in ast.walk(statement)
            )
            if not (docstring or constant or isinstance(statement, ast.Import | ast.ImportFrom)):
                yield f"{module.at(statement)} an __init__.py holds names only"


def undocumented(of: Iterable[Module]) -> Iterator[str]:
    """Complain of modules that do not say what they are for."""
    for module in of:
        if not ast.get_docstring(module.tree):
            yield f"{module.path}:1 has no docstring"


def foreign(path: Path, text: str) -> Iterator[str]:
    """Complain of text that names places outside of the repository."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := FOREIGN.search(line):
            yield f"{path}:{number} names a place outside of the repository: {found.group()}"
