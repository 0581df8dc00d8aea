"""Arrays: lists in Python, of one type, nested for each dimension up to PostgreSQL's six.

A list becomes an array of what its elements become: the widest integer type among integers, one and the same
type otherwise. What PostgreSQL could not give back (ragged lists, empty lists in lists) is refused. Lower
bounds other than 1 are accepted and not kept, as lists have none.

See "Array Input and Output Syntax" in PostgreSQL's manual, and array_send in its source.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain
from math import prod
from struct import Struct
from typing import TYPE_CHECKING, Any, ClassVar

from greenpg.adapt import PyFormat, RecursiveDumper, RecursiveLoader, adapters_of, shown
from greenpg.adapt._decoders import decodable
from greenpg.errors import DataError
from greenpg.pq import Format
from greenpg.types._choice import choose, integer_oids
from greenpg.types._quoting import BACKSLASHED, Recoder, by_backslash, unquote
from greenpg.types._wire import Wire, field

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greenpg.adapt import AdaptContext, AdaptersMap, Dumper, TypeInfo

DIMENSIONS = 6  # MAXDIM of PostgreSQL's c.h
ELEMENTS = 0x7FFFFFF  # MaxArraySize of its utils/array.h

_HEAD = Struct("!iiI")
_BOUNDS = re.compile(rb"(?:\[[+-]?\d{1,10}:[+-]?\d{1,10}\]){1,6}=")


def flatten(values: list[Any]) -> tuple[list[int], list[Any]]:
    """Return the length of each dimension, and all elements in order.

    :raises DataError: the lists are ragged, nested too deeply, too big, or empty within others
    """
    dims, level = [len(values)], values
    while any(isinstance(value, list) for value in level):
        lengths = {len(value) if isinstance(value, list) else -1 for value in level}
        if len(lengths) > 1 or -1 in lengths:
            raise DataError(
                f"cannot dump a ragged list, all lists in it must have one length: {shown(values)}"
            )
        dims.append(lengths.pop())
        if len(dims) > DIMENSIONS:
            raise DataError(f"cannot dump a list nested deeper than PostgreSQL's {DIMENSIONS} dimensions")
        if not dims[-1]:
            raise DataError(f"cannot dump empty lists in a list, PostgreSQL keeps none: {shown(values)}")
        if prod(dims) > ELEMENTS:
            raise DataError(f"cannot dump a list of more than PostgreSQL's {ELEMENTS} elements")
        level = list(chain.from_iterable(level))
    return dims, level


def nest(dims: Sequence[int], values: list[Any], wrap: Callable[[list[Any]], Any]) -> Any:
    """Return the elements grouped by dimension, every group wrapped, the innermost first."""
    for size in reversed(dims[1:]):
        values = [wrap(values[at : at + size]) for at in range(0, len(values), size)]
    return wrap(values)


class _ListDumper(RecursiveDumper):
    """The choice of one dumper for all elements; how they are put together is the subclasses'."""

    element_oid: ClassVar[int] = 0  # of the dumpers that know their array's type
    delimiter: ClassVar[bytes] = b","
    _py_format: ClassVar[PyFormat]

    def __init__(self, cls: type, context: AdaptContext | None = None) -> None:
        super().__init__(cls, context)
        self._element: Dumper | None = None
        if self.element_oid:
            found = self._tx.adapters.get_dumper_by_oid(self.element_oid, self._py_format)
            self._element = found(object, self._tx)

    def get_key(self, obj: list[Any], format: PyFormat) -> Any:
        if self.element_oid:
            return self.cls
        element = choose(self._tx, flatten(obj)[1], self._py_format)
        return (self.cls, type(element), element.oid if element else 0)

    def upgrade(self, obj: list[Any], format: PyFormat) -> Dumper:
        if self.element_oid:
            return self
        element = choose(self._tx, flatten(obj)[1], self._py_format)
        oid = element.oid if element else 0
        info = self._tx.adapters.types.get(oid) if oid else None
        if self.format == Format.BINARY and info is None:
            return ListDumper(self.cls, self._tx).upgrade(obj, format)  # the head would need the type
        dumper = type(self)(self.cls, self._tx)
        dumper._element = element
        if info is not None:
            dumper.oid = info.array_oid
            dumper.delimiter = info.delimiter.encode()  # type: ignore[misc]  # the instance's own
        return dumper

    def _dumped(self, values: list[Any]) -> list[bytes | None]:
        """Return the elements dumped, integers all by the widest, others each by its own."""
        element = self._element
        if element is None:
            return [None] * len(values)
        if self.element_oid or element.oid in integer_oids(self._tx):
            return [None if value is None else _bytes(element.dump(value)) for value in values]
        get, form = self._tx.get_dumper, self._py_format
        return [None if value is None else _bytes(get(value, form).dump(value)) for value in values]


