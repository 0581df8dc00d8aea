# Decoders of the binary format, whose layouts are those of the `*_send` functions of PostgreSQL, and of what is
# the same in both formats.

cdef enum:
    EPOCH_DAY = 730120  # date(2000, 1, 1).toordinal()
    LAST_DAY = 3652059  # date.max.toordinal()
    MAX_DELTA_DAYS = 999999999

cdef int64_t SECOND = 1000000
cdef int64_t DAY = 86400 * SECOND


cdef inline uint16_t uint16_at(const char *data) noexcept nogil:
    cdef const uint8_t *byte = <const uint8_t *>data
    return <uint16_t>((byte[0] << 8) | byte[1])


cdef inline uint32_t uint32_at(const char *data) noexcept nogil:
    cdef const uint8_t *byte = <const uint8_t *>data
    return (<uint32_t>byte[0] << 24) | (<uint32_t>byte[1] << 16) | (<uint32_t>byte[2] << 8) | byte[3]


cdef inline uint64_t uint64_at(const char *data) noexcept nogil:
    return (<uint64_t>uint32_at(data) << 32) | uint32_at(data + 4)


cdef inline int64_t split_days(int64_t *clock) noexcept nogil:
    """Leave the microseconds of a day, and return the number of days, rounded down."""
    cdef int64_t days = clock[0] // DAY
    clock[0] = clock[0] % DAY
    if clock[0] < 0:
        clock[0] += DAY
        days -= 1
    return days


cdef object decode_bytes(Column column, const char *data, Py_ssize_t size):
    return PyBytes_FromStringAndSize(data, size)


cdef object decode_bool(Column column, const char *data, Py_ssize_t size):
    if size == 1:
        if data[0] == column.yes:
            return True
        if data[0] == column.no:
            return False
    return UNUSUAL


# Numbers


cdef object decode_int2(Column column, const char *data, Py_ssize_t size):
    return <int16_t>uint16_at(data) if size == 2 else UNUSUAL


cdef object decode_int4(Column column, const char *data, Py_ssize_t size):
    return <int32_t>uint32_at(data) if size == 4 else UNUSUAL


cdef object decode_int8(Column column, const char *data, Py_ssize_t size):
    return <int64_t>uint64_at(data) if size == 8 else UNUSUAL


cdef object decode_uint4(Column column, const char *data, Py_ssize_t size):
    return uint32_at(data) if size == 4 else UNUSUAL


cdef object decode_uint8(Column column, const char *data, Py_ssize_t size):
    return uint64_at(data) if size == 8 else UNUSUAL


cdef object decode_float4(Column column, const char *data, Py_ssize_t size):
    cdef uint32_t bits
    cdef float number
    if size != 4:
        return UNUSUAL
    bits = uint32_at(data)
    memcpy(&number, &bits, 4)
    return UNUSUAL if isnan(number) else <double>number


cdef object decode_float8(Column column, const char *data, Py_ssize_t size):
    cdef uint64_t bits
    cdef double number
    if size != 8:
        return UNUSUAL
    bits = uint64_at(data)
    memcpy(&number, &bits, 8)
    return number


cdef object decode_numeric(Column column, const char *data, Py_ssize_t size):
    """Write the digits as text, with all zeros that the scale asks for; long values are the loader's."""
    cdef char text[300]
    cdef Py_ssize_t length = 0, end
    cdef int count, weight, sign, scale, group
    if size < 8:
        return UNUSUAL
    count, weight = uint16_at(data), <int16_t>uint16_at(data + 2)
    sign, scale = uint16_at(data + 4), uint16_at(data + 6)
    if size != 8 + 2 * count or sign & ~0x4000 or weight > 30 or scale > 150 or count > 70:
        return UNUSUAL
    for group in range(count):
        if uint16_at(data + 8 + 2 * group) > 9999:
            return UNUSUAL
    if sign:
        text[length] = b"-"
        length += 1
    if weight < 0:
        text[length] = b"0"
        length += 1
    for group in range(weight + 1):
        length = write_group(text, length, data, count, group)
    text[length] = b"."
    length += 1
    end = length + scale
    group = weight + 1
    while length < end:
        length = write_group(text, length, data, count, group)
        group += 1
    return DECIMAL(PyUnicode_DecodeASCII(text, end, NULL))


