"""Parameters to bytes, compiled: what the built-in dumpers do with values of exactly the usual classes.

An encoder stands in for one dumper class. It takes a value only where it gives the very bytes that the dumper
would; whatever else there is (a subclass, a value out of range, a NUL, a lone surrogate, infinity) goes to
the dumper, so that every refusal is worded in one place. Python code may run in between: a dumper, a time
zone's `utcoffset()`.
"""

cimport cython
from libc.limits cimport INT_MAX
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memchr, memcpy, strcmp
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.datetime cimport (
    PyDate_CheckExact, PyDateTime_CheckExact, PyDateTime_DATE_GET_HOUR, PyDateTime_DATE_GET_MICROSECOND,
    PyDateTime_DATE_GET_MINUTE, PyDateTime_DATE_GET_SECOND, PyDateTime_DELTA_GET_DAYS,
    PyDateTime_DELTA_GET_MICROSECONDS, PyDateTime_DELTA_GET_SECONDS, PyDateTime_GET_DAY, PyDateTime_GET_MONTH,
    PyDateTime_GET_YEAR, PyDateTime_TIME_GET_HOUR, PyDateTime_TIME_GET_MICROSECOND,
    PyDateTime_TIME_GET_MINUTE, PyDateTime_TIME_GET_SECOND, PyDelta_CheckExact, PyTime_CheckExact,
    datetime_tzinfo, import_datetime, time_tzinfo,
)
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.long cimport PyLong_CheckExact
from cpython.mem cimport PyMem_Free
from cpython.object cimport PyObject, Py_TYPE, PyTypeObject
from cpython.unicode cimport PyUnicode_AsUTF8String, PyUnicode_CheckExact, PyUnicode_DecodeUTF8
from cpython.unicode cimport PyUnicode_GET_LENGTH

from datetime import timezone
from decimal import Decimal

from greenpg.errors import DataError, InterfaceError
from greenpg.pq.enums import Format

cdef extern from "Python.h":
    const unsigned long Py_TPFLAGS_HEAPTYPE
    const int Py_DTSF_ADD_DOT_0
    bint PyType_HasFeature(PyTypeObject *, unsigned long)
    PyObject *PyDict_GetItemWithError(object, object) except? NULL
    char *PyOS_double_to_string(double, char, int, int, int *) except NULL
    long long PyLong_AsLongLongAndOverflow(object, int *) except? -1
    bint PyUnicode_IS_COMPACT_ASCII(object)
    const char *PyUnicode_DATA(object)

import_datetime()

cdef object UTC = timezone.utc
cdef object DECIMAL = Decimal
cdef object TEXT = Format.TEXT
cdef object BINARY = Format.BINARY

cdef enum Code:
    ANY_INT, INT2, INT4, INT8, OID, FLOAT8, BOOL, STR, BYTES, DATE, TIME, ANY_DATETIME, TIMESTAMP, TIMESTAMPTZ,
    INTERVAL, NUMERIC, UUID

cdef dict CODES = {
    "int": ANY_INT, "int2": INT2, "int4": INT4, "int8": INT8, "oid": OID, "float8": FLOAT8, "bool": BOOL,
    "str": STR, "bytes": BYTES, "date": DATE, "time": TIME, "datetime": ANY_DATETIME, "timestamp": TIMESTAMP,
    "timestamptz": TIMESTAMPTZ, "interval": INTERVAL, "numeric": NUMERIC, "uuid": UUID,
}

cdef enum:  # the OIDs that are chosen by the value
    INT2_OID = 21
    INT4_OID = 23
    INT8_OID = 20
    TIMESTAMP_OID = 1114
    TIMESTAMPTZ_OID = 1184
    EPOCH_DAY = 730120  # date(2000, 1, 1).toordinal()

cdef int64_t SECOND = 1000000
cdef int64_t DAY = 86400 * SECOND


