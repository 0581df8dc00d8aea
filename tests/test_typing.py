"""What a type checker makes of the public face: `tests/typed` says it, and mypy must agree with all."""

from __future__ import annotations

import sys

import pytest

from tests.fresh import ROOT, run


@pytest.mark.subprocess
def test_programs() -> None:
    ran = run(sys.executable, "-m", "mypy", "--strict", "tests/typed", timeout=300)
    assert ran.returncode == 0, ran
    assert f"in {len(list((ROOT / 'tests/typed').glob('*.py')))} source files" in ran.stdout
