"""COPY gives what plain psycopg2 gives: arguments, results, errors, and what is left of the connection."""

from __future__ import annotations

import io
import string
import tempfile
from typing import TYPE_CHECKING, Any

import psycopg2
import psycopg2.extras
import pytest
from psycopg2 import extensions, sql

from greenpg.waiters import using
from tests.green.plain import plain_psycopg2

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.green.runtimes import Runtime

INERROR = extensions.TRANSACTION_STATUS_INERROR
INTRANS = extensions.TRANSACTION_STATUS_INTRANS
IDLE = extensions.TRANSACTION_STATUS_IDLE


class Blocks:
    """A file that reads given blocks, and raises those that are exceptions."""

    def __init__(self, *blocks: Any) -> None:
        self._blocks = list(blocks)
        self.sizes: list[int] = []

    def read(self, size: int) -> Any:
        self.sizes.append(size)
        block = self._blocks.pop(0) if self._blocks else b""
        if isinstance(block, BaseException):
            raise block
        return block


class Sink:
    """A file that is only written to, and calls `at_third` instead of taking the third row."""

    def __init__(self, at_third: Callable[[], object] = list) -> None:
        self.rows: list[bytes] = []
        self._at_third = at_third

    def write(self, row: bytes) -> None:
        if len(self.rows) == 2:
            self._at_third()
        self.rows.append(row)


