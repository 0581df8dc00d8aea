"""What loaders tell of themselves, for a compiled loop to make the same objects without calling them.

The mark is on the function `load`: a subclass that has its own `load` is called, whatever else it inherits.
What the mark says is asked of each loader, so that what a subclass has as its `layout` or its zone counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Load = TypeVar("Load", bound=Callable[..., Any])

Description = tuple[Any, ...]
"""The name of a decoder, one of those in `greenpg/pq/_rows.pyx`, and what it needs besides."""

_CHANGEABLE = frozenset({"array", "array text", "json", "jsonb"})
"""Decoders of what becomes an object that can be changed."""


def decodable(describe: Callable[[Any], Description | None]) -> Callable[[Load], Load]:
    """Mark a `load()` as one that there is a decoder for.

    :param describe: called with the loader; None: not for this one
    """

    def described(loader: Any) -> Description | None:
        try:
            return describe(loader)
        except Exception:  # a subclass need not have what another one's description is made of
            return None

    def mark(load: Load) -> Load:
        load.__dict__["decodable"] = described
        return load

    return mark


def is_steady(load: Callable[[bytes], Any]) -> bool:
    """Return whether a `load()` always makes the same, which nobody can change; the user's own does not."""
    describe = getattr(getattr(load, "__func__", None), "decodable", None)
    described = None if describe is None else describe(getattr(load, "__self__", None))
    return described is not None and described[0] not in _CHANGEABLE
