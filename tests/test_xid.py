"""The identifier of a transaction survives being one text and three parts."""

from __future__ import annotations

import datetime as dt
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenpg._core.xid import Xid

ASCII = st.text(st.characters(codec="ascii"), max_size=64)


@pytest.mark.parametrize(
    ("parts", "gid"),
    [
        ((1, "gt", "bq"), "1_Z3Q=_YnE="),
        ((0, "", ""), "0__"),
        ((2**31 - 1, "é", "\0"), "2147483647_w6k=_AA=="),
    ],
)
def test_parts_and_text(parts: tuple[int, str, str], gid: str) -> None:
    xid = Xid.from_parts(*parts)
    assert str(xid) == gid
    assert Xid.from_string(gid) == xid
    assert (len(xid), tuple(xid), xid[1], xid[-1], xid[:2]) == (3, parts, parts[1], parts[2], parts[:2])
    assert (xid.prepared, xid.owner, xid.database) == (None, None, None)


@given(st.integers(0, 2**31 - 1), ASCII, ASCII)
def test_parts_come_back_from_the_text(format_id: int, gtrid: str, bqual: str) -> None:
    xid = Xid.from_parts(format_id, gtrid, bqual)
    assert len(str(xid)) < 200
    assert tuple(Xid.from_string(str(xid))) == (format_id, gtrid, bqual)


@given(st.one_of(st.text(), st.from_regex(r"\A[0-9]{1,12}_[A-Za-z0-9+/=]{0,9}_[A-Za-z0-9+/=]{0,9}\Z")))
def test_any_text_stays_the_name_of_the_same_transaction(gid: str) -> None:
    assert str(Xid.from_string(gid)) == gid


@given(st.text(max_size=64), st.text(max_size=64))
def test_postgresql_takes_whatever_was_not_refused(gtrid: str, bqual: str) -> None:
    try:
        assert len(str(Xid.from_parts(1, gtrid, bqual))) < 200
    except ValueError:
        assert len(gtrid.encode() + bqual.encode()) > 128


@pytest.mark.parametrize(
    "gid",
    ["foo", "", "é", "1_x_y", "1_Z3Q=", "01_Z3Q=_YnE=", "2147483648__", "1_Z3R=_YnE=", "1_//8=_"],
)
def test_text_of_somebody_else_is_kept_as_it_is(gid: str) -> None:
    assert tuple(Xid.from_string(gid)) == (None, gid, None)


@pytest.mark.parametrize(
    ("parts", "error", "reason"),
    [
        ((-1, "a", "b"), ValueError, "from 0 to 2147483647, not -1"),
        ((2**31, "a", "b"), ValueError, "from 0 to 2147483647"),
        (("1", "a", "b"), TypeError, "format_id must be an int, not str"),
        ((None, "a", None), TypeError, "format_id must be an int, not NoneType"),
        ((True, "a", "b"), TypeError, "not bool"),
        ((1, "x" * 65, "b"), ValueError, "gtrid must have at most 64 characters, not 65"),
        ((1, "a", "x" * 65), ValueError, "bqual must have"),
        ((1, b"a", "b"), TypeError, "gtrid must be a str, not bytes"),
        ((1, "a", None), TypeError, "bqual must be a str, not NoneType"),
        ((1, "é" * 64, "é" * 64), ValueError, "takes identifiers of 199 bytes; packed, this has 347"),
    ],
)
def test_bad_parts_are_refused(parts: Any, error: type[Exception], reason: str) -> None:
    with pytest.raises(error, match=reason):
        Xid.from_parts(*parts)


def test_text_must_be_one() -> None:
    with pytest.raises(TypeError, match="must be a str, not bytes"):
        Xid.from_string(b"foo")  # type: ignore[arg-type]


def test_recovered_transaction_is_known_with_its_owner() -> None:
    when = dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc)
    xid = Xid.from_record("1_Z3Q=_YnE=", when, "me", "db")
    assert tuple(xid) == (1, "gt", "bq")
    assert (xid.prepared, xid.owner, xid.database) == (when, "me", "db")
    assert pickle.loads(pickle.dumps(xid)) == xid
    assert hash(xid) == hash(Xid.from_record("1_Z3Q=_YnE=", when, "me", "db"))
