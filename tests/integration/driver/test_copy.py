"""COPY: by blocks and by rows, both formats, and every way for it to go wrong."""

from __future__ import annotations

import datetime
import decimal
from typing import TYPE_CHECKING, Any

import pytest

from greenpg._core import copy_rows
from greenpg.waiters import _slice

if TYPE_CHECKING:
    from tests.faults import FaultProxy
    from tests.integration.driver.bed import Db

FORMATS = pytest.mark.parametrize("form", ["text", "binary"])
ROWS = [(1, "one"), (2, None), (-3, "a\tb\\c\nd\re\bf\vg\fé\\N \\."), (4, "")]
MANY = 4_000
SLOW = (
    "copy (select repeat('x', 1000) from generate_series(1, 100) "
    "union all select pg_sleep(30)::text) to stdout"
)
"""Sends something, and then nothing for long."""


async def with_table(db: Db, columns: str = "id int4, data text") -> Any:
    """Return a connection with a temporary table of this name, `copied`."""
    conn = await db.connect()
    await conn.execute(f"create temp table copied ({columns})")
    await conn.commit()
    return conn


async def works(db: Db, conn: Any) -> bool:
    """Say that the connection can be used for something else."""
    await conn.rollback()
    return bool(await db.value(conn) == 42)


# Ways to read and write


@FORMATS
async def test_rows_in_and_out(db: Db, form: str) -> None:
    conn = await with_table(db)
    cursor = conn.cursor()
    async with cursor.copy(f"copy copied from stdin (format {form})") as copy:
        copy.set_types(["int4", "text"])
        for row in ROWS:
            await copy.write_row(row)
    assert cursor.rowcount == len(ROWS)
    async with cursor.copy(f"copy copied to stdout (format {form})") as copy:
        copy.set_types(["int4", "text"])
        assert [row async for row in copy.rows()] == ROWS
        assert await copy.read_row() is None
    assert cursor.rowcount == len(ROWS)


@FORMATS
async def test_blocks_out_can_be_written_back(db: Db, form: str) -> None:
    conn = await with_table(db)
    cursor = conn.cursor()
    query = f"copy (select n, repeat('x', 100) from generate_series(1, 5000) n) to stdout (format {form})"
    async with cursor.copy(query) as copy:
        blocks = [bytes(block) async for block in copy]
    async with cursor.copy(f"copy copied from stdin (format {form})") as copy:
        for block in blocks:
            await copy.write(block)
    assert cursor.rowcount == 5000
    assert await db.value(conn, "select sum(id) from copied where length(data) = 100") == 12502500


@FORMATS
async def test_rows_and_blocks_by_turns(db: Db, form: str) -> None:
    cursor = (await db.connect()).cursor()
    query = f"copy (select n, repeat('x', n % 100) from generate_series(1, 5000) n) to stdout (format {form})"
    async with cursor.copy(query) as copy:
        whole = b"".join([block async for block in copy])
    pieces = [] if form == "text" else [copy_rows.HEADER]
    async with cursor.copy(query) as copy:
        while (row := await copy.read_row()) is not None:
            if form == "text":
                pieces.append(copy_rows.text_row([value.encode() for value in row], "utf-8"))
            else:
                pieces.append(copy_rows.binary_row(row))
            if len(pieces) % 3 == 0:
                pieces.append(await copy.read())
    assert b"".join(pieces).removesuffix(copy_rows.TRAILER) == whole.removesuffix(copy_rows.TRAILER)


async def test_data_may_come_in_any_pieces(db: Db) -> None:
    conn = await with_table(db)
    cursor = conn.cursor()
    async with cursor.copy("copy copied from stdin") as copy:
        for piece in ("1\t", b"on", bytearray(b"e\n"), memoryview(b"2"), "\té\n", b""):
            await copy.write(piece)
        await copy.write_row((3, "three"))
    assert await db.fetch(conn, "select * from copied order by id") == [(1, "one"), (2, "é"), (3, "three")]


async def test_a_write_larger_than_every_buffer(db: Db) -> None:
    conn = await with_table(db)
    async with conn.cursor().copy("copy copied from stdin") as copy:
        await copy.write(b"1\t" + b"x" * 10_000_000 + b"\n")
    assert await db.value(conn, "select length(data) from copied") == 10_000_000


async def test_read_gives_nothing_more_at_the_end(db: Db) -> None:
    conn = await db.connect()
    cursor = conn.cursor()
    async with cursor.copy("copy (select 1) to stdout") as copy:
        assert bytes(await copy.read()) == b"1\n"
        assert bytes(await copy.read()) == b""
        assert bytes(await copy.read()) == b""
        assert await copy.read_row() is None
    assert cursor.rowcount == 1


