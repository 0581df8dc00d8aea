"""What a real server says of an error is all there, and outlives the connection."""

from __future__ import annotations

import gc
import pickle
from typing import TYPE_CHECKING, Any

import pytest

import greenpg
from greenpg import errors

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def conn(dsn: str) -> Iterator[Any]:
    with greenpg.connect(dsn, autocommit=True) as conn:
        yield conn


def test_constraint_violation_names_everything(dsn: str) -> None:
    with greenpg.connect(dsn, autocommit=True) as conn:
        conn.execute("create temp table place (name text constraint only_one primary key)")
        conn.execute("insert into place values (%s)", ("Zürich",))
        with pytest.raises(errors.UniqueViolation) as caught:
            conn.execute("insert into place values (%s)", ("Zürich",))
    del conn
    gc.collect()
    error = pickle.loads(pickle.dumps(caught.value))
    diag = error.diag
    assert (error.sqlstate, diag.severity_nonlocalized) == ("23505", "ERROR")
    assert (diag.table_name, diag.constraint_name) == ("place", "only_one")
    assert diag.message_detail == "Key (name)=(Zürich) already exists."
    assert None not in (diag.schema_name, diag.source_file, diag.source_line, diag.source_function)
    assert str(error) == f"{diag.message_primary}\nDETAIL:  {diag.message_detail}"


def test_position_and_context(conn: Any) -> None:
    with pytest.raises(errors.UndefinedTable) as caught:
        conn.execute("select * from no_such_table")
    assert caught.value.diag.statement_position == "15"
    with pytest.raises(errors.DivisionByZero) as caught_inside:
        conn.execute("do $$ begin perform 1 / 0; end $$")
    assert "line 1 at PERFORM" in (caught_inside.value.diag.context or "")
    assert caught_inside.value.diag.statement_position is None


@pytest.mark.parametrize(
    ("state", "cls", "safe"),
    [
        ("23505", errors.UniqueViolation, False),
        ("40001", errors.SerializationFailure, True),
        ("40P01", errors.DeadlockDetected, True),
        ("22ZZZ", errors.DataError, False),
        ("ZZ123", errors.DatabaseError, False),
    ],
)
def test_error_has_the_class_of_its_state(conn: Any, state: str, cls: type[errors.Error], safe: bool) -> None:
    with pytest.raises(errors.Error) as caught:
        conn.execute(f"do $$ begin raise 'x' using errcode = '{state}', column = 'c', datatype = 'd'; end $$")
    assert type(caught.value) is cls
    assert (caught.value.sqlstate, caught.value.safe_to_retry) == (state, safe)
    assert (caught.value.diag.column_name, caught.value.diag.datatype_name) == ("c", "d")
    assert not caught.value.connection_lost
