"""Records and composite types: tuples, and named tuples or any class where the type is known.

`RecordLoader` knows no types in text, and gives strings; in binary a record names its fields' types. A type
registered by `register_composite` is typed in both formats. A value with another number of fields than
registered is refused: the type has been altered since.

See "Composite Type Input and Output Syntax" in PostgreSQL's manual, and record_send in its source.
"""

from __future__ import annotations

import re
from collections import namedtuple
from struct import Struct
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from greenpg.adapt import PyFormat, RecursiveDumper, RecursiveLoader, TypeInfo, adapters_of
from greenpg.errors import DataError
from greenpg.pq import Format
from greenpg.types._choice import check
from greenpg.types._quoting import DOUBLED, Recoder, by_doubling, unquote
from greenpg.types._wire import Wire, field

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from typing_extensions import Self

    from greenpg.adapt import AdaptContext, Transformer
    from greenpg.pq import Buffer

_BARE = rb'[^"\\(),\s][^"\\(),]*'
_RECORD = re.compile(rb"\((?:%b|%b)?(?:,(?:%b|%b)?)*\)" % (DOUBLED, _BARE, DOUBLED, _BARE), re.DOTALL)
_FIELD = re.compile(rb"[(,](?:(%b)|(%b))?" % (DOUBLED, _BARE), re.DOTALL)
_SPECIAL = re.compile(rb'\A\Z|["\\(),\s]').search
_UINT32 = Struct("!I")


def parse(data: bytes) -> list[bytes | None]:
    """Return the fields of a record's text; the text of one NULL and of nothing is the same, and means the
    former.

    :raises DataError: it is not what record_out writes
    """
    if not _RECORD.fullmatch(data):
        raise DataError(f"cannot read the text of a record: {data[:80]!r}")
    return [
        unquote(quoted) if quoted else bare or None for quoted, bare in _FIELD.findall(data, 0, len(data) - 1)
    ]


class TupleDumper(RecursiveDumper):
    """A tuple as `(1,a)`; the server reads it where a composite type is expected."""

    format = Format.TEXT

    def dump(self, obj: Sequence[Any]) -> bytes:
        return self._join(obj, [0] * len(obj))

    def _join(self, values: Sequence[Any], types: Sequence[int]) -> bytes:
        recoder, texts = Recoder(self._tx.encoding), []
        for value, oid in zip(values, types, strict=True):
            data = None if value is None else self._text(value, oid)
            plain = b"" if data is None else recoder.plain(bytes(data))
            texts.append(by_doubling(plain) if data is not None and _SPECIAL(plain) else plain)
        return recoder.client(b"(" + b",".join(texts) + b")")

    def _text(self, value: Any, oid: int) -> Buffer | None:
        dumper = self._tx.get_dumper(value, PyFormat.TEXT)
        if oid:
            check(self._tx, dumper, value, oid)
        return dumper.dump(value)


class RecordLoader(RecursiveLoader):
    """A record of unknown fields: a tuple of strings."""

    format = Format.TEXT

    def load(self, data: bytes) -> tuple[Any, ...]:
        recoder = Recoder(self._tx.encoding)
        load = self._tx.get_loader(self._tx.adapters.types["text"].oid, self.format).load
        fields = parse(recoder.plain(data))
        return tuple(None if item is None else load(recoder.client(item)) for item in fields)


class RecordBinaryLoader(RecursiveLoader):
    """A record that names its fields' types: a tuple of what these are loaded as."""

    format = Format.BINARY

    def load(self, data: bytes) -> Any:
        return tuple(self._values(data))

    def _values(self, data: bytes) -> list[Any]:
        wire, values = Wire(data, "record"), []
        for number in range(wire.count(8)):
            oid, item = wire.uint32(), wire.field()
            self._see(number, oid)
            values.append(None if item is None else self._tx.get_loader(oid, self.format).load(item))
        wire.end()
        return values

    def _see(self, number: int, oid: int) -> None:
        """Look at the type of a field."""