@cython.final
cdef class Encoder:
    """Does what one dumper class does.

    :param kind: which one, see `greenpg.adapt`
    :param oid: the dumper's
    :param format: the dumper's
    """

    def __init__(self, str kind, Oid oid, int format):
        self.code = CODES[kind]
        self.oid = oid
        self.format = format


@cython.final
cdef class Encoders:
    """The encoders in force in an adapters map, by class, each looked for when it is first needed."""

    def __cinit__(self):
        self._auto, self._text, self._binary = {}, {}, {}

    cdef dict table(self, object format):
        """Return the encoders by class for one of the `PyFormat`s."""
        if format == "s":
            return self._auto
        return self._binary if format == "b" else self._text

    cdef Encoder find(self, dict table, object tx, object value, object format):
        """Return the encoder for values of a class, None if there is none."""
        cdef PyTypeObject *cls = Py_TYPE(value)
        cdef PyObject *known = PyDict_GetItemWithError(table, <object>cls)
        if known != NULL:
            return <Encoder>known
        # nobody is to keep a class that somebody has made: it may go away again
        cdef bint is_lasting = not PyType_HasFeature(cls, Py_TPFLAGS_HEAPTYPE)
        if not (is_lasting or <object>cls is DECIMAL or is_uuid(cls)):
            return None
        cdef Encoder found = tx.find_encoder(Encoder, <object>cls, format)
        if is_lasting or found is not None:
            table[<object>cls] = found
        return found

    def dump(self, tx, params, formats):
        """Return parameters as the server takes them, their types, and their formats.

        :param tx: the `Transformer`, which does what no encoder does
        :param formats: a `PyFormat` for each
        :raises DataError: a value cannot be dumped, `ProgrammingError`: there is no dumper for it
        """
        cdef tuple values = params if type(params) is tuple else tuple(params)
        cdef Py_ssize_t i, count = len(values)
        cdef char room[ROOM]
        cdef Encoded out
        cdef Encoder encoder
        cdef dict table
        if len(formats) != count:
            raise ValueError(f"got {count} parameters but {len(formats)} formats")
        cdef list dumped = [None] * count, types = [0] * count, used = [TEXT] * count
        format, table = None, None
        for i in range(count):
            value = values[i]
            if value is None:
                continue
            if formats[i] is not format:
                format = formats[i]
                table = self.table(format)
            encoder = self.find(table, tx, value, format)
            out.size = -1
            if encoder is not None:
                held = encode(encoder, value, tx, room, &out)
            if out.size < 0:
                dumped[i], types[i], used[i] = tx.dump_one(value, format)
                continue
            dumped[i] = held if type(held) is bytes else PyBytes_FromStringAndSize(out.data, out.size)
            types[i] = out.oid
            if out.format:
                used[i] = BINARY
        return dumped, tuple(types), used


cdef inline bint is_uuid(PyTypeObject *cls) noexcept:
    """Return whether it may be that class, which is imported where it is needed."""
    return strcmp(cls.tp_name, b"UUID") == 0


cdef object encode(Encoder encoder, object value, object tx, char *room, Encoded *out):
    """Encode a value, or say by a size of -1 that its dumper has to.

    :param room: `ROOM` bytes to write to
    :return: what the bytes are in and has to be kept while they are needed, None if they are in `room`
    """
    cdef int code = encoder.code
    out.data, out.size, out.oid, out.format = room, -1, encoder.oid, encoder.format
    if code <= OID:
        encode_int(code, value, room, out)
    elif code == STR:
        return encode_str(value, tx, out)
    elif code == FLOAT8:
        if PyFloat_CheckExact(value):
            out.size = encode_float(PyFloat_AS_DOUBLE(value), encoder.format, room)
    elif code == BOOL:
        if value is True or value is False:
            room[0] = (b"t" if value is True else b"f") if not encoder.format else value is True
            out.size = 1
    elif code == BYTES:
        return encode_bytes(value, out)
    elif code == NUMERIC:
        return encode_decimal(value, out)
    elif code == UUID:
        return encode_uuid(value, out)
    elif code <= TIME:
        encode_day(code, value, room, out)
    elif code == INTERVAL:
        encode_interval(value, room, out)
    else:
        encode_moment(code, value, room, out)
    return None


