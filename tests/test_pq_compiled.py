"""The compiled binding: that it is built, is libpq's, and neither leaks nor crashes. No server."""

from __future__ import annotations

import gc
import re
import shutil
import sysconfig
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from greenpg import OperationalError, pq
from greenpg.pq._ctypes import functions
from tests import bindings, fresh

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenpg.pq import Library, PGconn

DECLARED = (fresh.ROOT / "greenpg/pq/_libpq.pxd").read_text()


def test_it_is_built_where_it_can_be() -> None:
    headers = Path(sysconfig.get_path("include"), "Python.h")
    if not headers.exists() or not (shutil.which("cc") or shutil.which("gcc")):
        pytest.skip("there is no compiler, or Python's headers are not there")
    assert pq.why_not_compiled() in ("", "GREENPG_IMPL is python: unset it to use the compiled binding")
    bindings.module("c")


def test_every_function_is_declared_where_it_is_looked_for() -> None:
    names = re.findall(r"\(\*(PQ\w+)\)", DECLARED)
    assert list(bindings.module("c").NAMES) == names
    assert set(names) == functions.CALLS.keys() | functions.ACCESSORS.keys()


@pytest.fixture
def lib() -> Library:
    return bindings.library("c")


@pytest.fixture
def failed(lib: Library) -> PGconn:
    return lib.connect_start(b"host=/no/such/folder")


class Changing:
    """A parameter that empties the sequence that it is in while its bytes are asked for."""

    def __init__(self, values: list[Any]) -> None:
        self.values = values

    def __bytes__(self) -> bytes:
        self.values.clear()
        return b"x" * 100


@pytest.mark.parametrize("count", [1, 16, 17, 1000])
def test_parameters_may_change_while_they_are_sent(failed: PGconn, count: int) -> None:
    values: list[Any] = [b"y" * 100] * (count - 1)
    values.append(Changing(values))
    with pytest.raises(OperationalError, match="sending a command failed: no connection"):
        failed.send_query_prepared(b"", values)
    assert values == []


def test_too_many_parameters_are_refused_by_libpq(failed: PGconn) -> None:
    with pytest.raises(OperationalError, match="sending a command failed"):
        failed.send_query_params(b"", [b""] * 100_000, [25] * 100_000, [0] * 100_000)


NOT_NUMBERS: list[Callable[[PGconn], None]] = [
    lambda conn: conn.send_query_prepared(b"", [b""], [None]),  # type: ignore[list-item]
    lambda conn: conn.send_query_params(b"", [b""], [1 << 40]),
    lambda conn: conn.send_query_params(b"", [b""] * 20, [-1] * 20),
    lambda conn: conn.send_prepare(b"", b"", ["x"]),  # type: ignore[list-item]
    lambda conn: conn.send_query(None),  # type: ignore[arg-type]
    lambda conn: conn.send_query_prepared(b"", [object()]),  # type: ignore[list-item]
]


@pytest.mark.parametrize("send", NOT_NUMBERS)
def test_what_is_no_number_or_no_bytes_is_refused(failed: PGconn, send: Callable[[PGconn], None]) -> None:
    with pytest.raises((TypeError, OverflowError)):
        send(failed)


def use_everything(lib: Library) -> None:
    conn = lib.connect_start(b"host=/no/such/folder")
    conn.notice_handler = lambda notice, conn=conn: None  # a cycle
    for send in NOT_NUMBERS:
        with pytest.raises((TypeError, OverflowError)):
            send(conn)
    with pytest.raises(OperationalError):
        conn.send_query_params(b"", [b"", None] * 20, [25] * 40, [0] * 40)
    assert lib.parse_conninfo(b"host=a password=b") != lib.conninfo_defaults()
    assert conn.escape_bytea(b"\0") != conn.escape_string(b"a")
    assert conn.get_error_message() == ""
    assert conn.info


def test_nothing_is_left_behind(lib: Library) -> None:
    for _ in range(20):
        use_everything(lib)
    tracemalloc.start()
    try:
        before = _held()
        for _ in range(200):
            use_everything(lib)
        assert _held() - before < 200 * 16
    finally:
        tracemalloc.stop()


def _held() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]
