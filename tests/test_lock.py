"""The lock of the drivers' connections, where signals part it from its holder. No server."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from greenpg.compat import _lock
from greenpg.compat._lock import Lock
from tests.checkpoints import checkpoints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Signal(BaseException):
    """What a signal's handler raises."""


def at_each_moment(use: Callable[[Lock], None]) -> Iterator[Lock]:
    """Use a new lock again and again, each time with a signal one statement later; yield it when it came."""
    moment, came = 0, True
    me = threading.get_ident()
    while came:
        moment, came, left, lock = moment + 1, False, moment, Lock()

        def visit() -> None:
            nonlocal came, left
            if came or threading.get_ident() != me:
                return
            if left == 0:
                came = True
                raise Signal
            left -= 1

        with checkpoints(_lock, visit), suppress(Signal):
            use(lock)
        if came:
            yield lock
    assert moment > 5


def in_a_block(lock: Lock) -> None:
    with lock:
        pass


def by_hand(lock: Lock) -> None:
    lock.acquire()
    lock.release()


@pytest.mark.parametrize("use", [in_a_block, by_hand])
def test_whoever_was_parted_from_it_by_a_signal_has_it_again(use: Callable[[Lock], None]) -> None:
    for lock in at_each_moment(use):
        with lock:
            assert lock.locked()
        assert not lock.locked()


def test_whoever_waits_gets_it_whenever_the_signal_comes() -> None:
    waiters: list[threading.Thread] = []

    def hand_over(lock: Lock) -> None:
        waiters.append(waiter := threading.Thread(target=in_a_block, args=[lock], daemon=True))
        with lock:
            waiter.start()
            while not lock._queue:
                pass

    for lock in at_each_moment(hand_over):
        with lock:  # has it again, or waits for its turn
            pass
        waiter = waiters.pop()
        if waiter.ident is not None:
            waiter.join(30)
            assert not waiter.is_alive()
        assert not lock.locked()


def test_that_is_held_is_not_taken() -> None:
    lock = Lock()
    taken: list[bool] = []
    with lock:
        other = threading.Thread(target=lambda: taken.append(lock.acquire(timeout=0.01)))
        other.start()
        other.join()
    assert taken == [False]
    assert not lock.locked()
