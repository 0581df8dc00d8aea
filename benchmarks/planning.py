"""How many rounds there is time for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    T = TypeVar("T")

_STEPS = 40


class Need(NamedTuple):
    """What one thing would take of the time."""

    seconds: float
    """For one round of it."""
    rounds: int
    """More would be of no use."""
    weight: float = 1.0
    """How many times as much time as others it may take."""


def plan(needs: Mapping[T, Need], seconds: float) -> dict[T, int]:
    """Return for each how many rounds it gets, so that all of it takes at most `seconds`.

    Everybody is allowed the same time, times his weight, and as much of it as there is: who is slow gets
    fewer rounds, and who needs less than what he is allowed leaves the rest to the others.
    """
    low, high = 0.0, max(seconds, 0.0)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        given = _given(needs, middle)
        if sum(given[key] * needs[key].seconds for key in needs) <= seconds:
            low = middle
        else:
            high = middle
    return _given(needs, low)


def _given(needs: Mapping[T, Need], allowance: float) -> dict[T, int]:
    return {
        key: min(need.rounds, int(allowance * need.weight / max(need.seconds, 1e-9)))
        for key, need in needs.items()
    }