async def test_binary_values_without_types_are_bytes(db: Db) -> None:
    conn = await db.connect()
    async with conn.cursor().copy("copy (select 1, 'a', null) to stdout (format binary)") as copy:
        assert await copy.read_row() == (b"\0\0\0\1", b"a", None)
        assert await copy.read_row() is None


async def test_text_values_without_types_are_text(db: Db) -> None:
    conn = await db.connect()
    async with conn.cursor().copy("copy (select 1, E'a\\\\b\\tc', null) to stdout") as copy:
        assert [row async for row in copy.rows()] == [("1", "a\\b\tc", None)]


@FORMATS
async def test_no_rows_at_all(db: Db, form: str) -> None:
    conn = await with_table(db)
    cursor = conn.cursor()
    async with cursor.copy(f"copy copied from stdin (format {form})"):
        pass
    assert cursor.rowcount == 0
    async with cursor.copy(f"copy copied to stdout (format {form})") as copy:
        assert [row async for row in copy.rows()] == []


@FORMATS
async def test_values_of_many_types(db: Db, form: str) -> None:
    conn = await with_table(db, "a numeric, b timestamptz, c int4[], d jsonb, e bytea, f bool")
    types = ["numeric", "timestamptz", "int4[]", "jsonb", "bytea", "bool"]
    json = db.module("types.json").Jsonb({"a": [1, None, "x\\y"]})
    when = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.timezone.utc)
    row = (decimal.Decimal("1.50"), when, [1, None, 3], json, b"\0\\\xff\n", True)
    async with conn.cursor().copy(f"copy copied from stdin (format {form})") as copy:
        copy.set_types(types)
        await copy.write_row(row)
        await copy.write_row([None] * 6)
    async with conn.cursor().copy(f"copy copied to stdout (format {form})") as copy:
        copy.set_types(types)
        assert await copy.read_row() == (*row[:3], json.obj, *row[4:])
        assert await copy.read_row() == (None,) * 6


async def test_parameters_are_put_into_the_statement(db: Db) -> None:
    conn = await db.connect()
    query = "copy (select %s::text, %s) to stdout"
    async with conn.cursor().copy(query, ["it's", 2]) as copy:
        assert [row async for row in copy.rows()] == [("it's", "2")]


@pytest.mark.beyond
async def test_a_character_with_a_backslash_in_it(db: Db) -> None:
    conn = await with_table(db)
    await conn.execute("set client_encoding to sjis")
    assert "表".encode("shift_jis")[1:] == b"\\"
    async with conn.cursor().copy("copy copied from stdin") as copy:
        await copy.write_row((1, "表\n"))
    async with conn.cursor().copy("copy copied to stdout") as copy:
        assert await copy.read_row() == ("1", "表\n")
    assert await db.value(conn, "select data from copied") == "表\n"


# What goes wrong


async def test_an_exception_fails_a_copy_in(db: Db) -> None:
    conn = await with_table(db)
    with pytest.raises(ZeroDivisionError):
        async with conn.cursor().copy("copy copied from stdin") as copy:
            await copy.write_row((1, "x"))
            raise ZeroDivisionError("of my own")
    assert conn.info.transaction_status == conn.info.transaction_status.INERROR
    assert await works(db, conn)
    assert await db.fetch(conn, "select * from copied") == []


@pytest.mark.beyond
async def test_an_exception_cancels_a_copy_out(db: Db) -> None:
    conn = await db.connect()
    with pytest.raises(ZeroDivisionError):
        async with conn.cursor().copy("copy (select generate_series(1, 100000000)) to stdout") as copy:
            await copy.read()
            raise ZeroDivisionError
    assert conn.info.transaction_status == conn.info.transaction_status.INERROR
    assert await works(db, conn)


@pytest.mark.beyond
async def test_leaving_a_copy_out_early_cancels_it(db: Db) -> None:
    conn = await db.connect()
    async with conn.cursor().copy("copy (select generate_series(1, 100000000)) to stdout") as copy:
        await copy.read_row()
    assert await works(db, conn)


@pytest.mark.beyond
async def test_leaving_the_iteration_needs_no_closing(db: Db) -> None:
    conn = await db.connect()
    async with conn.cursor().copy("copy (select generate_series(1, 10)) to stdout") as copy:
        async for row in copy.rows():
            assert row == ("1",)
            break
        async for block in copy:
            assert block.startswith(b"2\n")
            break


