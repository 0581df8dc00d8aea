"""psycopg2's own connection, seen through the libpq that psycopg2 uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenpg import OperationalError, pq
from greenpg.pq import DiagnosticField, ExecStatus, TransactionStatus
from tests import bindings
from tests.integration.pq import loops

psycopg2 = pytest.importorskip("psycopg2")
from psycopg2 import _psycopg  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenpg.pq import Library, PGconn


@pytest.fixture
def owner(dsn: str) -> Iterator[_psycopg.connection]:
    connection = psycopg2.connect(dsn)
    yield connection
    connection.close()


@pytest.fixture
def shared(binding: str) -> Library:
    """The libpq that psycopg2 is linked to."""
    return bindings.library(binding, _psycopg.__file__)


@pytest.fixture
def borrowed(owner: _psycopg.connection, shared: Library) -> PGconn:
    assert owner.pgconn_ptr is not None
    return shared.borrow(owner.pgconn_ptr)


def test_it_is_the_library_that_psycopg2_uses() -> None:
    lib = pq.library()
    assert lib is pq.library(_psycopg.__file__)
    assert lib.version == psycopg2.extensions.libpq_version()


def test_borrowed_connection_is_psycopg2s(owner: _psycopg.connection, borrowed: PGconn) -> None:
    statuses = [borrowed.transaction_status]
    with owner.cursor() as cursor:
        cursor.execute("select 1")
        statuses.append(borrowed.transaction_status)
        with pytest.raises(psycopg2.errors.DivisionByZero):
            cursor.execute("select 1/0")
    statuses.append(borrowed.transaction_status)
    assert statuses == [TransactionStatus.IDLE, TransactionStatus.INTRANS, TransactionStatus.INERROR]
    assert borrowed.socket == owner.fileno()
    assert borrowed.backend_pid == owner.info.backend_pid
    assert borrowed.host == owner.info.host.encode()


def test_letting_go_leaves_it_open(owner: _psycopg.connection, shared: Library, borrowed: PGconn) -> None:
    address = borrowed.pgconn_ptr
    assert address is not None
    borrowed.finish()
    with pytest.raises(OperationalError, match="the connection is closed"):
        borrowed.is_busy()
    again = shared.borrow(address)
    del again
    with owner.cursor() as cursor:
        cursor.execute("select 1")
        assert cursor.fetchall() == [(1,)]


def test_notices_stay_psycopg2s(owner: _psycopg.connection, borrowed: PGconn) -> None:
    taken: list[pq.PGresult] = []
    borrowed.notice_handler = taken.append
    with owner.cursor() as cursor:
        cursor.execute("do $$ begin raise notice 'for psycopg2'; end $$")
    assert taken == []
    assert owner.notices == ["NOTICE:  for psycopg2\n"]


def test_copy_runs_over_it(owner: _psycopg.connection, borrowed: PGconn) -> None:
    borrowed.nonblocking = True
    loops.execute(borrowed, b"create temp table t (a int)")
    borrowed.send_query(b"copy t from stdin")
    begun = loops.result(borrowed)
    assert begun is not None
    assert begun.status is ExecStatus.COPY_IN
    borrowed.put_copy_data(b"1\n2\n")
    borrowed.put_copy_end()
    loops.results(borrowed)
    borrowed.nonblocking = False
    with owner.cursor() as cursor:
        cursor.execute("select sum(a) from t")
        assert cursor.fetchone() == (3,)


def test_cancel_runs_over_it(dsn: str, shared: Library, borrowed: PGconn) -> None:
    loops.begin_sleep(borrowed, loops.connect(shared, dsn))
    if borrowed.can_cancel_without_blocking:
        loops.deliver(borrowed.cancel_conn())
    else:
        borrowed.get_cancel().cancel()
    (failed,) = loops.results(borrowed)
    assert failed.error_field(DiagnosticField.SQLSTATE) == b"57014"


def test_result_outlives_psycopg2s_connection(owner: _psycopg.connection, borrowed: PGconn) -> None:
    answer = loops.execute(borrowed, b"select 'kept'")
    borrowed.finish()
    owner.close()
    assert answer.get_value(0, 0) == b"kept"
    with pytest.raises(IndexError, match="no row 5"):  # libpq would tell a receiver that is gone
        answer.get_value(5, 0)
