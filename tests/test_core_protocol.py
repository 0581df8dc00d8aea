"""The core's generators, driven by hand: every wait, every answer to it, with no server and no time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from greenpg._core import protocol
from greenpg._core.protocol import (
    COPY_BLOCK,
    cancel_gen,
    copy_end_gen,
    copy_in_gen,
    copy_out_gen,
    execute_gen,
    flush_gen,
    leave_copy_gen,
    wait_gen,
)
from greenpg.abc import Ready, Wait
from greenpg.errors import NotSupportedError, OperationalError
from greenpg.pq.enums import ConnStatus, ExecStatus, PollingStatus
from greenpg.waiters import drive
from tests.conversations import ANSWERS, CONVERSATIONS, COPY_IN, COPY_OUT, QUERY, blocks, never
from tests.fake_pgconn import COPY_DONE, READY, FakePGconn, result

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenpg.abc import Gen

NETWORKS = [(1, 1), (1, 2), (2, 3), (1, 100), (100, 1), (100, 100)]
"""How much goes at a time: of ours, of the server's."""


def fake(answers: Any = ANSWERS, kind: Any = FakePGconn, **network: int) -> Any:
    """Return a fake connection; the core takes it for a `PGconn`."""
    return kind(answers, **network)


def always() -> bool:
    """Be a time slice that is always over."""
    return True


@pytest.mark.parametrize(("room", "capacity"), NETWORKS)
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversation(name: str, room: int, capacity: int) -> None:
    conversation, expected = CONVERSATIONS[name]
    pgconn = fake(room=room, capacity=capacity)
    assert conversation(pgconn, lambda gen: drive(gen, pgconn.wait)) == expected


def interrupted(name: str, moment: int, late: BaseException | None) -> Any:
    """Have a conversation with a wait that raises, or is over with no answer; return its outcome.

    :param moment: which wait, from 1
    :param late: what it raises
    """
    pgconn = fake()

    def wait(fd: int, need: Wait, timeout: float | None, /) -> Ready:
        ready: Ready = pgconn.wait(fd, need, timeout)
        if len(pgconn.waits) != moment:
            return ready
        if late is None:
            return Ready.NONE
        raise late

    try:
        return CONVERSATIONS[name][0](pgconn, lambda gen: drive(gen, wait))
    except (TimeoutError, KeyboardInterrupt) as error:
        return error


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_no_answer_in_time_ends_each_wait(name: str) -> None:
    moment = 1
    while isinstance(outcome := interrupted(name, moment, None), TimeoutError):
        assert str(outcome) == "the server did not answer in time"  # the core's own, not the driving loop's
        moment += 1
    assert moment > 1
    assert outcome == CONVERSATIONS[name][1]


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_what_is_thrown_into_each_wait_comes_out(name: str) -> None:
    moment, bomb = 1, KeyboardInterrupt()
    while (outcome := interrupted(name, moment, bomb)) is bomb:
        moment += 1
    assert moment > 1
    assert outcome == CONVERSATIONS[name][1]


def test_while_anything_is_unsent_both_sides_are_waited_for() -> None:
    pgconn = fake(room=1, capacity=2, notices=3)
    unsent: list[tuple[bool, Wait]] = []

    def wait(fd: int, need: Wait, timeout: float | None, /) -> Ready:
        unsent.append((bool(pgconn.unsent), need))
        return Ready(pgconn.wait(fd, need, timeout))

    pgconn.send_query(COPY_IN)
    drive(execute_gen(pgconn), wait)
    drive(copy_in_gen(pgconn, blocks(*[b"1\n"] * 50), never), wait)
    drive(copy_end_gen(pgconn), wait)
    [found] = drive(execute_gen(pgconn), wait)
    assert found.status == ExecStatus.COMMAND_OK
    assert pgconn.copied == [b"1\n"] * 50
    assert {need for sending, need in unsent if sending} == {Wait.RW}
    assert {need for sending, need in unsent if not sending} == {Wait.R}


def test_waiting_for_writing_alone_would_never_end() -> None:
    # so the fake does notice
    pgconn = fake(room=1, capacity=2, notices=3)
    pgconn.send_query(COPY_IN)
    drive(execute_gen(pgconn), pgconn.wait)

    def send() -> None:
        for _ in range(10):
            pgconn.put_copy_data(b"1\n")
            while pgconn.flush():
                pgconn.wait(pgconn.socket, Wait.W, None)

    with pytest.raises(AssertionError, match="nobody will ever wake up"):
        send()


