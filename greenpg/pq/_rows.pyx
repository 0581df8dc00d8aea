# cython: cdivision=True
"""Rows to tuples, compiled: what `greenpg.pq.rows.RowLoader` says.

A column has a decoder, chosen by what its loader says of itself (see `greenpg.adapt._decoders`), or the
one that calls the loader. A decoder reads the bytes where they are and makes the very object that the loader
would make. For whatever is unusual (another length or style, what Python's class cannot hold) it returns
`UNUSUAL`; then the loader is called, which has the value or the error to give: so no error is made here.

Every length is checked before anything is read. The result is held, so that it stays even if a loader clears
it. While Python code may run, no list or tuple that is not full is where the garbage collector shows it.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.datetime cimport PyTZInfo_Check, date_new, datetime_new, import_datetime, time_new, timedelta_new
from cpython.datetime cimport timezone_new
from cpython.list cimport PyList_New, PyList_SET_ITEM
from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_New, PyTuple_SET_ITEM
from cpython.unicode cimport PyUnicode_DecodeASCII, PyUnicode_DecodeUTF8
from libc.math cimport isinf, isnan
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memchr, memcmp, memcpy
cimport cython

from greenpg.pq._libpq cimport Functions, PGresult, pg_result

from decimal import Decimal

from greenpg.pq.rows import UnloadableCell

cdef extern from "Python.h":
    bint PyType_IS_GC(PyTypeObject *)
    PyTypeObject *Py_TYPE(object)
    void PyObject_GC_Track(PyObject *)
    void PyObject_GC_UnTrack(PyObject *)
    int PyObject_GenericSetAttr(object, object, object) except -1
    object PyType_GenericAlloc(PyTypeObject *, Py_ssize_t)
    double PyOS_string_to_double(const char *, char **, PyObject *) except? -1.0

import_datetime()

cdef object UNUSUAL = object()
cdef object DECIMAL = Decimal

ctypedef object (*decoder)(Column, const char *, Py_ssize_t)


@cython.final
cdef class Column:
    """How the values of one column become objects."""

    cdef decoder decode
    cdef object load  # the loader's
    cdef object context  # what the decoder needs besides: zone, class, function
    cdef object call
    cdef int64_t offset  # of the zone from UTC, in microseconds
    cdef int yes  # the byte that is true; the delimiter of an array
    cdef int no
    cdef Column element  # of an array, for the type that its last value had
    cdef uint32_t element_oid

    def __cinit__(self, load):
        self.load = load
        self.decode = decode_by_loader
        describe = getattr(getattr(load, "__func__", None), "decodable", None)
        described = None if describe is None else describe(load.__self__)
        if described is not None and described[0] in NUMBERS and prepare(self, described):
            self.decode = DECODERS[<int>NUMBERS[described[0]]]


cdef object decode_by_loader(Column column, const char *data, Py_ssize_t size):
    return column.load(PyBytes_FromStringAndSize(data, size))


cdef inline object value_of(Column column, const char *data, Py_ssize_t size):
    value = column.decode(column, data, size)
    if value is UNUSUAL:
        return column.load(PyBytes_FromStringAndSize(data, size))
    return value


include "_rows_binary.pxi"
include "_rows_text.pxi"

cdef dict NUMBERS = {}
cdef decoder[64] DECODERS


cdef int known(str name, decoder decode) except -1:
    DECODERS[len(NUMBERS)] = decode
    NUMBERS[name] = len(NUMBERS)
    return 0


known("bytes", decode_bytes)
known("bool", decode_bool)
known("!h", decode_int2)
known("!i", decode_int4)
known("!q", decode_int8)
known("!I", decode_uint4)
known("!Q", decode_uint8)
known("!f", decode_float4)
known("!d", decode_float8)
known("numeric", decode_numeric)
known("utf-8", decode_utf8)
known("ascii", decode_ascii)
known("char", decode_char)
known("date", decode_date)
known("time", decode_time)
known("timetz", decode_timetz)
known("timestamp", decode_timestamp)
known("timestamptz", decode_timestamptz)
known("interval", decode_interval)
known("uuid", decode_uuid)
known("json", decode_json)
known("jsonb", decode_jsonb)
known("array", decode_array)
known("int text", decode_int_text)
known("digits text", decode_digits_text)
known("float text", decode_float_text)
known("float4 text", decode_float4_text)
known("numeric text", decode_numeric_text)
known("bytea text", decode_bytea_text)
known("date text", decode_date_text)
known("time text", decode_time_text)
known("timetz text", decode_timetz_text)
known("timestamp text", decode_timestamp_text)
known("timestamptz text", decode_timestamptz_text)
known("interval text", decode_interval_text)
known("uuid text", decode_uuid_text)
known("array text", decode_array_text)


cdef bint prepare(Column column, tuple described) except -1:
    """Give a column what its decoder needs besides; return whether it is what it needs."""
    cdef str name = described[0]
    first = described[1] if len(described) > 1 else None
    second = described[2] if len(described) > 2 else None
    if name == "bool":
        column.yes, column.no = first, second
    elif name.startswith("timestamptz"):
        if not PyTZInfo_Check(first):
            return False
        column.context = first
        if second is None:
            column.call = first.fromutc
        else:
            column.offset = second
    elif name == "array text":
        column.call, column.yes = first, second
    elif name.startswith("uuid"):
        column.context, column.call = first, uuid_safety()
    elif name.startswith("json"):
        column.context, column.call = first, json_scanner(first)
    else:
        column.call = first
    return True


@cython.final
cdef class RowLoader:
    """Makes tuples of the values of rows."""

    cdef readonly tuple loads
    cdef tuple columns

    def __cinit__(self, loads):
        self.loads = tuple(loads)
        self.columns = tuple([Column(load) for load in self.loads])

    def load(self, result, int row0, int row1):
        if type(result) is not PGresult:
            from greenpg.pq._ctypes.rows import RowLoader as PythonLoop

            return PythonLoop(self.loads).load(result, row0, row1)
        return rows_of(self.columns, <PGresult>result, row0, row1)

    def load_record(self, record):
        cdef tuple data = tuple(record)
        if len(data) != len(self.columns):
            raise ValueError(f"expected {len(self.columns)} values in the row, got {len(data)}")
        return row_of(self.columns, data)


cdef list rows_of(tuple columns, PGresult result, int row0, int row1):
    cdef int row = row0, column = 0, size, width = <int>len(columns)
    cdef Functions *pq = result.pq
    cdef list rows
    cdef tuple record
    cdef bint may_cycle
    if not 0 <= row0 <= row1 <= result.ntuples or width > result.nfields:
        raise IndexError(f"rows {row0} to {row1} of {width} columns are not all in the result")
    rows = PyList_New(row1 - row0)
    PyObject_GC_UnTrack(<PyObject *>rows)
    cdef pg_result *ptr = result.hold()
    try:
        for row in range(row0, row1):
            record = unfilled(width)
            may_cycle = False
            for column in range(width):
                if result.ptr is NULL:  # a loader has cleared it: say so
                    result.check_cell(row, column)
                size = pq.PQgetlength(ptr, row, column)
                if size == 0 and pq.PQgetisnull(ptr, row, column):
                    value = None
                else:
                    value = value_of(at(columns, column), pq.PQgetvalue(ptr, row, column), size)
                may_cycle |= put(record, column, value)
            if may_cycle:
                PyObject_GC_Track(<PyObject *>record)
            Py_INCREF(record)
            PyList_SET_ITEM(rows, row - row0, record)
    except Exception as error:
        raise UnloadableCell(row, column) from error
    finally:
        result.release()
    PyObject_GC_Track(<PyObject *>rows)
    return rows


cdef tuple row_of(tuple columns, tuple data):
    cdef Py_ssize_t column = 0
    cdef tuple record = unfilled(len(columns))
    cdef bint may_cycle = False
    try:
        for column in range(len(columns)):
            item = data[column]
            if item is None:
                value = None
            elif PyBytes_CheckExact(item):
                value = value_of(at(columns, column), PyBytes_AS_STRING(item), PyBytes_GET_SIZE(item))
            else:
                value = at(columns, column).load(item)
            may_cycle |= put(record, column, value)
    except Exception as error:
        raise UnloadableCell(0, <int>column) from error
    if may_cycle:
        PyObject_GC_Track(<PyObject *>record)
    return record


cdef inline Column at(tuple columns, Py_ssize_t column):
    return <Column><object>PyTuple_GET_ITEM(columns, column)


cdef inline tuple unfilled(Py_ssize_t width):
    """Return a tuple that the collector does not see: not as long as it is not full, nor later without need."""
    cdef tuple record = PyTuple_New(width)
    PyObject_GC_UnTrack(<PyObject *>record)
    return record


cdef inline bint put(tuple record, Py_ssize_t column, object value) noexcept:
    """Put a value in its place; return whether it may be part of a cycle, as a `Decimal` cannot."""
    Py_INCREF(value)
    PyTuple_SET_ITEM(record, column, value)
    return PyType_IS_GC(Py_TYPE(value)) and <PyObject *>Py_TYPE(value) is not <PyObject *>DECIMAL


@cython.final
cdef class _Dicts:
    """Copies a dictionary that has the keys, and so the room for them, and puts the values in."""

    cdef tuple names
    cdef dict pattern

    def __cinit__(self, tuple names):
        self.names = names
        self.pattern = dict.fromkeys(names)

    def make(self, values, /):
        cdef tuple row = values if type(values) is tuple else tuple(values)
        cdef Py_ssize_t at
        if len(row) != len(self.names):
            raise ValueError(f"expected {len(self.names)} values in the row, got {len(row)}")
        cdef dict made = self.pattern.copy()
        for at in range(len(row)):
            made[<object>PyTuple_GET_ITEM(self.names, at)] = <object>PyTuple_GET_ITEM(row, at)
        return made


def dict_maker(names):
    return _Dicts(tuple(names)).make
