"""Enums: members of a Python enum both ways once registered, strings otherwise.

An enum without a type of its own is dumped by its members' names; one that is also a string or an integer
goes as that. A label that is no member, and a member that is no label, is refused with its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from greenpg.adapt import RecursiveDumper, RecursiveLoader, TypeInfo, adapters_of, decode, encode
from greenpg.errors import DataError
from greenpg.pq import Format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from greenpg.adapt import AdaptContext

EnumMapping = Mapping[Enum, str]


class EnumInfo(TypeInfo):
    """An enum type: also its labels, in order.

    `enum` is the Python enum that `register_enum` registered it with, None before.
    """

    __module__ = "greenpg.types.enum"

    def __init__(
        self, name: str, oid: int, array_oid: int, labels: Sequence[str], *, regtype: str = ""
    ) -> None:
        super().__init__(name, oid, array_oid, regtype=regtype)
        self.labels = list(labels)
        self.enum: type[Enum] | None = None

    @classmethod
    def _query(cls, name: Any) -> tuple[str, Sequence[Any]]:
        return (
            "select t.typname::text, t.oid, t.typarray, t.oid::regtype::text,"
            " array_agg(e.enumlabel::text order by e.enumsortorder)"
            " from pg_type t join pg_enum e on e.enumtypid = t.oid"
            " where t.oid = to_regtype($1) group by t.oid",
            super()._query(name)[1],
        )

    @classmethod
    def _from_rows(cls, name: Any, rows: Sequence[Sequence[Any]]) -> Self | None:
        for typname, oid, array_oid, regtype, labels in rows:
            return cls(typname, oid, array_oid, labels, regtype=regtype)
        return None


class EnumDumper(RecursiveDumper):
    """A member as its name, of an enum without a type of its own."""

    format = Format.TEXT

    def dump(self, obj: Enum) -> bytes:
        if obj.name is None:
            raise DataError(f"cannot dump {obj!r}: a combination of flags has no name")
        return encode(obj.name, self._tx.encoding)


class EnumBinaryDumper(EnumDumper):
    """The same in binary: an enum's binary form is its label's text."""

    format = Format.BINARY


class _LabelLoader(RecursiveLoader):
    """A label as the member that is registered for it."""

    members: ClassVar[dict[str, Enum]]
    name: ClassVar[str]

    def load(self, data: bytes) -> Enum:
        label = decode(bytes(data), self._tx.encoding)
        if label not in self.members:
            raise DataError(f"no member is registered for the label {label!r} of the enum {self.name}")
        return self.members[label]


class _MemberDumper(RecursiveDumper):
    """A member as the label that is registered for it."""

    labels: ClassVar[dict[Enum, str]]
    name: ClassVar[str]

    def dump(self, obj: Enum) -> bytes:
        if obj not in self.labels:
            raise DataError(f"no label of the enum {self.name} is registered for {obj!r}")
        return encode(self.labels[obj], self._tx.encoding)


def register_enum(
    info: EnumInfo,
    context: AdaptContext | None = None,
    enum: type[Enum] | None = None,
    *,
    mapping: EnumMapping | Sequence[tuple[Enum, str]] | None = None,
) -> None:
    """Load an enum type as members of a Python enum, and dump these as that type.

    :param info: the type, as `EnumInfo.fetch` found it
    :param context: where to register it: a connection or a cursor; everywhere if None
    :param enum: the Python enum; one with the type's labels for names is made if None
    :param mapping: labels by member, or pairs of them, where a member's name is not its label. Of several
        members for one label the first is loaded.
    """
    if not info:
        raise TypeError("no info passed: is the enum type in the database, and on the search_path?")
    cls: Any = enum or Enum(info.name.title(), info.labels, module=__name__)
    info.enum = cls
    given = list(mapping.items() if isinstance(mapping, Mapping) else mapping or ())
    labels = {member: member.name for member in cls} | dict(given)
    labels = {member: label for member, label in labels.items() if label in info.labels}
    members: dict[str, Enum] = {}
    for member, label in [*given, *labels.items()]:
        members.setdefault(label, member)
    adapters = adapters_of(context)
    adapters.register_type(info)
    for form in (Format.TEXT, Format.BINARY):  # the binary form is the text
        known = {"format": form, "oid": info.oid, "name": info.name, "__module__": __name__}
        adapters.register_loader(info.oid, type("EnumLoader", (_LabelLoader,), {**known, "members": members}))
        adapters.register_dumper(cls, type("EnumDumper", (_MemberDumper,), {**known, "labels": labels}))


def register_default_adapters(context: AdaptContext) -> None:
    """Register how enums without a type of their own are dumped."""
    adapters = adapters_of(context)
    adapters.register_dumper(Enum, EnumBinaryDumper)
    adapters.register_dumper(Enum, EnumDumper)
