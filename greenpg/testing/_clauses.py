"""The clauses of the wait contract, each a generator that knows no runtime.

It yields a `Run` to have its waits made in a green thread of its own, and `None` to let the others
run for a moment; what came of a run is read from the run. Its docstring is what a failure says.
"""

from __future__ import annotations

import _socket
import fcntl
import os
import struct
from collections.abc import Callable, Generator
from time import monotonic

from greenpg.abc import Ready, Wait
from greenpg.testing._arena import LIMIT, Arena, Run, Step, drain, fill, is_part

Script = Generator[Step, None, None]
Clause = Callable[[Arena], Script]

SHORT = 0.05
LONG = 0.2
AGES = 1e9
HIGH = 1100
"""A file descriptor number that `select()` cannot take."""

NONE, R, W, RW = Ready.NONE, Wait.R, Wait.W, Wait.RW


def others_run(arena: Arena) -> Script:
    """while one green thread waits, the others run"""
    near, far = arena.pair()
    slow = yield from arena.start(Run((near.fileno(), R, LIMIT)))
    yield from arena.ask((far.fileno(), W, None))
    if slow.answers:
        raise AssertionError("the other came to its turn only when the wait was over")
    far.send(b"x")
    yield from arena.finish(slow)


def answers_what_was_asked(arena: Arena) -> Script:
    """what is ready is answered, whatever the timeout, and only what was asked for"""
    near, far = arena.pair()
    fd = near.fileno()
    far.send(b"x")
    for timeout in (None, LONG, AGES, 0):
        run = yield from arena.ask((fd, R, timeout), (fd, W, timeout))
        run.expect(R, W)


def either(arena: Arena) -> Script:
    """Wait.RW waits for either, and answers with what is ready"""
    near, far = arena.pair()
    fd = near.fileno()
    for timeout in (None, LONG, 0):
        (yield from arena.ask((fd, RW, timeout))).expect(W)
    far.send(b"x")
    run = yield from arena.ask((fd, RW, None), (fd, RW, LONG), (fd, RW, 0))
    if not all(is_part(answer, RW) for answer in run.answers):
        run.expect(RW, RW, RW)
    fill(near)
    for timeout in (None, LONG, 0):
        (yield from arena.ask((fd, RW, timeout))).expect(R)


def waits(arena: Arena) -> Script:
    """it waits until the file descriptor becomes ready, without a timeout for ever"""
    for timeout in (None, AGES):
        for need, ready, full in ((R, R, False), (W, W, True), (RW, R, True)):
            near, far = arena.pair()
            if full:
                fill(near)
            run = yield from arena.start(Run((near.fileno(), need, timeout)))
            if run.answers:
                raise AssertionError(f"asked {run}, it answered {run.answers} before anything was")
            if ready == R:
                far.send(b"x")
            else:
                drain(far)
            yield from arena.finish(run)
            run.expect(ready)


def polls(arena: Arena) -> Script:
    """a timeout of 0 only polls"""
    near, far = arena.pair()
    fill(near)
    fd = near.fileno()
    (yield from arena.ask((fd, R, 0), (fd, W, 0), (fd, RW, 0))).expect(NONE, NONE, NONE)
    far.send(b"x")
    (yield from arena.ask((fd, R, 0), (fd, W, 0), (fd, RW, 0))).expect(R, NONE, R)


def keeps_time(arena: Arena) -> Script:
    """Ready.NONE is answered when the time has passed, and not before"""
    near, _ = arena.pair()
    fill(near)
    fd = near.fileno()
    run = yield from arena.ask((fd, R, SHORT), (fd, W, SHORT), (fd, RW, SHORT))
    run.expect(NONE, NONE, NONE)
    for ask in range(3):
        run.expect_late(ask)


def counts_from_the_call(arena: Arena) -> Script:
    """the timeout counts from the call, though the loop was busy before it"""

    def work() -> None:
        end = monotonic() + 2 * SHORT
        while monotonic() < end:
            pass

    quiet, _ = arena.pair()
    run = yield from arena.start(Run((quiet.fileno(), R, SHORT), before=work))
    yield from arena.finish(run)
    run.expect(NONE)
    run.expect_late(0)