class Unspeakable(Exception):
    """Its text cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def fail() -> None:
    raise ValueError("the disk is full")


def prepare(conn: Any) -> Any:
    """Return a cursor that sees the tables `t` (empty) and `one` (a row) until the transaction ends."""
    cursor = conn.cursor()
    cursor.execute("create temp table t (i int, s text) on commit drop")
    cursor.execute("create temp table one on commit drop as select 1 i, 'é|x'::text s, null::text n")
    return conn.cursor()


def value(cursor: Any, query: str = "select 42") -> Any:
    """Return the one value of a query."""
    cursor.execute(query)
    return cursor.fetchone()[0]


CASES: dict[str, Callable[[Any, io.StringIO, io.BytesIO], object]] = {
    # copy_from
    "text": lambda c, *_: c.copy_from(io.StringIO("1\ta\n2\t\\N\n"), "t"),
    "bytes": lambda c, *_: c.copy_from(io.BytesIO("1\té\n".encode()), "t"),
    "empty": lambda c, *_: c.copy_from(io.StringIO(""), "t"),
    "without the last line end": lambda c, *_: c.copy_from(io.StringIO("1\ta\n2\tb"), "t"),
    "end mark": lambda c, *_: c.copy_from(io.StringIO("1\ta\n\\.\n2\tb\n"), "t"),
    "columns": lambda c, *_: c.copy_from(io.StringIO("a\t1\n"), "t", columns=("s", "i")),
    "columns of a generator": lambda c, *_: c.copy_from(io.StringIO("1\n"), "t", columns=(n for n in "i")),
    "columns as bytes": lambda c, *_: c.copy_from(io.StringIO("1\n"), "t", columns=[b"i"]),
    "columns of a str": lambda c, *_: c.copy_from(io.StringIO("1\ta\n"), "t", columns="is"),
    "columns of int": lambda c, *_: c.copy_from(io.StringIO("1\n"), "t", columns=[1]),
    "columns that are none": lambda c, *_: c.copy_from(io.StringIO("1\n"), "t", columns=3),
    "columns that raise": lambda c, *_: c.copy_from(io.StringIO(), "t", columns=(1 // 0 for _ in "a")),
    "a column that is not there": lambda c, *_: c.copy_from(io.StringIO(), "t", columns=['"; drop']),
    "sep, null, size": lambda c, *_: c.copy_from(io.StringIO("1|NULL\n2|'\n"), "t", "|", "NULL", 3),
    "sep as a quote": lambda c, *_: c.copy_from(io.StringIO("1'a\n"), "t", sep="'"),
    "null as a quote": lambda c, *_: c.copy_from(io.StringIO("1\t'\n"), "t", null="'"),
    "null as a backslash": lambda c, *_: c.copy_from(io.StringIO("1\t\\\n"), "t", null="\\"),
    "sep of two": lambda c, *_: c.copy_from(io.StringIO(), "t", sep="||"),
    "size of -1": lambda c, *_: c.copy_from(io.StringIO("1\ta\n"), "t", size=-1),
    "size of 0": lambda c, *_: c.copy_from(io.StringIO("1\ta\n"), "t", size=0),
    "size of 1": lambda c, *_: c.copy_from(io.StringIO("1\té\n"), "t", size=1),
    "size as str": lambda c, *_: c.copy_from(io.StringIO("1\ta\n"), "t", size="3"),
    "size as float": lambda c, *_: c.copy_from(io.StringIO("1\ta\n"), "t", size=3.0),
    "keywords": lambda c, *_: c.copy_from(file=io.StringIO("1\ta\n"), table="t", sep="\t", null="", size=9),
    "no file": lambda c, *_: c.copy_from(3, "t"),
    "no table": lambda c, *_: c.copy_from(io.StringIO("1\ta\n"), "nowhere"),
    "a table with a schema": lambda c, *_: c.copy_from(io.StringIO("1\ta\n"), "pg_temp.t"),
    "bad row": lambda c, *_: c.copy_from(io.StringIO("1\ta\nx\ty\n" + "2\tb\n" * 50_000), "t"),
    "bad row at the end": lambda c, *_: c.copy_from(io.StringIO("2\tb\n" * 50_000 + "x\ty\n"), "t"),
    "too many columns": lambda c, *_: c.copy_from(io.StringIO("1\ta\tb\n"), "t"),
    "not utf-8": lambda c, *_: c.copy_from(io.BytesIO(b"1\t\xe9\n"), "t"),
    # copy_to
    "to text": lambda c, text, _: c.copy_to(text, "one"),
    "to bytes": lambda c, _, data: c.copy_to(data, "one"),
    "to, with all": lambda c, text, _: c.copy_to(text, "one", sep=",", null="NUL", columns=("n", "i")),
    "to, no file": lambda c, *_: c.copy_to(3, "one"),
    "to, no table": lambda c, text, _: c.copy_to(text, "nowhere"),
    "to, nothing": lambda c, text, _: c.copy_to(text, "t"),
    # copy_expert
    "expert csv": lambda c, *_: c.copy_expert(
        "copy t from stdin with csv header", io.StringIO('i,s\n1,"a\nb"\n')
    ),
    "expert binary": lambda c, _, data: c.copy_expert("copy one to stdout with binary", data),
    "expert bytes": lambda c, _, data: c.copy_expert(b"copy one to stdout", data),
    "expert sql": lambda c, _, data: c.copy_expert(
        sql.SQL("copy {} to stdout").format(sql.Identifier("one")), data
    ),
    "expert keywords": lambda c, *_: c.copy_expert(
        sql="copy t from stdin", file=io.StringIO("1\ta\n"), size=1
    ),
    "expert percent": lambda c, text, _: c.copy_expert("copy (select 5 % 3, '%s') to stdout", text),
    "expert syntax": lambda c, text, _: c.copy_expert("copy copy", text),
    "expert empty": lambda c, text, _: c.copy_expert("", text),
    "expert comment": lambda c, text, _: c.copy_expert("-- nothing", text),
    "expert int": lambda c, text, _: c.copy_expert(3, text),
    "expert of no copy": lambda c, text, _: c.copy_expert("select 1 as x", text),
    "expert of no rows": lambda c, text, _: c.copy_expert("create temp table other ()", text),
    "expert insert": lambda c, text, _: c.copy_expert("insert into t values (7, 'x')", text),
    "expert returning": lambda c, text, _: c.copy_expert(
        "copy (insert into t values (7, 'x') returning *) to stdout", text
    ),
    "expert, two statements": lambda c, text, _: c.copy_expert("select 1; copy one to stdout", text),
    "expert read-only file": lambda c, *_: c.copy_expert("copy one to stdout", Blocks()),
    "expert write-only file": lambda c, *_: c.copy_expert("copy t from stdin", Sink()),
    "expert fails half way": lambda c, text, _: c.copy_expert(
        "copy (select 1 / (50000 - g) from generate_series(1, 100000) g) to stdout", text
    ),
    "expert to the server's file": lambda c, text, _: c.copy_expert("copy one to '/dev/null'", text),
    # the file's own errors
    "read raises": lambda c, *_: c.copy_from(Blocks(b"1\ta\n", ValueError("bad disk")), "t"),
    "read raises é": lambda c, *_: c.copy_from(Blocks(ValueError("d\xe9sk")), "t"),
    "read raises NUL": lambda c, *_: c.copy_from(Blocks(ValueError("bad\0disk")), "t"),
    "read raises nothing to say": lambda c, *_: c.copy_from(Blocks(b"1\ta\n", Unspeakable()), "t"),
    "read raises StopIteration": lambda c, *_: c.copy_from(Blocks(StopIteration("now")), "t"),
    "read raises psycopg2's": lambda c, *_: c.copy_from(Blocks(psycopg2.OperationalError("other")), "t"),
    "read raises TimeoutError": lambda c, *_: c.copy_from(Blocks(TimeoutError("slow disk")), "t"),
    "read gives no text for utf-8": lambda c, *_: c.copy_from(Blocks("1\t\udce9\n"), "t"),
    "read raises in expert": lambda c, *_: c.copy_expert("copy t from stdin", Blocks(OSError(5, "EIO"))),
    "write raises": lambda c, *_: c.copy_expert("copy (values (1), (2), (3), (4)) to stdout", Sink(fail)),
    # not by this door
    "execute to stdout": lambda c, *_: c.execute("copy one to stdout"),
    "execute from stdin": lambda c, *_: c.execute("copy t from stdin"),
    "executemany from stdin": lambda c, *_: c.executemany("copy t from stdin", [(), ()]),
    "execute to the server's file": lambda c, *_: c.execute("copy one to '/dev/null'"),
}


def outcome(conn: Any, case: str, encoding: str | None = None) -> dict[str, Any]:
    """Return all that a caller can see of a COPY, and of the connection afterwards."""
    if encoding:
        conn.set_client_encoding(encoding)
    cursor, text, data = prepare(conn), io.StringIO(), io.BytesIO()
    seen: dict[str, Any] = {}
    try:
        seen["returned"] = CASES[case](cursor, text, data)
    except Exception as error:
        seen["error"] = type(error), str(error), getattr(error, "pgcode", None)
    else:
        seen |= {name: getattr(cursor, name) for name in ("rowcount", "description", "lastrowid", "query")}
    seen |= {"text": text.getvalue(), "data": data.getvalue(), "open": not conn.closed}
    try:
        seen["rows"] = value(cursor, "select array_agg(t order by t) from t")
    except psycopg2.Error as error:
        seen["rows"] = type(error), str(error)
    conn.rollback()
    seen["answer"] = value(conn.cursor())
    conn.rollback()
    return seen


def outcome_of_plain(dsn: str, case: str, encoding: str | None = None) -> dict[str, Any]:
    """Return the `outcome()` of psycopg2 itself."""
    with plain_psycopg2() as connect:
        conn = connect(dsn)
        try:
            return outcome(conn, case, encoding)
        finally:
            conn.close()


@pytest.mark.parametrize("case", CASES)
def test_as_plain_psycopg2(runtime: Runtime, conn: Any, dsn: str, case: str) -> None:
    assert outcome(conn, case) == outcome_of_plain(dsn, case)


@pytest.mark.parametrize("case", ["text", "bytes", "to text", "to bytes", "read raises é", "size of 1"])
@pytest.mark.parametrize("encoding", ["LATIN1", "EUC_JP"])
def test_client_encoding(runtime: Runtime, conn: Any, dsn: str, case: str, encoding: str) -> None:
    assert outcome(conn, case, encoding) == outcome_of_plain(dsn, case, encoding)


def test_status_message(runtime: Runtime, conn: Any) -> None:
    # plain psycopg2 leaves it empty
    cursor = prepare(conn)
    cursor.copy_from(io.StringIO("1\ta\n2\tb\n"), "t")
    assert (cursor.statusmessage, cursor.rowcount) == ("COPY 2", 2)
    cursor.copy_to(io.StringIO(), "t")
    assert (cursor.statusmessage, cursor.rowcount) == ("COPY 2", 2)


@pytest.mark.parametrize("block", [None, 7, bytearray(b"1\ta\n"), memoryview(b"1\ta\n"), ["1\ta\n"]])
def test_read_gives_what_is_no_data(runtime: Runtime, conn: Any, block: Any) -> None:
    cursor = prepare(conn)
    with pytest.raises(extensions.QueryCanceledError, match=r"error in \.read\(\) call") as caught:
        cursor.copy_from(Blocks(b"1\ta\n", block), "t")
    assert type(block).__name__ in str(caught.value)
    conn.rollback()
    assert value(cursor) == 42


def test_read_raises_what_cannot_be_encoded(runtime: Runtime, conn: Any) -> None:
    cursor = prepare(conn)
    with pytest.raises(extensions.QueryCanceledError, match=r"ValueError bad . disk"):
        cursor.copy_from(Blocks(ValueError("bad \udce9 disk")), "t")
    conn.rollback()
    cursor = prepare(conn)
    with pytest.raises(extensions.QueryCanceledError, match=r"ValueError x{500}"):  # the server takes 10 kB
        cursor.copy_from(Blocks(ValueError("x" * 1_000_000)), "t")
    conn.rollback()
    assert value(cursor) == 42


def test_size_is_what_read_is_asked_for(runtime: Runtime, conn: Any) -> None:
    file = Blocks(b"1\ta\n", b"2\tb\n")
    prepare(conn).copy_from(file, "t")
    assert file.sizes == [8192] * 3
    conn.rollback()
    file = Blocks(b"1\ta\n")
    prepare(conn).copy_expert("copy t from stdin", file, 17)
    assert file.sizes == [17] * 2


@pytest.mark.parametrize("way", ["sep", "null", "table"])
def test_nul_is_refused_not_cut(runtime: Runtime, conn: Any, way: str) -> None:
    cursor = prepare(conn)
    with pytest.raises((psycopg2.ProgrammingError, ValueError), match=r"NUL|null"):
        cursor.copy_from(io.StringIO("1\ta\n"), **{"table": "t", way: "t\0"})
    assert conn.get_transaction_status() == INTRANS  # not a byte has left
    assert value(cursor, "select count(*) from t") == 0


@pytest.mark.parametrize("way", ["file", "bytes"])
def test_one_huge_read(runtime: Runtime, conn: Any, way: str) -> None:
    line = "1\t" + string.ascii_letters * 20 + "\n"
    rows = 30_000_000 // len(line)
    file = io.StringIO(line * rows) if way == "file" else Blocks(line.encode() * rows)
    cursor = prepare(conn)
    cursor.copy_expert("copy t from stdin", file, 1 << 30)
    assert cursor.rowcount == rows
    assert value(cursor, "select sum(length(s)) from t") == rows * (len(line) - 3)


def test_binary_round_trip(runtime: Runtime, conn: Any) -> None:
    cursor = prepare(conn)
    cursor.execute("insert into t select g, repeat('é', g % 50) from generate_series(1, 5000) g")
    file = io.BytesIO()
    cursor.copy_expert("copy t to stdout with binary", file)
    file.seek(0)
    cursor.execute("create temp table u (like t) on commit drop")
    cursor.copy_expert("copy u from stdin with binary", file, size=7)
    assert cursor.rowcount == 5000
    assert value(cursor, "select count(*) from (table t except table u) d") == 0
    assert value(cursor, "select count(*) from u") == 5000


def test_a_file_of_the_application_gets_each_row_by_itself(runtime: Runtime, conn: Any) -> None:
    query = r"copy (select g, repeat('é', g % 50) || E'\n' from generate_series(1, 5000) g) to stdout csv"
    sink, text, data = Sink(), io.StringIO(newline=""), io.BytesIO()
    with tempfile.NamedTemporaryFile() as named:
        for file in (sink, text, data, named):
            conn.cursor().copy_expert(query, file)
        named.seek(0)
        assert named.read() == b"".join(sink.rows)
    assert len(sink.rows) == 5000
    assert data.getvalue() == b"".join(sink.rows)
    assert text.getvalue().encode() == b"".join(sink.rows)


def test_autocommit(runtime: Runtime, connect: Callable[..., Any]) -> None:
    conn = connect()
    conn.autocommit = True
    cursor = conn.cursor()
    cursor.execute("create temp table t (i int, s text)")
    cursor.copy_from(io.StringIO("1\ta\n"), "t")
    assert conn.get_transaction_status() == IDLE
    with pytest.raises(extensions.QueryCanceledError):
        cursor.copy_from(Blocks(b"2\tb\n", ValueError("bad disk")), "t")
    with pytest.raises(ValueError, match="the disk is full"):
        cursor.copy_expert("copy (select generate_series(1, 100000)) to stdout", Sink(fail))
    assert conn.get_transaction_status() == IDLE
    assert value(cursor, "select count(*) from t") == 1


def test_with_connection_block(runtime: Runtime, conn: Any) -> None:
    with conn, conn.cursor() as cursor:
        cursor.execute("create temp table t (i int, s text)")
        cursor.copy_from(io.StringIO("1\ta\n"), "t")
    with pytest.raises(extensions.QueryCanceledError), conn, conn.cursor() as cursor:
        cursor.copy_from(Blocks(b"2\tb\n", ValueError("bad disk")), "t")
    with pytest.raises(ValueError, match="the disk is full"), conn, conn.cursor() as cursor:
        cursor.copy_expert(
            "copy (insert into t values (3, ''), (4, ''), (5, '') returning *) to stdout", Sink(fail)
        )
    assert conn.get_transaction_status() == IDLE
    assert value(conn.cursor(), "select string_agg(s, '') from t") == "a"


def test_failed_transaction(runtime: Runtime, conn: Any) -> None:
    cursor = prepare(conn)
    with pytest.raises(psycopg2.ProgrammingError):
        cursor.execute("nonsense")
    file = Blocks(b"1\ta\n")
    with pytest.raises(psycopg2.errors.InFailedSqlTransaction):
        cursor.copy_from(file, "t")
    assert file.sizes == []
    conn.rollback()
    assert value(cursor) == 42


@pytest.mark.parametrize("what", ["cursor", "connection"])
def test_closed(runtime: Runtime, conn: Any, what: str) -> None:
    cursor = conn.cursor()
    (cursor if what == "cursor" else conn).close()
    uses: list[Callable[[], object]] = [
        lambda: cursor.copy_from(io.StringIO(), "t"),
        lambda: cursor.copy_to(io.StringIO(), "t"),
        lambda: cursor.copy_expert("copy t to stdout", io.StringIO()),
    ]
    for use in uses:
        with pytest.raises(psycopg2.InterfaceError, match="already closed"):
            use()


def test_prepared_transaction(runtime: Runtime, conn: Any) -> None:
    conn.tpc_begin(conn.xid(1, f"copy-{runtime.name}", "x"))
    cursor = conn.cursor()
    conn.tpc_prepare()
    try:
        with pytest.raises(psycopg2.ProgrammingError, match="prepared two-phase transaction"):
            cursor.copy_to(io.StringIO(), "pg_am")
    finally:
        conn.tpc_rollback()


@pytest.mark.parametrize(
    "factory", [psycopg2.extras.DictCursor, psycopg2.extras.RealDictCursor, psycopg2.extras.NamedTupleCursor]
)
def test_cursor_factories(runtime: Runtime, conn: Any, factory: Any) -> None:
    prepare(conn)
    cursor, file = conn.cursor(cursor_factory=factory), io.StringIO()
    cursor.copy_from(io.StringIO("1\ta\n"), "t")
    cursor.copy_to(file, "t")
    assert file.getvalue() == "1\ta\n"


def test_named_cursor(runtime: Runtime, conn: Any) -> None:
    prepare(conn)
    conn.cursor("named").copy_from(io.StringIO("1\ta\n"), "t")
    assert value(conn.cursor(), "select count(*) from t") == 1


def test_execute_of_a_long_copy(runtime: Runtime, conn: Any) -> None:
    cursor = conn.cursor()
    with pytest.raises(psycopg2.ProgrammingError, match="use the copy_to"):
        cursor.execute("copy (select generate_series(1, 1000000000)) to stdout")
    conn.rollback()
    assert value(cursor) == 42


@pytest.mark.parametrize("use", ["execute", "commit", "close"])
def test_file_that_uses_its_connection(runtime: Runtime, connect: Callable[..., Any], use: str) -> None:
    conn = connect()
    cursor = prepare(conn)

    class File(io.StringIO):
        def read(self, size: int | None = -1) -> str:
            conn.cursor().execute("select 1") if use == "execute" else getattr(conn, use)()
            return super().read(size)

    if use == "close":
        with pytest.raises(psycopg2.InterfaceError, match="connection closed by"):
            cursor.copy_from(File("1\ta\n" * 100_000), "t")
        assert conn.closed
        return
    with pytest.raises(extensions.QueryCanceledError, match=f"{use} cannot be used while .* waits"):
        cursor.copy_from(File("1\ta\n"), "t")
    conn.rollback()
    assert value(cursor) == 42


def test_another_callback_or_none(runtime: Runtime, dsn: str, connect: Callable[..., Any]) -> None:
    conn = connect()
    cursor = prepare(conn)
    uses: list[Callable[[], object]] = [
        lambda: cursor.copy_from(io.StringIO("1\ta\n"), "t"),
        lambda: cursor.copy_to(io.StringIO(), "t"),
        lambda: cursor.copy_expert("copy t from stdin", io.StringIO()),
    ]
    ours = extensions.get_wait_callback()
    extensions.set_wait_callback(psycopg2.extras.wait_select)
    try:
        for use in uses:
            with pytest.raises(psycopg2.ProgrammingError, match="asynchronous callback"):
                use()
    finally:
        extensions.set_wait_callback(ours)
    with plain_psycopg2():
        cursor.copy_from(io.StringIO("1\ta\n" * 500_000), "t")
        assert cursor.rowcount == 500_000
        file = io.StringIO()
        cursor.copy_to(file, "t")
    assert len(file.getvalue()) == 4 * 500_000
    assert value(cursor, "select count(*) from t") == 500_000


def test_through_any_registered_callback(runtime: Runtime, conn: Any) -> None:
    cursor, file = prepare(conn), io.StringIO()
    with using("select"):
        cursor.copy_from(io.StringIO("1\ta\n" * 1000), "t")
        cursor.copy_to(file, "t")
    assert file.getvalue() == "1\ta\n" * 1000
