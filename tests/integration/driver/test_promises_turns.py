"""Promises 1, 5, 8 and 26 where turns end: a second interruption, and a close() by somebody else."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from greenpg import _turn, waiters
from tests.checkpoints import checkpoints
from tests.integration.driver.bed import within

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenpg.abc import Ready, Wait
    from tests.faults import FaultProxy
    from tests.integration.driver.bed import Db

pytestmark = pytest.mark.beyond

SLEEP = "select pg_sleep(30)"
DELIVERY = 0.5


@pytest.mark.runtimes("gevent", "asyncio", "uvloop", "trio")  # where it is thrown before anybody else runs
async def test_5_closing_does_not_take_the_place_of_an_interruption(db: Db, conn: Any) -> None:
    task = db.spawn(conn.execute, SLEEP)
    await db.under_way(conn)
    task.cancel()
    await conn.close()
    assert await task.ended.wait()
    assert isinstance(task.error, db.runtime.Killed)


async def test_2_the_end_of_its_own_block_waits_for_nothing(db: Db, proxy: FaultProxy) -> None:
    conn = await db.connect(proxy.dsn)
    with within(0.5 + DELIVERY), pytest.raises(db.Timeout), db.timeout(0.5):
        async with conn:
            await conn.execute("select 1")
            proxy.black_hole()
            await db.runtime.pause(30)
    assert conn.closed


class Mine(BaseException):
    """An interruption."""


class Interrupts:
    """A wait callback that raises once it is told to, and again at a later statement that deals with it."""

    def __init__(self, wait: Callable[..., Ready]) -> None:
        self._wait, self.left, self._is_armed, self._is_due = wait, 0, False, False

    def arm(self, statements: int) -> None:
        self.left, self._is_armed, self._is_due = statements, True, False

    def __call__(self, fd: int, need: Wait, timeout: float | None, /) -> Ready:
        if self._is_armed:
            self._is_armed, self._is_due = False, True
            raise Mine
        return self._wait(fd, need, timeout)

    def visit(self) -> None:
        """Raise if it is time."""
        if self._is_due:
            self.left -= 1
            if self.left == 0:
                self._is_due = False
                raise Mine

    def disarm(self) -> None:
        self._is_due = False


@pytest.mark.runtimes("select")
@pytest.mark.parametrize("kind", ["statement", "pipeline"])
async def test_1_a_second_interruption_anywhere(db: Db, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_turn, "RECOVERY_LIMIT", 1.5)
    wait = Interrupts(waiters.get_wait_callback())
    conn, number, reconnects = await db.connect(wait_callback=wait, autocommit=True), 0, 0
    while wait.left <= 0:
        number += 1
        wait.arm(number)
        try:
            with checkpoints(_turn, wait.visit), pytest.raises(Mine):
                if kind == "pipeline":
                    await conn.cursor().executemany("select %s, pg_sleep(0.002)", [(1,), (2,)])
                else:
                    await conn.execute("select pg_sleep(0.001), 'old'")
        finally:
            wait.disarm()
        try:
            assert await db.value(conn, "select %s", (number,)) == number
        except db.errors.OperationalError:
            assert conn.closed
            conn, reconnects = await db.connect(wait_callback=wait, autocommit=True), reconnects + 1
    assert number > 20
    assert reconnects < 5


@pytest.mark.runtimes("select")
async def test_8_a_socket_that_was_lost_meanwhile_is_not_shut_down(
    db: Db, conn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, others = conn.fileno(), list[socket.socket]()

    def lose(*_: object) -> None:
        """Do what another thread may do while this one is about to shut the socket down."""
        conn._finish()
        while not others or others[-1].fileno() <= lost:
            others.extend(socket.socketpair())

    turn = (_ for _ in ())
    conn._take_turn(turn, None)
    monkeypatch.setattr(conn._real, "_request_cancel", lose)
    await conn.close()
    conn._end_turn(turn)
    assert lost in [other.fileno() for other in others]
    for one, other in zip(others[::2], others[1::2], strict=True):
        one.send(b"x")
        assert other.recv(1) == b"x"
        one.close()
        other.close()


@pytest.mark.runtimes("select")
async def test_8_closing_what_has_just_become_free(
    db: Db, conn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = (_ for _ in ())
    conn._take_turn(turn, None)
    monkeypatch.setattr(conn._real, "_request_cancel", lambda *_: conn._end_turn(turn))
    await conn.close()
    assert conn.pgconn.pgconn_ptr is None


async def test_1_a_look_that_was_interrupted(db: Db, conn: Any) -> None:
    assert conn._take_briefly()  # and never gives it back
    assert not conn.closed
    assert await db.value(conn) == 42


@pytest.mark.runtimes("select")
async def test_8_a_look_in_another_thread_refuses_nobody(db: Db, conn: Any) -> None:
    looks = threading.Event()

    def look() -> None:
        assert conn._take_briefly()
        looks.set()
        threading.Event().wait(0.1)
        conn._give_back()

    thread = threading.Thread(target=look)
    thread.start()
    looks.wait()
    assert await db.value(conn) == 42
    thread.join()