# Numbers


cdef int encode_int(int code, object value, char *room, Encoded *out) except -1:
    cdef int overflow = 0
    cdef long long number
    if not PyLong_CheckExact(value):
        return 0
    number = PyLong_AsLongLongAndOverflow(value, &overflow)
    if overflow:
        return 0
    if code == ANY_INT:
        if -(1 << 15) <= number < 1 << 15:
            code, out.oid = INT2, INT2_OID
        elif -(1LL << 31) <= number < 1LL << 31:
            code, out.oid = INT4, INT4_OID
        else:
            code, out.oid = INT8, INT8_OID
    elif code == INT2 and not -(1 << 15) <= number < 1 << 15:
        return 0
    elif code == INT4 and not -(1LL << 31) <= number < 1LL << 31:
        return 0
    elif code == OID and not 0 <= number < 1LL << 32:
        return 0
    if not out.format:
        out.size = put_number(room, number)
        return 0
    out.size = 2 if code == INT2 else 8 if code == INT8 else 4
    put_bytes(room, number, <int>out.size)
    return 0


cdef Py_ssize_t encode_float(double number, int format, char *room) except -1:
    cdef uint64_t bits
    cdef char *text
    cdef Py_ssize_t size = 0
    if format:
        memcpy(&bits, &number, 8)
        put_bytes(room, bits, 8)
        return 8
    text = PyOS_double_to_string(number, b"r", 0, Py_DTSF_ADD_DOT_0, NULL)
    while text[size] and size < ROOM:
        room[size] = text[size]
        size += 1
    PyMem_Free(text)
    return size


cdef inline void put_bytes(char *to, uint64_t number, int size) noexcept:
    """Write the lowest bytes of a number, the highest of them first."""
    cdef int i
    for i in range(size):
        to[i] = <char>(number >> 8 * (size - 1 - i))


cdef inline Py_ssize_t put_number(char *to, long long number) noexcept:
    """Write the digits of a number, and return how many bytes that is."""
    cdef uint64_t left = <uint64_t>number if number >= 0 else -<uint64_t>number
    cdef int minus = number < 0, width = 1
    cdef uint64_t rest = left
    while rest >= 10:
        rest //= 10
        width += 1
    if minus:
        to[0] = b"-"
    put_digits(to + minus, left, width)
    return minus + width


cdef inline void put_digits(char *to, uint64_t number, int width) noexcept:
    """Write the last digits of a number, with zeros before them."""
    while width > 0:
        width -= 1
        to[width] = <char>(48 + number % 10)
        number //= 10


cdef object encode_decimal(object value, Encoded *out):
    """Encode what `str()` writes without an exponent, which leaves out infinities and NaNs."""
    if type(value) is not DECIMAL:
        return None
    text = str(value)
    cdef Py_ssize_t size = PyUnicode_GET_LENGTH(text), i, point = -1
    cdef const char *data = PyUnicode_DATA(text)
    if not PyUnicode_IS_COMPACT_ASCII(text) or size > 1000:
        return None
    cdef Py_ssize_t first = data[0] == b"-"
    for i in range(first, size):
        if data[i] == b"." and point < 0:
            point = i
        elif not b"0" <= data[i] <= b"9":
            return None
    if not out.format:
        out.data, out.size = data, size
        return text
    if point < 0:
        point = size
    return encode_numeric(data + first, size - first, point - first, first, out)


