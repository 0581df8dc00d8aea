"""`drive_steps` and `adrive_steps`: each conversation within its own limit, all of them within one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from greenpg.abc import Ready, Wait
from greenpg.waiters import adrive_steps, drive_steps

if TYPE_CHECKING:
    from greenpg.abc import Gen, Steps


class Waits:
    """A wait callback that notes the seconds it is given, and says that they have passed."""

    def __init__(self, answer: Ready = Ready.NONE) -> None:
        self.seconds: list[float | None] = []
        self.answer = answer

    def __call__(self, fd: int, need: Wait, timeout: float | None, /) -> Ready:
        self.seconds.append(timeout)
        return self.answer

    async def later(self, fd: int, need: Wait, timeout: float | None, /) -> Ready:
        """Async `__call__()`."""
        return self(fd, need, timeout)


def conversation(answer: str) -> Gen[str]:
    if not (yield 0, Wait.R):
        raise TimeoutError(answer)
    return answer


def run(steps: Steps[object], waits: Waits, timeout: float | None, colour: str) -> object:
    if colour == "blocking":
        return drive_steps(steps, waits, timeout)
    return asyncio.run(adrive_steps(steps, waits.later, timeout))


@pytest.fixture(params=["blocking", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_loop_that_wakes_a_little_too_early(colour: str) -> None:
    asked: list[str] = []

    def steps() -> Steps[None]:
        try:
            yield conversation("too late"), None
        except TimeoutError:
            asked.append("thrown in, though the time of all was over")

    with pytest.raises(TimeoutError, match="too late"):
        run(steps(), Waits(), 0.005, colour)
    assert asked == []


def test_each_step_has_its_limit_and_returns_its_result(colour: str) -> None:
    def steps() -> Steps[list[str]]:
        first = yield conversation("a"), 5
        second = yield conversation("b"), None
        return [first, second]

    waits = Waits(Ready.R)
    assert run(steps(), waits, None, colour) == ["a", "b"]
    assert waits.seconds == [pytest.approx(5, abs=1), None]


def test_a_step_that_is_too_late_tells_the_steps(colour: str) -> None:
    def steps() -> Steps[str]:
        try:
            yield conversation("first host"), 5
        except TimeoutError as late:
            return str(late)
        return "not late"

    assert run(steps(), Waits(), None, colour) == "first host"


def test_steps_that_never_give_up_end_with_the_time_of_all(colour: str) -> None:
    closed = []

    def steps() -> Steps[None]:
        try:
            while True:
                try:
                    yield conversation("again"), 0
                except TimeoutError:  # noqa: PERF203
                    continue
        finally:
            closed.append(True)

    with pytest.raises(TimeoutError, match="again"):
        run(steps(), Waits(), 0.01, colour)
    assert closed == [True]


def test_a_limit_is_cut_to_what_is_left(colour: str) -> None:
    def steps() -> Steps[None]:
        yield conversation("a"), 100
        yield conversation("b"), None

    waits = Waits(Ready.R)
    run(steps(), waits, 10, colour)
    assert all(seconds is not None and seconds <= 10 for seconds in waits.seconds)


def test_other_errors_reach_the_steps_too(colour: str) -> None:
    def fails() -> Gen[None]:
        raise ConnectionRefusedError("nobody there")
        yield 0, Wait.R

    def steps() -> Steps[str]:
        try:
            yield fails(), 1
        except ConnectionRefusedError as refused:
            return str(refused)
        return "reached"

    assert run(steps(), Waits(), 1, colour) == "nobody there"
