"""The loops over rows of a result, both of them over results of both bindings."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Any

import pytest

from greenpg.adapt import AdaptersMap, Format, Loader, Transformer
from greenpg.errors import DataError
from greenpg.pq._ctypes.rows import RowLoader as Python
from greenpg.pq.rows import UnloadableCell
from greenpg.types import adapters
from tests import bindings
from tests.integration.pq import loops
from tests.test_row_decoders import leaks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greenpg.pq import PGconn, PGresult

    Query = Callable[..., PGresult]

Compiled = pytest.importorskip("greenpg.pq._rows", reason="no compiled decoders").RowLoader
BOTH = pytest.mark.parametrize("implementation", [Compiled, Python])

EVERYTHING = """
select i, null::int4, i % 2 = 0, i::int2, i::int8 * 10000000000, i / 7.0, i / 7.0::float8, i / 7.0::float4,
    'text ' || i, ('v' || i)::varchar, ('b' || i)::char(5), 'n'::name, 'c'::"char", i::oid, i::text::xid,
    convert_to('bytes ' || i, 'UTF8'), date '2024-01-31' + i, time '12:00' + i * interval '1.5 s',
    timetz '12:00+05' + i * interval '1.5 s', timestamp '2024-01-31' + i * interval '1.5 h',
    timestamptz '2024-01-31' + i * interval '1.5 h', i * interval '1.5 h', md5(i::text)::uuid,
    json_build_object('a', i), jsonb_build_array(i, null), array[i, null], array['a', null, i::text],
    int4range(i, i + 5), row(i, 'x'), inet '1.2.3.4', case when i % 3 = 0 then 'three' end
