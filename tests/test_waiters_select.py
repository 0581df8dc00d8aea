"""What the select callback promises beyond the contract: signals."""

from __future__ import annotations

import signal
import socket
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from greenpg.abc import Ready, Wait
from greenpg.waiters.select import LONGEST, wait

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    near, far = socket.socketpair()
    with near, far:
        yield near, far


@pytest.fixture
def alarm() -> Iterator[list[BaseException | None]]:
    """A signal that comes in a moment; its handler raises what is in the list."""
    raises: list[BaseException | None] = [None]

    def handler(_signal: int, _frame: FrameType | None) -> None:
        if raises[0] is not None:
            raise raises[0]
        raises.append(None)

    previous = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    yield raises
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, previous)


@pytest.mark.parametrize("timeout", [None, 5, LONGEST * 2])
def test_what_a_signal_handler_raises_ends_the_wait(
    pair: Pair, alarm: list[BaseException | None], timeout: float | None
) -> None:
    alarm[0] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt) as caught:
        wait(pair[0].fileno(), Wait.R, timeout)
    assert caught.value is alarm[0]
    assert wait(pair[0].fileno(), Wait.W, timeout) == Ready.W


def test_a_signal_that_raises_nothing_ends_nothing(pair: Pair, alarm: list[BaseException | None]) -> None:
    begun = monotonic()
    assert wait(pair[0].fileno(), Wait.R, 0.05) == Ready.NONE
    assert monotonic() - begun >= 0.05
    assert len(alarm) == 2, "the signal came in between"


def test_a_negative_timeout_is_no_time(pair: Pair) -> None:
    assert wait(pair[0].fileno(), Wait.R, -1) == Ready.NONE
