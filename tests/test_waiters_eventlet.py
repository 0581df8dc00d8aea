"""What the eventlet callback promises beyond the contract; no process is patched here."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import eventlet
import pytest
from eventlet import hubs
from greenlet import getcurrent

from greenpg import testing
from greenpg.abc import Ready, Wait
from greenpg.testing import _clauses, contract
from greenpg.testing._arena import fill
from greenpg.waiters.eventlet import wait
from greenpg.waiters.select import wait as poll

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.eventlet

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two sockets; after the test nobody may be left in the hub."""
    hub = hubs.get_hub()  # before all else, lest it gets the number of a file that a test has closed
    near, far = socket.socketpair()
    with near, far:
        yield near, far
    assert not list(hub.get_readers())
    assert not list(hub.get_writers())


@pytest.mark.parametrize("need", list(Wait))
def test_a_second_waiter_for_the_same_is_refused(pair: Pair, need: Wait) -> None:
    near, far = pair
    first = eventlet.spawn(wait, near.fileno(), Wait.R, None)
    eventlet.sleep(0)
    if need & Wait.R:
        with pytest.raises(RuntimeError, match="Second simultaneous read"):
            wait(near.fileno(), need, None)
    else:
        assert wait(near.fileno(), need, None) == Ready.W
    far.send(b"x")
    assert first.wait() == Ready.R


def test_one_that_eventlet_knows_to_be_closed_gets_its_error(pair: Pair) -> None:
    caught: list[hubs.IOClosed] = []

    def ask(need: Wait) -> None:
        try:
            wait(pair[0].fileno(), need, 5)
        except hubs.IOClosed as ex:
            caught.append(ex)

    fill(pair[0])
    for need in Wait:
        waiting = eventlet.spawn(ask, need)
        eventlet.sleep(0)
        hubs.notify_opened(pair[0].fileno())  # as if the number had been given out again
        eventlet.sleep(0)
        waiting.wait()
    assert len(caught) == 3


def test_a_closed_number_leaves_no_listener(pair: Pair) -> None:
    extra = pair[0].dup()
    fd = extra.fileno()
    extra.close()
    for need in Wait:
        with pytest.raises(OSError, match="Bad file descriptor"):
            wait(fd, need, None)


@pytest.mark.parametrize("timeout", [None, 5])
def test_the_hub_cannot_wait_for_itself(pair: Pair, timeout: float | None) -> None:
    caught: list[Any] = []

    def in_the_hub() -> None:
        try:
            wait(pair[0].fileno(), Wait.W, timeout)
        except RuntimeError as ex:
            caught.append(str(ex))

    hubs.get_hub().schedule_call_global(0, in_the_hub)
    eventlet.sleep(0)
    assert caught == ["eventlet's hub cannot wait for itself: call this in a green thread"]


def test_a_stray_switch_does_not_end_a_wait(pair: Pair) -> None:
    near, far = pair
    waiting = eventlet.spawn(wait, near.fileno(), Wait.R, None)
    eventlet.sleep(0)
    hubs.get_hub().schedule_call_global(0, waiting.switch, "stray")
    eventlet.sleep(0)
    assert not waiting.dead
    far.send(b"x")
    assert waiting.wait() == Ready.R


def test_a_zero_timeout_lets_the_others_run(pair: Pair) -> None:
    ran: list[bool] = []
    eventlet.spawn(ran.append, True)
    wait(pair[0].fileno(), Wait.W, 0)
    assert ran == [True]


def naive(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    """Is woken by both callbacks of one poll, by the second when it waits for something else."""
    if timeout == 0:
        return poll(fd, need, 0)
    hub, current = hubs.get_hub(), getcurrent()
    timer = None if timeout is None else hub.schedule_call_global(timeout, current.switch)
    wanted = [hub.READ] * bool(need & Wait.R) + [hub.WRITE] * bool(need & Wait.W)
    listeners = [hub.add(event, fd, current.switch, current.throw, None) for event in wanted]
    try:
        hub.switch()
    finally:
        for listener in listeners:
            hub.remove(listener)
        if timer is not None:
            timer.cancel()
    return poll(fd, need, 0)


def test_the_contract_notices_both_callbacks_of_one_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract, "CLAUSES", (_clauses.leaves_nothing,))
    assert _clauses.leaves_nothing.__doc__
    with pytest.raises(AssertionError, match=_clauses.leaves_nothing.__doc__):
        testing.check_wait_callback(naive, testing.Eventlet())