from generate_series(1, 20) i
"""


@pytest.fixture(scope="module", params=bindings.MODULES)
def conn(request: pytest.FixtureRequest, dsn: str) -> Iterator[PGconn]:
    conn = loops.connect(bindings.library(request.param), dsn)
    conn.nonblocking = False
    yield conn
    conn.finish()


@pytest.fixture
def query(conn: PGconn) -> Query:
    def query(sql: str, form: Format = Format.BINARY) -> PGresult:
        conn.send_query_params(sql.encode(), [], [], [], form)
        (result,) = iter(conn.get_result, None)
        assert not result.error_message, result.error_message
        return result

    return query


class Context:
    """A connection with adapters, as loaders want it."""

    def __init__(self, conn: PGconn) -> None:
        self.pgconn = conn
        self.connection = self
        self.adapters = AdaptersMap(adapters)


@pytest.mark.parametrize("form", [Format.TEXT, Format.BINARY])
def test_everything(conn: PGconn, query: Query, form: Format) -> None:
    """Rows are equal, value by value, and so are their types; as a whole and in pieces."""
    result, tx = query(EVERYTHING, form), Transformer(Context(conn))
    tx.set_pgresult(result)
    loads = tx.row_loader.loads
    expected = Python(loads).load(result, 0, 20)
    compiled = Compiled(loads)
    rows = compiled.load(result, 0, 20)
    assert rows == expected
    assert [list(map(type, row)) for row in rows] == [list(map(type, row)) for row in expected]
    assert compiled.load(result, 3, 7) == expected[3:7]
    assert tx.load_rows(0, 20, tuple) == expected
    assert tx.load_rows(1, 2, list) == [list(expected[1])]


@BOTH
def test_how_big_a_result_may_be(query: Query, implementation: Any) -> None:
    """No rows, no columns, as many columns as there can be."""
    assert implementation([len]).load(query("select 1 where false"), 0, 0) == []
    nothing = query("select from generate_series(1, 3)")
    assert implementation([]).load(nothing, 0, 3) == [(), (), ()]
    wide = query("select " + ", ".join(["1, null"] * 800))
    assert implementation([len] * 1600).load(wide, 0, 1) == [(4, None) * 800]


@BOTH
def test_rows_that_are_not_there(query: Query, implementation: Any) -> None:
    result = query("select 1 from generate_series(1, 3)")
    for row0, row1 in ((-1, 1), (2, 1), (0, 4)):
        with pytest.raises(IndexError, match="not all in the result"):
            implementation([len]).load(result, row0, row1)
    with pytest.raises(IndexError, match="not all in the result"):
        implementation([len, len]).load(result, 0, 1)
    result.clear()
    with pytest.raises(IndexError, match="not all in the result"):
        implementation([len]).load(result, 0, 1)


@BOTH
def test_a_result_that_is_cleared_meanwhile(query: Query, implementation: Any) -> None:
    """The value that is being loaded is still there; the one after it is not."""
    result = query("select repeat('x', 100000), 'b' from generate_series(1, 2)")
    seen = []

    def clear(data: bytes) -> None:
        result.clear()
        gc.collect()
        seen.append(data)

    with pytest.raises(UnloadableCell) as caught:
        implementation([clear, clear]).load(result, 0, 2)
    assert isinstance(caught.value.__cause__, IndexError)
    assert (caught.value.row, caught.value.column, seen) == (0, 1, [b"x" * 100000])


@BOTH
def test_a_loop_in_a_loop(query: Query, implementation: Any) -> None:
    """A result may be read, and cleared, by whoever is called to load a value of it."""
    result = query("select 'a', 'b' from generate_series(1, 2)")
    inner = implementation([bytes.decode, bytes.decode])

    def load(data: bytes) -> Any:
        rows = inner.load(result, 0, 2)
        if data == b"b":
            result.clear()
        return rows

    with pytest.raises(UnloadableCell) as caught:
        implementation([load, load]).load(result, 0, 2)
    assert (caught.value.row, caught.value.column) == (1, 0)
    assert result.ntuples == 0


def test_the_error_names_the_cell(conn: PGconn, query: Query) -> None:
    class Picky(Loader):
        def load(self, data: bytes) -> bytes:
            if data == b"3":
                raise KeyError("not that")
            return data

    context = Context(conn)
    context.adapters.register_loader("int4", Picky)
    tx = Transformer(context)
    tx.set_pgresult(query("select 'a' as first, i as second from generate_series(1, 5) i", Format.TEXT))
    assert tx.load_rows(0, 2, tuple) == [("a", b"1"), ("a", b"2")]
    with pytest.raises(
        DataError, match=r"cannot load b'3' of column 'second' \(type int4\): KeyError"
    ) as caught:
        tx.load_rows(0, 5, tuple)
    assert isinstance(caught.value.__cause__, KeyError)


def test_columns_that_are_the_same_again(conn: PGconn, query: Query) -> None:
    """What loads them is kept; for others it is made anew."""
    tx = Transformer(Context(conn))
    tx.set_pgresult(query("select 1, 'a'"))
    loader = tx.row_loader
    for sql, expected in (("select 2, 'b'", (2, "b")), ("select true, 'c'", (True, "c")), ("select 3", (3,))):
        tx.set_pgresult(query(sql))
        assert (tx.row_loader is loader) is (expected == (2, "b"))
        assert tx.load_rows(0, 1, tuple) == [expected]
    for form in (Format.TEXT, Format.BINARY):
        tx.set_pgresult(query("select 2, 'b'", form))
        assert tx.load_rows(0, 1, tuple) == [(2, "b")]


@pytest.mark.parametrize("conn", ["c"], indirect=True)
def test_what_the_collector_need_not_look_at(conn: PGconn, query: Query) -> None:
    """A tuple of values without parts cannot be part of a cycle."""
    tx = Transformer(Context(conn))
    tx.set_pgresult(query("select 1, 'a', 1.5, now(), null"))
    assert not gc.is_tracked(Compiled(tx.row_loader.loads).load(tx.pgresult, 0, 1)[0])
    tx.set_pgresult(query("select 1, array[1]"))
    assert gc.is_tracked(Compiled(tx.row_loader.loads).load(tx.pgresult, 0, 1)[0])


def test_no_row_leaks(conn: PGconn, query: Query) -> None:
    """Nor the result, nor a value when a later one fails."""
    result, tx = query(EVERYTHING), Transformer(Context(conn))
    tx.set_pgresult(result)
    loads = tx.row_loader.loads
    references = sys.getrefcount(result)

    def fail(data: bytes) -> None:
        raise KeyError

    def load() -> None:
        Compiled(loads).load(result, 0, 2)
        with pytest.raises(UnloadableCell):
            Compiled([*loads[:-3], fail]).load(result, 1, 5)

    assert not leaks(load)
    assert sys.getrefcount(result) == references
