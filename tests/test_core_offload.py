"""A call in a native thread, waited for as a file descriptor: a native one under monkey-patching too."""

from __future__ import annotations

import _socket
import os
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from greenpg._core import offload
from greenpg._core.offload import Alarm, Offloaded, detach, offload_gen, resolve, shut_down
from greenpg.abc import Ready, Wait
from greenpg.waiters import drive
from greenpg.waiters.select import wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greenpg.abc import Gen
    from tests import fresh


def run(gen: Gen[Any]) -> Any:
    """Drive a generator to its end, for a while."""
    return drive(gen, wait, 20)


def files() -> set[str]:
    """Return what this process has open: less than before, if something of an earlier test has ended."""
    return set(os.listdir("/proc/self/fd"))


def nothing_opened(before: set[str]) -> None:
    """Wait until no more is open: what threads of tests before have, they open and close."""
    end = time.monotonic() + 15
    while not files() <= before:
        assert time.monotonic() < end
        time.sleep(0)


def test_result() -> None:
    assert run(offload_gen(lambda: 42)) == 42
    assert run(offload_gen(threading.get_native_id)) != threading.get_native_id()


@pytest.mark.parametrize("error", [ValueError("broken"), SystemExit(3), KeyboardInterrupt()])
def test_error(error: BaseException) -> None:
    def call() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        run(offload_gen(call))
    assert caught.value is error


def test_begins_when_it_is_made() -> None:
    began = threading.Event()
    Offloaded(began.set)
    assert began.wait(20)


def test_result_that_is_there_needs_no_wait() -> None:
    offloaded = Offloaded(lambda: 42)
    run(offloaded.result_gen())
    assert offloaded.is_over
    with pytest.raises(StopIteration) as end:
        next(offloaded.result_gen())
    assert end.value.value == 42


def test_several_wait_for_one_call() -> None:
    gate = threading.Event()
    offloaded = Offloaded(lambda: gate.wait(20))
    before = files()
    waiting = [(next(gen)[0], gen) for gen in [offloaded.result_gen() for _ in range(3)]]
    assert len({fd for fd, _gen in waiting}) == 3  # an event loop may allow only one to wait for each
    assert waiting[0][1].send(Ready.R) == (waiting[0][0], Wait.R)  # woken for nothing
    waiting.pop()[1].close()
    gate.set()
    for fd, gen in waiting:
        assert wait(fd, Wait.R, 20) == Ready.R
        assert run_on(gen) is True
    nothing_opened(before)


def run_on(gen: Gen[Any]) -> Any:
    """Wait for what a generator that has begun to wait is told, and return its result."""
    with pytest.raises(StopIteration) as end:
        gen.send(Ready.R)
    return end.value.value


@pytest.mark.parametrize("end", ["time", "exception", "close"])
def test_given_up(end: str) -> None:
    gate = threading.Event()
    before = files()
    gen = offload_gen(lambda: gate.wait(20))
    fd, need = next(gen)
    assert need == Wait.R
    assert wait(fd, Wait.R, 0) == Ready.NONE
    if end == "time":
        with pytest.raises(TimeoutError, match="took too long"):
            gen.send(Ready.NONE)
    elif end == "exception":
        with pytest.raises(ZeroDivisionError):
            gen.throw(ZeroDivisionError())
    else:
        gen.close()
    nothing_opened(before)  # the thread may go on for as long as it likes
    gate.set()


def test_end_of_the_call_wakes_the_waiter() -> None:
    gate = threading.Event()
    gen = offload_gen(lambda: gate.wait(20))
    fd, _need = next(gen)
    gate.set()
    assert wait(fd, Wait.R, 20) == Ready.R
    assert run_on(gen) is True


class Exhausted:
    """Threads that cannot be had."""

    allocate_lock = threading.Lock

    @staticmethod
    def start_new_thread(*_: object) -> None:
        raise RuntimeError("can't start new thread")


def test_no_thread_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    before = files()
    monkeypatch.setattr(offload, "_thread", Exhausted)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        run(offload_gen(lambda: 42))
    nothing_opened(before)


@pytest.mark.parametrize("has_ended", [False, True])
def test_what_comes_afterwards_never_comes_before(has_ended: bool) -> None:
    gate = threading.Event()
    order: list[str] = []
    over = threading.Event()

    def call() -> None:
        gate.wait(20)
        order.append("call")

    def after() -> None:
        order.append("after")
        over.set()

    offloaded = Offloaded(call)
    if has_ended:
        gate.set()
        run(offloaded.result_gen())
    offloaded.afterwards(after)
    gate.set()
    assert over.wait(20)
    assert order == ["call", "after"]


def test_an_alarm_rings_in_its_time() -> None:
    before = files()
    began = time.monotonic()
    alarm = Alarm(0.05)
    assert wait(alarm.fileno(), Wait.R, 20) == Ready.R
    assert time.monotonic() - began >= 0.05
    alarm.close()
    nothing_opened(before)


