"""`Decimal` as `numeric` and back, exactly or not at all.

PostgreSQL keeps 131072 digits before the point and 16383 after it: what has more is refused, not rounded.
So are signalling NaNs, and NaNs with a sign or a payload, which `numeric` has not.

The binary layout is that of `numeric_send`: digits in base 10000, the weight of the first, a sign, a scale.
"""

from __future__ import annotations

from decimal import Decimal
from struct import Struct
from typing import TYPE_CHECKING, Any

from greenpg.adapt import Dumper, Format, Loader, shown
from greenpg.adapt._decoders import decodable
from greenpg.adapt._encoders import encodable
from greenpg.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

NUMERIC = 1700

_BEFORE_POINT, _AFTER_POINT = 131072, 16383
_GROUPS = 3000  # of four digits: NUMERIC_MAX_PRECISION + NUMERIC_MAX_RESULT_SCALE in numeric_recv
_POSITIVE, _NEGATIVE, _NAN, _INFINITE, _MINUS_INFINITE = 0, 0x4000, 0xC000, 0xD000, 0xF000
_HEAD = Struct("!HhHH")
_SPECIALS = {_NAN: Decimal("NaN"), _INFINITE: Decimal("Infinity"), _MINUS_INFINITE: Decimal("-Infinity")}


def _check(value: Decimal) -> tuple[int, tuple[int, ...], int | str]:
    """Return sign, digits and exponent of a value that `numeric` can hold; refuse any other."""
    parts = Decimal.as_tuple(value)
    sign, digits, exponent = parts
    if isinstance(exponent, str):
        if exponent == "N" or (exponent == "n" and (sign or digits)):
            raise DataError(
                f"cannot dump {shown(value)}: numeric has one NaN, quiet and without sign or payload"
            )
    elif exponent < -_AFTER_POINT:
        raise DataError(
            f"cannot dump {shown(value)}: numeric has at most {_AFTER_POINT} digits after the point"
        )
    elif any(digits) and len(digits) + exponent > _BEFORE_POINT:
        raise DataError(
            f"cannot dump {shown(value)}: numeric has at most {_BEFORE_POINT} digits before the point"
        )
    return parts


def decimal_text(value: Decimal) -> bytes:
    """Return a value as `numeric` in text.

    :raises DataError: `numeric` cannot hold it
    """
    _, digits, exponent = _check(value)
    if isinstance(exponent, int) and exponent > 0 and not any(digits):
        return b"0"
    return Decimal.__str__(value).encode()


def decimal_binary(value: Decimal) -> bytes:
    """Return a value as `numeric` in binary.

    :raises DataError: `numeric` cannot hold it
    """
    sign, digits, exponent = _check(value)
    if isinstance(exponent, str):
        return _HEAD.pack(0, 0, _NAN if exponent == "n" else _MINUS_INFINITE if sign else _INFINITE, 0)
    scale = max(-exponent, 0)
    if not any(digits):
        return _HEAD.pack(0, 0, _POSITIVE, scale)
    # Groups of four digits begin at the point: zeros fill up both ends.
    text = "".join(map(str, digits))
    text += "0" * (exponent % 4)
    before = len(text) + (exponent - exponent % 4)
    text = "0" * (-len(text) % 4) + text
    groups = [int(text[at : at + 4]) for at in range(0, len(text), 4)]
    weight = -(-before // 4) - 1
    while not groups[0]:
        del groups[0]
        weight -= 1
    while not groups[-1]:
        groups.pop()
    if len(groups) > _GROUPS:
        raise DataError(
            f"cannot dump {shown(value)}: too long for the binary format of numeric, use %s or %t"
        )
    head = _HEAD.pack(len(groups), weight, _NEGATIVE if sign else _POSITIVE, scale)
    return head + Struct(f"!{len(groups)}H").pack(*groups)


def decimal_from_binary(data: bytes) -> Decimal:
    """Return the value of a binary `numeric`, with as many digits after the point as it has.

    :raises DataError: `data` is no `numeric`
    """
    if len(data) < _HEAD.size:
        raise _malformed(data)
    count, weight, sign, scale = _HEAD.unpack_from(data)
    if sign in _SPECIALS:
        return _SPECIALS[sign]
    if len(data) != _HEAD.size + 2 * count or sign not in (_POSITIVE, _NEGATIVE) or scale > _AFTER_POINT:
        raise _malformed(data)
    groups: Sequence[int] = Struct(f"!{count}H").unpack_from(data, _HEAD.size)
    if any(group > 9999 for group in groups):
        raise _malformed(data)
    return _assemble(groups, weight, sign, scale)


def _assemble(groups: Sequence[int], weight: int, sign: int, scale: int) -> Decimal:
    digits = "".join([f"{group:04}" for group in groups])
    point = 4 * (weight + 1)
    if point <= 0:
        digits, point = "0" * (1 - point) + digits, 1
    digits = digits.ljust(point + scale, "0")
    minus = "-" if sign == _NEGATIVE else ""
    return Decimal(f"{minus}{digits[:point]}.{digits[point : point + scale]}")


def _malformed(data: bytes) -> DataError:
    return DataError(f"cannot load {shown(bytes(data))} as a binary numeric")


@encodable("numeric")
class DecimalDumper(Dumper):
    """`Decimal` as text."""

    oid = NUMERIC

    def dump(self, obj: Decimal) -> bytes:
        """Return the text."""
        return decimal_text(obj)

    def quote(self, obj: Decimal) -> bytes:
        """Return a literal; infinities and NaN need quotes."""
        text = decimal_text(obj)
        if not obj.is_finite():
            return b"'" + text + b"'"
        return b" " + text if text.startswith(b"-") else text


@encodable("numeric")
class DecimalBinaryDumper(Dumper):
    """`Decimal` in numeric_recv's layout."""

    format = Format.BINARY
    oid = NUMERIC

    def dump(self, obj: Decimal) -> bytes:
        """Return the bytes."""
        return decimal_binary(obj)


class NumericLoader(Loader):
    """Text as a `Decimal`."""

    @decodable(lambda _: ("numeric text",))
    def load(self, data: bytes) -> Decimal:
        """Return the `Decimal`."""
        return Decimal(bytes(data).decode("ascii"))


class NumericBinaryLoader(Loader):
    """numeric_send's layout as a `Decimal`."""

    format = Format.BINARY

    @decodable(lambda _: ("numeric",))
    def load(self, data: bytes) -> Decimal:
        """Return the `Decimal`."""
        return decimal_from_binary(data)


class _MixedDumper(Dumper):
    """Values of whatever class for a `numeric`: how COPY and arrays of `numeric` take integers too."""

    oid = NUMERIC

    @staticmethod
    def _decimal(obj: Any) -> Decimal:
        if isinstance(obj, Decimal):
            return obj
        if isinstance(obj, int):
            return Decimal(int.__index__(obj))
        if isinstance(obj, float):
            return Decimal(float.__repr__(obj))
        if hasattr(obj, "__index__"):  # numpy's integers
            return Decimal(obj.__index__())
        raise DataError(f"cannot dump {shown(obj)} of type {type(obj).__name__!r} as numeric")


@encodable("numeric")
class NumericDumper(_MixedDumper):
    """Any number as the text of a `numeric`."""

    def dump(self, obj: Any) -> bytes:
        """Return the text."""
        return decimal_text(self._decimal(obj))


@encodable("numeric")
class NumericBinaryDumper(_MixedDumper):
    """Any number as a binary `numeric`."""

    format = Format.BINARY

    def dump(self, obj: Any) -> bytes:
        """Return numeric_recv's layout."""
        return decimal_binary(self._decimal(obj))
