"""Template strings for Pythons that have none: the same interface as `string.templatelib`, written out.

`Template("select ", Interpolation(x, "x"), ...)` is `t"select {x}..."`; the classes are Python's own where
there are such.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class OwnInterpolation:
    """A value between braces."""

    value: Any
    expression: str = ""
    conversion: str | None = None
    format_spec: str = ""


class OwnTemplate:
    """Strings and values in turn, with a string at both ends; neighbouring strings are one."""

    def __init__(self, *args: str | OwnInterpolation):
        strings, interpolations = [""], list[OwnInterpolation]()
        for arg in args:
            if isinstance(arg, str):
                strings[-1] += arg
            else:
                interpolations.append(arg)
                strings.append("")
        self.strings, self.interpolations = tuple(strings), tuple(interpolations)

    def __iter__(self) -> Iterator[str | OwnInterpolation]:
        """Iterate as Python's does, without the strings that are empty."""
        for number, string in enumerate(self.strings):
            if string:
                yield string
            yield from self.interpolations[number : number + 1]


Template: Any = OwnTemplate
Interpolation: Any = OwnInterpolation
if sys.version_info >= (3, 14):
    from string import templatelib

    Template, Interpolation = templatelib.Template, templatelib.Interpolation
