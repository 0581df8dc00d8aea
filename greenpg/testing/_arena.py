"""Where a clause of the wait contract is played: its sockets, and its waits with what came of them."""

from __future__ import annotations

import _socket
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Protocol, Union

from greenpg.abc import Ready, Wait

if TYPE_CHECKING:
    from greenpg.abc import BoundWaitCallback, WaitCallback

Throw = Callable[[BaseException], object]
Ask = tuple[int, Wait, float | None]
Step = Union["Run", None]
"""A run to begin, or `None` to let the others run for a moment."""

LIMIT = 5.0
"""Seconds after which a wait that should have come back counts as hanging."""

CLOCK = 0.002
"""Seconds that a runtime's clock may be off: some count milliseconds."""


class Interruption(BaseException):
    """What the contract raises in a green thread that waits."""


class Run:
    """Waits made one after the other in one green thread, and what came of them."""

    def __init__(
        self, *asks: Ask, wait: WaitCallback | None = None, before: Callable[[], object] | None = None
    ) -> None:
        self.asks = asks
        self.wait = wait  # in place of the one under test
        self.before = before  # called before each
        self.answers: list[Ready | BaseException] = []
        self.seconds: list[float] = []
        self.throw: Throw | None = None
        self.begun = False
        self.ended = False
        self._started = 0.0

    def __str__(self) -> str:
        return ", ".join(f"({need.name}, timeout {timeout})" for _, need, timeout in self.asks)

    def play(self) -> Iterator[Ask]:
        """Give one ask after the other; `note()` is to be called with the answer to each."""
        for ask in self.asks:
            if self.before is not None:
                self.before()
            self._started = monotonic()
            self.begun = True
            yield ask
        self.ended = True

    def note(self, answer: Ready | BaseException) -> None:
        """Keep what a wait returned or raised."""
        self.seconds.append(monotonic() - self._started)
        self.answers.append(answer)

    def expect(self, *answers: int) -> None:
        """Check that these are the answers, and that they are `Ready`."""
        right = [Ready(answer) for answer in answers]
        if self.answers != right or not all(isinstance(answer, Ready) for answer in self.answers):
            raise AssertionError(f"asked {self}, it answered {self.answers}, not {right}")

    def expect_late(self, ask: int) -> None:
        """Check that an ask was not answered before its time had passed."""
        timeout = self.asks[ask][2] or 0.0
        if self.seconds[ask] < timeout - CLOCK:
            raise AssertionError(f"asked to wait {timeout} s, it came back after {self.seconds[ask]:.4f} s")


class Binder(Protocol):
    """Keeps what the callback under test has bound, by file descriptor."""

    def bind(self, fd: int, /) -> BoundWaitCallback:
        """Return the bound callback for `fd`, made at the first call."""
        ...

    def unbind(self, fd: int, /) -> None:
        """Close it, if there is one."""
        ...


class Arena:
    """The sockets and the runs of one clause; the end of it ends what still waits, and closes all."""

    def __init__(
        self,
        binder: Binder | None = None,
        cancelled: type[BaseException] | None = None,
    ) -> None:
        self._binder = binder
        self._cancelled = cancelled
        self._sockets: list[_socket.socket] = []
        self._runs: list[Run] = []

    def __enter__(self) -> Arena:
        return self

    def __exit__(self, *_exc: object) -> None:
        for run in self._runs:
            if not run.ended and run.throw is not None:
                run.throw(Interruption("the clause is over"))
        for sock in self._sockets[:]:
            with suppress(OSError):
                sock.shutdown(_socket.SHUT_RDWR)
            self.close(sock)

    def own(self, sock: _socket.socket) -> _socket.socket:
        """Take over a socket; it is non-blocking from now on."""
        sock.setblocking(False)
        self._sockets.append(sock)
        return sock

    def pair(self) -> tuple[_socket.socket, _socket.socket]:
        """Return two connected sockets; their class is out of every monkey-patch's reach."""
        near, far = _socket.socketpair()
        return self.own(near), self.own(far)

    def tcp_pair(self) -> tuple[_socket.socket, _socket.socket]:
        """Return two sockets connected over the loopback interface."""
        listener, near = _socket.socket(), _socket.socket()
        try:
            listener.bind(("127.0.0.1", 0))
            listener.listen(1)
            near.connect(listener.getsockname())
            fd, _ = listener._accept()  # type: ignore[attr-defined]
        finally:
            listener.close()
        return self.own(near), self.own(_socket.socket(fileno=fd))

    def close(self, sock: _socket.socket) -> None:
        """Close a socket, as a connection does: first what is bound to it."""
        self.unbind(sock.fileno())
        self._sockets.remove(sock)
        sock.close()

    def unbind(self, fd: int) -> None:
        """Close what the callback under test has bound to a file descriptor, if it binds."""
        if self._binder is not None:
            self._binder.unbind(fd)

    def bind(self, sock: _socket.socket) -> BoundWaitCallback:
        """Return what the callback under test binds to a socket."""
        if self._binder is None:
            raise TypeError("the callback under test does not bind")
        return self._binder.bind(sock.fileno())

    def start(self, run: Run) -> Generator[Step, None, Run]:
        """Start a run, and go on once it waits."""
        self._runs.append(run)
        yield run
        yield from self._until(lambda: run.begun, "was not run")
        yield from self.go_on(run, 0)
        return run

    def go_on(self, run: Run, answers: int) -> Generator[Step, None, None]:
        """Let a run that has been started have so many answers, and wait for the next."""
        yield from self._until(lambda: len(run.answers) >= answers, f"did not answer, asked {run}")
        for _ in range(3):
            yield None

    def finish(self, run: Run) -> Generator[Step, None, None]:
        """Let a run that has been started come to its end."""
        yield from self._until(
            lambda: run.ended,
            f"did not come back within {LIMIT} s, asked {run} (answered {run.answers})",
        )

    def ask(self, *asks: Ask) -> Generator[Step, None, Run]:
        """Run waits to their end."""
        run = yield from self.start(Run(*asks))
        yield from self.finish(run)
        return run

    def interrupt(self, run: Run, throw: Throw) -> Generator[Step, None, None]:
        """Raise something in a run that waits, and check that it comes out of the wait unchanged."""
        error = Interruption("the green thread is interrupted")
        throw(error)
        yield from self._until(
            lambda: bool(run.answers), f"was not ended by what was raised in it, {error!r}"
        )
        came = run.answers[0]
        if came is not error if self._cancelled is None else not isinstance(came, self._cancelled):
            raise AssertionError(f"{error!r} was raised in it, but {came!r} came out")

    @staticmethod
    def _until(true: Callable[[], bool], complaint: str) -> Generator[Step, None, None]:
        deadline = monotonic() + LIMIT
        while not true():
            if monotonic() > deadline:
                raise AssertionError(complaint)
            yield None


def is_part(answer: object, need: Wait) -> bool:
    """Return whether it is `Ready`, with at least one bit of `need` and no other."""
    return isinstance(answer, Ready) and answer != Ready.NONE and answer | need == need


def fill(sock: _socket.socket) -> None:
    """Send until the socket, made non-blocking, takes no more."""
    sock.setblocking(False)
    for size in (65536, 1):
        with suppress(BlockingIOError):
            while True:
                sock.send(bytes(size))


def drain(sock: _socket.socket) -> None:
    """Receive until nothing is left."""
    with suppress(BlockingIOError):
        while sock.recv(65536):
            pass
