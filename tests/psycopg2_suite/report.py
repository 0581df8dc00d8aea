"""What a run of psycopg2's suite looks like on paper and as JSON: words only, no judgement."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from .job import PLAIN
from .verdict import ALLOWED, MISSING, Difference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .job import Outcome, Outcomes

VERDICTS = ("passed", "skipped", "failed", "hung")


@dataclass
class Report:
    """All that a run found: `results[runtime][module]` are outcomes by test."""

    versions: str
    results: dict[str, dict[str, Outcomes]]
    green_skips: set[str]
    differences: list[Difference]

    def lines(self) -> Iterator[str]:
        """Yield the report for people."""
        yield self.versions
        yield f"\n{'passed skipped failed hung':<24}" + "".join(f"{name:>18}" for name in self.results)
        for module in self.results[PLAIN]:
            yield f"{module:<24}" + "".join(
                f"{count(modules[module].values()):>18}" for modules in self.results.values()
            )
        flat = {runtime: flatten(modules) for runtime, modules in self.results.items()}
        yield f"{'all':<24}" + "".join(f"{count(outcomes.values()):>18}" for outcomes in flat.values())
        yield from self._green_lines(flat)
        yield from _skip_lines(flat[PLAIN])
        yield from _allowed_lines(flat)
        yield from self._difference_lines()

    def _green_lines(self, flat: dict[str, Outcomes]) -> Iterator[str]:
        only = sorted(
            test
            for test in self.green_skips
            if test in flat[PLAIN] and flat[PLAIN][test].verdict != "skipped"
        )
        yield f"\nskipped by psycopg2's own green mode alone: {len(only)} tests; passed here:"
        for runtime, outcomes in flat.items():
            passed = sum(test in outcomes and outcomes[test].verdict == "passed" for test in only)
            yield f"  {runtime:<10}{passed}"

    def _difference_lines(self) -> Iterator[str]:
        yield f"\nwrong: {len(self.differences) or 'nothing'}"
        missing = Counter(wrong.runtime for wrong in self.differences if wrong.outcome is MISSING)
        yield from (f"\n{runtime}: {number} tests were not there" for runtime, number in missing.items())
        for wrong in self.differences:
            if wrong.outcome is MISSING:
                continue
            yield f"\n{wrong.runtime}: {wrong.test}: {wrong.outcome.verdict}"
            yield from (f"    {line}" for line in wrong.outcome.detail.rstrip().splitlines())

    def as_json(self) -> dict[str, Any]:
        """Return the report for programs."""
        return {
            "versions": self.versions,
            "results": {
                runtime: {test: asdict(outcome) for test, outcome in flatten(modules).items()}
                for runtime, modules in self.results.items()
            },
            "green_skips": sorted(self.green_skips),
            "differences": [asdict(wrong) for wrong in self.differences],
        }


def flatten(modules: dict[str, Outcomes]) -> Outcomes:
    """Return the outcomes of all modules in one table."""
    return {test: outcome for outcomes in modules.values() for test, outcome in outcomes.items()}


def count(outcomes: Iterable[Outcome]) -> str:
    """Return how many passed, were skipped, failed and hung, as `738/10/1/0`."""
    seen = Counter(outcome.verdict for outcome in outcomes)
    return "/".join(str(seen[verdict]) for verdict in VERDICTS)


def _skip_lines(plain: Outcomes) -> Iterator[str]:
    reasons = Counter(outcome.detail for outcome in plain.values() if outcome.verdict == "skipped")
    yield "\nskipped by plain psycopg2:"
    yield from (f"  {number:>3}  {reason}" for reason, number in sorted(reasons.items()))


def _allowed_lines(flat: dict[str, Outcomes]) -> Iterator[str]:
    yield "\nallowed to fail, and did:"
    for test, allowance in ALLOWED.items():
        where = [
            f"{runtime} ({outcomes[test].verdict})"
            for runtime, outcomes in flat.items()
            if runtime in allowance.runtimes and test in outcomes and outcomes[test].verdict != "passed"
        ]
        if where:
            yield f"  {test}: {', '.join(where)}\n      {allowance.reason}"