cdef object encode_numeric(const char *data, Py_ssize_t size, Py_ssize_t point, bint minus, Encoded *out):
    """Encode digits in numeric_recv's layout: groups of four, which begin at the point.

    :param data: digits, with a point at `point` unless that is their end
    """
    cdef Py_ssize_t scale = max(size - point - 1, 0), before = (point + 3) // 4, after = (scale + 3) // 4
    cdef Py_ssize_t group, at, i, count = 0
    cdef short groups[512]
    for group in range(before + after):
        groups[group] = 0
        for i in range(4):
            at = point - 4 * before + 4 * group + i  # as if the point were not there
            if group >= before:
                at += 1
            groups[group] = 10 * groups[group] + (data[at] - 48 if 0 <= at < size else 0)
    cdef Py_ssize_t start = 0, stop = before + after
    while stop > start and groups[stop - 1] == 0:
        stop -= 1
    while start < stop and groups[start] == 0:
        start += 1
    count = stop - start
    encoded = PyBytes_FromStringAndSize(NULL, 8 + 2 * count)
    cdef char *to = PyBytes_AS_STRING(encoded)
    put_bytes(to, count, 2)
    put_bytes(to + 2, before - start - 1 if count else 0, 2)
    put_bytes(to + 4, 0x4000 if minus and count else 0, 2)
    put_bytes(to + 6, scale, 2)
    for i in range(count):
        put_bytes(to + 8 + 2 * i, groups[start + i], 2)
    out.data, out.size = to, 8 + 2 * count
    return encoded


# Texts and bytes


cdef object encode_str(object value, object tx, Encoded *out):
    cdef const char *data
    cdef Py_ssize_t size
    if not PyUnicode_CheckExact(value):
        return None
    if PyUnicode_IS_COMPACT_ASCII(value):
        held, data, size = value, PyUnicode_DATA(value), PyUnicode_GET_LENGTH(value)
    elif tx.encoding == "utf-8":
        try:
            held = PyUnicode_AsUTF8String(value)
        except UnicodeEncodeError:
            return None
        data, size = PyBytes_AS_STRING(held), PyBytes_GET_SIZE(held)
    else:
        return None
    if memchr(data, 0, size) == NULL:
        out.data, out.size = data, size
    return held


cdef object encode_bytes(object value, Encoded *out):
    if not PyBytes_CheckExact(value):
        return None
    cdef const unsigned char *data = <const unsigned char *>PyBytes_AS_STRING(value)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(value), i
    if out.format:
        out.data, out.size = <const char *>data, size
        return value
    if size > 1 << 29:
        return None
    digits = PyBytes_FromStringAndSize(NULL, 2 + 2 * size)
    cdef char *to = PyBytes_AS_STRING(digits)
    to[0], to[1] = b"\\", b"x"
    for i in range(size):
        to[2 + 2 * i] = digit(data[i] >> 4)
        to[3 + 2 * i] = digit(data[i] & 15)
    out.data, out.size = to, 2 + 2 * size
    return digits


cdef inline char digit(int number) noexcept:
    return <char>(number + (48 if number < 10 else 87))


cdef object encode_uuid(object value, Encoded *out):
    if not is_uuid(Py_TYPE(value)):
        return None
    try:
        held = value.bytes if out.format else value.hex
    except Exception:
        return None
    if out.format:
        if type(held) is bytes:
            out.data, out.size = PyBytes_AS_STRING(held), PyBytes_GET_SIZE(held)
    elif type(held) is str and PyUnicode_IS_COMPACT_ASCII(held):
        out.data, out.size = PyUnicode_DATA(held), PyUnicode_GET_LENGTH(held)
    return held


# Dates and times


cdef inline int64_t day_number(object value) noexcept:
    """Return the days from 2000-01-01 on, as `toordinal()` counts them."""
    cdef int64_t year = PyDateTime_GET_YEAR(value), month = PyDateTime_GET_MONTH(value)
    if month < 3:  # a year that begins in March has its leap day at the end
        year -= 1
        month += 12
    return (
        365 * year + year // 4 - year // 100 + year // 400
        + (153 * (month - 3) + 2) // 5 + PyDateTime_GET_DAY(value) - 306 - EPOCH_DAY
    )


cdef inline int put_date(char *to, object value) noexcept:
    put_digits(to, PyDateTime_GET_YEAR(value), 4)
    put_digits(to + 5, PyDateTime_GET_MONTH(value), 2)
    put_digits(to + 8, PyDateTime_GET_DAY(value), 2)
    to[4] = to[7] = b"-"
    return 10