def data_beats_time(arena: Arena) -> Script:
    """what becomes ready before the time has passed is answered then"""
    near, far = arena.pair()
    run = yield from arena.start(Run((near.fileno(), R, 2 * LIMIT)))
    far.send(b"x")
    yield from arena.finish(run)
    run.expect(R)


def leaves_nothing(arena: Arena) -> Script:
    """a wait that is over leaves no timer and no watcher that would disturb the next"""
    for need, timeout, readable in ((W, SHORT, False), (RW, None, False), (RW, None, True)):
        near, far = arena.pair()
        quiet, _ = arena.pair()
        if readable:  # then both come in one turn of the loop
            far.send(b"x")
        run = yield from arena.start(Run((near.fileno(), need, timeout), (quiet.fileno(), R, 2 * SHORT)))
        far.send(b"x")
        yield from arena.finish(run)
        if not is_part(run.answers.pop(0), need):
            raise AssertionError(f"asked {run}, it did not find what was ready")
        run.expect(NONE)
        run.expect_late(1)


def hang_up(arena: Arena) -> Script:
    """a peer that hangs up makes ready what was asked for"""
    for timeout in (None, LONG, 0):
        near, far = arena.pair()
        arena.close(far)
        fd = near.fileno()
        run = yield from arena.ask((fd, R, timeout), (fd, W, timeout), (fd, RW, timeout))
        if run.answers[:2] != [Ready.R, Ready.W] or not is_part(run.answers[2], RW):
            run.expect(R, W, RW)


def hang_up_meanwhile(arena: Arena) -> Script:
    """a peer that hangs up during the wait ends it"""
    for need in (R, W, RW):
        near, far = arena.pair()
        fill(near)
        run = yield from arena.start(Run((near.fileno(), need, None)))
        arena.close(far)
        yield from arena.finish(run)
        if not is_part(run.answers[0], need):
            run.expect(need)


def reset(arena: Arena) -> Script:
    """a connection that is reset makes ready what was asked for"""
    near, far = arena.tcp_pair()
    far.setsockopt(_socket.SOL_SOCKET, _socket.SO_LINGER, struct.pack("ii", 1, 0))  # close resets
    run = yield from arena.start(Run((near.fileno(), R, None), (near.fileno(), W, None)))
    arena.close(far)
    yield from arena.finish(run)
    run.expect(R, W)


def two_at_once(arena: Arena) -> Script:
    """two green threads wait at once, each for its own file descriptor"""
    (one, its_peer), (other, _) = arena.pair(), arena.pair()
    woken = yield from arena.start(Run((one.fileno(), R, None)))
    left = yield from arena.start(Run((other.fileno(), R, LONG)))
    its_peer.send(b"x")
    yield from arena.finish(woken)
    yield from arena.finish(left)
    woken.expect(R)
    left.expect(NONE)
    left.expect_late(0)


def interrupted(arena: Arena) -> Script:
    """what is raised in the wait comes out unchanged, leaves nothing behind, and the next wait works"""
    for need, timeout in ((R, None), (W, None), (RW, None), (RW, LONG)):
        near, far = arena.pair()
        quiet, _ = arena.pair()
        fill(near)
        run = Run((near.fileno(), need, timeout), (quiet.fileno(), R, (timeout or 0.0) + SHORT))
        yield from arena.start(run)
        if run.throw is None or (timeout and run.answers):  # it cannot be done, or not in time
            return
        yield from arena.interrupt(run, run.throw)
        far.send(b"x")
        drain(far)
        (yield from arena.ask((near.fileno(), R, None), (near.fileno(), W, None))).expect(R, W)
        yield from arena.finish(run)
        del run.answers[0]
        run.expect(NONE)
        run.expect_late(1)


