"""Which commands cannot be made green from outside: a Python that is told to ignore the environment.

Its rule: only what is certain. A command of which nothing is known may start.
"""

from __future__ import annotations

import os
import re
from itertools import chain
from shutil import which
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PYTHON = re.compile(r"(python|pypy)[\d.]*t?")
_HIDES = re.compile(r"-|-[0v]*i.*|--ignore-environment|(-u|--unset)[ =]?PYTHONPATH|PYTHONPATH=.*")
"""Options of `env` after which its command does not have our $PYTHONPATH."""
_LONGEST = 512
"""Bytes of a first line; more is not a path and its options."""


def isolating_option(command: Sequence[str]) -> str | None:
    """Return the option by which a Python ignores $PYTHONPATH or sitecustomize, if there is one.

    It may stand in the command, or in the first line of the script that the command is; in either it may be
    one of an `env` in front. See env(1), and `-E`, `-I`, `-S` in https://docs.python.org/3/using/cmdline.html
    """
    options, words = _behind_env(command)
    in_script, of_script = _behind_env(_first_line(words[0]) if words else [])
    for before, started in ((options, words), ([*options, *in_script], of_script)):
        if started and _PYTHON.fullmatch(os.path.basename(started[0])):
            own = (option for option in _options(started[1:]) if set("EIS") & set(option))
            return next(chain(filter(_HIDES.fullmatch, before), own), None)
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
    """Return the words behind the `#!` of a script."""
    path = which(name)
    if path is None:
        return []
    try:
        with open(path, "rb") as script:
            line = script.readline(_LONGEST).decode(errors="replace")
    except OSError:
        return []
    return line[2:].split() if line.startswith("#!") else []


def _behind_env(command: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the options and assignments of an `env`, if there is one, and the command behind them."""
    options, words = [], list(command)
    while words and os.path.basename(words[0]) == "env":
        del words[0]
        while words and (words[0].startswith("-") or "=" in words[0]):
            option = words.pop(0)
            if split := re.fullmatch(r"(-[0iv]*S|--split-string=?)(.*)", option):
                words[:0] = split[2].split()
            elif words and option in ("-u", "--unset", "-C", "--chdir"):
                option = f"{option} {words.pop(0)}"
            options.append(option)
    return options, words