@pytest.mark.beyond
async def test_the_server_s_error_comes_after_the_rows_before_it(db: Db) -> None:
    conn = await db.connect()
    rows = []
    with pytest.raises(db.errors.DivisionByZero):
        async with conn.cursor().copy(
            "copy (select 1 / (3 - n) from generate_series(1, 5) n) to stdout"
        ) as copy:
            async for row in copy.rows():
                rows.append(row)  # noqa: PERF401  # there is an error to come
    assert rows == [("0",), ("1",)]
    assert await works(db, conn)


async def test_the_server_s_error_in_copy_in_comes_at_the_end(db: Db) -> None:
    conn = await with_table(db)
    with pytest.raises(db.errors.InvalidTextRepresentation):
        async with conn.cursor().copy("copy copied from stdin") as copy:
            await copy.write("no number\tx\n")
    assert await works(db, conn)


async def test_other_statements_are_refused(db: Db) -> None:
    conn = await db.connect()
    with pytest.raises(db.errors.ProgrammingError, match="COPY"):
        async with conn.cursor().copy("select 1"):
            pass
    assert await works(db, conn)


@pytest.mark.beyond
@pytest.mark.parametrize("query", ["copy copied from stdin; select 1", "select 1; copy copied to stdout"])
async def test_several_statements_are_refused(db: Db, query: str) -> None:
    conn = await with_table(db)
    with pytest.raises(db.errors.ProgrammingError, match="multiple commands"):
        async with conn.cursor().copy(query):
            pass
    assert await works(db, conn)


@pytest.mark.beyond
async def test_the_wrong_way_is_an_error(db: Db) -> None:
    conn = await with_table(db)
    with pytest.raises(db.errors.ProgrammingError, match="not the way"):
        async with conn.cursor().copy("copy copied to stdout") as copy:
            await copy.write(b"1\tx\n")
    assert await works(db, conn)
    for wrong in ("read", "read_row"):
        with pytest.raises(db.errors.ProgrammingError, match="not the way"):
            async with conn.cursor().copy("copy copied from stdin") as copy:
                await getattr(copy, wrong)()
        assert await works(db, conn)


@pytest.mark.beyond
@FORMATS
async def test_a_row_of_the_wrong_width_is_an_error(db: Db, form: str) -> None:
    conn = await with_table(db)
    for row in [(1,), (1, "x", 2), ()]:
        with pytest.raises(db.errors.DataError, match="2 values"):
            async with conn.cursor().copy(f"copy copied from stdin (format {form})") as copy:
                await copy.write_row(row)
        assert await works(db, conn)


@pytest.mark.beyond
async def test_wrong_values_are_errors_of_the_dbapi(db: Db) -> None:
    conn = await with_table(db)
    for form, data in [("text", 1), ("text", None), ("binary", "a str")]:
        with pytest.raises(db.errors.ProgrammingError, match="write"):
            async with conn.cursor().copy(f"copy copied from stdin (format {form})") as copy:
                await copy.write(data)
        assert await works(db, conn)
    for row in [(object(), "x"), (1, "\ud800")]:
        with pytest.raises(db.errors.DatabaseError):
            async with conn.cursor().copy("copy copied from stdin") as copy:
                await copy.write_row(row)
        assert await works(db, conn)


@pytest.mark.beyond
async def test_types_that_do_not_fit_are_errors(db: Db) -> None:
    conn = await with_table(db)
    for types in (["int4"], ["int4", "no_such_type"]):
        with pytest.raises(db.errors.ProgrammingError):
            async with conn.cursor().copy("copy copied from stdin") as copy:
                copy.set_types(types)
        assert await works(db, conn)


@pytest.mark.beyond
async def test_out_of_its_block_it_is_of_no_use(db: Db) -> None:
    conn = await with_table(db)
    copy = conn.cursor().copy("copy copied from stdin")
    with pytest.raises(db.errors.InterfaceError, match="within its block"):
        await copy.write_row((1, "x"))
    async with copy:
        pass
    with pytest.raises(db.errors.InterfaceError, match="within its block"):
        await copy.write_row((1, "x"))
    with pytest.raises(db.errors.InterfaceError, match="once"):
        await copy.__aenter__()
    assert await works(db, conn)


@pytest.mark.beyond
async def test_it_has_the_connection_between_its_calls(db: Db) -> None:
    conn = await with_table(db)
    async with conn.cursor().copy("copy copied from stdin") as copy:
        await copy.write_row((1, "x"))
        with pytest.raises(db.errors.InterfaceError, match="under way"):
            await conn.execute("select 1")
        await copy.write_row((2, "y"))
    assert await db.value(conn, "select count(*) from copied") == 2


@pytest.mark.beyond
async def test_the_connection_is_free_once_all_is_read(db: Db) -> None:
    conn = await db.connect()
    async with conn.cursor().copy("copy (select 1) to stdout") as copy:
        assert [row async for row in copy.rows()] == [("1",)]
        assert await db.value(conn) == 42