def number_reused(arena: Arena) -> Script:
    """a new socket that gets the number of one that was closed is waited for afresh"""
    near, far = arena.pair()
    new, new_far = arena.pair()
    fd = near.fileno()

    def replace() -> None:
        arena.unbind(fd)
        os.dup2(new.fileno(), fd)

    # At once after a wait, for a loop may learn only at its next turn that the wait is over.
    steps = iter((lambda: None, replace, lambda: None))
    asks = (fd, R, None), (fd, R, None), (fd, W, None)
    far.send(b"x")
    run = yield from arena.start(Run(*asks, before=lambda: next(steps)()))
    yield from arena.go_on(run, 1)
    if len(run.answers) != 1:
        raise AssertionError(f"it answered {run.answers}, the last for a socket that is closed")
    new_far.send(b"x")
    yield from arena.finish(run)
    run.expect(R, R, W)


def high_number(arena: Arena) -> Script:
    """file descriptors above 1024 work"""
    low, far = arena.pair()
    try:
        near = arena.own(_socket.socket(fileno=fcntl.fcntl(low.fileno(), fcntl.F_DUPFD_CLOEXEC, HIGH)))
    except OSError:  # the process may not have so many
        return
    run = yield from arena.start(Run((near.fileno(), R, None), (near.fileno(), W, SHORT)))
    far.send(b"x")
    yield from arena.finish(run)
    run.expect(R, W)


def closed_before(arena: Arena) -> Script:
    """a file descriptor that is closed raises or counts as ready, and is not waited for"""
    for need in (R, W, RW):
        near, _ = arena.pair()
        fd = near.fileno()
        arena.close(near)
        run = yield from arena.ask((fd, need, LIMIT * 2))
        if not isinstance(run.answers[0], (OSError, ValueError)):
            run.expect(need)


def bound_takes_others(arena: Arena) -> Script:
    """a bound callback waits for other file descriptors too"""
    (mine, my_peer), (other, other_peer) = arena.pair(), arena.pair()
    bound = arena.bind(mine)
    asks = (mine.fileno(), R, None), (other.fileno(), R, None), (mine.fileno(), R, None)
    my_peer.send(b"x")
    run = yield from arena.start(Run(*asks, wait=bound))
    yield from arena.go_on(run, 1)
    if len(run.answers) != 1:
        raise AssertionError(f"it answered {run.answers}; its own was ready, the other not")
    other_peer.send(b"x")
    yield from arena.finish(run)
    run.expect(R, R, R)


def bound_works_closed(arena: Arena) -> Script:
    """a bound callback works after close(), which may come twice and during a wait"""
    near, far = arena.pair()
    fd = near.fileno()
    bound = arena.bind(near)
    run = yield from arena.start(Run((fd, R, None), (fd, W, None), (fd, R, 0), wait=bound))
    bound.close()
    bound.close()
    far.send(b"x")
    yield from arena.finish(run)
    run.expect(R, W, R)


def bound_shared(arena: Arena) -> Script:
    """a second green thread on a bound callback gets its own answer or an error, and disturbs nobody"""
    near, far = arena.pair()
    fd = near.fileno()
    bound = arena.bind(near)
    first = yield from arena.start(Run((fd, R, None), wait=bound))
    second = yield from arena.start(Run((fd, R, None), wait=bound))
    third = yield from arena.start(Run((fd, W, None), wait=bound))
    yield from arena.finish(third)
    if first.answers:
        raise AssertionError(f"the second waiter ended the first: {first.answers}")
    far.send(b"x")
    yield from arena.finish(first)
    yield from arena.finish(second)
    first.expect(R)
    for run, ready in ((second, R), (third, W)):
        if not isinstance(run.answers[0], Exception):
            run.expect(ready)


CLAUSES: tuple[Clause, ...] = (
    others_run,
    answers_what_was_asked,
    either,
    waits,
    polls,
    keeps_time,
    counts_from_the_call,
    data_beats_time,
    leaves_nothing,
    hang_up,
    hang_up_meanwhile,
    reset,
    two_at_once,
    interrupted,
    number_reused,
    high_number,
    closed_before,
)

BOUND_CLAUSES: tuple[Clause, ...] = (bound_takes_others, bound_works_closed, bound_shared)
