"""Which dumper stands for several values, and which text must not go to which type.

A type's input reads more than it keeps: `date` takes the text of a timestamp and drops the time. Where text
goes into a field or a bound of known type, `check` refuses what would lose something on the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenpg.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from greenpg.adapt import Dumper, PyFormat, Transformer

INTEGERS = ("int2", "int4", "int8", "numeric")  # from narrow to wide

# What is read and what is sent, where the reader drops a part in silence.
_LOSSY = {("date", "timestamp"), ("date", "timestamptz"), ("timestamp", "timestamptz"), ("time", "timetz")}


def integer_oids(tx: Transformer) -> list[int]:
    """Return the OIDs of the integer types and of numeric, from narrow to wide."""
    return [tx.adapters.types[name].oid for name in INTEGERS]


def choose(tx: Transformer, values: Iterable[Any], form: PyFormat) -> Dumper | None:
    """Return a dumper whose type is that of all values, None if they are all None.

    Among integers, and decimals with them, it can dump them all; other values need their own dumpers.

    :raises DataError: they are of mixed types; names them
    """
    found: dict[Dumper, Any] = {}
    for value in values:
        if value is not None:
            found.setdefault(tx.get_dumper(value, form), value)
    if len(found) < 2:
        return next(iter(found), None)
    widths = integer_oids(tx)
    if all(dumper.oid in widths for dumper in found):
        widest = max(found, key=lambda dumper: widths.index(dumper.oid))
        if widest.oid != widths[-1]:
            return widest
        return tx.adapters.get_dumper_by_oid(widest.oid, form)(object, tx)
    typed = [dumper for dumper in found if dumper.oid]
    classes = {type(value) for value in found.values()}
    if len({dumper.oid for dumper in typed}) > 1 or (len(typed) < len(found) and len(classes) > 1):
        raise DataError(f"cannot dump values of mixed types together: {_names(tx, found)}")
    return (typed or list(found))[0]


def _names(tx: Transformer, found: dict[Dumper, Any]) -> str:
    names = set()
    for dumper, value in found.items():
        info = tx.adapters.types.get(dumper.oid) if dumper.oid else None
        names.add(type(value).__name__ + (f" as {info.name}" if info else ""))
    return ", ".join(sorted(names))


def check(tx: Transformer, dumper: Dumper, value: Any, oid: int) -> None:
    """Raise if the text of a value would lose something in being read as the type of an OID.

    :raises DataError: it would; names the value and the type
    """
    types = tx.adapters.types
    wanted, sent = types.get(oid), types.get(dumper.oid) if dumper.oid else None
    if wanted and sent and (wanted.name, sent.name) in _LOSSY:
        raise DataError(f"cannot dump {value!r} as {wanted.name}: it is a {sent.name} and would lose a part")
