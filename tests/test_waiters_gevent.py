"""What the gevent callback promises beyond the contract; no process is patched here."""

from __future__ import annotations

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import gevent
import pytest
from gevent.exceptions import BlockingSwitchOutError

from greenpg.abc import Ready, Wait
from greenpg.testing._arena import fill
from greenpg.waiters.gevent import wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.gevent

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    near, far = socket.socketpair()
    with near, far:
        yield near, far


@pytest.fixture(params=["unbound", "bound"])
def ask(request: pytest.FixtureRequest, pair: Pair) -> Iterator[Callable[..., Ready]]:
    """The callback, and the one that it binds to the near socket."""
    if request.param == "unbound":
        yield wait
        return
    bound = wait.bind(pair[0].fileno())
    yield bound
    bound.close()


def active() -> int:
    """Return how many watchers the loop has, of whomever."""
    return int(gevent.get_hub().loop.activecnt)


def test_a_stray_switch_does_not_end_a_wait(ask: Callable[..., Ready], pair: Pair) -> None:
    near, far = pair
    greenlet = gevent.spawn(ask, near.fileno(), Wait.R, None)
    for stray in ((), ("stray",), (near,)):
        gevent.get_hub().loop.run_callback(greenlet.switch, *stray)
        gevent.sleep(0)
    assert not greenlet.dead
    far.send(b"x")
    assert greenlet.get(timeout=5) == Ready.R


@pytest.mark.parametrize("timeout", [None, 5])
def test_a_killed_greenlet_leaves_the_loop_as_it_was(
    ask: Callable[..., Ready], pair: Pair, timeout: float | None
) -> None:
    before = active()
    fill(pair[0])
    for need in Wait:
        greenlet = gevent.spawn(ask, pair[0].fileno(), need, timeout)
        gevent.sleep(0)
        assert active() > 0
        greenlet.kill()
        assert active() <= before


def test_a_thousand_waits_leave_no_watcher_and_no_file(ask: Callable[..., Ready], pair: Pair) -> None:
    before, files = active(), len(os.listdir("/dev/fd"))
    for _ in range(250):
        assert ask(pair[0].fileno(), Wait.W, 5) == Ready.W
        assert ask(pair[0].fileno(), Wait.RW, None) == Ready.W
        assert ask(pair[0].fileno(), Wait.R, 0) == Ready.NONE
        with pytest.raises(gevent.Timeout), gevent.Timeout(0):
            ask(pair[0].fileno(), Wait.R, 5)
    # fewer, if something of an earlier test has ended meanwhile
    assert active() <= before
    assert len(os.listdir("/dev/fd")) <= files


def test_another_hub_may_use_it_in_between(ask: Callable[..., Ready], pair: Pair) -> None:
    near, far = pair
    far.send(b"x")

    def elsewhere() -> list[Ready]:
        try:
            return [ask(near.fileno(), need, timeout) for need in Wait for timeout in (5, None)]
        finally:
            gevent.get_hub().destroy(destroy_loop=True)

    for _ in range(2):
        here = [ask(near.fileno(), need, timeout) for need in Wait for timeout in (5, None)]
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(elsewhere).result() == here
    assert here == [Ready.R, Ready.R, Ready.W, Ready.W, Ready.RW, Ready.RW]


def test_two_hubs_may_use_it_at_once(ask: Callable[..., Ready], pair: Pair) -> None:
    near, far = pair

    def elsewhere() -> Ready:
        try:
            return ask(near.fileno(), Wait.R, None)
        finally:
            gevent.get_hub().destroy(destroy_loop=True)

    here = gevent.spawn(ask, near.fileno(), Wait.R, None)
    gevent.sleep(0)
    with ThreadPoolExecutor(1) as pool:
        there = pool.submit(elsewhere)
        far.send(b"x")
        assert here.get(timeout=5) == Ready.R
        assert there.result(5) == Ready.R


@pytest.mark.parametrize("timeout", [None, 5, 0])
def test_the_hub_cannot_wait_for_itself(ask: Callable[..., Ready], pair: Pair, timeout: float | None) -> None:
    caught: list[Any] = []

    def in_the_hub() -> None:
        try:
            ask(pair[0].fileno(), Wait.W, timeout)
        except BlockingSwitchOutError as ex:
            caught.append(ex)

    before = active()
    gevent.get_hub().loop.run_callback(in_the_hub)
    gevent.sleep(0)
    gevent.sleep(0)
    assert len(caught) == 1
    assert active() <= before


def test_data_in_hand_when_a_busy_hub_comes_to_its_turn_is_no_timeout(
    ask: Callable[..., Ready], pair: Pair
) -> None:
    near, far = pair
    greenlet = gevent.spawn(ask, near.fileno(), Wait.R, 0.01)
    gevent.sleep(0)
    loop = gevent.get_hub().loop
    end = loop.now() + 0.05
    while loop.now() < end:  # the hub is kept from its turn until the time has passed
        loop.update_now()
    far.send(b"x")
    assert greenlet.get(timeout=5) == Ready.R


def test_a_zero_timeout_lets_the_others_run(ask: Callable[..., Ready], pair: Pair) -> None:
    ran: list[bool] = []
    gevent.spawn(ran.append, True)
    ask(pair[0].fileno(), Wait.W, 0)
    assert ran == [True]


@pytest.mark.parametrize("loop", ["libev-cffi", "libuv-cffi"])
def test_gevents_other_loops_keep_the_contract_too(loop: str, run_python: Callable[..., Any]) -> None:
    pytest.importorskip("_cffi_backend", reason="they need cffi")
    run_python(
        """
        from greenpg import testing
        from greenpg.waiters.gevent import wait
        testing.check_wait_callback(wait, testing.Gevent())
        """,
        env={"GEVENT_LOOP": loop},
    )
