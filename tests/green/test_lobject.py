"""Large objects: the whole class, as psycopg2's own, chunk by chunk and with the loop going round."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest
from psycopg2 import extensions

from greenpg._core.lobject import CHUNK
from tests.green.sessions import under_way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.green.runtimes import Runtime

SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5)


def content(size: int) -> bytes:
    """Return bytes of every value, in an order that no chunk repeats."""
    return bytes(i * i % 251 ^ i & 255 for i in range(1021)) * (size // 1021) + bytes(range(256)) * 4


@pytest.fixture
def oid(dsn: str) -> Iterator[int]:
    """The OID of a committed object of 5 bytes, gone after the test.

    Name it before `connect`: what the test's connections lock must be free by then.
    """
    conn = psycopg2.connect(dsn)
    lobject: Any = conn.lobject(mode="wb")
    lobject.write(b"hello")
    conn.commit()
    yield lobject.oid
    lobject.unlink()
    conn.commit()
    conn.close()


@pytest.mark.parametrize("size", SIZES)
def test_bytes_come_back(conn: Any, size: int) -> None:
    data = content(size)[:size]
    lobject = conn.lobject(mode="wb")
    assert lobject.write(data) == size
    assert lobject.tell() == size
    lobject.seek(0)
    assert lobject.read() == data
    assert lobject.read() == b""
    lobject.seek(0)
    assert lobject.read(size // 2) == data[: size // 2]
    assert lobject.read(size) == data[size // 2 :]


@pytest.mark.parametrize("letter", ["x", "é", "\u20ac", "\U0001f600"])
def test_text_comes_back_whatever_the_chunks_cut(conn: Any, letter: str) -> None:
    text = "a" + letter * (2 * CHUNK + 7)
    lobject = conn.lobject()
    assert lobject.write(text) == len(text.encode())
    lobject.seek(0)
    assert lobject.read() == text


def test_text_in_the_connections_encoding(conn: Any) -> None:
    conn.set_client_encoding("LATIN1")
    lobject = conn.lobject(mode="rw")
    assert lobject.write("déjà") == 4
    lobject.seek(1)
    assert lobject.read(1) == "é"


def test_text_that_cannot_be_encoded_writes_nothing(conn: Any) -> None:
    conn.set_client_encoding("LATIN1")
    lobject = conn.lobject()
    with pytest.raises(UnicodeEncodeError):
        lobject.write("x" * (2 * CHUNK) + "\u20ac")
    assert lobject.tell() == 0


def test_half_a_character_is_an_error(conn: Any) -> None:
    lobject = conn.lobject()
    lobject.write("é")
    lobject.seek(0)
    with pytest.raises(UnicodeDecodeError):
        lobject.read(1)


def test_users_caster_of_bytea_is_not_asked(conn: Any) -> None:
    extensions.register_type(extensions.new_type((17,), "BYTEA", lambda *_: "cast"), conn)
    lobject = conn.lobject(mode="wb")
    lobject.write(b"hello")
    lobject.seek(0)
    assert lobject.read() == b"hello"


@pytest.mark.parametrize(
    ("mode", "new", "existing"),
    [
        ("", "wt", "rt"),
        ("b", "wb", "rb"),
        ("r", "wt", "rt"),
        ("rb", "wb", "rb"),
        ("w", "wt", "wt"),
        ("rwb", "wb", "rwb"),
        ("n", "wt", "n"),
        (None, "wt", "rt"),
    ],
)
def test_mode(conn: Any, mode: str | None, new: str, existing: str) -> None:
    lobject = conn.lobject(0, mode)
    assert lobject.mode == new
    assert conn.lobject(lobject.oid, mode).mode == existing


@pytest.mark.parametrize("mode", ["x", "wr", "rwx", "rbt"])
def test_bad_mode(conn: Any, mode: str) -> None:
    with pytest.raises(ValueError, match="bad mode for lobject"):
        conn.lobject(0, mode)


def test_positions_beyond_32_bits(conn: Any) -> None:
    lobject = conn.lobject(mode="rwb")
    lobject.truncate(5 << 30)
    assert lobject.seek(0, 2) == 5 << 30
    lobject.write(b"end")
    assert lobject.seek(-3, io.SEEK_CUR) == lobject.tell() == 5 << 30
    assert lobject.read() == b"end"
    with pytest.raises(OverflowError):
        lobject.seek(1 << 63)


@pytest.mark.parametrize("end", ["commit", "rollback", "reset"])
def test_ends_with_its_transaction(conn: Any, end: str) -> None:
    old = conn.lobject()
    old.write("old")
    getattr(conn, end)()
    new = conn.lobject()  # which has the same descriptor on the server
    for use in (old.read, old.tell, old.truncate, lambda: old.seek(0), lambda: old.write("x")):
        with pytest.raises(psycopg2.ProgrammingError, match="lobject isn't valid anymore"):
            use()
    old.close()
    assert not old.closed
    assert new.tell() == 0


def test_lives_on_while_its_transaction_does(conn: Any) -> None:
    lobject = conn.lobject()
    conn.set_client_encoding(conn.encoding)
    conn.poll()
    with conn.cursor() as cursor:
        cursor.execute("savepoint one; rollback to one")
    assert lobject.tell() == 0


def test_closed(conn: Any) -> None:
    lobject = conn.lobject()
    lobject.close()
    lobject.close()
    assert lobject.closed
    for use in (
        lobject.read,
        lobject.tell,
        lobject.truncate,
        lambda: lobject.seek(0),
        lambda: lobject.write("x"),
    ):
        with pytest.raises(psycopg2.InterfaceError, match="lobject already closed"):
            use()
    lobject.unlink()


def test_refused_in_autocommit(conn: Any) -> None:
    conn.autocommit = True
    with pytest.raises(psycopg2.ProgrammingError, match="outside of transactions"):
        conn.lobject()


def test_refused_on_a_closed_connection(conn: Any) -> None:
    lobject = conn.lobject()
    conn.close()
    assert lobject.closed
    lobject.close()
    with pytest.raises(psycopg2.InterfaceError, match="connection already closed"):
        conn.lobject()


def test_what_the_server_refuses_is_an_operational_error(conn: Any, oid: int) -> None:
    with pytest.raises(psycopg2.OperationalError, match="does not exist"):
        conn.lobject(oid + 1)
    conn.rollback()
    with pytest.raises(psycopg2.OperationalError, match="duplicate key"):
        conn.lobject(0, "w", oid)
    conn.rollback()
    with pytest.raises(psycopg2.OperationalError, match="not opened for writing"):
        conn.lobject(oid, "r").write("x")
    with pytest.raises(psycopg2.OperationalError, match="transaction is aborted"):
        conn.lobject(oid)


def test_users_class(conn: Any) -> None:
    class Shouting(psycopg2.extensions.lobject):
        def __init__(self, conn: Any, oid: int, mode: str, new_oid: int):
            super().__init__(conn, oid, mode, new_oid)
            self.shouts = 0

        def write(self, data: Any) -> Any:
            self.shouts += 1
            return super().write(data.upper())  # type: ignore[no-untyped-call]

    lobject: Any = conn.lobject(lobject_factory=Shouting)
    assert issubclass(type(lobject), Shouting)
    assert isinstance(conn.lobject(), psycopg2.extensions.lobject)
    lobject.write("hello")
    lobject.seek(0)
    assert (lobject.read(), lobject.shouts) == ("HELLO", 1)


def test_factory_of_something_else(conn: Any) -> None:
    with pytest.raises(TypeError, match="lobject factory"):
        conn.lobject(lobject_factory=lambda *_: object())


def test_files(conn: Any, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    data = content(3 * CHUNK)
    source.write_bytes(data)
    lobject = conn.lobject(0, "rb", 0, str(source))
    assert lobject.tell() == 0
    lobject.seek(5)
    lobject.export(str(target))
    assert target.read_bytes() == data
    assert lobject.read() == data[5:]


@pytest.mark.parametrize(
    "use", [lambda conn, file: conn.lobject(0, "r", 0, file), lambda conn, file: conn.lobject().export(file)]
)
def test_file_that_cannot_be_opened(conn: Any, tmp_path: Path, use: Callable[[Any, str], None]) -> None:
    with pytest.raises(psycopg2.OperationalError, match=r"could not open file .*/nowhere/file") as caught:
        use(conn, str(tmp_path / "nowhere" / "file"))
    assert isinstance(caught.value.__cause__, FileNotFoundError)
    assert conn.lobject().tell() == 0


def test_unknown_object_leaves_no_file(conn: Any, oid: int, tmp_path: Path) -> None:
    with pytest.raises(psycopg2.OperationalError, match="does not exist"):
        conn.lobject(oid + 1, "n").export(str(tmp_path / "file"))
    assert not list(tmp_path.iterdir())


def test_interrupted_write(runtime: Runtime, oid: int, connect: Callable[..., Any]) -> None:
    owner, conn = connect(), connect()
    owner.lobject(oid, "w").write("owner")  # whoever writes there now waits for the end of this transaction
    lobject = conn.lobject(oid, "w")
    with pytest.raises(runtime.Timeout) as caught, runtime.timeout(0.1) as bomb:
        lobject.write("other")
    assert caught.value is bomb
    assert not conn.closed
    conn.rollback()
    assert conn.lobject(oid).read() == "hello"


def test_busy(runtime: Runtime, oid: int, connect: Callable[..., Any]) -> None:
    owner, conn = connect(), connect()
    owner.lobject(oid, "w").write("owner")
    lobject = conn.lobject(oid, "w")
    task = runtime.spawn(lobject.write, "other")
    under_way(conn, runtime)
    for use in (lobject.read, lobject.close, conn.lobject, conn.commit):
        with pytest.raises(psycopg2.ProgrammingError, match="waits for the server on this connection"):
            use()
    owner.rollback()
    assert task.get() == 5
    lobject.seek(0)
    assert lobject.read() == "other"


@pytest.mark.runtimes("gevent", "eventlet")
def test_50_mb_and_the_loop_goes_round(runtime: Runtime, conn: Any, tmp_path: Path) -> None:
    data = content(50 << 20)
    longest = 0.0
    done = False

    def tick() -> None:
        # in this process's own time: what the machine does besides is no matter of ours
        nonlocal longest
        last = time.process_time()
        while not done:
            time.sleep(0.001)
            now = time.process_time()
            longest, last = max(longest, now - last), now

    ticker = runtime.spawn(tick)
    lobject = conn.lobject(mode="wb")
    assert lobject.write(data) == len(data)
    lobject.seek(0)
    back = lobject.read()
    lobject.export(str(tmp_path / "file"))
    conn.lobject(0, "w", 0, str(tmp_path / "file"))
    done = True
    ticker.get()
    assert longest < 0.05
    assert back == data
