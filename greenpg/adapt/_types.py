"""What is known of PostgreSQL's types: a `TypeInfo` for each, found by name or OID in a `TypesRegistry`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from greenpg.adapt._typemod import TypeModifier
from greenpg.errors import ProgrammingError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from typing_extensions import Self

    from greenpg.adapt._base import AdaptContext

Info = TypeVar("Info", bound="TypeInfo")


class TypeInfo:
    """A type of PostgreSQL: its names, its OID, its array's."""

    __module__ = "greenpg.types"

    defaults: ClassVar[Any]
    """The package's own `AdaptersMap`, set by the module of it, which is above this one."""

    def __init__(
        self,
        name: str,
        oid: int,
        array_oid: int,
        *,
        regtype: str = "",
        delimiter: str = ",",
        typemod: type[TypeModifier] = TypeModifier,
    ) -> None:
        """Describe a type.

        :param name: as in `pg_type`
        :param array_oid: 0 if it has no array type
        :param regtype: as SQL has it: `double precision`, `myschema.mytype`; the name if left out
        :param delimiter: between the values in the text of its arrays
        :param typemod: what a column's type modifier says
        """
        self.name = name
        self.oid = oid
        self.array_oid = array_oid
        self.regtype = regtype or name
        self.delimiter = delimiter
        self.typemod = typemod(oid)

    def __repr__(self) -> str:
        return f"<{type(self).__qualname__}: {self.name} (oid: {self.oid}, array oid: {self.array_oid})>"

    @classmethod
    def fetch(cls, conn: Any, name: Any) -> Any:
        """Ask the server for a type.

        :param conn: a connection; an async one gives an awaitable
        :param name: of the type, as in SQL, or an `sql.Identifier`
        :return: None if there is no such type
        """
        return conn._fetch_type_info(cls, name)

    @classmethod
    def _query(cls, name: Any) -> tuple[str, Sequence[Any]]:
        """Return the query that asks for the type, with `$1`..., and its parameters, all of them text."""
        text = name if isinstance(name, str) else name.as_string(None)
        return (
            "select typname::text, oid, typarray, oid::regtype::text, typdelim::text from pg_type"
            " where oid = to_regtype($1)",
            [text],
        )

    @classmethod
    def _from_rows(cls, name: Any, rows: Sequence[Sequence[Any]]) -> Self | None:
        """Return the type that the rows of `_query()` tell of, None if there are none."""
        if not rows:
            return None
        typname, oid, array_oid, regtype, delimiter = rows[0]
        return cls(typname, oid, array_oid, regtype=regtype, delimiter=delimiter)

    def register(self, context: AdaptContext | None = None) -> None:
        """Make the type, and its array, known to a connection or a cursor; None: to all made later."""
        adapters = TypeInfo.defaults if context is None else context.adapters
        adapters.register_type(self)

    is_learned = False
    """Whether nobody has registered it: the connection has asked for it by itself."""

    def parts(self, oid: int) -> tuple[int, ...]:
        """Return the OIDs of the types that values are made of: of an array, its elements'.

        :param oid: the type's own, or its array's
        """
        return (self.oid,) if oid == self.array_oid else ()

    def get_type_display(self, oid: int | None = None, fmod: int | None = None) -> str:
        """Return the type as SQL: `numeric(10,2)[]`.

        :param oid: the type's own (which is the default), or its array's
        :param fmod: the type modifier of the column
        """
        suffix = "" if fmod is None else self.typemod.get_suffix(fmod)
        return self.name + suffix + ("[]" if oid and oid == self.array_oid else "")

    def get_display_size(self, fmod: int) -> int | None:
        """Return the length in characters or bits, if the column's type modifier has one."""
        return self.typemod.get_display_size(fmod)

    def get_precision(self, fmod: int) -> int | None:
        """Return the digits of a number, or of the seconds of a time, if the type modifier says so."""
        return self.typemod.get_precision(fmod)

    def get_scale(self, fmod: int) -> int | None:
        """Return the digits after the point, if the type modifier says so."""
        return self.typemod.get_scale(fmod)


class TypesRegistry:
    """Types by name, name in SQL, OID and OID of their array; a copy on write of its template."""

    __module__ = "greenpg.types"

    def __init__(self, template: TypesRegistry | None = None) -> None:
        """Make a registry that knows what `template` knows at this moment."""
        self._infos: dict[int | str, TypeInfo] = {}
        self._own = template is None
        if template is not None:
            self._infos = template._infos
            template._own = False

    def add(self, info: TypeInfo) -> None:
        """Add a type; of several with one name, the last one has it."""
        if not self._own:
            self._infos, self._own = dict(self._infos), True
        keys = (info.oid, info.array_oid, info.name, info.regtype)
        self._infos.update(dict.fromkeys((key for key in keys if key), info))

    def remove(self, infos: Collection[TypeInfo]) -> None:
        """Forget some of the types."""
        self._infos = {key: info for key, info in self._infos.items() if info not in infos}
        self._own = True

    def clear(self) -> None:
        """Forget all types."""
        self._infos, self._own = {}, True

    def __iter__(self) -> Iterator[TypeInfo]:
        """Iterate over all types, each once."""
        return iter({id(info): info for info in self._infos.values()}.values())

    def __getitem__(self, key: int | str) -> TypeInfo:
        """Return the type of a name or an OID; an array's (`int4[]`) stands for its elements' type.

        :raises KeyError: it is not known
        """
        info = self.get(key)
        if info is None:
            raise KeyError(f"no type {key!r} is registered: fetch its TypeInfo and register it")
        return info

    def get(self, key: int | str) -> TypeInfo | None:
        """Return the type of a name or an OID, None if it is not known."""
        if isinstance(key, str) and key.endswith("[]"):
            key = key[:-2]
        return self._infos.get(key)

    def get_oid(self, name: str) -> int:
        """Return the OID of the type of that name; of `name[]`, its array's.

        :raises KeyError: it is not known
        """
        info = self[name]
        return info.array_oid if name.endswith("[]") else info.oid

    def get_by_subtype(self, cls: type[Info], subtype: int | str) -> Info | None:
        """Return the range or multirange type made of another type.

        :param cls: the class of the `TypeInfo` wanted, which has a `subtype_oid`
        :param subtype: the OID or the name of the type that it is made of
        """
        known = self.get(subtype)
        oid = subtype if known is None else known.oid
        fitting = (info for info in self if isinstance(info, cls) and getattr(info, "subtype_oid", 0) == oid)
        return next(fitting, None)

    def parts(self, oid: int) -> tuple[int, ...]:
        """Return the OIDs of the types that values of the type are made of, none if that is not known."""
        info = self._infos.get(oid)
        return () if info is None else info.parts(oid)

    def name_of(self, oid: int) -> str:
        """Return a name for messages, whether the type is known or not."""
        info = self._infos.get(oid)
        return f"of OID {oid}" if info is None else info.get_type_display(oid)

    def oid_of(self, key: int | str) -> int:
        """Return the OID for what a caller may give as a type.

        :raises ProgrammingError: there is no type of that name
        """
        if isinstance(key, int):
            return key
        try:
            return self.get_oid(key)
        except KeyError as error:
            raise ProgrammingError(error.args[0]) from error
