"""What a type modifier says: the numbers in `numeric(10,2)`, `varchar(5)` or `timestamp(3)`.

See the `*typmodin` and `*typmodout` functions of PostgreSQL's src/backend/utils/adt.
"""

from __future__ import annotations


class TypeModifier:
    """The modifiers of a type that has none; each answer takes a column's modifier, -1 for "not given"."""

    def __init__(self, oid: int) -> None:
        """Make it for the type, or the array type, of that OID."""
        self.oid = oid

    def get_modifier(self, typemod: int) -> tuple[int, ...] | None:
        """Return the numbers as they are written in SQL."""
        return None

    def get_display_size(self, typemod: int) -> int | None:
        """Return the length in characters."""
        return None

    def get_precision(self, typemod: int) -> int | None:
        """Return the digits of a number, or of the seconds of a time."""
        return None

    def get_scale(self, typemod: int) -> int | None:
        """Return the digits after the point."""
        return None

    def get_suffix(self, typemod: int) -> str:
        """Return the modifier as SQL: `(10,2)`."""
        numbers = self.get_modifier(typemod)
        return f"({','.join(map(str, numbers))})" if numbers else ""


class NumericTypeModifier(TypeModifier):
    """Of `numeric(precision, scale)`; the scale may be negative."""

    def get_modifier(self, typemod: int) -> tuple[int, ...] | None:
        """Return precision and scale."""
        if typemod < 4:
            return None
        number = typemod - 4
        return number >> 16, ((number & 0x7FF) ^ 1024) - 1024

    def get_precision(self, typemod: int) -> int | None:
        """Return how many digits there are."""
        numbers = self.get_modifier(typemod)
        return numbers[0] if numbers else None

    def get_scale(self, typemod: int) -> int | None:
        """Return how many of them come after the point."""
        numbers = self.get_modifier(typemod)
        return numbers[1] if numbers else None


class CharTypeModifier(TypeModifier):
    """Of `varchar(length)` and `char(length)`: the length and the four bytes of its own."""

    def get_modifier(self, typemod: int) -> tuple[int, ...] | None:
        """Return the length."""
        return (typemod - 4,) if typemod >= 4 else None

    def get_display_size(self, typemod: int) -> int | None:
        """Return the length."""
        return typemod - 4 if typemod >= 4 else None


class BitTypeModifier(TypeModifier):
    """Of `bit(length)` and `varbit(length)`."""

    def get_modifier(self, typemod: int) -> tuple[int, ...] | None:
        """Return the length."""
        return (typemod,) if typemod >= 0 else None

    def get_display_size(self, typemod: int) -> int | None:
        """Return the length."""
        return typemod if typemod >= 0 else None


class TimeTypeModifier(TypeModifier):
    """Of `time(precision)` and its kin, intervals too: those keep their fields in the upper half."""

    def get_modifier(self, typemod: int) -> tuple[int, ...] | None:
        """Return the digits of the seconds."""
        digits = typemod & 0xFFFF
        return (digits,) if typemod >= 0 and digits != 0xFFFF else None

    def get_precision(self, typemod: int) -> int | None:
        """Return the digits of the seconds."""
        numbers = self.get_modifier(typemod)
        return numbers[0] if numbers else None