def _bytes(data: Any) -> bytes | None:
    return None if data is None else bytes(data)


class ListDumper(_ListDumper):
    """A list as `{1,2}`."""

    format = Format.TEXT
    _py_format = PyFormat.TEXT

    def dump(self, obj: list[Any]) -> bytes:
        dims, values = flatten(obj)
        recoder = Recoder(self._tx.encoding)
        special = _special(self.delimiter)
        texts = []
        for data in self._dumped(values):
            plain = None if data is None else recoder.plain(data)
            texts.append(b"NULL" if plain is None else by_backslash(plain) if special(plain) else plain)
        delimiter = self.delimiter
        nested: bytes = nest(dims, texts, lambda group: b"{" + delimiter.join(group) + b"}")
        return recoder.client(nested)


class ListBinaryDumper(_ListDumper):
    """A list in array_recv's layout; one without any value but None has no type and goes as text."""

    format = Format.BINARY
    _py_format = PyFormat.BINARY

    def dump(self, obj: list[Any]) -> bytes:
        dims, values = flatten(obj)
        data = self._dumped(values)
        oid = self.element_oid or (self._element.oid if self._element else 0)
        if not values:
            return _HEAD.pack(0, 0, oid)
        head = _HEAD.pack(len(dims), int(None in data), oid)
        return b"".join([head, *(Struct("!ii").pack(size, 1) for size in dims), *map(field, data)])


@lru_cache
def _special(delimiter: bytes) -> Callable[[bytes], object]:
    """Return what tells whether an element needs quotes."""
    return re.compile(rb'\A\Z|[{}"\\\s%b]|\A[nN][uU][lL][lL]\Z' % re.escape(delimiter)).search


