"""What the design promises of the two colours, as a check: `X` and `AsyncX` are twins, method by method.

A complaint is a line of text that begins with the place, as in `architecture`. Compared is the source: names,
order, parameters with their annotations and defaults, what is returned, decorators and docstrings. A class
without a twin is not of two colours, and is left alone.
"""

from __future__ import annotations

import ast
import re
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.architecture import Module

    Function = ast.FunctionDef | ast.AsyncFunctionDef

TWIN_NAMES = {f"__{name}__": f"__a{name}__" for name in ("enter", "exit", "iter", "next")}

# Parameters of the blocking colour alone: who waits for async code is a fact of the running loop.
BLOCKING_ONLY = {"wait_callback"}

# How the blocking colour spells what the async one says; longest first.
SPELLINGS = (
    (re.compile(r"\bAsyncGenerator\[(.*?), None\]"), r"Generator[\1, None, None]"),
    (re.compile(r"\bAsync(?=[A-Z])"), ""),
    (re.compile(r"\basync(?=contextmanager\b)"), ""),
    (re.compile(r"(\w+(?:\[.*?\])?) \| Awaitable\[\1\]"), r"\1"),
    (re.compile(r"\bStopAsyncIteration\b"), "StopIteration"),
)


def wrong_twins(of: Iterable[Module]) -> Iterator[str]:
    """Complain of twins that differ."""
    for module in of:
        classes = {node.name: node for node in module.tree.body if isinstance(node, ast.ClassDef)}
        for name, twin in classes.items():
            blocking = classes.get(name.removeprefix("Async"))
            if blocking is not None and blocking is not twin:
                yield from _differences(module, blocking, twin)


def _differences(module: Module, blocking: ast.ClassDef, twin: ast.ClassDef) -> Iterator[str]:
    for left, right in zip_longest(public(blocking), public(twin)):
        name = left and TWIN_NAMES.get(left.name, left.name)
        if left is None or right is None or name != right.name:
            mine, its = left and left.name, right and right.name
            yield f"{module.at(right or twin)} {twin.name} has {its} where {blocking.name} has {mine}"
            return  # all that follows would differ
        if (ours := face(left)) != (theirs := face(right)):
            yield f"{module.at(right)} {twin.name}.{right.name}{theirs} is not {ours}"
        words = f"Async `{blocking.name}.{left.name}()`"
        if ast.get_docstring(left) and not (ast.get_docstring(right) or "").startswith(words):
            yield f"{module.at(right)} {twin.name}.{right.name} must say: {words}"


def public(of: ast.ClassDef) -> list[Function]:
    """Return the public methods of a class in order, those with names of Python's own included."""
    methods = (node for node in of.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [node for node in methods if not node.name.startswith("_") or node.name.startswith("__")]


def face(function: Function) -> str:
    """Return what callers see of a method, in the blocking colour's words."""
    decorators = "".join(f" @{ast.unparse(decorator)}" for decorator in function.decorator_list)
    returns = ast.unparse(function.returns) if function.returns else "?"
    text = f"({ast.unparse(shared(function.args))}) -> {returns}{decorators}"
    for pattern, spelling in SPELLINGS:
        text = pattern.sub(spelling, text)
    return text


def shared(arguments: ast.arguments) -> ast.arguments:
    """Return the parameters without those of the blocking colour alone."""
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    kept = [pair for pair in pairs if pair[0].arg not in BLOCKING_ONLY]
    names, defaults = [name for name, _ in kept], [default for _, default in kept]
    return ast.arguments(
        posonlyargs=arguments.posonlyargs,
        args=arguments.args,
        vararg=arguments.vararg,
        kwonlyargs=names,
        kw_defaults=defaults,
        kwarg=arguments.kwarg,
        defaults=arguments.defaults,
    )