# Promises


@pytest.mark.beyond
async def test_11_a_server_that_says_much_is_heard_while_we_write(db: Db) -> None:
    conn = await with_table(db)
    heard: list[Any] = []
    conn.add_notice_handler(heard.append)
    await conn.execute(
        "create function pg_temp.shout() returns trigger language plpgsql as "
        "$$ begin raise notice '%', repeat('x', 10000); return new; end $$"
    )
    await conn.execute(
        "create trigger shout before insert on copied for each row execute function pg_temp.shout()"
    )
    async with conn.cursor().copy("copy copied from stdin") as copy:
        for number in range(MANY):
            await copy.write_row((number, "x" * 10000))
    assert len(heard) == MANY
    assert await db.value(conn, "select count(*) from copied") == MANY


@pytest.mark.beyond
@pytest.mark.parametrize("direction", ["from stdin", "to stdout"])
async def test_1_an_interruption_of_the_body_keeps_the_connection(db: Db, direction: str) -> None:
    conn = await with_table(db)
    await conn.execute("insert into copied select n, repeat('x', 1000) from generate_series(1, 20000) n")
    await conn.commit()
    with pytest.raises(db.Timeout), db.timeout(0.2):
        async with conn.cursor().copy(f"copy copied {direction}") as copy:
            await (copy.write_row((1, "x")) if direction == "from stdin" else copy.read())
            await db.event().wait()
    assert await works(db, conn)
    assert await db.value(conn, "select count(*) from copied") == 20000


@pytest.mark.beyond
async def test_1_an_interruption_of_a_read_keeps_the_connection(db: Db) -> None:
    conn = await db.connect()
    copies: list[Any] = []
    blocks: list[Any] = []

    async def read() -> None:
        async with conn.cursor().copy(SLOW) as copy:
            copies.append(copy)
            async for block in copy:
                blocks.append(block)  # noqa: PERF401 - they are seen as they come

    task = await db.interrupt_when(lambda: blocks, read)
    assert isinstance(task.error, db.runtime.Killed)
    assert await works(db, conn)
    with pytest.raises(db.errors.InterfaceError):
        await copies[0].read()


@pytest.mark.beyond
async def test_timeout_of_a_read_keeps_the_connection(db: Db) -> None:
    conn = await db.connect()
    with pytest.raises(db.errors.StatementTimeout):
        async with conn.cursor().copy(SLOW, timeout=0.2) as copy:
            async for _ in copy:
                pass
    assert await works(db, conn)


@pytest.mark.beyond
@pytest.mark.parametrize(
    "statement", ["copy copied from stdin", "copy (select generate_series(1, 9999999)) to stdout"]
)
async def test_17_a_cut_is_an_error_and_closes(db: Db, proxy: FaultProxy, statement: str) -> None:
    conn = await db.connect(proxy.dsn)
    await conn.execute("create temp table copied (id int4, data text)")
    with pytest.raises(db.errors.OperationalError):
        async with conn.cursor().copy(statement) as copy:
            proxy.cut()
            while True:
                await (copy.write_row((1, "x" * 1000)) if "stdin" in statement else copy.read())
    assert conn.closed


@pytest.mark.beyond
async def test_9_others_run_while_it_reads_and_writes(db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    if db.runtime.name == "select":
        pytest.skip("nobody else runs in the thread")
    monkeypatch.setattr(_slice, "_installed", 0.0)  # by turns, however quick the server is
    conn, turns, ended = await with_table(db), 0, False

    async def count() -> None:
        nonlocal turns
        while not ended:
            await db.runtime.pause()
            turns += 1

    task = db.spawn(count)
    async with conn.cursor().copy("copy copied from stdin") as copy:
        for _ in range(100):
            await copy.write(b"1\t" + b"x" * 200_000 + b"\n")
    while_writing = turns
    async with conn.cursor().copy("copy copied to stdout") as copy:
        async for _ in copy:
            pass
    ended = True
    await task.get()
    assert while_writing >= 100
    assert turns - while_writing >= 100


async def test_rows_are_not_read_of_csv(db: Db, conn: Any) -> None:
    cur = conn.cursor()
    with pytest.raises(db.errors.DataError):
        async with cur.copy("copy (select 1, 'a') to stdout (format csv)") as copy:
            await copy.read_row()
    await conn.rollback()
    async with cur.copy("copy (select from generate_series(1, 2)) to stdout") as copy:
        assert [bytes(block) async for block in copy] == [b"\n\n"] or db.driver.__name__ == "psycopg"
    assert await db.value(conn) == 42