def test_an_alarm_that_is_closed_leaves_nothing() -> None:
    before = files()
    alarm = Alarm(20)
    assert wait(alarm.fileno(), Wait.R, 0) == Ready.NONE
    alarm.close()
    nothing_opened(before)


def test_detached_calls() -> None:
    calls: list[int] = []
    third = threading.Event()

    def call() -> None:
        calls.append(1)
        if len(calls) == 3:
            third.set()
        raise ValueError("nobody hears it")

    detach(call, pauses=(0, 0, 0.001))
    assert third.wait(20)


class Resolver:
    """Answers in place of the system's, behind a gate."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.asked: list[Any] = []

    def __call__(self, name: Any, port: None, *, type: int) -> list[Any]:
        self.asked.append(name)
        assert self.gate.wait(20)
        return [(2, type, 6, "", (address, 0)) for address in ("192.0.2.2", "192.0.2.1", "192.0.2.2")]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    resolver = Resolver()
    monkeypatch.setattr(_socket, "getaddrinfo", resolver)
    yield resolver
    resolver.gate.set()
    for lookup in [*offload._lookups.values()]:
        run(lookup.result_gen())


def test_addresses_in_the_resolvers_order(resolver: Resolver) -> None:
    resolver.gate.set()
    assert run(resolve("a.example").result_gen()) == ["192.0.2.2", "192.0.2.1"]
    assert resolver.asked == [b"a.example"]


def test_a_name_is_looked_up_once_at_a_time(resolver: Resolver) -> None:
    first, second, other = resolve("a.example"), resolve("a.example"), resolve("b.example")
    resolver.gate.set()
    assert run(first.result_gen()) == run(second.result_gen()) == run(other.result_gen())
    assert sorted(resolver.asked) == [b"a.example", b"b.example"]
    run(resolve("a.example").result_gen())
    assert sorted(resolver.asked) == [b"a.example", b"a.example", b"b.example"]


def test_a_forked_child_does_not_wait_for_its_parents_threads(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    parents = resolve("a.example")
    monkeypatch.setattr(os, "getpid", lambda: -1)
    child = resolve("a.example")
    resolver.gate.set()
    assert run(child.result_gen()) == run(parents.result_gen())
    assert len(resolver.asked) == 2


class Quick:
    """Threads that have ended before whoever starts them comes to anything else."""

    allocate_lock = threading.Lock

    @staticmethod
    def start_new_thread(call: Callable[[], None], _: tuple[()]) -> None:
        call()


@pytest.mark.parametrize("threads", [Quick, Exhausted])
def test_a_lookup_that_is_over_is_not_kept(
    threads: type, resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver.gate.set()
    monkeypatch.setattr(offload, "_thread", threads)
    with suppress(RuntimeError):
        assert resolve("a.example").is_over
    assert not offload._lookups


@pytest.mark.parametrize("name", ["a..example", "a" * 64, "\xfc\xf1\xef.invalid", "no.invalid"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(socket.gaierror):
        run(resolve(name).result_gen())


def test_shutting_down_wakes_who_waits() -> None:
    mine, theirs = socket.socketpair()
    with mine, theirs:
        before = files()
        shut_down(mine.fileno())
        assert wait(mine.fileno(), Wait.R, 20) == Ready.R
        assert mine.recv(1) == b""
        assert theirs.recv(1) == b""
        assert files() <= before  # ours is still open, and still ours


PATCHED = """
    {patch}
    import os, threading, time
    from greenpg._core.offload import Offloaded, resolve
    from greenpg.waiters import drive, get_wait_callback

    here = threading.get_native_id()
    green = []
    thread = threading.Thread(target=lambda: green.append(threading.get_native_id()))
    thread.start(), thread.join()
    assert green == [here], "the process is not patched"

    import ctypes
    libc = ctypes.CDLL(None)
    reading, writing = os.pipe()
    def block():
        libc.read(reading, ctypes.create_string_buffer(1), 1)  # the thread does nothing else meanwhile
        return libc.gettid()

    def tick():
        for _ in range(20):
            time.sleep(0.001)
        os.write(writing, b"x")
    ticker = threading.Thread(target=tick)
    ticker.start()
    assert drive(Offloaded(block).result_gen(), get_wait_callback(), 20) != here
    assert drive(resolve("localhost").result_gen(), get_wait_callback(), 20)
    ticker.join()

    try:
        drive(Offloaded(block).result_gen(), get_wait_callback(), 0.05)
    except TimeoutError:
        print("in time")
"""

PATCHES = {
    "gevent": "import gevent.monkey; gevent.monkey.patch_all()",
    "eventlet": "import eventlet; eventlet.monkey_patch()",
}


@pytest.mark.parametrize("runtime", PATCHES)
def test_the_thread_is_native_under_monkey_patching(
    run_python: Callable[..., fresh.Ran], runtime: str
) -> None:
    ran = run_python(PATCHED.format(patch=PATCHES[runtime]))
    assert ran.stdout == "in time\n"
