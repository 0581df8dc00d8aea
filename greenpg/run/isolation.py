"""Which commands cannot be made green from outside: a Python that is told to ignore the environment.

Its rule: only what is certain. A command of which nothing is known may start.
"""

from __future__ import annotations

import os
import re
from shutil import which
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PYTHON = re.compile(r"(python|pypy)[\d.]*t?")
_LONGEST = 512
"""Bytes of a first line; more is not a path and its options."""


def isolating_option(command: Sequence[str]) -> str | None:
    """Return the option by which a Python ignores $PYTHONPATH or sitecustomize, if there is one.

    It may stand in the command, or in the first line of the script that the command is. See `-E`, `-I` and
    `-S` in https://docs.python.org/3/using/cmdline.html
    """
    for words in (list(command), _first_line(command[0])):
        if words and _PYTHON.fullmatch(os.path.basename(words[0])):
            for option in _options(words[1:]):
                if set("EIS") & set(option):
                    return option
    return None


def _options(words: Sequence[str]) -> Iterator[str]:
    """Yield a Python's own options, without their values and what comes after them."""
    rest = iter(words)
    for word in rest:
        option = re.match(r"-[^-cmWX]*", word)
        if option is None or word == "-":
            return  # the program
        yield option[0]
        begins = word[option.end() :]
        if begins[:1] in ("c", "m", "-"):
            return
        if begins in ("W", "X"):
            next(rest, None)  # the value


def _first_line(name: str) -> list[str]:
    """Return the words behind the `#!` of a script, without an `env` in front."""
    path = which(name)
    if path is None:
        return []
    try:
        with open(path, "rb") as script:
            line = script.readline(_LONGEST).decode(errors="replace")
    except OSError:
        return []
    words = line[2:].split() if line.startswith("#!") else []
    if words and os.path.basename(words[0]) == "env":
        return [word for word in words[1:] if word != "-S"]
    return words
