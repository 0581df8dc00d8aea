"""What the asyncio callback promises beyond the contract, on asyncio's loop and on uvloop."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import struct
import threading
import weakref
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from greenpg.abc import Ready, Wait
from greenpg.testing._arena import fill
from greenpg.waiters import asyncio as room
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
    """Count what this process has open: less than before, if something of an earlier test has ended."""
    return len(os.listdir("/dev/fd"))


@contextmanager
def bound(near: socket.socket) -> Iterator[Any]:
    callback = wait.bind(near.fileno())
    try:
        yield callback
    finally:
        callback.close()


@pytest.mark.parametrize("is_bound", [False, True])
def test_the_reader_of_another_stays(run: Callable[..., Any], pair: Pair, is_bound: bool) -> None:
    near, far = pair

    async def main(callback: Any) -> None:
        loop = asyncio.get_running_loop()
        seen = asyncio.Event()
        loop.add_reader(near, seen.set)
        waiting = asyncio.ensure_future(callback(near.fileno(), Wait.R, None))
        await asyncio.sleep(0)
        far.send(b"x")
        assert await waiting == Ready.R
        await seen.wait()
        seen.clear()
        await seen.wait()  # still there, the byte has not been read
        loop.remove_reader(near)

    with bound(near) as callback:
        run(main(callback if is_bound else wait))


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
        assert files() <= before

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
        assert files() <= before
    finally:
        loop.close()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """How often loops have told bound callbacks that there is something to read."""
    calls: list[None] = []
    tell = room._BoundWait._readable

    def count(self: Any) -> None:
        calls.append(None)
        tell(self)

    monkeypatch.setattr(room._BoundWait, "_readable", count)
    return calls


def test_a_bound_one_keeps_its_reader(
    run: Callable[..., Any], pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    near, far = pair
    duplicates: list[int] = []
    dup = os.dup

    def count(fd: int) -> int:
        duplicates.append(fd)
        return dup(fd)

    monkeypatch.setattr(os, "dup", count)

    async def main() -> None:
        with bound(near) as callback:
            for timeout in (None, 5, None):
                waiting = asyncio.ensure_future(callback(near.fileno(), Wait.R, timeout))
                await asyncio.sleep(0)
                far.send(b"x")
                assert await waiting == Ready.R
                near.recv(1)
                await asyncio.sleep(0)
        assert duplicates == [near.fileno()]

    run(main())


def test_data_that_nobody_reads_is_told_once(run: Callable[..., Any], pair: Pair, told: list[None]) -> None:
    near, far = pair

    async def main() -> None:
        with bound(near) as callback:
            assert await callback(near.fileno(), Wait.R, 0.001) == Ready.NONE
            far.send(b"x")
            for _ in range(20):
                await asyncio.sleep(0.001)
            assert len(told) == 1
            for _ in range(3):  # the reader is there again for who waits
                assert await asyncio.wait_for(callback(near.fileno(), Wait.R, None), 5) == Ready.R

    run(main())


def test_what_another_has_read_wakes_nobody(run: Callable[..., Any], pair: Pair) -> None:
    near, far = pair

    async def main() -> None:
        with bound(near) as callback:
            for _ in range(3):
                far.send(b"x")
                assert await callback(near.fileno(), Wait.R, None) == Ready.R
                near.recv(1)
                # asyncio has looked at the socket again before the byte was read
                assert await callback(near.fileno(), Wait.R, 0.001) == Ready.NONE

    run(main())


def test_a_socket_in_error_is_ready_each_time(run: Callable[..., Any]) -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            near = socket.create_connection(server.getsockname())
            far, _ = server.accept()
        far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close resets
        with near, bound(near) as callback:
            waiting = asyncio.ensure_future(callback(near.fileno(), Wait.R, None))
            await asyncio.sleep(0)
            far.close()
            assert await waiting == Ready.R
            with pytest.raises(ConnectionResetError):
                near.recv(1)
            assert await asyncio.wait_for(callback(near.fileno(), Wait.R, None), 5) == Ready.R

    run(main())


def test_a_cancelled_wait_disturbs_no_later_one(run: Callable[..., Any], pair: Pair) -> None:
    near, far = pair

    async def main() -> None:
        with bound(near) as callback:
            for timeout in (None, 5):
                waiting = asyncio.ensure_future(callback(near.fileno(), Wait.R, timeout))
                await asyncio.sleep(0)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
                assert await callback(near.fileno(), Wait.R, 0.001) == Ready.NONE
                far.send(b"x")
                assert await callback(near.fileno(), Wait.R, None) == Ready.R
                near.recv(1)

    run(main())


def test_a_bound_one_goes_over_to_the_loop_it_is_called_in(run: Callable[..., Any], pair: Pair) -> None:
    near, far = pair

    async def main() -> None:
        waiting = asyncio.ensure_future(callback(near.fileno(), Wait.R, None))
        await asyncio.sleep(0)
        far.send(b"x")
        assert await waiting == Ready.R
        near.recv(1)

    run(asyncio.sleep(0))  # uvloop opens some files for good
    before = files()
    with bound(near) as callback:
        run(main())
        run(main())
        resting = asyncio.new_event_loop()
        resting.run_until_complete(main())
        run(main())  # while the other could still go on
        resting.run_until_complete(main())
        resting.close()
    assert files() <= before


def test_it_may_be_closed_by_any_thread(
    run: Callable[..., Any], pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    near, far = pair
    by: list[int] = []
    drop = room._drop

    def note(*args: Any) -> None:
        by.append(threading.get_ident())
        drop(*args)

    monkeypatch.setattr(room, "_drop", note)

    async def main() -> None:
        before = files()
        with bound(near) as callback:
            far.send(b"x")
            assert await callback(near.fileno(), Wait.R, None) == Ready.R
            near.recv(1)
            thread = threading.Thread(target=callback.close)
            thread.start()
            thread.join()
            await asyncio.sleep(0.001)
            assert files() <= before
        assert by == [threading.get_ident()]  # no loop can take it from another thread

    run(main())


def test_it_keeps_no_context(run: Callable[..., Any], pair: Pair) -> None:
    """What the first task has in its context variables would live as long as the connection."""
    near, far = pair
    request: ContextVar[Any] = ContextVar("request")

    async def serve(callback: Any) -> Any:
        value = asyncio.Event()
        request.set(value)
        await callback(near.fileno(), Wait.R, None)
        near.recv(1)
        return weakref.ref(value)

    async def main() -> None:
        with bound(near) as callback:
            far.send(b"x")
            kept = await asyncio.ensure_future(serve(callback))
            await asyncio.sleep(0)
            gc.collect()
            assert kept() is None

    run(main())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # a fork with threads, since Python 3.12
def test_a_forked_child_leaves_the_loop_alone(run: Callable[..., Any], pair: Pair) -> None:
    near, far = pair

    async def main() -> None:
        with bound(near) as callback:
            assert await callback(near.fileno(), Wait.R, 0.001) == Ready.NONE
            child = os.fork()
            if child == 0:
                callback.close()
                os._exit(0)
            os.waitpid(child, 0)  # noqa: ASYNC222 - it ends at once
            far.send(b"x")
            assert await asyncio.wait_for(callback(near.fileno(), Wait.R, None), 5) == Ready.R

    run(main())
