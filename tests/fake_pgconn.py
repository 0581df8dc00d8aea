"""A `PGconn` with no libpq and no server behind it: what the core's generators are driven by hand with.

It is held to the real one: every conversation of `conversations` has to go the same way with both.
Unlike a real one it notices a wait that would never end.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from greenpg.abc import Ready, Wait
from greenpg.pq.enums import COPY_STATES, ExecStatus, TransactionStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

# What the server sends, one letter each as in the protocol.
Message = tuple[str, Any]
READY: Message = ("Z", None)
NOTICE: Message = ("N", None)
COPY_DONE: Message = ("c", None)
_LEADS_TO = {ExecStatus.COPY_IN: "copy in", ExecStatus.COPY_OUT: "copy out"}


def result(status: ExecStatus, text: str = "") -> Message:
    """Return the message that becomes a result of that status."""
    return "C", FakeResult(status, text)


class FakeResult:
    """A result that knows its status and its error."""

    def __init__(self, status: ExecStatus, text: str = "") -> None:
        self.status = status
        self._text = text

    def get_error_message(self) -> str:
        """Return the error, empty if there is none."""
        return self._text


class FakePGconn:
    """The connection, the network and the server, which answers from `answers`.

    :param answers: the server's messages, by statement; after a COPY IN has begun those for its end
    :param room: how many messages of ours the network takes until it is waited for
    :param capacity: how many of the server's messages it takes; a server that cannot write does not read
    :param notices: how many notices the server sends for each block of COPY data
    """

    socket = 7

    def __init__(
        self, answers: dict[bytes, list[Message]], *, room: int = 1, capacity: int = 2, notices: int = 0
    ) -> None:
        self.waits: list[Wait] = []
        self.copied: list[bytes] = []
        self.transaction_status = TransactionStatus.IDLE
        self._answers = answers
        self._room = self._credit = room
        self._capacity = capacity
        self._notices = notices
        self._state = "idle"
        self._queue: deque[Message] = deque()
        self._unwritten: deque[Message] = deque()
        self._wire: deque[Message] = deque()
        self._input: deque[Message] = deque()

    @property
    def unsent(self) -> int:
        """How many of our messages have not been sent."""
        return len(self._queue)

    @property
    def untaken(self) -> int:
        """How many of the server's messages have been read from the network and not been looked at."""
        return len(self._input)

    def wait(self, fd: int, need: Wait, timeout: float | None, /) -> Ready:
        """Be the wait callback of this connection."""
        assert fd == self.socket
        self.waits.append(need)
        assert len(self.waits) < 20_000, "this goes on for ever"
        ready = Wait.R * bool(self._wire) | Wait.W * (not self._unwritten)
        assert ready & need, f"nobody will ever wake up who waits for {need!r}"
        if ready & need & Wait.W:
            self._credit = self._room
        return Ready(ready & need)

    # PGconn

    def send_query(self, command: bytes) -> None:
        self._queue.append(("Q", command))
        self.transaction_status = TransactionStatus.ACTIVE
        self._state = "busy"

    def put_copy_data(self, data: bytes) -> int:
        assert self._state == "copy in"
        if len(self._queue) > 3:
            return 0
        self._queue.append(("d", bytes(data)))
        return 1

    def put_copy_end(self, error: bytes | None = None) -> int:
        assert self._state == "copy in"
        if len(self._queue) > 3:
            return 0
        self._queue.append(("c" if error is None else "f", error))
        self._state = "busy"
        return 1

    def flush(self) -> int:
        while self._queue and self._credit and not self._unwritten:
            self._credit -= 1
            self._serve(*self._queue.popleft())
        return bool(self._queue)

    def consume_input(self) -> None:
        self._input.extend(self._wire)
        self._wire.clear()
        self._write(())

    def is_busy(self) -> bool:
        self._skip_notices()
        while self._state == "busy" and self._input and self._input[0][0] in "dcN":
            self._input.popleft()  # rows that nobody wanted
        return self._state == "busy" and not self._input

    def get_result(self) -> FakeResult | None:
        if self._state in ("copy in", "copy out"):
            return FakeResult(ExecStatus[self._state.replace(" ", "_").upper()])
        if self._state == "idle":
            return None
        assert not self.is_busy(), "get_result() would block"
        kind, found = self._input.popleft()
        if kind == "Z":
            self._state = "idle"
            self.transaction_status = TransactionStatus.IDLE
            return None
        assert isinstance(found, FakeResult)
        self._state = _LEADS_TO.get(found.status, "busy")
        return found

    def receive(self, results: list[Any], ready: int = 0) -> Wait | None:
        if ready & Wait.R:
            self.consume_input()
        while True:
            if self.flush():
                return Wait.RW
            if self.is_busy():
                return Wait.R
            found = self.get_result()
            if found is None:
                return None
            results.append(found)
            if found.status in COPY_STATES:
                return None

    def get_copy_data(self, _async: int) -> tuple[int, bytes]:
        assert self._state == "copy out"
        self._skip_notices()
        if not self._input:
            return 0, b""
        kind, row = self._input[0]
        if kind == "d":
            self._input.popleft()
            return len(row), row
        self._state = "busy"
        return -1, b""

    def get_copy_block(self, limit: int) -> tuple[bytes, bool]:
        rows = b""
        while len(rows) < limit:
            size, row = self.get_copy_data(1)
            if size <= 0:
                return rows, size < 0
            rows += row
        return rows, False

    def end_copy(self) -> bool:
        assert self._state == "copy out"
        self._state = "busy"
        if self.is_busy():
            return False
        self.get_result()
        return True

    # The server

    def _serve(self, kind: str, content: Any) -> None:
        if kind == "Q":
            self._write(self._answers[content])
        elif kind == "d":
            self.copied.append(content)
            self._write([NOTICE] * self._notices)
        elif kind == "c":
            self._write(self._answers[b"the end"])
        else:
            reason = f"COPY from stdin failed: {content.decode()}"
            self._write([result(ExecStatus.FATAL_ERROR, reason), READY])

    def _write(self, messages: Iterable[Message]) -> None:
        self._unwritten.extend(messages)
        while self._unwritten and len(self._wire) < self._capacity:
            self._wire.append(self._unwritten.popleft())

    def _skip_notices(self) -> None:
        while self._input and self._input[0] == NOTICE:
            self._input.popleft()