class CompositeInfo(TypeInfo):
    """A composite type: also the names of its fields and the OIDs of their types.

    `python_type` is the factory that `register_composite` registered it with, None before.
    """

    __module__ = "greenpg.types.composite"

    def __init__(
        self,
        name: str,
        oid: int,
        array_oid: int,
        *,
        regtype: str = "",
        field_names: Sequence[str],
        field_types: Sequence[int],
    ) -> None:
        super().__init__(name, oid, array_oid, regtype=regtype)
        self.field_names = list(field_names)
        self.field_types = list(field_types)
        self.python_type: Callable[..., Any] | None = None

    @classmethod
    def _query(cls, name: Any) -> tuple[str, Sequence[Any]]:
        return (
            "select t.typname::text, t.oid, t.typarray, t.oid::regtype::text,"
            " coalesce(array_agg(a.attname::text order by a.attnum) filter (where a.attnum > 0), '{}'),"
            " coalesce(array_agg(a.atttypid order by a.attnum) filter (where a.attnum > 0), '{}')"
            " from pg_type t left join pg_attribute a on a.attrelid = t.typrelid and not a.attisdropped"
            " where t.oid = to_regtype($1) and t.typtype = 'c' group by t.oid",
            super()._query(name)[1],
        )

    @classmethod
    def _from_rows(cls, name: Any, rows: Sequence[Sequence[Any]]) -> Self | None:
        for typname, oid, array_oid, regtype, names, types in rows:
            return cls(typname, oid, array_oid, regtype=regtype, field_names=names, field_types=types)
        return None

    def parts(self, oid: int) -> tuple[int, ...]:
        return super().parts(oid) or tuple(self.field_types)


class ObjectMaker(Protocol):
    """Makes the object of a composite value."""

    def __call__(self, values: Sequence[Any], info: CompositeInfo) -> Any: ...


class SequenceMaker(Protocol):
    """Makes the fields' values, in order, of an object."""

    def __call__(self, obj: Any, info: CompositeInfo) -> Sequence[Any]: ...


class _Composite:
    """What the loaders and dumpers of one type know of it."""

    info: ClassVar[CompositeInfo]
    _tx: Transformer

    def _check(self, values: Sequence[Any]) -> Sequence[Any]:
        if len(values) != len(self.info.field_types):
            raise self._altered(
                f"{len(values)} fields and the type as known has {len(self.info.field_types)}"
            )
        return values

    def _altered(self, difference: str) -> DataError:
        """Return the error for a value of a type that was altered; one that was learned is forgotten."""
        again = "fetch its CompositeInfo again"
        if self.info.is_learned:
            self._tx.adapters.forget_learned()
            again = "execute the statement again"
        return DataError(f"a value of {self.info.name} has {difference}: {again} if the type was altered")


class CompositeLoader(_Composite, RecursiveLoader):
    """A composite value from text, each field loaded as its type."""

    format = Format.TEXT
    make_object: ClassVar[ObjectMaker]

    def load(self, data: bytes) -> Any:
        recoder, types = Recoder(self._tx.encoding), self.info.field_types
        fields = parse(recoder.plain(data)) if types else []
        pairs = zip(types, self._check(fields), strict=True)
        try:
            values = [
                None if item is None else self._tx.get_loader(oid, self.format).load(recoder.client(item))
                for oid, item in pairs
            ]
        except Exception:
            if self.info.is_learned:  # perhaps it was altered: the text does not tell
                self._tx.adapters.forget_learned()
            raise
        return type(self).make_object(values, self.info)


class CompositeBinaryLoader(_Composite, RecordBinaryLoader):
    """A composite value from binary."""

    make_object: ClassVar[ObjectMaker]

    def load(self, data: bytes) -> Any:
        return type(self).make_object(self._check(self._values(data)), self.info)

    def _see(self, number: int, oid: int) -> None:
        if [oid] != self.info.field_types[number : number + 1]:
            raise self._altered(f"a field {number + 1} that is new, or of another type")


