"""Every callback of ours keeps the contract, and the contract notices one that does not."""

from __future__ import annotations

import asyncio
import re
import resource
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import gevent
import pytest

from greenpg import testing
from greenpg.testing import _arena, _clauses, contract
from greenpg.waiters import asyncio as asyncio_waiter
from greenpg.waiters import select
from tests import broken_waiters as broken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(autouse=True)
def many_files() -> Iterator[None]:
    """Let the process have the file descriptors above 1024 that a clause is about."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2048:
        pytest.skip("the system does not grant 2048 file descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_select_keeps_the_contract() -> None:
    testing.check_wait_callback(select.wait, testing.NativeThreads())


PROGRAM = """
    import resource
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, ({files}, hard))
    {patch}
    from greenpg import testing
    from greenpg.waiters.{name} import wait
    testing.check_wait_callback(wait, testing.{runtime}())
    print("kept")
"""


@pytest.mark.parametrize("patch", ["", "import gevent.monkey; gevent.monkey.patch_all()"])
@pytest.mark.gevent
def test_gevent_keeps_the_contract(patch: str, run_python: Callable[..., Any]) -> None:
    ran = run_python(PROGRAM.format(patch=patch, name="gevent", runtime="Gevent", files=2048))
    assert ran.stdout == "kept\n"


@pytest.mark.parametrize(
    ("hub", "files", "patch"),
    [
        ("epolls", 2048, ""),
        ("epolls", 2048, "import eventlet; eventlet.monkey_patch()"),
        ("poll", 2048, ""),
        ("selects", 1024, ""),  # no more than this hub can take itself
    ],
)
@pytest.mark.eventlet
def test_eventlet_keeps_the_contract(
    hub: str, files: int, patch: str, run_python: Callable[..., Any]
) -> None:
    program = PROGRAM.format(patch=patch, name="eventlet", runtime="Eventlet", files=files)
    ran = run_python(program, env={"EVENTLET_HUB": hub})
    assert ran.stdout == "kept\n"


@pytest.mark.parametrize(
    "patch",
    ["import gevent.monkey; gevent.monkey.patch_all()", "import eventlet; eventlet.monkey_patch()"],
    ids=["gevent", "eventlet"],
)
def test_select_blocks_the_thread_under_monkey_patching_too(
    patch: str, run_python: Callable[..., Any]
) -> None:
    ran = run_python(PROGRAM.format(patch=patch, name="select", runtime="NativeThreads", files=2048))
    assert ran.stdout == "kept\n"


async def check_asyncio() -> None:
    await testing.check_async_wait_callback(asyncio_waiter.wait, testing.Asyncio())


def test_asyncio_keeps_the_contract() -> None:
    asyncio.run(check_asyncio())


def test_asyncio_keeps_the_contract_on_uvloop() -> None:
    uvloop = pytest.importorskip("uvloop")
    uvloop.run(check_asyncio())


@pytest.mark.trio
def test_trio_keeps_the_contract() -> None:
    trio = pytest.importorskip("trio")

    async def check() -> None:
        from greenpg.waiters.trio import wait

        async with trio.open_nursery() as nursery:
            await testing.check_async_wait_callback(wait, testing.Trio(nursery))

    trio.run(check)


def check_in_a_hub_of_its_own(wait: Any) -> None:
    """Check under gevent in a thread whose hub ends with it: a broken callback may leave it in any state."""

    def check() -> None:
        hub = gevent.get_hub()  # before all else, lest it gets the number of a closed socket
        try:
            testing.check_wait_callback(wait, testing.Gevent())
        finally:
            hub.destroy(destroy_loop=True)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(check).result()


@pytest.mark.gevent
@pytest.mark.parametrize(
    ("wait", "clause"),
    [
        (broken.blocks_the_hub, _clauses.others_run),
        (broken.answers_more, _clauses.answers_what_was_asked),
        (broken.answers_an_int, _clauses.answers_what_was_asked),
        (broken.waits_to_the_end, _clauses.answers_what_was_asked),
        (broken.takes_rw_for_r, _clauses.either),
        (broken.gives_up, _clauses.waits),
        (broken.ignores_zero, _clauses.polls),
        (broken.ignores_the_timeout, _clauses.keeps_time),
        (broken.is_early, _clauses.keeps_time),
        (broken.counts_from_the_turn, _clauses.counts_from_the_call),
        (broken.leaves_timers, _clauses.leaves_nothing),
        (broken.misses_hang_up, _clauses.hang_up),
        (broken.hangs_on_hang_up, _clauses.hang_up),
        (broken.swallows, _clauses.interrupted),
        (broken.replaces, _clauses.interrupted),
        (broken.leaves_watchers, _clauses.interrupted),
        (broken.takes_low_numbers, _clauses.high_number),
        (broken.hangs_on_closed, _clauses.closed_before),
        (broken.BindsOneOnly(), _clauses.bound_takes_others),
        (broken.BindsUntilClosed(), _clauses.bound_works_closed),
        (broken.BindsForOneWaiter(), _clauses.bound_shared),
    ],
)
def test_a_broken_callback_is_told_what_it_breaks(
    wait: Any, clause: _clauses.Clause, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in (_arena, _clauses):
        monkeypatch.setattr(room, "LIMIT", 1.0)  # what hangs
    monkeypatch.setattr(_clauses, "SHORT", 0.15)  # what is too early, on a slow machine too
    # Alone: where the machine is slow, it may break others, too, and bound, it is no callback that binds.
    for name in ("CLAUSES", "BOUND_CLAUSES"):
        monkeypatch.setattr(contract, name, [each for each in getattr(_clauses, name) if each is clause])
    with pytest.raises(AssertionError, match=re.escape(clause.__doc__ or "")):
        check_in_a_hub_of_its_own(wait)


@pytest.mark.gevent
def test_a_watcher_that_outlives_its_socket_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    # Alone, for every clause closes sockets, and the next one gets their numbers.
    monkeypatch.setattr(contract, "CLAUSES", (_clauses.number_reused,))
    monkeypatch.setattr(_arena, "LIMIT", 0.6)
    with pytest.raises(AssertionError, match="a new socket that gets the number"):
        check_in_a_hub_of_its_own(broken.KeepsForEver())
