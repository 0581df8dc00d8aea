"""Commands and their results."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING, Any

import pytest

from greenpg import OperationalError
from greenpg.pq import DiagnosticField, ExecStatus, Format, PipelineStatus
from tests.integration.pq import loops

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenpg.pq import PGconn

    Needs = Callable[[str], None]

INT4, TEXT, BYTEA, NUMERIC = 23, 25, 17, 1700


def test_one_query_with_several_commands_has_several_results(conn: PGconn) -> None:
    conn.send_query(
        b"select 1, null, ''; create temp table t (); insert into t select from generate_series(1, 3);"
    )
    select, create, insert = loops.results(conn)
    assert (select.status, create.status, insert.status) == (
        ExecStatus.TUPLES_OK,
        ExecStatus.COMMAND_OK,
        ExecStatus.COMMAND_OK,
    )
    assert loops.rows(select) == [(b"1", None, b"")]
    assert [select.get_isnull(0, i) for i in range(3)] == [False, True, False]
    assert [select.get_length(0, i) for i in range(3)] == [1, 0, 0]
    assert [r.command_status for r in (select, create, insert)] == [
        b"SELECT 1",
        b"CREATE TABLE",
        b"INSERT 0 3",
    ]
    assert [r.command_tuples for r in (select, create, insert)] == [1, None, 3]
    assert insert.oid_value == 0


def test_empty_query(conn: PGconn) -> None:
    conn.send_query(b"")
    (empty,) = loops.results(conn)
    assert empty.status is ExecStatus.EMPTY_QUERY
    assert empty.command_status is None


def test_error_has_its_fields(conn: PGconn) -> None:
    conn.send_query(b"select *\nfrom no_such_table")
    (failed,) = loops.results(conn)
    assert failed.status is ExecStatus.FATAL_ERROR
    assert failed.error_field(DiagnosticField.SQLSTATE) == b"42P01"
    assert failed.error_field(DiagnosticField.STATEMENT_POSITION) == b"15"
    assert failed.error_field(DiagnosticField.COLUMN_NAME) is None
    assert failed.error_message.startswith(b'ERROR:  relation "no_such_table" does not exist\n')
    assert failed.get_error_message().endswith("^")


def test_good_result_has_no_error(conn: PGconn) -> None:
    good = loops.execute(conn, b"select 1")
    assert good.error_message == b""
    assert good.error_field(DiagnosticField.SQLSTATE) is None


def test_columns_are_described(conn: PGconn) -> None:
    loops.execute(conn, b"create temp table t (a int, b numeric(10, 2))")
    answer = loops.execute(conn, b"select b, a, 1::int2 as c, 't'::regclass::oid from t")
    table = loops.execute(conn, b"select 't'::regclass::oid").get_value(0, 0)
    assert (answer.ntuples, answer.nfields) == (0, 4)
    assert [answer.fname(i) for i in range(4)] == [b"b", b"a", b"c", b"oid"]
    assert [answer.ftype(i) for i in range(4)] == [NUMERIC, INT4, 21, 26]
    assert [answer.fsize(i) for i in range(4)] == [-1, 4, 2, 4]
    assert [answer.fmod(i) for i in range(2)] == [(10 << 16 | 2) + 4, -1]
    assert [answer.ftable(i) for i in range(3)] == [int(table or 0), int(table or 0), 0]
    assert [answer.ftablecol(i) for i in range(3)] == [2, 1, 0]
    assert [answer.fformat(i) for i in range(3)] == [Format.TEXT] * 3


@pytest.mark.parametrize(
    ("values", "types", "formats", "result_format", "row"),
    [
        ([b"7", None, b"x"], None, None, Format.TEXT, (b"7", None, rb"\x78")),
        ([b"7", b"", b""], [INT4, TEXT, BYTEA], None, Format.TEXT, (b"7", b"", rb"\x")),
        ([b"\0\0\1\0", b"t", b"a\0b"], [INT4, TEXT, BYTEA], [1, 0, 1], Format.BINARY,
         (b"\0\0\1\0", b"t", b"a\0b")),
        ([b"\0\0\1\0", None, b""], [0, 0, 0], [1, 0, 1], Format.TEXT, (b"256", None, rb"\x")),
    ],
)  # fmt: skip
def test_parameters_travel_as_text_and_binary(
    conn: PGconn,
    values: list[bytes | None],
    types: list[int] | None,
    formats: list[int] | None,
    result_format: Format,
    row: Any,
) -> None:
    query = b"select $1::int4, $2::text, $3::bytea"
    conn.send_query_params(query, values, types, formats, result_format)
    (answer,) = loops.results(conn)
    assert loops.rows(answer) == [row]
    assert answer.fformat(0) == result_format


def test_no_parameters_at_all(conn: PGconn) -> None:
    conn.send_query_params(b"select 1", None)
    assert loops.rows(loops.results(conn)[0]) == [(b"1",)]
    conn.send_query_params(b"select 1", [], [], [])
    assert loops.rows(loops.results(conn)[0]) == [(b"1",)]


def test_prepared_statement_is_described_executed_and_closed(conn: PGconn, needs: Needs) -> None:
    conn.send_prepare(b"add", b"select $1 + $2 as sum, $3 as t", [INT4])
    assert loops.results(conn)[0].status is ExecStatus.COMMAND_OK
    conn.send_describe_prepared(b"add")
    (described,) = loops.results(conn)
    assert [described.param_type(i) for i in range(described.nparams)] == [INT4, INT4, TEXT]
    assert described.fname(0) == b"sum"
    with pytest.raises(IndexError, match="no parameter 3"):
        described.param_type(3)
    conn.send_query_prepared(b"add", [b"\0\0\0\1", b"2", None], [1, 0, 0], Format.BINARY)
    assert loops.rows(loops.results(conn)[0]) == [(b"\0\0\0\3", None)]
    needs("PQsendClosePrepared")
    conn.send_close_prepared(b"add")
    assert loops.results(conn)[0].status is ExecStatus.COMMAND_OK
    conn.send_query_prepared(b"add", [b"1", b"2", b"3"])
    assert loops.results(conn)[0].error_field(DiagnosticField.SQLSTATE) == b"26000"


def test_portal_is_described_and_closed(conn: PGconn, needs: Needs) -> None:
    loops.execute(conn, b"begin")
    loops.execute(conn, b"declare rows cursor for select 1 as number")
    conn.send_describe_portal(b"rows")
    (described,) = loops.results(conn)
    assert (described.nfields, described.fname(0)) == (1, b"number")
    needs("PQsendClosePortal")
    conn.send_close_portal(b"rows")
    assert loops.results(conn)[0].status is ExecStatus.COMMAND_OK
    conn.send_query(b"fetch rows")
    assert loops.results(conn)[0].error_field(DiagnosticField.SQLSTATE) == b"34000"


def test_rows_come_in_chunks(conn: PGconn, needs: Needs) -> None:
    needs("PQsetChunkedRowsMode")
    conn.send_query(b"select generate_series(1, 25)")
    conn.set_chunked_rows_mode(10)
    chunks = loops.results(conn)
    assert [(c.status, c.ntuples) for c in chunks] == [
        (ExecStatus.TUPLES_CHUNK, 10),
        (ExecStatus.TUPLES_CHUNK, 10),
        (ExecStatus.TUPLES_CHUNK, 5),
        (ExecStatus.TUPLES_OK, 0),
    ]
    assert loops.rows(chunks[2])[-1] == (b"25",)
    with pytest.raises(OperationalError, match="right after a query was sent"):
        conn.set_chunked_rows_mode(10)


@pytest.mark.parametrize("count", [3, 10])
def test_the_only_chunk_can_be_the_whole_result(conn: PGconn, needs: Needs, count: int) -> None:
    needs("PQsetChunkedRowsMode")
    conn.send_query(b"select generate_series(1, %d)" % count)
    conn.set_chunked_rows_mode(10)
    chunk, end = loops.results(conn)
    chunk.be_whole(end)
    assert (chunk.status, chunk.ntuples) == (ExecStatus.TUPLES_OK, count)
    assert (chunk.command_status, chunk.command_tuples) == (b"SELECT %d" % count, count)


def test_rows_come_one_by_one(conn: PGconn) -> None:
    conn.send_query(b"select generate_series(1, 3)")
    conn.set_single_row_mode()
    rows = loops.results(conn)
    assert [r.status for r in rows] == [ExecStatus.SINGLE_TUPLE] * 3 + [ExecStatus.TUPLES_OK]
    with pytest.raises(OperationalError, match="right after a query was sent"):
        conn.set_single_row_mode()


def test_busy_connection_refuses_another_command(conn: PGconn) -> None:
    conn.send_query(b"select 1")
    with pytest.raises(
        OperationalError, match=r"^sending a command failed: another command is already in prog"
    ):
        conn.send_query(b"select 2")
    assert loops.rows(loops.results(conn)[0]) == [(b"1",)]


def test_pipeline_sends_before_results_come(conn: PGconn) -> None:
    statuses = [conn.pipeline_status]
    conn.enter_pipeline_mode()
    statuses.append(conn.pipeline_status)
    for query in (b"select 1", b"select 1/0", b"select 3"):
        conn.send_query_params(query, None)
    conn.pipeline_sync()
    got = [result.status for _ in range(3) for result in loops.results(conn)]
    assert got == [ExecStatus.TUPLES_OK, ExecStatus.FATAL_ERROR, ExecStatus.PIPELINE_ABORTED]
    statuses.append(conn.pipeline_status)
    sync = loops.result(conn)
    assert sync is not None
    assert sync.status is ExecStatus.PIPELINE_SYNC
    conn.exit_pipeline_mode()
    statuses.append(conn.pipeline_status)
    assert statuses == [PipelineStatus.OFF, PipelineStatus.ON, PipelineStatus.ABORTED, PipelineStatus.OFF]


def test_pipeline_gives_results_at_a_flush_request(conn: PGconn, needs: Needs) -> None:
    conn.enter_pipeline_mode()
    conn.send_query_params(b"select 1", None)
    conn.send_flush_request()
    assert loops.rows(loops.results(conn)[0]) == [(b"1",)]
    conn.send_query_params(b"select 2", None)
    with pytest.raises(OperationalError, match="leaving pipeline mode failed: cannot exit pipeline mode"):
        conn.exit_pipeline_mode()
    conn.send_flush_request()
    loops.results(conn)
    needs("PQsendPipelineSync")
    conn.send_pipeline_sync()
    sync = loops.result(conn)
    assert sync is not None
    assert sync.status is ExecStatus.PIPELINE_SYNC


def test_busy_connection_cannot_enter_pipeline_mode(conn: PGconn) -> None:
    conn.send_query(b"select 1")
    with pytest.raises(OperationalError, match="pipeline mode can only be entered on an idle connection"):
        conn.enter_pipeline_mode()


@pytest.mark.parametrize(
    ("ask", "wrong"),
    [
        (lambda r: r.get_value(1, 0), "no row 1, column 0 in a result of 1 rows and 1 columns"),
        (lambda r: r.get_value(0, -1), "no row 0, column -1"),
        (lambda r: r.get_isnull(-1, 0), "no row -1"),
        (lambda r: r.get_length(0, 1), "column 1"),
        (lambda r: r.fname(1), "no column 1 in a result of 1 columns"),
        (lambda r: r.ftype(-1), "no column -1"),
    ],
)
def test_what_is_not_there_is_an_index_error(
    conn: PGconn, ask: Any, wrong: str, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = loops.execute(conn, b"select 1")
    with pytest.raises(IndexError, match=wrong):
        ask(answer)
    assert capfd.readouterr().err == ""  # libpq would print a notice there


def test_result_outlives_its_connection(conn: PGconn) -> None:
    answer = loops.execute(conn, b"select 'still here', null")
    conn.finish()
    assert loops.rows(answer) == [(b"still here", None)]
    with pytest.raises(IndexError, match="no row 1"):
        answer.get_value(1, 0)


def test_cleared_result_is_empty(conn: PGconn) -> None:
    answer = loops.execute(conn, b"select 1")
    answer.clear()
    answer.clear()
    assert (answer.ntuples, answer.nfields, answer.nparams, answer.oid_value) == (0, 0, 0, 0)
    assert answer.status is ExecStatus.FATAL_ERROR
    assert (answer.command_status, answer.command_tuples) == (None, None)
    with pytest.raises(IndexError, match="no row 0"):
        answer.get_value(0, 0)


def test_memory_goes_with_the_results(conn: PGconn) -> None:
    def read_megabyte() -> None:
        answer = loops.execute(conn, b"select repeat('x', 1000000)")
        assert answer.get_length(0, 0) == 1_000_000

    for _ in range(10):
        read_megabyte()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(100):
        read_megabyte()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kB, of 100 000


def test_memory_goes_with_a_thousand_results(conn: PGconn) -> None:
    conn.send_query(b";".join([b"select repeat('x', 50000)"] * 1000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = 0
    while (answer := loops.result(conn)) is not None:
        count += answer.ntuples
    assert count == 1000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kB, of 50 000


def test_escaping_knows_the_connection(conn: PGconn) -> None:
    assert conn.escape_literal(b"it's") == b"'it''s'"
    assert conn.escape_literal(b"back\\slash") == rb" E'back\\slash'"
    assert conn.escape_identifier(b'a "name"') == b'"a ""name"""'
    assert conn.escape_string(b"it's \\") == b"it''s \\"
    assert conn.escape_bytea(b"\0'\xff") == rb"\x0027ff"
    assert conn.escape_bytea(b"") == rb"\x"
    loops.execute(conn, b"set standard_conforming_strings to off")
    assert conn.escape_string(b"it's \\") == rb"it''s \\"


@pytest.mark.parametrize("name", ["escape_literal", "escape_identifier", "escape_string"])
def test_bytes_that_are_not_in_the_encoding_are_refused(conn: PGconn, name: str) -> None:
    with pytest.raises(OperationalError, match=r"escaping .* failed: "):
        getattr(conn, name)(b"\xc3")


def test_password_is_encrypted(conn: PGconn) -> None:
    encrypted = conn.encrypt_password(b"secret", b"me", b"scram-sha-256")
    assert encrypted.startswith(b"SCRAM-SHA-256$4096:")
    assert conn.encrypt_password(b"secret", b"me", b"md5").startswith(b"md5")
    with pytest.raises(OperationalError, match='unrecognized password encryption algorithm "rot13"'):
        conn.encrypt_password(b"secret", b"me", b"rot13")
