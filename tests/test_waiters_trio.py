"""What the trio callback promises beyond the contract."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from greenpg.abc import Ready, Wait
from greenpg.testing._arena import fill
from greenpg.waiters.trio import wait

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.trio

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    near, far = socket.socketpair()
    with near, far:
        yield near, far


@pytest.mark.parametrize("need", list(Wait))
def test_a_limit_around_it_holds(pair: Pair, need: Wait) -> None:
    fill(pair[0])

    async def main() -> None:
        before = len(os.listdir("/dev/fd"))
        for timeout in (None, 5):
            with pytest.raises(trio.TooSlowError), trio.fail_after(0.01):
                await wait(pair[0].fileno(), need, timeout)
            with trio.move_on_after(0.01) as scope:
                await wait(pair[0].fileno(), need, timeout)
            assert scope.cancelled_caught
        assert len(os.listdir("/dev/fd")) <= before  # less, if something of an earlier test has ended
        assert await wait(pair[1].fileno(), Wait.R, None) == Ready.R

    trio.run(main)


def test_a_second_waiter_for_the_same_is_refused_by_trio(pair: Pair) -> None:
    near, far = pair

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait, near.fileno(), Wait.R, None)
            await trio.testing.wait_all_tasks_blocked()
            with pytest.raises(trio.BusyResourceError):
                await wait(near.fileno(), Wait.R, None)
            far.send(b"x")

    trio.run(main)


def test_a_virtual_clock_rules_it(pair: Pair) -> None:
    async def main() -> None:
        begun = trio.current_time()
        fill(pair[0])
        for need in (Wait.R, Wait.RW):
            assert await wait(pair[0].fileno(), need, 3600) == Ready.NONE
        assert trio.current_time() - begun == pytest.approx(7200)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
