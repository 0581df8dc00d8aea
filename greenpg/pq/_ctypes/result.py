"""`PGresult`: what libpq received, readable for as long as the object lives, also after the connection."""

from __future__ import annotations

from ctypes import string_at
from operator import eq
from typing import TYPE_CHECKING

from greenpg.pq import abc
from greenpg.pq.enums import ExecStatus

if TYPE_CHECKING:
    from types import SimpleNamespace


class PGresult(abc.PGresult):
    """A `PGresult *` that is cleared with this object."""

    __slots__ = ("_end", "_nfields", "_ntuples", "_owned", "_pq", "_ptr")

    def __init__(self, pq: SimpleNamespace, address: int, owned: bool = True):
        self._pq = pq
        self._owned = owned
        self._ptr: int | None = address
        self._ntuples: int = pq.PQntuples(address)
        self._nfields: int = pq.PQnfields(address)
        self._end: abc.PGresult | None = None
        """What has come after the only chunk."""

    def __del__(self) -> None:
        if hasattr(self, "_ptr"):  # a signal may come before the first line of __init__
            self.clear()

    def clear(self) -> None:
        ptr, self._ptr = self._ptr, None
        self._ntuples = self._nfields = 0
        if ptr and self._owned:
            self._pq.PQclear(ptr)

    @property
    def status(self) -> ExecStatus:
        if self._end is not None:
            return ExecStatus.TUPLES_OK
        return ExecStatus(self._pq.PQresultStatus(self._ptr))

    @property
    def error_message(self) -> bytes:
        return self._pq.PQresultErrorMessage(self._ptr) or b""

    def get_error_message(self, encoding: str = "utf-8") -> str:
        return self.error_message.decode(encoding, "replace").strip()

    def error_field(self, fieldcode: int) -> bytes | None:
        field: bytes | None = self._pq.PQresultErrorField(self._ptr, fieldcode)
        return field

    @property
    def ntuples(self) -> int:
        return self._ntuples

    @property
    def nfields(self) -> int:
        return self._nfields

    def fname(self, column_number: int) -> bytes | None:
        self._check_column(column_number)
        name: bytes | None = self._pq.PQfname(self._ptr, column_number)
        return name

    def ftable(self, column_number: int) -> int:
        self._check_column(column_number)
        return int(self._pq.PQftable(self._ptr, column_number))

    def ftablecol(self, column_number: int) -> int:
        self._check_column(column_number)
        return int(self._pq.PQftablecol(self._ptr, column_number))

    def fformat(self, column_number: int) -> int:
        self._check_column(column_number)
        return int(self._pq.PQfformat(self._ptr, column_number))

    def ftype(self, column_number: int) -> int:
        self._check_column(column_number)
        return int(self._pq.PQftype(self._ptr, column_number))

    def fmod(self, column_number: int) -> int:
        self._check_column(column_number)
        return int(self._pq.PQfmod(self._ptr, column_number))

    def fsize(self, column_number: int) -> int:
        self._check_column(column_number)
        return int(self._pq.PQfsize(self._ptr, column_number))

    def has_columns(self, types: tuple[int, ...], format: int | None = None) -> bool:
        return (
            len(types) == self._nfields
            and all(map(eq, types, map(self.ftype, range(self._nfields))))
            and (format is None or all(self.fformat(i) == format for i in range(self._nfields)))
        )

    def get_value(self, row_number: int, column_number: int) -> bytes | None:
        length = self.get_length(row_number, column_number)
        if length:
            return string_at(self._pq.PQgetvalue(self._ptr, row_number, column_number), length)
        return None if self._pq.PQgetisnull(self._ptr, row_number, column_number) else b""

    def get_isnull(self, row_number: int, column_number: int) -> bool:
        self._check_cell(row_number, column_number)
        return bool(self._pq.PQgetisnull(self._ptr, row_number, column_number))

    def get_length(self, row_number: int, column_number: int) -> int:
        self._check_cell(row_number, column_number)
        return int(self._pq.PQgetlength(self._ptr, row_number, column_number))

    @property
    def nparams(self) -> int:
        return int(self._pq.PQnparams(self._ptr))

    def param_type(self, param_number: int) -> int:
        if not 0 <= param_number < self.nparams:
            raise IndexError(f"there is no parameter {param_number}, the result describes {self.nparams}")
        return int(self._pq.PQparamtype(self._ptr, param_number))

    @property
    def command_status(self) -> bytes | None:
        tag: bytes | None = self._pq.PQcmdStatus(self._ptr)
        return tag or (None if self._end is None else self._end.command_status)

    @property
    def command_tuples(self) -> int | None:
        count: bytes | None = self._pq.PQcmdTuples(self._ptr)
        if count:
            return int(count)
        return None if self._end is None else self._end.command_tuples

    def be_whole(self, end: abc.PGresult) -> None:
        self._end = end

    @property
    def oid_value(self) -> int:
        return int(self._pq.PQoidValue(self._ptr))

    def _check_cell(self, row_number: int, column_number: int) -> None:
        # libpq would report a bad number to the connection's notice receiver, which may be gone by now.
        if not 0 <= row_number < self._ntuples or not 0 <= column_number < self._nfields:
            raise IndexError(
                f"there is no row {row_number}, column {column_number} in a result "
                f"of {self._ntuples} rows and {self._nfields} columns"
            )

    def _check_column(self, column_number: int) -> None:
        if not 0 <= column_number < self._nfields:
            raise IndexError(f"there is no column {column_number} in a result of {self._nfields} columns")
