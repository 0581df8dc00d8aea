"""The arithmetic: medians, spread, and ratios within a round."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """What one contender needed for one workload, one sample for each round."""

    contender: str
    workload: str
    samples: tuple[float, ...]
    """Seconds of client CPU per operation."""

    @property
    def median(self) -> float:
        """The middle of the samples."""
        return median(self.samples)

    @property
    def spread(self) -> float:
        """How far a sample is from the median, in the middle of all: half are nearer."""
        return median(abs(sample - self.median) for sample in self.samples)

    def ratio(self, rival: Figure) -> float:
        """Return how many times as much as the rival this one needs: the middle of the rounds' ratios.

        Both samples of a round were taken one right after the other, so what slows the machine down for a
        while slows both down.
        """
        return median(own / other for own, other in zip(self.samples, rival.samples, strict=True))
