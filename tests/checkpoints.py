"""A call before every statement of a module: what a signal's handler can do, at each place where it can come.

`sys.settrace()` would do the same with the interpreter's help, and takes the interpreter down now and then
when the trace function raises (3.11).
"""

from __future__ import annotations

import ast
import gc
import inspect
from contextlib import contextmanager
from functools import cache
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

_NAME = "_checkpoint"


@contextmanager
def checkpoints(module: ModuleType, visit: Callable[[], object]) -> Iterator[None]:
    """Have `visit()` called before each statement in the functions and methods of a module.

    No garbage is collected meanwhile: whose `__del__()` is in the module, nobody hears what it raises.

    :param visit: may raise what it likes
    """
    codes = _with_calls(module)
    changed = [(function, function.__code__) for function in _functions(module)]
    assert changed
    setattr(module, _NAME, visit)
    gc.disable()
    try:
        for function, _ in changed:
            function.__code__ = codes[function.__qualname__, function.__code__.co_firstlineno]
        yield
    finally:
        for function, code in changed:
            function.__code__ = code
        setattr(module, _NAME, _nothing)  # for other threads that are in the midst of such a function
        gc.enable()


@cache
def _with_calls(module: ModuleType) -> dict[tuple[str, int], CodeType]:
    tree = _Calls().visit(ast.parse(inspect.getsource(module)))
    code = compile(ast.fix_missing_locations(tree), inspect.getfile(module), "exec", dont_inherit=True)
    return dict(_codes(code))


def _nothing() -> None:
    """Do nothing at a checkpoint."""


class _Calls(ast.NodeTransformer):
    """Puts a call before each statement within functions."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """Go through a function; its docstring stays first."""
        documented = ast.get_docstring(node) is not None
        node.body = node.body[:documented] + self._called(node.body[documented:])
        return node

    def _called(self, body: list[ast.stmt]) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        for statement in body:
            call = ast.Expr(ast.Call(ast.Name(_NAME, ast.Load()), [], []))
            found += [ast.copy_location(call, statement), statement]
            for part in (statement, *getattr(statement, "handlers", ())):
                for name in ("body", "orelse", "finalbody"):
                    if isinstance(inner := getattr(part, name, None), list):
                        setattr(part, name, self._called(inner))
        return found


def _codes(code: CodeType, prefix: str = "") -> Iterator[tuple[tuple[str, int], CodeType]]:
    """Yield the code of each function and class in `code`, with its qualified name and first line."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield (prefix + constant.co_name, constant.co_firstlineno), constant
            yield from _codes(constant, f"{prefix}{constant.co_name}.")


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    """Yield the functions of a module and of its classes, those that decorators have wrapped too."""
    spaces = [vars(module), *(vars(found) for found in vars(module).values() if inspect.isclass(found))]
    for value in [value for space in spaces for value in space.values()]:
        parts: list[Any] = [value, getattr(value, "__func__", None), getattr(value, "__wrapped__", None)]
        parts += [getattr(value, name, None) for name in ("fget", "fset")]
        for function in parts:
            if isinstance(function, FunctionType) and function.__code__.co_filename == module.__file__:
                yield function
