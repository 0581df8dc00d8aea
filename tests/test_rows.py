"""Rows are made of values and of the names of columns, whatever these are."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenpg import DataError, InterfaceError, ProgrammingError, rows

if TYPE_CHECKING:
    from collections.abc import Callable


class Column(NamedTuple):
    name: str


class Cursor:
    """A cursor after a query with these columns, or after a command without any."""

    def __init__(self, *names: str, result: bool = True):
        self.description = [Column(name) for name in names] if result else None


@dataclass
class Point:
    x: int
    y: int = 0


def in_order(*values: object) -> list[object]:
    return list(values)


@pytest.mark.parametrize(
    ("factory", "row"),
    [
        (rows.tuple_row, (1, 2)),
        (rows.dict_row, {"x": 1, "y": 2}),
        (rows.namedtuple_row, (1, 2)),
        (rows.class_row(Point), Point(1, 2)),
        (rows.args_row(in_order), [1, 2]),
        (rows.kwargs_row(dict), {"x": 1, "y": 2}),
        (rows.scalar_row, 1),
    ],
)
def test_row_is_made_of_values(factory: rows.RowFactory[Any], row: object) -> None:
    made = factory(Cursor("x", "y"))([1, 2])
    assert made == row
    assert type(made) is type(row) or isinstance(made, tuple)


def test_named_tuple_has_the_columns_as_attributes() -> None:
    row: Any = rows.namedtuple_row(Cursor("x", "class"))([1, 2])
    assert (row.x, row.class_, row._fields) == (1, 2, ("x", "class_"))


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("?column?", "f_column_"),
        ("a b", "a_b"),
        ("1x", "f1x"),
        ("_x", "f_x"),
        ("é", "é"),
        ("²", "f_"),
        ("", "f"),
        ("class", "class_"),
        ("None", "None_"),
        ("x\0y", "x_y"),
    ],
)
def test_weird_name_becomes_an_attribute(name: str, attribute: str) -> None:
    row: Any = rows.namedtuple_row(Cursor(name))([1])
    assert row._fields == (attribute,)
    assert getattr(row, attribute) == 1


@given(st.text())
def test_any_name_becomes_an_attribute(name: str) -> None:
    assert rows.python_name(name).isidentifier()
    assert rows.namedtuple_row(Cursor(name))([1]) == (1,)


def test_named_tuples_class_is_made_once_for_the_same_columns() -> None:
    first, second = (rows.namedtuple_row(Cursor("x", "?column?"))([1, 2]) for _ in range(2))
    assert type(first) is type(second)


@pytest.mark.parametrize("names", [("a", "a"), ("a b", "a-b"), ("class", "class_")])
def test_two_columns_of_one_name_make_no_named_tuple(names: tuple[str, str]) -> None:
    with pytest.raises(DataError, match="duplicate field name"):
        rows.namedtuple_row(Cursor(*names))


def test_of_two_columns_of_one_name_the_last_is_in_the_dictionary() -> None:
    assert rows.dict_row(Cursor("a", "a"))([1, 2]) == {"a": 2}


@pytest.mark.parametrize(
    "factory",
    [rows.dict_row, rows.namedtuple_row, rows.class_row(Point), rows.kwargs_row(dict), rows.scalar_row],
)
def test_without_a_result_the_row_maker_says_so(factory: rows.RowFactory[Any]) -> None:
    make = factory(Cursor(result=False))
    with pytest.raises(InterfaceError, match="has no result"):
        make([1])


@pytest.mark.parametrize(
    ("factory", "row"),
    [(rows.tuple_row, ()), (rows.dict_row, {}), (rows.namedtuple_row, ()), (rows.args_row(in_order), [])],
)
def test_row_without_columns_is_empty(factory: rows.RowFactory[Any], row: object) -> None:
    assert factory(Cursor())([]) == row


def test_scalar_of_a_row_without_columns_is_an_error() -> None:
    with pytest.raises(ProgrammingError, match="at least one column"):
        rows.scalar_row(Cursor())


@pytest.mark.parametrize("factory", [rows.dict_row, rows.kwargs_row(dict)])
@pytest.mark.parametrize("values", [[1], [1, 2, 3]])
def test_values_and_columns_that_do_not_match_are_not_cut(
    factory: Callable[[Cursor], rows.RowMaker[Any]], values: list[int]
) -> None:
    with pytest.raises(ValueError, match=r"zip|expected 2 values"):
        factory(Cursor("x", "y"))(values)


def test_errors_of_a_class_pass_through() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        rows.class_row(Point)(Cursor("x", "z"))([1, 2])


def test_tuple_row_is_the_plain_tuple() -> None:
    assert rows.tuple_row(Cursor("x")) is tuple
    assert pickle.loads(pickle.dumps(rows.tuple_row)) is rows.tuple_row
