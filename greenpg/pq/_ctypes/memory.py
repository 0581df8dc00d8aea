"""Bytes on their way into C and out of it: what libpq allocated is copied and freed at once."""

from __future__ import annotations

from ctypes import Array, c_char_p, c_int, c_uint, string_at
from typing import TYPE_CHECKING, Any

from greenpg.errors import DataError
from greenpg.pq.records import ConninfoOption

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import SimpleNamespace

    from greenpg.pq.abc import Buffer

INT_MAX = (1 << 31) - 1

COPY_ROOM = 8192
"""Bytes beyond a block of COPY data for the row that crosses its end; a longer one makes more room."""


def c_text(text: bytes) -> bytes:
    """Return `text` as it is, to be passed as a C string.

    :raises DataError: there is a NUL byte in it, where C would cut it short in silence
    """
    if b"\0" in text:
        raise DataError("PostgreSQL takes no text with a NUL byte in it, use bytea for binary data")
    return text


def taken(pq: SimpleNamespace, address: int, size: int = -1) -> bytes:
    """Return the bytes at `address`, which libpq allocated, and free them; without a size up to the NUL."""
    data = string_at(address, size)
    pq.PQfreemem(address)
    return data


def option_list(pq: SimpleNamespace, array: Any) -> list[ConninfoOption]:
    """Return what is in a PQconninfoOption array, and free it."""
    found = []
    for option in array:
        if not option.keyword:
            break
        found.append(
            ConninfoOption(
                option.keyword,
                option.envvar,
                option.compiled,
                option.val,
                option.label,
                option.dispchar,
                option.dispsize,
            )
        )
    pq.PQconninfoFree(array)
    return found


def oids(types: Sequence[int] | None) -> Array[c_uint] | None:
    """Return `types` as a C array of Oid, None for none."""
    return (c_uint * len(types))(*types) if types else None


Parameters = tuple[int, "Array[c_char_p] | None", "Array[c_int] | None", "Array[c_int] | None"]


def parameters(values: Sequence[Buffer | None] | None, formats: Sequence[int] | None) -> Parameters:
    """Return the count, and values, lengths and formats as C arrays.

    :raises DataError: a NUL byte in a value in text format
    :raises ValueError: not as many formats as values
    """
    if not values:
        return 0, None, None, None
    count = len(values)
    if formats is not None and len(formats) != count:
        raise ValueError(f"got {count} parameter values but {len(formats)} parameter formats")
    data = [None if value is None else bytes(value) for value in values]
    _refuse_nul(data, formats or [0] * count)
    return (
        count,
        (c_char_p * count)(*data),
        (c_int * count)(*[len(value) if value else 0 for value in data]),
        (c_int * count)(*formats) if formats else None,
    )


def _refuse_nul(values: Sequence[bytes | None], formats: Iterable[int]) -> None:
    for value, binary in zip(values, formats, strict=True):
        if value and not binary:
            c_text(value)
