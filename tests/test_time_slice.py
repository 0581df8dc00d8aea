"""How long one may keep the loop: the setting, and the pieces that work is done in."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import greenpg
from greenpg.waiters import _slice
from greenpg.waiters._slice import TimeSlice, time_slice

if TYPE_CHECKING:
    from collections.abc import Iterator


class Clock:
    """A clock that is told what time it is."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(_slice, "monotonic", clock)
    return clock


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    yield
    greenpg.set_time_slice(None)


def test_the_slice_is_ten_milliseconds_and_can_be_set() -> None:
    assert greenpg.set_time_slice(0.25) == 0.01
    assert time_slice() == 0.25
    assert greenpg.set_time_slice(0) == 0.25
    assert greenpg.set_time_slice(None) == 0
    assert time_slice() == 0.01


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), "1", True])
def test_what_is_no_time_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="a time slice is a number of seconds from 0 on, not"):
        greenpg.set_time_slice(seconds)
    assert time_slice() == 0.01


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0.5", "0.5"),
        ("", "0.01"),
        ("ten", "$GREENPG_TIME_SLICE is a number of seconds, such as 0.01, not 'ten'"),
    ],
)
def test_the_environment_has_a_say(text: str, says: str) -> None:
    program = (
        "import greenpg\ntry: print(greenpg.set_time_slice(1))\nexcept ValueError as error: print(error)"
    )
    command = [sys.executable, "-c", program]
    environment = {**os.environ, "GREENPG_TIME_SLICE": text}
    assert subprocess.run(command, env=environment, capture_output=True, text=True).stdout.strip() == says


def test_it_is_over_when_the_time_is(clock: Clock) -> None:
    is_over = TimeSlice()
    clock.now += 0.009
    assert not is_over()
    clock.now += 0.002
    assert is_over()
    assert not is_over()
    clock.now += 0.009
    is_over.begin()
    clock.now += 0.009
    assert not is_over()


def test_a_slice_follows_the_setting(clock: Clock) -> None:
    is_over = TimeSlice()
    greenpg.set_time_slice(1)
    is_over.begin()
    clock.now += 0.9
    assert not is_over()


@pytest.mark.parametrize("cost", [1e-7, 1e-5, 1e-3, 1.0])
def test_pieces_are_as_big_as_the_time_allows(clock: Clock, cost: float) -> None:
    is_over, longest, done = TimeSlice(), 0.0, 0
    for first, (start, stop) in enumerate(is_over.pieces(0, 5000)):
        assert start == done
        assert stop > start
        done = stop
        clock.now += cost * (stop - start)
        if first > 12:  # which is the sixty-fourth part of what it began with, by halves
            longest = max(longest, cost * (stop - start))
        is_over()
        clock.now += 50  # of which others make use
    assert done == 5000
    assert longest <= max(0.002, cost)