class CompositeDumper(_Composite, TupleDumper):
    """An object as the text of its composite type."""

    make_sequence: ClassVar[SequenceMaker]

    def dump(self, obj: Any) -> bytes:
        return self._join(self._check(type(self).make_sequence(obj, self.info)), self.info.field_types)


class CompositeBinaryDumper(_Composite, RecursiveDumper):
    """An object in record_recv's layout, each field dumped as its type."""

    format = Format.BINARY
    make_sequence: ClassVar[SequenceMaker]

    def dump(self, obj: Any) -> bytes:
        values = self._check(type(self).make_sequence(obj, self.info))
        parts = [_UINT32.pack(len(values))]
        for oid, value in zip(self.info.field_types, values, strict=True):
            parts += (_UINT32.pack(oid), field(None if value is None else self._dump_as(oid, value)))
        return b"".join(parts)

    def _dump_as(self, oid: int, value: Any) -> bytes | None:
        data = self._tx.adapters.get_dumper_by_oid(oid, PyFormat.BINARY)(type(value), self._tx).dump(value)
        return None if data is None else bytes(data)


def register_composite(
    info: CompositeInfo,
    context: AdaptContext | None = None,
    factory: Callable[..., Any] | None = None,
    *,
    make_object: ObjectMaker | None = None,
    make_sequence: SequenceMaker | None = None,
) -> None:
    """Load a composite type as the factory's objects, and dump these as that type.

    :param info: the type, as `CompositeInfo.fetch` found it
    :param context: where to register it: a connection or a cursor; everywhere if None
    :param factory: what to call with the fields' values in order; a named tuple if None
    :param make_object: makes an object of the values and `info`, instead of `factory(*values)`
    :param make_sequence: makes the values of an object and `info`; by default a sequence is its own, and of
        any other object the attributes are taken by the fields' names. Used if `factory` is a class.
    """
    if not info:
        raise TypeError("no info passed: is the composite type in the database, and on the search_path?")
    made = factory or namedtuple_of(info)
    info.python_type = made
    adapters = adapters_of(context)
    known = {
        "info": info,
        "oid": info.oid,
        "make_object": staticmethod(make_object or (lambda values, info: made(*values))),
        "make_sequence": staticmethod(make_sequence or _sequence),
        "__module__": __name__,
    }
    adapters.register_type(info)
    adapters.register_loader(info.oid, type("CompositeLoader", (CompositeLoader,), known))
    adapters.register_loader(info.oid, type("CompositeBinaryLoader", (CompositeBinaryLoader,), known))
    cls = made if isinstance(made, type) else None
    adapters.register_dumper(cls, type("CompositeBinaryDumper", (CompositeBinaryDumper,), known))
    adapters.register_dumper(cls, type("CompositeDumper", (CompositeDumper,), known))


def _sequence(obj: Any, info: CompositeInfo) -> Sequence[Any]:
    if isinstance(obj, (tuple, list)):
        return obj
    try:
        return [getattr(obj, name) for name in info.field_names]
    except AttributeError as error:
        raise DataError(
            f"cannot dump {obj!r} as {info.name}: {error}; give register_composite a make_sequence"
        ) from error


def namedtuple_of(info: CompositeInfo) -> type:
    """Return the named tuple for a type; what cannot be a name in Python is changed until it can be."""
    name, *names = (
        re.sub(r"\A(?=[0-9_])", "f", re.sub(r"\W", "_", name)) for name in (info.name, *info.field_names)
    )
    return namedtuple(name, names, rename=True)


def register_default_adapters(context: AdaptContext) -> None:
    """Register tuples and records."""
    adapters = adapters_of(context)
    adapters.register_dumper(tuple, TupleDumper)
    # Text is preferred, though untyped: in binary a record may hold what has no binary loader, and says so
    # late.
    adapters.register_loader("record", RecordBinaryLoader)
    adapters.register_loader("record", RecordLoader)
