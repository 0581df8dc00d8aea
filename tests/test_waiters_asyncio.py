"""What the asyncio callback promises beyond the contract, on asyncio's loop and on uvloop."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from greenpg.abc import Ready, Wait
from greenpg.testing._arena import fill
from greenpg.waiters.asyncio import wait

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    return pytest.importorskip(request.param).run  # type: ignore[no-any-return]


@pytest.fixture
def pair() -> Iterator[Pair]:
    near, far = socket.socketpair()
    with near, far:
        yield near, far


def files() -> int:
    return len(os.listdir("/dev/fd"))


def test_the_reader_of_another_stays(run: Callable[..., Any], pair: Pair) -> None:
    near, far = pair

    async def main() -> None:
        loop = asyncio.get_running_loop()
        seen = asyncio.Event()
        loop.add_reader(near, seen.set)
        waiting = asyncio.ensure_future(wait(near.fileno(), Wait.R, None))
        await asyncio.sleep(0)
        far.send(b"x")
        assert await waiting == Ready.R
        await seen.wait()
        seen.clear()
        await seen.wait()  # still there, the byte has not been read
        loop.remove_reader(near)

    run(main())


def test_two_tasks_may_wait_for_the_same(run: Callable[..., Any], pair: Pair) -> None:
    near, far = pair

    async def main() -> None:
        waiting = asyncio.gather(*(wait(near.fileno(), Wait.R, None) for _ in range(3)))
        await asyncio.sleep(0)
        far.send(b"x")
        assert await waiting == [Ready.R] * 3

    run(main())


@pytest.mark.parametrize("need", list(Wait))
def test_cancelling_leaves_no_file_open(run: Callable[..., Any], pair: Pair, need: Wait) -> None:
    near, _ = pair
    fill(near)

    async def main() -> None:
        await asyncio.sleep(0)
        before = files()
        for _ in range(100):
            waiting = asyncio.ensure_future(wait(near.fileno(), need, 5))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        assert files() == before

    run(main())


def test_a_limit_around_it_holds(run: Callable[..., Any], pair: Pair) -> None:
    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(wait(pair[0].fileno(), Wait.R, None), 0.01)
        assert await wait(pair[0].fileno(), Wait.W, None) == Ready.W

    run(main())


def test_a_loop_that_cannot_watch_files_is_told_which_can(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.SelectorEventLoop()

    def refuse(*_: object) -> NoReturn:
        raise NotImplementedError

    for name in ("add_reader", "remove_reader"):  # as Windows' default loop does
        monkeypatch.setattr(loop, name, refuse)
    before = files()
    try:
        with pytest.raises(RuntimeError, match=r"run in asyncio\.SelectorEventLoop"):
            loop.run_until_complete(wait(pair[0].fileno(), Wait.R, None))
        assert files() == before
    finally:
        loop.close()
