"""What the select callback promises beyond the contract: signals."""

from __future__ import annotations

import signal
import socket
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, NoReturn

import pytest

from greenpg.abc import Ready, Wait
from greenpg.waiters.select import LONGEST, wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    near, far = socket.socketpair()
    with near, far:
        yield near, far


@contextmanager
def alarm(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Have a signal come in a moment, and not before the block has begun."""
    previous = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@pytest.mark.parametrize("timeout", [None, 5, LONGEST * 2])
def test_what_a_signal_handler_raises_ends_the_wait(pair: Pair, timeout: float | None) -> None:
    interruption = KeyboardInterrupt()

    def interrupt(*_: object) -> NoReturn:
        raise interruption

    with pytest.raises(KeyboardInterrupt) as caught, alarm(interrupt):
        wait(pair[0].fileno(), Wait.R, timeout)
    assert caught.value is interruption
    assert wait(pair[0].fileno(), Wait.W, timeout) == Ready.W


def test_a_signal_that_raises_nothing_ends_nothing(pair: Pair) -> None:
    came: list[object] = []
    with alarm(lambda *_: came.append(None)):
        begun = monotonic()
        assert wait(pair[0].fileno(), Wait.R, 0.05) == Ready.NONE
        assert monotonic() - begun >= 0.05
    assert len(came) == 1, "the signal came in between"


def test_a_negative_timeout_is_no_time(pair: Pair) -> None:
    assert wait(pair[0].fileno(), Wait.R, -1) == Ready.NONE
