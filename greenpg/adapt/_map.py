"""Which dumper or loader is for what: `AdaptersMap`, of the package, of a connection, of a cursor.

What was registered last counts: the last dumper of a class is the one for `%s`, whatever its format, and the
last loader of a type tells which format the core asks for by itself. So families register text first and
binary last, where binary is the better one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenpg.adapt import _builtin_types as builtin
from greenpg.adapt._base import PyFormat
from greenpg.adapt._encoders import new_encoders
from greenpg.adapt._typemod import (
    BitTypeModifier,
    CharTypeModifier,
    NumericTypeModifier,
    TimeTypeModifier,
    TypeModifier,
)
from greenpg.adapt._types import TypeInfo, TypesRegistry
from greenpg.errors import ProgrammingError
from greenpg.pq import Format

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenpg.adapt._base import AdaptContext, Dumper, Loader
    from greenpg.pq.params import Encoders

_AUTO, _TEXT, _BINARY = PyFormat.AUTO, PyFormat.TEXT, PyFormat.BINARY

_MODIFIERS: dict[str, type[TypeModifier]] = {
    **dict.fromkeys(("bit", "varbit"), BitTypeModifier),
    **dict.fromkeys(("bpchar", "varchar"), CharTypeModifier),
    **dict.fromkeys(("time", "timetz", "timestamp", "timestamptz", "interval"), TimeTypeModifier),
    "numeric": NumericTypeModifier,
}


class AdaptersMap:
    """Dumpers by class, loaders by type. It shares all with its template until either of them changes.

    Later changes of the template do not reach it: a connection works as the package did when it was made.
    """

    __module__ = "greenpg.adapt"

    types: TypesRegistry
    """The types that are known."""

    type_hooks: tuple[Callable[[TypeInfo, AdaptersMap], object], ...]
    """Called with each type that is registered: how arrays follow their elements."""

    state: object
    """Another object after each change: what was chosen by the map is right as long as it is the same."""

    def __init__(self, template: AdaptersMap | None = None, types: TypesRegistry | None = None) -> None:
        """Make a map.

        :param template: to begin with; nothing is known if it is left out
        :param types: instead of the template's
        """
        self._own = template is None
        self.state = object() if template is None or types is not None else template.state
        self._dumpers: dict[PyFormat, dict[type | str, type[Dumper]]]
        self._dumpers_by_oid: dict[PyFormat, dict[int, type[Dumper]]]
        self._loaders: dict[PyFormat, dict[int, type[Loader]]]
        self._encoders: Encoders | None
        if template is None:
            self._dumpers = {format: {} for format in PyFormat}
            self._dumpers_by_oid = {format: {} for format in PyFormat}
            self._loaders = {format: {} for format in PyFormat}
            self.types = types or TypesRegistry()
            self.type_hooks = ()
            self._encoders = None
        else:
            self._dumpers = template._dumpers
            self._dumpers_by_oid = template._dumpers_by_oid
            self._loaders = template._loaders
            template._own = False
            self.types = types or TypesRegistry(template.types)
            self.type_hooks = template.type_hooks
            self._encoders = template._encoders

    @property
    def adapters(self) -> AdaptersMap:
        """The map itself (of an `AdaptContext`)."""
        return self

    @property
    def connection(self) -> None:
        """None: it is of no connection (of an `AdaptContext`)."""
        return

    @property
    def encoders(self) -> Encoders:
        """What dumps parameters by the dumpers that are registered now."""
        if self._encoders is None:
            self._encoders = new_encoders()
        return self._encoders

    def _make_own(self) -> None:
        self.state = object()
        if not self._own:
            self._dumpers = {format: dict(known) for format, known in self._dumpers.items()}
            self._dumpers_by_oid = {format: dict(known) for format, known in self._dumpers_by_oid.items()}
            self._loaders = {format: dict(known) for format, known in self._loaders.items()}
            self._own = True

    def register_dumper(self, cls: type | str | None, dumper: type[Dumper]) -> None:
        """Dump objects of a class, and of its subclasses, by `dumper`, in its format and for `%s`.

        :param cls: the class; its dotted name, so that it need not be imported; or None: only by `oid`
        :param dumper: also found by its `oid` (for COPY and containers), if it has one
        """
        self._make_own()
        self._encoders = None
        for format in (_AUTO, PyFormat.from_pq(dumper.format)):
            if cls is not None:
                self._dumpers[format][cls] = dumper
            if dumper.oid:
                self._dumpers_by_oid[format][dumper.oid] = dumper

    def register_loader(self, oid: int | str, loader: type[Loader]) -> None:
        """Have values of a type loaded by `loader`, in its format and as the format that the core prefers.

        :param oid: the type's OID, or its name if it is in `types`
        :raises ProgrammingError: no type has that name
        """
        number = self.types.oid_of(oid)
        self._make_own()
        for format in (_AUTO, PyFormat.from_pq(loader.format)):
            self._loaders[format][number] = loader

    def register_type(self, info: TypeInfo) -> None:
        """Make a type known, and whatever follows from it; `TypeInfo.register()` is its public face."""
        self.state = object()
        self.types.add(info)
        for hook in self.type_hooks:
            hook(info, self)

    def forget_learned(self) -> None:
        """Make unknown what nobody has registered, so that it is asked for again: a type was altered."""
        self._make_own()
        learned = [info for info in self.types if info.is_learned]
        for known in self._loaders.values():
            for info in learned:
                known.pop(info.oid, None)
                known.pop(info.array_oid, None)
        self.types.remove(learned)

    def get_dumper(self, cls: type, format: PyFormat) -> type[Dumper]:
        """Return the dumper for objects of a class: its own, or the first one along its `__mro__`.

        :raises ProgrammingError: there is none
        """
        known = self._dumpers[format]
        for base in cls.__mro__:
            found = known.get(base) or known.get(f"{base.__module__}.{base.__qualname__}")
            if found is not None:
                return found
        raise ProgrammingError(
            f"cannot adapt type {cls.__name__!r} for the placeholder '%{format.value}':"
            " register a dumper for it, or pass a value of another type"
        )

    def get_dumper_by_oid(self, oid: int, format: PyFormat) -> type[Dumper]:
        """Return the dumper for values of a PostgreSQL type, whatever their class.

        :raises ProgrammingError: there is none
        """
        found = self._dumpers_by_oid[PyFormat(format)].get(oid)
        if found is None:
            raise ProgrammingError(
                f"no dumper for the type {self.types.name_of(oid)} in {PyFormat(format).name.lower()} format"
            )
        return found

    def get_loader(self, oid: int, format: Format) -> type[Loader] | None:
        """Return the loader of a type in a format, None if there is none."""
        return self._loaders[_BINARY if format == Format.BINARY else _TEXT].get(oid)

    def is_known(self, oid: int) -> bool:
        """Return whether there is a loader of the type, of either format, or a `TypeInfo`."""
        return oid in self._loaders[_AUTO] or self.types.get(oid) is not None

    def prefers_binary(self, oid: int) -> bool:
        """Return whether a type, and all that its values are made of, are best loaded from binary."""
        seen, todo = set(), [oid]
        while todo:
            here = todo.pop()
            loader = self._loaders[_AUTO].get(here)
            if loader is None or loader.format != Format.BINARY:
                return False
            seen.add(here)  # a type may be made of arrays of itself
            todo += set(self.types.parts(here)) - seen
        return True


def _builtin() -> AdaptersMap:
    """Return a map of what every server has, and no adapters yet."""
    types = TypesRegistry()
    for name, oid, array_oid, regtype, delimiter in builtin.TYPES:
        modifier = _MODIFIERS.get(name, TypeModifier)
        types.add(TypeInfo(name, oid, array_oid, regtype=regtype, delimiter=delimiter, typemod=modifier))
    return AdaptersMap(types=types)


adapters = _builtin()
"""The package's own map, which connections begin with; `greenpg.types` fills it."""
TypeInfo.defaults = adapters


def adapters_of(context: AdaptContext | None) -> AdaptersMap:
    """Return the map in force somewhere; the package's own for None."""
    if context is None:
        return adapters
    found: Any = context.adapters
    assert isinstance(found, AdaptersMap)
    return found
