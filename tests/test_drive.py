"""`drive()` and `adrive()`: one behaviour in two colours, tested once; the clock is a fake."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from greenpg.abc import Gen, Ready, Wait
from greenpg.waiters import _drive, adrive, drive

if TYPE_CHECKING:
    from collections.abc import Callable

R, W, RW = Wait.R, Wait.W, Wait.RW


class Clock:
    """A clock that moves when a wait is over, and a callback that answers from a script."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.asked: list[tuple[int, Wait, float | None]] = []
        self.script: list[tuple[float, Any]] = []

    def __call__(self) -> float:
        return self.now

    def answers(self, *script: tuple[float, Any]) -> None:
        """Set what each wait does: seconds that it takes, then what it returns or raises."""
        self.script = list(script)

    def wait(self, fd: int, need: Wait, timeout: float | None, /) -> Ready:
        self.asked.append((fd, need, timeout))
        seconds, answer = self.script.pop(0)
        self.now += seconds
        if isinstance(answer, BaseException):
            raise answer
        return Ready(answer)

    async def await_(self, fd: int, need: Wait, timeout: float | None, /) -> Ready:
        return self.wait(fd, need, timeout)


def run_async(gen: Gen[Any], clock: Clock, timeout: float | None = None) -> Any:
    coroutine = adrive(gen, clock.await_, timeout)
    with pytest.raises(StopIteration) as end:
        coroutine.send(None)  # nothing in it really suspends
    return end.value.value


def run_blocking(gen: Gen[Any], clock: Clock, timeout: float | None = None) -> Any:
    return drive(gen, clock.wait, timeout)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(_drive, "monotonic", clock)
    return clock


@pytest.fixture(params=["drive", "adrive"])
def run(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return run_blocking if request.param == "drive" else run_async


def echo(*asks: tuple[int, Wait]) -> Gen[list[Ready]]:
    """Wait for all of `asks`; the first `Ready.NONE` is an error."""
    answers = []
    for ask in asks:
        ready = yield ask
        if not ready:
            raise TimeoutError("my own error")
        answers.append(ready)
    return answers


def test_returns_what_the_generator_returns(run: Callable[..., Any], clock: Clock) -> None:
    clock.answers((1, R), (1, W))
    assert run(echo((7, R), (8, RW)), clock) == [Ready.R, Ready.W]
    assert clock.asked == [(7, R, None), (8, RW, None)]


def test_a_generator_that_never_waits(run: Callable[..., Any], clock: Clock) -> None:
    assert run(echo(), clock) == []
    assert clock.asked == []


def test_the_timeout_is_for_the_whole_generator(run: Callable[..., Any], clock: Clock) -> None:
    clock.answers((1, R), (2.5, R), (0, R))
    run(echo((7, R), (7, R), (7, R)), clock, 10)
    assert [left for _, _, left in clock.asked] == [10, 9, 6.5]


def test_thirty_seconds_pass_in_no_time(run: Callable[..., Any], clock: Clock) -> None:
    clock.answers((0, 0))
    with pytest.raises(TimeoutError, match="my own error"):
        run(echo((7, R)), clock, 30)


def test_data_that_is_always_ready_does_not_prolong_it(run: Callable[..., Any], clock: Clock) -> None:
    def flood() -> Gen[int]:
        rounds = 0
        while (yield 7, R):
            rounds += 1
        return rounds

    clock.answers(*[(1, R)] * 100)
    assert run(flood(), clock, 3) == 4  # at 1, 2 and 3 s, and the one poll that is granted then
    assert [left for _, _, left in clock.asked] == [3, 2, 1, 0]


@pytest.mark.parametrize("timeout", [0, -5])
def test_no_time_at_all_is_one_poll(run: Callable[..., Any], clock: Clock, timeout: float) -> None:
    clock.answers((0, R))
    assert run(echo((7, R)), clock, timeout) == [Ready.R]
    assert clock.asked == [(7, R, 0)]


def test_one_that_goes_on_after_its_time_gets_an_error(run: Callable[..., Any], clock: Clock) -> None:
    def cleans_up_by_waiting() -> Gen[None]:
        try:
            yield from echo((7, R))
        finally:
            yield 7, W

    clock.answers((9, 0))
    with pytest.raises(TimeoutError, match="drive its clean-up") as caught:
        run(cleans_up_by_waiting(), clock, 9)
    assert str(caught.value.__context__) == "my own error"
    assert len(clock.asked) == 1


def test_one_that_waits_on_whatever_comes_is_closed(run: Callable[..., Any], clock: Clock) -> None:
    closed = []

    def stubborn() -> Gen[None]:
        try:
            while True:
                with suppress(TimeoutError):
                    yield 7, R
        finally:
            closed.append(True)

    clock.answers((9, 0))
    with pytest.raises(TimeoutError, match="drive its clean-up"):
        run(stubborn(), clock, 9)
    assert closed == [True]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), ValueError("no")])
def test_what_a_wait_raises_comes_out_unchanged(
    run: Callable[..., Any], clock: Clock, error: BaseException
) -> None:
    closed = []

    def careful() -> Gen[None]:
        try:
            yield 7, R
        finally:
            closed.append(True)

    clock.answers((1, error))
    with pytest.raises(type(error)) as caught:
        run(careful(), clock)
    assert caught.value is error
    assert closed == [True]


def test_a_generator_may_wait_to_recover_within_its_time(run: Callable[..., Any], clock: Clock) -> None:
    def recovers() -> Gen[None]:
        try:
            yield 7, R
        except KeyboardInterrupt:
            yield from echo((9, W), (7, R))
            raise

    clock.answers((1, KeyboardInterrupt()), (2, W), (1, R))
    with pytest.raises(KeyboardInterrupt):
        run(recovers(), clock, 10)
    assert clock.asked == [(7, R, 10), (9, W, 9), (7, R, 7)]


def test_a_second_interruption_ends_the_recovery(run: Callable[..., Any], clock: Clock) -> None:
    def recovers() -> Gen[None]:
        try:
            yield 7, R
        except KeyboardInterrupt:
            yield 9, W
            raise

    clock.answers((1, KeyboardInterrupt()), (1, SystemExit()))
    with pytest.raises(SystemExit):
        run(recovers(), clock)


def test_a_generator_may_swallow_what_a_wait_raises(run: Callable[..., Any], clock: Clock) -> None:
    def swallows() -> Gen[str]:
        try:
            yield 7, R
        except KeyboardInterrupt:
            return "recovered"
        return "not interrupted"

    clock.answers((1, KeyboardInterrupt()))
    assert run(swallows(), clock) == "recovered"


def test_stop_iteration_of_a_wait_is_not_the_end(run: Callable[..., Any], clock: Clock) -> None:
    clock.answers((1, StopIteration("stray")))
    with pytest.raises(RuntimeError):
        run(echo((7, R)), clock)