def test_only_reading_is_not_waited_for_while_sending() -> None:
    waited = []

    class Slow(FakePGconn):
        def consume_input(self) -> None:
            waited.append("consumed")
            super().consume_input()

    pgconn = fake(kind=Slow)
    pgconn.send_query(QUERY)
    pgconn._credit = 0
    gen = flush_gen(pgconn)
    assert next(gen) == (7, Wait.RW)
    assert gen.send(Ready.W) == (7, Wait.RW)  # nothing to take in, and still something to send
    assert waited == []
    gen.send(Ready.R)
    assert waited == ["consumed"]


def test_the_socket_may_change_between_waits() -> None:
    pgconn = fake()
    pgconn.send_query(QUERY)
    pgconn._credit = 0
    gen = flush_gen(pgconn)
    assert next(gen) == (7, Wait.RW)
    pgconn.socket = 8
    assert gen.send(Ready.W) == (8, Wait.RW)


def test_a_huge_block_is_sent_in_pieces() -> None:
    data = (bytes(range(256)) * COPY_BLOCK)[: COPY_BLOCK * 3] + b"end"
    pgconn = fake()
    pgconn.send_query(COPY_IN)
    drive(execute_gen(pgconn), pgconn.wait)
    drive(copy_in_gen(pgconn, blocks(data), never), pgconn.wait)
    drive(copy_end_gen(pgconn), pgconn.wait)
    assert b"".join(pgconn.copied) == data
    assert [len(piece) for piece in pgconn.copied] == [COPY_BLOCK] * 3 + [3]


def test_copy_in_gives_way_when_its_time_is_over() -> None:
    slices = iter([False, True, False, True, True])
    pgconn = fake(room=100, capacity=100, notices=1)
    pgconn.send_query(COPY_IN)
    drive(execute_gen(pgconn), pgconn.wait)
    del pgconn.waits[:]
    drive(copy_in_gen(pgconn, blocks(*[b"1\n"] * 5), lambda: next(slices)), pgconn.wait)
    assert pgconn.waits == [Wait.RW] * 3
    assert pgconn.untaken  # the notices have been taken in, as anywhere else


def test_copy_out_gives_way_and_takes_nothing_in_meanwhile() -> None:
    rows = [("d", b"%d\n" % number) for number in range(50)]
    pgconn = fake({COPY_OUT: [result(ExecStatus.COPY_OUT), *rows, COPY_DONE, READY]}, capacity=4)
    pgconn.send_query(COPY_OUT)
    drive(execute_gen(pgconn), pgconn.wait)
    del pgconn.waits[:]
    most = []
    drive(copy_out_gen(pgconn, lambda _row: most.append(pgconn.untaken), always, 1), pgconn.wait)
    assert pgconn.waits.count(Wait.RW) == 50
    assert max(most) < 4  # a slow taker does not fill the memory


def test_leaving_copy_out_is_libpqs_to_do() -> None:
    taken = []

    class Counting(FakePGconn):
        def get_copy_data(self, _async: int) -> tuple[int, bytes]:
            taken.append(1)
            return super().get_copy_data(_async)

    rows = [("d", b"1\n")] * 5000
    pgconn = fake({COPY_OUT: [result(ExecStatus.COPY_OUT), *rows, COPY_DONE, READY]}, Counting, capacity=100)
    pgconn.send_query(COPY_OUT)
    drive(execute_gen(pgconn), pgconn.wait)
    drive(leave_copy_gen(pgconn), pgconn.wait)
    assert len(taken) <= 101
    assert drive(execute_gen(pgconn), pgconn.wait) == []


def test_leaving_copy_out_gives_way() -> None:
    rows = [("d", b"x" * COPY_BLOCK)] * 5
    pgconn = fake({COPY_OUT: [result(ExecStatus.COPY_OUT), *rows, COPY_DONE, READY]}, capacity=9999)
    pgconn.send_query(COPY_OUT)
    drive(execute_gen(pgconn), pgconn.wait)
    del pgconn.waits[:]
    drive(leave_copy_gen(pgconn), pgconn.wait)
    assert pgconn.waits == [Wait.RW] * 5


def test_leaving_what_is_no_copy_does_nothing() -> None:
    pgconn = fake({})
    drive(leave_copy_gen(pgconn), pgconn.wait)
    assert pgconn.waits == []