@lru_cache
def _patterns(delimiter: bytes) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Return what matches a list without lists in it, and each of its elements: in quotes or bare."""
    mark = re.escape(delimiter)
    bare = rb'[^{}"\\\s%b][^{}"\\%b]*' % (mark, mark)
    item = rb"(?:%b|%b)" % (BACKSLASHED, bare)
    flat = rb"\{(?:%b(?:%b%b)*)?\}" % (item, mark, item)
    return re.compile(flat, re.DOTALL), re.compile(rb"(%b)|(%b)" % (BACKSLASHED, bare), re.DOTALL)


def parse(data: bytes, delimiter: bytes, load: Callable[[bytes], Any]) -> list[Any]:
    """Return the nested lists of an array's text, every element but NULL given to `load`.

    :raises DataError: it is not what array_out writes
    """
    flat, items = _patterns(delimiter)
    bounds = _BOUNDS.match(data)
    at = bounds.end() if bounds else 0
    lists: list[list[Any]] = [[]]  # the open ones, in one that is not an array's
    expected = True  # whether a value comes next, and not what follows one
    while at < len(data):
        mark = data[at : at + 1]
        if expected and (found := flat.match(data, at)):
            lists[-1].append(
                [
                    load(unquote(quoted)) if quoted else None if bare == b"NULL" else load(bare)
                    for quoted, bare in items.findall(data, at, found.end())
                ]
            )
            at, expected = found.end(), False
            continue
        if expected and mark == b"{" and len(lists) < DIMENSIONS:
            lists[-1].append([])
            lists.append(lists[-1][-1])
        elif not expected and mark == b"}" and len(lists) > 1:
            lists.pop()
        elif not expected and mark == delimiter and len(lists) > 1:
            expected = True
        else:
            raise _malformed(data)
        at += 1
    if expected or len(lists) > 1:
        raise _malformed(data)
    array: list[Any] = lists[0][0]
    return array


def _malformed(data: bytes) -> DataError:
    return DataError(f"cannot read the text of an array: {shown(data[:80])}")


def _text_decoder(loader: ArrayLoader) -> tuple[Any, ...] | None:
    if loader._tx.encoding != "utf-8":
        return None
    return (
        "array text",
        lambda _: loader._tx.get_loader(loader.element_oid, loader.format).load,
        loader.delimiter[0],
    )


class ArrayLoader(RecursiveLoader):
    """An array of one element type, from text."""

    format = Format.TEXT
    element_oid: ClassVar[int]
    delimiter: ClassVar[bytes] = b","

    @decodable(_text_decoder)
    def load(self, data: bytes) -> list[Any]:
        recoder = Recoder(self._tx.encoding)
        load = self._tx.get_loader(self.element_oid, self.format).load
        return parse(recoder.plain(data), self.delimiter, lambda item: load(recoder.client(item)))


class ArrayBinaryLoader(RecursiveLoader):
    """An array from array_send's layout, which names the elements' type."""

    format = Format.BINARY

    @decodable(lambda self: ("array", lambda oid: self._tx.get_loader(oid, self.format).load))
    def load(self, data: bytes) -> list[Any]:
        wire = Wire(data, "array")
        ndim, _has_null, oid = wire.int32(), wire.int32(), wire.uint32()
        if not 0 <= ndim <= DIMENSIONS:
            raise wire.fail(f"{ndim} dimensions")
        dims = [(wire.int32(), wire.int32())[0] for _ in range(ndim)]
        size = prod(dims) if dims else 0
        if any(dim < 0 for dim in dims) or size * 4 > len(data):
            raise wire.fail(f"dimensions {dims}")
        if not size:
            wire.end()
            return []
        load = self._tx.get_loader(oid, self.format).load
        values = [None if item is None else load(item) for item in (wire.field() for _ in range(size))]
        wire.end()
        array: list[Any] = nest(dims, values, list)
        return array


def register_array(info: TypeInfo, context: AdaptContext | None = None) -> None:
    """Register how arrays of a type are loaded, and dumped where the array's type is what is known.

    :raises ValueError: the type has no array type
    """
    if not info.array_oid:
        raise ValueError(f"the type {info.name} has no array type")
    adapters = adapters_of(context)
    known = {
        "element_oid": info.oid,
        "oid": info.array_oid,
        "delimiter": info.delimiter.encode(),
        "__module__": __name__,
    }
    adapters.register_loader(info.array_oid, type("ArrayLoader", (ArrayLoader,), known))
    adapters.register_dumper(None, type("ListBinaryDumper", (ListBinaryDumper,), known))
    adapters.register_dumper(None, type("ListDumper", (ListDumper,), known))
    adapters.register_loader(info.array_oid, ArrayBinaryLoader)


def _follow(info: TypeInfo, adapters: AdaptersMap) -> None:
    if info.array_oid:
        register_array(info, adapters)


def register_default_adapters(context: AdaptContext) -> None:
    """Register how lists are dumped, and the arrays of all types known now and from now on."""
    adapters = adapters_of(context)
    for info in list(adapters.types):
        _follow(info, adapters)
    adapters.type_hooks += (_follow,)
    adapters.register_dumper(list, ListBinaryDumper)
    adapters.register_dumper(list, ListDumper)