cdef inline Py_ssize_t write_group(
    char *text, Py_ssize_t length, const char *data, int count, int group
) noexcept nogil:
    """Write the four digits of a group, zeros if it is not there; return where the next one begins."""
    cdef int digits = uint16_at(data + 8 + 2 * group) if 0 <= group < count else 0
    text[length] = <char>(48 + digits // 1000)
    text[length + 1] = <char>(48 + digits // 100 % 10)
    text[length + 2] = <char>(48 + digits // 10 % 10)
    text[length + 3] = <char>(48 + digits % 10)
    return length + 4


# Texts


cdef object decode_utf8(Column column, const char *data, Py_ssize_t size):
    return PyUnicode_DecodeUTF8(data, size, NULL)  # its error is the one that str() would raise


cdef object decode_ascii(Column column, const char *data, Py_ssize_t size):
    """Of encodings that have ASCII in them; all that is not ASCII is the loader's."""
    try:
        return PyUnicode_DecodeASCII(data, size, NULL)
    except UnicodeDecodeError:
        return UNUSUAL


cdef object decode_char(Column column, const char *data, Py_ssize_t size):
    return PyUnicode_DecodeASCII(data, 1, NULL) if size == 1 and 0 < <signed char>data[0] else UNUSUAL


# Dates and times


cdef inline void civil(int64_t day, int *year, int *month, int *of_month) noexcept nogil:
    """Split the number of a day, 1 for 0001-01-01; the calendar's year begins with March here."""
    cdef int64_t days = day + 305  # since 0000-03-01
    cdef int64_t era = days // 146097, of_era = days - days // 146097 * 146097
    cdef int64_t years = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    cdef int64_t of_year = of_era - (365 * years + years // 4 - years // 100)
    cdef int64_t since_march = (5 * of_year + 2) // 153
    of_month[0] = <int>(of_year - (153 * since_march + 2) // 5 + 1)
    month[0] = <int>(since_march + 3 if since_march < 10 else since_march - 9)
    year[0] = <int>(years + era * 400 + (since_march >= 10))


cdef object decode_date(Column column, const char *data, Py_ssize_t size):
    cdef int64_t day
    cdef int year, month, of_month
    if size != 4:
        return UNUSUAL
    day = <int64_t><int32_t>uint32_at(data) + EPOCH_DAY
    if not 1 <= day <= LAST_DAY:
        return UNUSUAL
    civil(day, &year, &month, &of_month)
    return date_new(year, month, of_month)


cdef inline object time_of(int64_t clock, object zone):
    """Return a time of so many microseconds."""
    cdef int seconds
    if not 0 <= clock < DAY:
        return UNUSUAL
    seconds = <int>(clock // SECOND)
    return time_new(seconds // 3600, seconds // 60 % 60, seconds % 60, <int>(clock % SECOND), zone)


cdef object decode_time(Column column, const char *data, Py_ssize_t size):
    return time_of(<int64_t>uint64_at(data), None) if size == 8 else UNUSUAL


cdef object decode_timetz(Column column, const char *data, Py_ssize_t size):
    return timetz_of(<int64_t>uint64_at(data), -<int64_t><int32_t>uint32_at(data + 8)) if size == 12 else UNUSUAL


cdef object timetz_of(int64_t clock, int64_t offset):
    """Return a time of so many microseconds, so many seconds east."""
    if not -86400 < offset < 86400:
        return UNUSUAL
    return time_of(clock, timezone_new(timedelta_new(0, <int>offset, 0)))


cdef inline bint is_in_calendar(int64_t moment) noexcept nogil:
    """Return whether Python's years have a moment, in microseconds since 2000."""
    return (1 - EPOCH_DAY) * DAY <= moment < (LAST_DAY + 1 - EPOCH_DAY) * DAY


cdef inline object datetime_of(int64_t moment, object zone):
    """Return the datetime of so many microseconds since 2000, as the clock of the zone shows them."""
    cdef int64_t days
    cdef int year, month, of_month, seconds
    if not is_in_calendar(moment):
        return UNUSUAL
    days = split_days(&moment)
    civil(days + EPOCH_DAY, &year, &month, &of_month)
    seconds = <int>(moment // SECOND)
    return datetime_new(
        year, month, of_month, seconds // 3600, seconds // 60 % 60, seconds % 60, <int>(moment % SECOND), zone
    )


cdef object aware_of(Column column, int64_t moment):
    """Return the moment, in microseconds since 2000 in UTC, in the column's zone, as `astimezone()` does it."""
    if not is_in_calendar(moment):
        return UNUSUAL
    if column.call is None:
        return datetime_of(moment + column.offset, column.context)
    try:
        return column.call(datetime_of(moment, column.context))
    except Exception:
        return UNUSUAL


cdef object decode_timestamp(Column column, const char *data, Py_ssize_t size):
    return datetime_of(<int64_t>uint64_at(data), None) if size == 8 else UNUSUAL


cdef object decode_timestamptz(Column column, const char *data, Py_ssize_t size):
    return aware_of(column, <int64_t>uint64_at(data)) if size == 8 else UNUSUAL


cdef object decode_interval(Column column, const char *data, Py_ssize_t size):
    if size != 16 or uint32_at(data + 12) != 0:  # months
        return UNUSUAL
    return timedelta_of(<int32_t>uint32_at(data + 8), <int64_t>uint64_at(data))


cdef object timedelta_of(int64_t days, int64_t clock):
    days += split_days(&clock)
    if not -MAX_DELTA_DAYS <= days <= MAX_DELTA_DAYS:
        return UNUSUAL
    return timedelta_new(<int>days, <int>(clock // SECOND), <int>(clock % SECOND))


# UUIDs


cdef object uuid_safety():
    from uuid import SafeUUID

    return SafeUUID.unknown


cdef object uuid_of(Column column, uint64_t high, uint64_t low):
    """Return a UUID, made as its `__init__` makes it once it knows the integer."""
    made = PyType_GenericAlloc(<PyTypeObject *>column.context, 0)
    PyObject_GenericSetAttr(made, "int", (<object>high << 64) | <object>low)
    PyObject_GenericSetAttr(made, "is_safe", column.call)
    return made


cdef object decode_uuid(Column column, const char *data, Py_ssize_t size):
    return uuid_of(column, uint64_at(data), uint64_at(data + 8)) if size == 16 else UNUSUAL


# JSON


cdef object SCANNER = None


cdef object json_scanner(loads):
    """Return what reads a text without looking for its encoding, if that is what `loads` would end in."""
    global SCANNER
    import json

    # whatever was put in the place of `json.loads` is not from there
    if getattr(loads, "__globals__", None) is not vars(json) or loads.__name__ != "loads":
        return None
    if SCANNER is None:
        SCANNER = json.JSONDecoder().scan_once
    return SCANNER


cdef object decode_json(Column column, const char *data, Py_ssize_t size):
    try:
        if column.call is None:
            return column.context(PyBytes_FromStringAndSize(data, size))
        # json.loads() takes bytes that begin with a byte order mark or a NUL for another encoding.
        if size < 2 or not 0 < <signed char>data[0] or data[1] == 0:
            return UNUSUAL
        text = PyUnicode_DecodeUTF8(data, size, NULL)
        value, end = column.call(text, 0)
        return value if end == len(text) else UNUSUAL
    except Exception:
        return UNUSUAL


cdef object decode_jsonb(Column column, const char *data, Py_ssize_t size):
    return decode_json(column, data + 1, size - 1) if size > 0 and data[0] == 1 else UNUSUAL


# Arrays


cdef struct Reader:
    const char *at
    const char *end
    int32_t[6] sizes
    int dimensions


cdef object decode_array(Column column, const char *data, Py_ssize_t size):
    """Read array_send's layout: dimensions, whether there are NULLs, the type; size and first index of each."""
    cdef Reader reader
    cdef int64_t elements = 1
    cdef int level
    if size < 12 or uint32_at(data) > 6:
        return UNUSUAL
    reader.dimensions = <int>uint32_at(data)
    reader.at, reader.end = data + 12 + 8 * reader.dimensions, data + size
    if reader.at > reader.end:
        return UNUSUAL
    for level in range(reader.dimensions):
        reader.sizes[level] = <int32_t>uint32_at(data + 12 + 8 * level)
        if reader.sizes[level] <= 0:
            return UNUSUAL
        elements *= reader.sizes[level]
        if elements > size // 4:
            return UNUSUAL
    if reader.dimensions == 0:
        return [] if size == 12 else UNUSUAL
    values = read_dimension(element_of(column, uint32_at(data + 8)), &reader, 0)
    return values if reader.at == reader.end else UNUSUAL


cdef Column element_of(Column column, uint32_t oid):
    """Return how elements of a type are loaded: the same way all the time, unless nobody knows the type yet."""
    if column.element is None or column.element_oid != oid or column.element.decode is decode_by_loader:
        column.element_oid, column.element = oid, Column(column.call(oid))
    return column.element


cdef object read_dimension(Column element, Reader *reader, int level):
    """Return a list of what is in one dimension, `UNUSUAL` if that is not there."""
    cdef int32_t size
    cdef list values = []
    for _ in range(reader.sizes[level]):
        if level + 1 < reader.dimensions:
            value = read_dimension(element, reader, level + 1)
            if value is UNUSUAL:
                return UNUSUAL
        else:
            if reader.end - reader.at < 4:
                return UNUSUAL
            size = <int32_t>uint32_at(reader.at)
            reader.at += 4
            if size == -1:
                value = None
            elif size < 0 or size > reader.end - reader.at:
                return UNUSUAL
            else:
                value = value_of(element, reader.at, size)
                reader.at += size
        values.append(value)
    return values