cdef inline int put_clock(char *to, int hour, int minute, int second, int microsecond) noexcept:
    put_digits(to, hour, 2)
    put_digits(to + 3, minute, 2)
    put_digits(to + 6, second, 2)
    to[2] = to[5] = b":"
    if not microsecond:
        return 8
    to[8] = b"."
    put_digits(to + 9, microsecond, 6)
    return 15


cdef int encode_day(int code, object value, char *room, Encoded *out) except -1:
    """Encode a date, or the time of a day without a zone."""
    cdef int hour, minute, second, microsecond
    if code == DATE:
        if PyDate_CheckExact(value):
            out.size = 4 if out.format else put_date(room, value)
            if out.format:
                put_bytes(room, day_number(value), 4)
    elif PyTime_CheckExact(value) and time_tzinfo(value) is None:
        hour, minute = PyDateTime_TIME_GET_HOUR(value), PyDateTime_TIME_GET_MINUTE(value)
        second, microsecond = PyDateTime_TIME_GET_SECOND(value), PyDateTime_TIME_GET_MICROSECOND(value)
        out.size = 8 if out.format else put_clock(room, hour, minute, second, microsecond)
        if out.format:
            put_bytes(room, ((hour * 60 + minute) * 60 + second) * SECOND + microsecond, 8)
    return 0


cdef int encode_moment(int code, object value, char *room, Encoded *out) except -1:
    """Encode a datetime; as text, one with a zone only if that is UTC."""
    cdef int hour, minute, second, microsecond, size
    cdef int64_t offset = 0
    if not PyDateTime_CheckExact(value):
        return 0
    zone = datetime_tzinfo(value)
    if (code == TIMESTAMP and zone is not None) or (code == TIMESTAMPTZ and zone is None):
        return 0
    out.oid = TIMESTAMP_OID if zone is None else TIMESTAMPTZ_OID
    if zone is not None and zone is not UTC:
        if not out.format:
            return 0
        try:
            span = value.utcoffset()
        except Exception:
            return 0
        if not PyDelta_CheckExact(span):
            return 0
        offset = (PyDateTime_DELTA_GET_DAYS(span) * 86400 + PyDateTime_DELTA_GET_SECONDS(span)) * SECOND
        offset += PyDateTime_DELTA_GET_MICROSECONDS(span)
    hour, minute = PyDateTime_DATE_GET_HOUR(value), PyDateTime_DATE_GET_MINUTE(value)
    second, microsecond = PyDateTime_DATE_GET_SECOND(value), PyDateTime_DATE_GET_MICROSECOND(value)
    if out.format:
        put_bytes(
            room,
            day_number(value) * DAY + ((hour * 60 + minute) * 60 + second) * SECOND + microsecond - offset,
            8,
        )
        out.size = 8
        return 0
    size = put_date(room, value)
    room[size] = b" "
    size += 1 + put_clock(room + size + 1, hour, minute, second, microsecond)
    if zone is not None:
        memcpy(room + size, <const char *>b"+00:00", 6)
        size += 6
    out.size = size
    return 0


cdef int encode_interval(object value, char *room, Encoded *out) except -1:
    """Encode a timedelta in interval_recv's layout, days and the rest of one sign."""
    cdef int64_t days, rest
    if not (out.format and PyDelta_CheckExact(value)):
        return 0
    days = PyDateTime_DELTA_GET_DAYS(value)
    rest = PyDateTime_DELTA_GET_SECONDS(value) * SECOND + PyDateTime_DELTA_GET_MICROSECONDS(value)
    if days < 0 and rest:
        days += 1
        rest -= DAY
    put_bytes(room, rest, 8)
    put_bytes(room + 8, days, 4)
    put_bytes(room + 12, 0, 4)
    out.size = 16
    return 0


include "_params_copy.pxi"
