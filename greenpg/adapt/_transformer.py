"""Converting whole rows and sequences of parameters in one place: a connection, or a cursor, as it is now.

A `Transformer` keeps the dumpers and loaders it has made: what is registered later, and settings that change
on the connection (encoding, time zone, styles), count for the next one. Whatever goes wrong in a dumper or a
loader comes out as a `DataError` or `ProgrammingError` that names value and type, or the column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from greenpg.adapt._base import Dumper, Loader, PyFormat, shown
from greenpg.adapt._encoders import encoder_for
from greenpg.adapt._encodings import codec_as, codec_of
from greenpg.adapt._map import adapters_of
from greenpg.errors import DataError, Error, InterfaceError, ProgrammingError
from greenpg.pq import Format
from greenpg.pq.rows import UnloadableCell, new_row_loader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from greenpg.adapt._base import AdaptContext
    from greenpg.adapt._map import AdaptersMap
    from greenpg.pq import Buffer, PGresult
    from greenpg.pq.params import Encoder
    from greenpg.pq.rows import RowLoader

Row = TypeVar("Row")

_NO_COLUMNS: tuple[tuple[int, ...], int] = (0,), -1
_TEXT_OID = 25
_UNKNOWN_OID = 705


class Transformer:
    """Dumps parameters and loads rows; of what it dumped last it keeps types and formats."""

    __module__ = "greenpg.adapt"

    types: tuple[int, ...] | None
    """The OID of each parameter dumped last; 0: the server finds out."""

    formats: list[Format] | None
    """The format of each parameter dumped last."""

    def __init__(
        self, context: AdaptContext | None = None, settings: tuple[bytes | None, ...] | None = None
    ) -> None:
        """Make one.

        :param context: whose adapters and settings count; None for the package's adapters and no connection
        :param settings: those of the connection, its encoding first, to know later whether they are the same;
            None if that is not asked
        """
        self.adapters = adapters_of(context)
        """The dumpers and loaders in force."""
        self.settings = settings
        self._state = self.adapters.state
        self._connection = None if context is None else context.connection
        self._encoding: str | None = None
        self._dumpers: dict[tuple[PyFormat, Any], Dumper] = {}
        self._loaders: dict[int, dict[int, Loader]] = {Format.TEXT: {}, Format.BINARY: {}}
        self._row_dumpers: list[Dumper] | None = None
        self._row_encoders: list[Encoder | None] | None = None
        self._row_loads: tuple[Callable[[bytes], Any], ...] = ()
        self._row_loader: RowLoader | None = None
        self._column_types, self._column_format = _NO_COLUMNS
        """Those of the result's columns that they are for."""
        self._result: PGresult | None = None
        self.types = None
        self.formats = None

    @classmethod
    def from_context(cls, context: AdaptContext | None) -> Transformer:
        """Return the context itself if it is one, so that nested values share what it keeps."""
        return context if isinstance(context, Transformer) else cls(context)

    def is_for(self, settings: object, adapters: AdaptersMap | None) -> bool:
        """Return whether one made now would be the same, for these settings and adapters."""
        return (
            settings is self.settings
            and adapters is not None
            and adapters is self.adapters
            and adapters.state is self._state
            and self._row_dumpers is None
        )

    @property
    def connection(self) -> Any:
        """The connection, an object with a `pgconn`; None without one."""
        return self._connection

    @property
    def encoding(self) -> str:
        """Python's name of the client encoding, as it was at first; UTF-8 for SQL_ASCII."""
        if self._encoding is None:
            # of the time when the settings were: a command that has failed may have taken a change back
            found = codec_as(self.settings[0]) if self.settings else codec_of(self._connection)
            self._encoding = "utf-8" if found == "ascii" else found
        return self._encoding

    # Dumping

    def get_dumper(self, obj: object, format: PyFormat) -> Dumper:
        """Return the dumper for an object, the same one for all of its kind.

        :raises ProgrammingError: there is none
        """
        cls = type(obj)
        dumper = self._dumpers.get((format, cls))
        if dumper is None:
            dumper = self.adapters.get_dumper(cls, format)(cls, self)
            self._dumpers[format, cls] = dumper
        key: Any = dumper.get_key(obj, format)
        if key is cls:
            return dumper
        upgraded = self._dumpers.get((format, key))
        if upgraded is None:
            upgraded = self._dumpers[format, key] = dumper.upgrade(obj, format)
        return upgraded

    def set_dumper_types(self, types: Sequence[int], format: Format) -> None:
        """Have all parameters from now on dumped for these PostgreSQL types, as binary COPY needs them.

        :raises ProgrammingError: a type has no dumper
        """
        py_format = PyFormat.from_pq(format)
        self._row_dumpers = [self.adapters.get_dumper_by_oid(oid, py_format)(object, self) for oid in types]
        self._row_encoders = None
        self.types = tuple(types)
        self.formats = [format] * len(self._row_dumpers)

    def dump_sequence(self, params: Sequence[Any], formats: Sequence[PyFormat]) -> list[Buffer | None]:
        """Return parameters as the server takes them, and keep their `types` and `formats`.

        :param formats: one for each parameter; they do not count after `set_dumper_types()`
        :raises DataError: a value cannot be dumped, `ProgrammingError`: there is no dumper for it
        """
        if self._row_dumpers is not None:
            return self._dump_by_type(params)
        dumped, self.types, self.formats = self.adapters.encoders.dump(self, params, formats)
        return dumped

    def dump_one(self, param: Any, format: PyFormat) -> tuple[Buffer | None, int, Format]:
        """Return one value, which is not None, as the server takes it, its type and its format.

        :raises DataError: it cannot be dumped, `ProgrammingError`: there is no dumper for it
        """
        try:
            dumper = self.get_dumper(param, format)
            return dumper.dump(param), dumper.oid, dumper.format
        except Exception as error:
            raise _undumpable(param, error) from error

    def find_encoder(
        self, make: Callable[[str, int, int], Encoder], cls: type, format: PyFormat
    ) -> Encoder | None:
        """Return what does the same as the dumper for objects of a class, if there is such; see `Dumps`."""
        try:
            dumper = self.adapters.get_dumper(cls, format)
        except ProgrammingError:
            return None
        return encoder_for(make, dumper, by_class=True)

    def _dump_by_type(self, params: Sequence[Any]) -> list[Buffer | None]:
        assert self._row_dumpers is not None
        if len(params) != len(self._row_dumpers):
            raise DataError(f"expected {len(self._row_dumpers)} values in the row, got {len(params)}")
        return [None if param is None else self.dump_typed(param, i) for i, param in enumerate(params)]

    def dump_typed(self, param: Any, number: int) -> Buffer | None:
        """Return one value, which is not None, for the type that `set_dumper_types()` has set for its column.

        :raises DataError: it cannot be dumped as that
        """
        assert self._row_dumpers is not None
        try:
            return self._row_dumpers[number].dump(param)
        except Exception as error:
            raise _undumpable(param, error) from error

    def row_encoders(self, make: Callable[[str, int, int], Encoder]) -> list[Encoder | None] | None:
        """Return what does the same as the dumpers of `set_dumper_types()`; None if that was not called."""
        if self._row_encoders is None and self._row_dumpers is not None:
            self._row_encoders = [
                encoder_for(make, type(dumper), by_class=False) for dumper in self._row_dumpers
            ]
        return self._row_encoders

    def as_literal(self, obj: object) -> bytes:
        """Return an object as an SQL literal, with a cast to its type if the literal alone would not tell.

        :raises DataError: it cannot be dumped, `ProgrammingError`: there is no dumper for it
        """
        try:
            dumper = self.get_dumper(obj, PyFormat.TEXT)
            literal = bytes(dumper.quote(obj))
        except Exception as error:
            raise _undumpable(obj, error) from error
        if not literal.endswith(b"'") or dumper.oid in (0, _TEXT_OID, _UNKNOWN_OID):
            return literal
        info = self.adapters.types.get(dumper.oid)
        if info is None:
            return literal
        cast = info.regtype + ("[]" if dumper.oid == info.array_oid else "")
        return literal + b"::" + cast.encode(self.encoding)

    # Loading

    @property
    def pgresult(self) -> PGresult | None:
        """The result that rows are loaded from."""
        return self._result

    def set_pgresult(
        self,
        result: PGresult | None,
        *,
        set_loaders: bool = True,
        format: Format | None = None,
    ) -> None:
        """Load from a result from now on.

        :param set_loaders: whether its columns are others than those of the result before
        :param format: of all columns, instead of what the result says
        """
        self._result = result
        if not set_loaders:
            return
        if result is None:
            self._set_loads([])
        elif not result.has_columns(self._column_types, self._column_format):
            self._set_loads(self._loads_of(result, format))
            if format is None and self._row_loads:
                self._column_types = tuple([result.ftype(i) for i in range(result.nfields)])
                self._column_format = result.fformat(0)

    def set_loader_types(self, types: Sequence[int], format: Format) -> None:
        """Load sequences of values of these types, all in one format, from now on."""
        self._set_loads([self.get_loader(oid, format).load for oid in types])

    def _loads_of(self, result: PGresult, format: Format | None) -> list[Callable[[bytes], Any]]:
        columns = range(result.nfields)
        formats = [result.fformat(i) if format is None else format for i in columns]
        return [self.get_loader(result.ftype(i), formats[i]).load for i in columns]

    def _set_loads(self, loads: Sequence[Callable[[bytes], Any]]) -> None:
        self._row_loads, self._row_loader = tuple(loads), None
        self._column_types, self._column_format = _NO_COLUMNS

    @property
    def row_loader(self) -> RowLoader:
        """What loads rows of the columns that were set last; made when it is first asked for.

        It holds loaders, which hold the connection, and some need this transformer to be there.
        """
        if self._row_loader is None:
            self._row_loader = new_row_loader(self._row_loads)
        return self._row_loader

    def unknown_oids(self) -> set[int]:
        """Return the types of the result's columns that have neither a loader nor a `TypeInfo`."""
        result = self._result
        oids = set() if result is None else {result.ftype(i) for i in range(result.nfields)}
        return {oid for oid in oids if not self.adapters.is_known(oid)}

    def are_binary(self, oids: Iterable[int]) -> bool:
        """Return whether columns of these types are all best loaded from binary."""
        return all(map(self.adapters.prefers_binary, oids))

    def get_loader(self, oid: int, format: int) -> Loader:
        """Return the loader of a type in a format, always the same one.

        A type without one is loaded as text, from text; from binary, its `load()` raises `DataError`.
        """
        known = self._loaders.get(format)
        if known is None:
            raise DataError(f"the server has sent a column in a format that there is not: {format}")
        loader = known.get(oid)
        if loader is not None:
            return loader
        found = self.adapters.get_loader(oid, Format.BINARY if format else Format.TEXT)
        if found is not None:
            known[oid] = loader = found(oid, self)
            return loader
        # Not kept: the type may be learned in between.
        unknown = self.adapters.get_loader(0, Format.TEXT) if format == Format.TEXT else None
        return (unknown or _Unloadable)(oid, self)

    def load_rows(self, row0: int, row1: int, make_row: Callable[[Sequence[Any]], Row]) -> list[Row]:
        """Return rows of the result.

        :param row0: number of the first row
        :param row1: number of the row after the last
        :param make_row: makes a row of a tuple of its values; `tuple` itself leaves it as it is
        :raises DataError: a value cannot be loaded
        :raises InterfaceError: there are no such rows
        """
        result, loader = self._result, self._row_loader or self.row_loader
        if result is None:
            raise InterfaceError("there is no result, and no rows to load")
        try:
            rows: list[Any] = loader.load(result, row0, row1)
        except UnloadableCell as cell:
            data = result.get_value(cell.row, cell.column)
            raise self._unloadable(data, cell) from cell.__cause__
        except IndexError as error:
            raise InterfaceError(
                f"the result has no rows {row0} to {row1}, it has {result.ntuples}"
            ) from error
        return rows if make_row is tuple else list(map(make_row, rows))

    def load_row(self, row: int, make_row: Callable[[Sequence[Any]], Row]) -> Row | None:
        """Return one row of the result, None if there is no such row; else as `load_rows()`."""
        if self._result is None or not 0 <= row < self._result.ntuples:
            return None
        return self.load_rows(row, row + 1, make_row)[0]

    def load_sequence(self, record: Sequence[bytes | None]) -> tuple[Any, ...]:
        """Return the Python objects for the values of one row.

        :raises DataError: a value cannot be loaded, or there are not as many as there are types
        """
        if len(record) != len(self._row_loads):
            raise DataError(f"expected {len(self._row_loads)} values in the row, got {len(record)}")
        try:
            return self.row_loader.load_record(record)
        except UnloadableCell as cell:
            raise self._unloadable(record[cell.column], cell) from cell.__cause__

    def _unloadable(self, data: bytes | None, cell: UnloadableCell) -> Error:
        """Return the error to raise for a value that could not be loaded."""
        error, column = cell.__cause__, self._column(cell.column)
        if isinstance(error, Error):
            return type(error)(f"{error}, in column {column}")
        return DataError(f"cannot load {shown(data)} of column {column}: {type(error).__name__}: {error}")

    def _column(self, number: int) -> str:
        """Return a column for a message."""
        name = None if self._result is None else self._result.fname(number)
        label = number + 1 if name is None else repr(name.decode(self.encoding, "replace"))
        loader = getattr(self._row_loads[number], "__self__", None)
        oid = loader.oid if isinstance(loader, Loader) else 0
        return f"{label} (type {self.adapters.types.name_of(oid)})"


class _Unloadable(Loader):
    """What stands for the binary loader of a type that has none."""

    format = Format.BINARY

    def load(self, data: bytes) -> Any:
        """Refuse: nobody can know what the bytes mean."""
        raise DataError("no loader for the binary format of this type: ask for text, or register one")


def _undumpable(obj: object, error: Exception) -> Error:
    """Return the error to raise for an object that could not be dumped."""
    if isinstance(error, Error):
        return error
    return DataError(f"cannot adapt {shown(obj)} of type {type(obj).__name__!r}: {error}")
