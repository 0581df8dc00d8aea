"""What a row is in Python: factories that a connection or a cursor makes its rows with.

A row factory is called with the cursor once for each result, and returns what makes a row from the values of
one. Names and behaviour are those of psycopg 3's `rows`; so a factory written for psycopg works here.
"""

from __future__ import annotations

from collections import namedtuple
from functools import lru_cache, partial
from keyword import iskeyword
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Protocol, TypeVar

from greenpg.errors import DataError, InterfaceError, ProgrammingError
from greenpg.pq.rows import new_dict_maker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from typing_extensions import TypeVar as DefaultTypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

TupleRow = tuple[Any, ...]
"""A row as a tuple, in the order of the columns."""

DictRow = dict[str, Any]
"""A row by the names of its columns; of two columns with one name, the last."""

if TYPE_CHECKING:
    Row = DefaultTypeVar("Row", covariant=True, default=TupleRow)
else:
    Row = TypeVar("Row", covariant=True)


class Named(Protocol):
    """A column, of which only the name matters here."""

    @property
    def name(self) -> str: ...


class Described(Protocol):
    """A cursor, of which only the columns matter here."""

    @property
    def description(self) -> Sequence[Named] | None: ...


class RowMaker(Protocol[T_co]):
    """Makes a row of the values of one, which are in the order of the columns."""

    def __call__(self, values: Sequence[Any], /) -> T_co: ...


class RowFactory(Protocol[T_co]):
    """Returns the row maker for a cursor's result; for one without columns, one that is never called."""

    def __call__(self, cursor: Any, /) -> RowMaker[T_co]: ...


# psycopg tells the blocking and the async kind apart; a factory here serves both.
AsyncRowFactory = RowFactory
BaseRowFactory = RowFactory


def tuple_row(cursor: Described, /) -> RowMaker[TupleRow]:
    """Make rows tuples: the default, and the fastest."""
    return tuple


def dict_row(cursor: Described, /) -> RowMaker[DictRow]:
    """Make rows dictionaries by column name."""
    names = column_names(cursor)
    if names is None:
        return no_result
    return new_dict_maker(names)


def namedtuple_row(cursor: Described, /) -> RowMaker[NamedTuple]:
    """Make rows named tuples.

    What a Python name cannot have becomes `_` (`f_column_` for `?column?`), a keyword gets one behind it.

    :raises DataError: when the row factory is called: two columns would have one name
    """
    names = column_names(cursor)
    if names is None:
        return no_result
    # what `_make` does, but for its check of the number of values
    make: RowMaker[NamedTuple] = partial(tuple.__new__, _named_tuple(names))
    return make


def class_row(cls: type[T]) -> RowFactory[T]:
    """Make rows objects of a class, a dataclass for example, which is called with the columns by name."""
    return kwargs_row(cls)


def args_row(func: Callable[..., T]) -> RowFactory[T]:
    """Make of each row what a function returns, which is called with the values in order."""

    def factory(cursor: Described, /) -> RowMaker[T]:
        return lambda values: func(*values)

    return factory


def kwargs_row(func: Callable[..., T]) -> RowFactory[T]:
    """Make of each row what a function returns, which is called with the columns by name."""

    def factory(cursor: Described, /) -> RowMaker[T]:
        names = column_names(cursor)
        if names is None:
            return no_result
        return lambda values: func(**dict(zip(names, values, strict=True)))

    return factory


def scalar_row(cursor: Described, /) -> RowMaker[Any]:
    """Make of each row its first value.

    :raises ProgrammingError: when the row factory is called: the result has no columns
    """
    names = column_names(cursor)
    if names is None:
        return no_result
    if not names:
        raise ProgrammingError("scalar_row needs at least one column: the query returns none")
    return itemgetter(0)


def column_names(cursor: Described) -> tuple[str, ...] | None:
    """Return the names of a result's columns, `None` if there is no result that has columns."""
    columns = cursor.description
    return None if columns is None else tuple([column.name for column in columns])


def no_result(values: Sequence[Any], /) -> NoReturn:
    """Stand for the row maker where there are no rows to be made.

    :raises InterfaceError: whenever it is called
    """
    raise InterfaceError("the cursor has no result to make rows of: execute a query that returns rows")


@lru_cache(512)
def _named_tuple(names: tuple[str, ...]) -> type[Any]:
    fields = [python_name(name) for name in names]
    try:
        return namedtuple("Row", fields)
    except ValueError as error:
        raise DataError(f"no named tuple can be made of this row, give its columns an AS: {error}") from error


def python_name(name: str) -> str:
    """Return a column's name as an attribute's."""
    # A regular expression's \w has more letters than an identifier: "²".
    words = "".join([letter if f"f{letter}".isidentifier() else "_" for letter in name])
    if words[:1] == "_" or not words[:1].isidentifier():
        words = f"f{words}"
    return f"{words}_" if iskeyword(words) else words
