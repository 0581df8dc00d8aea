"""What a frame is calling, read off its bytecode.

A driver written in C has no frames: the last one there is belongs to its caller. Its rule: knows Python's
instructions and nothing of drivers; a call that it cannot read is `None`, never a guess.
"""

from __future__ import annotations

import dis
from bisect import bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from types import CodeType

UNKNOWN = ""
"""In a path: some expression."""
RESULT = "()"
"""In a path: what the call of the names before it has returned."""
_ITERATE = {"all", "any", "dict", "frozenset", "list", "max", "min", "next", "set", "sorted", "sum", "tuple"}
"""Functions in C that call for the next item of their first argument, in their caller's frame."""
_PREPARE = {"BUILD_LIST", "BUILD_MAP", "BUILD_SET", "COPY", "LOAD_FAST_AND_CLEAR", "SWAP"}
"""What a comprehension does between having its iterator and the first item, since Python 3.12."""
_LOADS = ("LOAD_FAST", "LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_CLASSDEREF")


class Callee(NamedTuple):
    """A call in the source: `self.cursor.execute("select 1")`."""

    path: tuple[str, ...]
    """The names that lead to it: `("self", "cursor", "execute")`; the first is a variable or `UNKNOWN`."""
    argument: tuple[str, ...] = ()
    """The path of its first argument, where that is a variable or an attribute."""
    text: str | None = None
    """Its first argument, where that is a text."""


@lru_cache(maxsize=1024)
def callee(code: CodeType, offset: int) -> Callee | None:
    """Return what the instruction at `offset` calls: by name, as an iterator, or as the end of a `with`.

    :param offset: `f_lasti` of a frame that runs `code`
    """
    instructions = list(dis.get_instructions(code))
    # In a call of a Python function, `f_lasti` is in the inline cache behind the instruction.
    at = bisect_right(instructions, offset, key=lambda found: found.offset) - 1
    name = instructions[at].opname
    if name == "FOR_ITER":
        return _iterator(instructions, at - 1)
    return _called(instructions, at) if name.startswith("CALL") else None


@lru_cache(maxsize=1024)
def is_beginning(code: CodeType, offset: int) -> bool:
    """Return whether the instruction at `offset` is where a function begins, or goes on after an await."""
    return any(found.offset == offset and found.opname == "RESUME" for found in dis.get_instructions(code))


@lru_cache(maxsize=1024)
def managers(code: CodeType, offset: int) -> tuple[tuple[str, ...], ...]:
    """Return the paths of the context managers before `offset`, those that were entered last first."""
    found = []
    instructions = list(dis.get_instructions(code))
    for at in range(bisect_right(instructions, offset, key=lambda one: one.offset) - 1, 0, -1):
        name, before = instructions[at].opname, instructions[at - 1].opname
        if name in ("BEFORE_WITH", "SETUP_WITH"):
            found.append(_path(instructions, at - 1))
        elif name == "LOAD_SPECIAL" and before == "COPY":  # since Python 3.14: first of its __exit__
            found.append(_path(instructions, at - 2))
    return tuple(path for path in found if path[0] != UNKNOWN)


def _iterator(instructions: list[dis.Instruction], last: int) -> Callee | None:
    """Return the call for the next item of the iterator that was made, or loaded, up to `last`."""
    while instructions[last].opname in _PREPARE:
        last -= 1
    if instructions[last].opname == "GET_ITER":
        last -= 1
    elif instructions[last].argval != ".0":  # what a comprehension with a frame of its own is given
        return None
    return Callee((*_path(instructions, last), "__next__"))


def _called(instructions: list[dis.Instruction], at: int) -> Callee | None:
    end = at
    while instructions[end - 1].opname in ("PRECALL", "KW_NAMES"):
        end -= 1
    if [_is_none(found) for found in instructions[max(0, end - 3) : end]] == [True] * 3:
        return Callee((UNKNOWN, "__exit__"))
    begin = _beginning(instructions, end, _operands(instructions[at]))
    if begin is None:
        return None
    last = begin - 1
    if instructions[last].opname == "PUSH_NULL":
        last -= 1
    path = _path(instructions, last)
    if path == (UNKNOWN,):
        return None
    if begin == end:
        return Callee(path)
    argument = instructions[begin]
    if argument.opname == "LOAD_CONST":
        return Callee(path, text=argument.argval if isinstance(argument.argval, str) else None)
    names = _path_on(instructions, begin)
    after = begin + len(names)
    is_alone = after >= end or instructions[after].opname.startswith(("LOAD_CONST", *_LOADS))
    if path[0] in _ITERATE and len(path) == 1 and names and is_alone:
        return Callee((*names, "__next__"))
    return Callee(path, argument=names)


def _is_none(load: dis.Instruction) -> bool:
    return load.opname == "DUP_TOP" or (load.opname == "LOAD_CONST" and load.argval is None)


def _operands(call: dis.Instruction) -> int:
    """Return how many values a call takes from the stack, on top of the callable."""
    if call.opname == "CALL_FUNCTION_EX":
        return 2 if call.arg is None else 1 + (call.arg & 1)
    return (call.arg or 0) + call.opname.endswith("_KW")  # the names of keywords


def _beginning(instructions: list[dis.Instruction], end: int, values: int) -> int | None:
    """Return where the instructions begin that push the last `values` values before `end`."""
    at = end
    while values > 0 and at > 0:
        at -= 1
        if instructions[at].opname == "JUMP_FORWARD":
            # The end of what a conditional expression does if true: go on with its condition.
            otherwise = instructions[at + 1].offset
            at = next((i for i in range(at) if instructions[i].argval == otherwise), 0)
        found = instructions[at]
        values -= dis.stack_effect(found.opcode, found.arg, jump=False)
    return at if values == 0 else None


def _path(instructions: list[dis.Instruction], last: int) -> tuple[str, ...]:
    """Return the names that the expression which ends at `last` consists of."""
    names: list[str] = []
    while instructions[last].opname in ("LOAD_ATTR", "LOAD_METHOD"):
        names.append(instructions[last].argval)
        if instructions[last].is_jump_target:  # it has an attribute of a conditional expression
            return (UNKNOWN, *reversed(names))
        last -= 1
    made = _called(instructions, last) if names and instructions[last].opname.startswith("CALL") else None
    before = (_variable(instructions[last]),) if made is None else (*made.path, RESULT)
    return (*before, *reversed(names))


def _path_on(instructions: list[dis.Instruction], first: int) -> tuple[str, ...]:
    """Return the names that the expression which begins at `first` begins with."""
    names = [_variable(instructions[first], 0)]
    while instructions[first + 1].opname == "LOAD_ATTR":
        first += 1
        names.append(instructions[first].argval)
    return () if names[0] == UNKNOWN else tuple(names)


def _variable(load: dis.Instruction, which: int = -1) -> str:
    """Return the name of the variable that an instruction loads; since Python 3.13, one may load two."""
    if not load.opname.startswith(_LOADS):
        return UNKNOWN
    return str(load.argval[which] if isinstance(load.argval, tuple) else load.argval)
