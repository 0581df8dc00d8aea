"""The arithmetic: medians, spread, and ratios within a round."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Figure:
    """One metric of what one contender did for one workload."""

    contender: str
    workload: str
    metric: str
    """`cpu`, `wall` or `pause` in seconds, `memory` in bytes, `throughput` in things per second."""
    samples: Mapping[int, float]
    """By the number of the round."""
    point: int = 0
    """Of a curve: how many connections, rows or columns."""

    @property
    def median(self) -> float:
        """The middle of the samples."""
        return median(self.samples.values())

    @property
    def spread(self) -> float:
        """How far a sample is from the median, in the middle of all: half are nearer."""
        return median(abs(sample - self.median) for sample in self.samples.values())

    def ratio(self, rival: Figure) -> float | None:
        """Return how many times as much as the rival this one needs: the middle of the rounds' ratios.

        Both samples of a round were taken one soon after the other, so what slows the machine down for a
        while slows both down. None if there is no round that both took part in, or the rival needed nothing.
        """
        both = [number for number in self.samples if rival.samples.get(number)]
        return median(self.samples[number] / rival.samples[number] for number in both) if both else None