@pytest.mark.parametrize(
    ("error", "told"),
    [("why", b"why"), ("d\xe9", b"d\xc3\xa9"), ("a\0b", b"a"), ("\udce9", b"?"), ("x" * 99_999, b"x" * 1000)],
)
def test_what_the_server_is_told_of_a_failure(error: str, told: bytes) -> None:
    reasons = []

    class Telling(FakePGconn):
        def put_copy_end(self, error: bytes | None = None) -> int:
            reasons.append(error)
            return super().put_copy_end(error)

    pgconn = fake(kind=Telling)
    pgconn.send_query(COPY_IN)
    drive(execute_gen(pgconn), pgconn.wait)
    drive(copy_end_gen(pgconn, error), pgconn.wait)
    assert reasons == [told]


def test_one_place_makes_the_error_of_a_late_answer() -> None:
    gen = wait_gen(3, Wait.RW)
    assert next(gen) == (3, Wait.RW)
    with pytest.raises(StopIteration) as end:
        gen.send(Ready.W)
    assert end.value.value is Ready.W
    gen = wait_gen(3, Wait.R)
    next(gen)
    with pytest.raises(TimeoutError):
        gen.send(Ready.NONE)


class FakeCancel:
    """A cancel request that goes through the given steps."""

    socket = 9
    status = ConnStatus.STARTED

    def __init__(self, *steps: PollingStatus) -> None:
        self._steps = list(steps)
        self.finished = 0

    def cancel_conn(self) -> FakeCancel:
        return self

    def start(self) -> None:
        """Begin."""

    def poll(self) -> PollingStatus:
        return self._steps.pop(0)

    def finish(self) -> None:
        self.finished += 1

    def get_error_message(self) -> str:
        return "no route"


READING, WRITING = PollingStatus.READING, PollingStatus.WRITING


def run_cancel(cancel: Any, wait: Callable[..., Ready]) -> None:
    gen: Gen[None] = cancel_gen(cancel)
    drive(gen, wait)


def test_cancel_goes_through_its_steps() -> None:
    cancel = FakeCancel(WRITING, READING, READING, PollingStatus.OK)
    waits: list[tuple[int, Wait]] = []

    def wait(fd: int, need: Wait, _timeout: float | None, /) -> Ready:
        waits.append((fd, need))
        return Ready(need)

    run_cancel(cancel, wait)
    assert waits == [(9, Wait.W), (9, Wait.R), (9, Wait.R)]
    assert cancel.finished == 1


def test_cancel_that_fails() -> None:
    cancel = FakeCancel(WRITING, PollingStatus.FAILED)
    with pytest.raises(OperationalError, match="the cancel request failed: no route"):
        run_cancel(cancel, lambda _fd, need, _: Ready(need))
    assert cancel.finished == 1


def test_cancel_that_cannot_start() -> None:
    class Broken(FakeCancel):
        def start(self) -> None:
            raise OperationalError("no start")

    cancel = Broken()
    with pytest.raises(OperationalError, match="no start"):
        run_cancel(cancel, lambda _fd, need, _: Ready(need))
    assert cancel.finished == 1


@pytest.mark.parametrize("answers", range(3))
def test_cancel_without_an_answer_in_time(answers: int) -> None:
    cancel = FakeCancel(WRITING, READING, READING, PollingStatus.OK)
    ready = iter([Ready.R] * answers + [Ready.NONE])
    with pytest.raises(TimeoutError, match="the server did not answer in time"):
        run_cancel(cancel, lambda *_: next(ready))
    assert cancel.finished == 1


def test_cancel_interrupted() -> None:
    cancel = FakeCancel(WRITING)

    def wait(*_: object) -> Ready:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_cancel(cancel, wait)
    assert cancel.finished == 1


def test_cancel_of_an_old_libpq_is_called_in_a_native_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    class Old(FakeCancel):
        def cancel_conn(self) -> FakeCancel:
            raise NotSupportedError("PQcancelCreate needs libpq 17")

        def get_cancel(self) -> Old:
            return self

        def cancel(self) -> str:
            return "sent"

    offloaded = []

    def offload_gen(call: Callable[[], object]) -> Gen[None]:
        offloaded.append(call())
        yield 5, Wait.R

    monkeypatch.setattr(protocol, "offload_gen", offload_gen)
    run_cancel(Old(), lambda _fd, need, _: Ready(need))
    assert offloaded == ["sent"]
