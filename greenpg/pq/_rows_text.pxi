# Decoders of the text format: what a server writes by itself, in ISO style; all else is the loader's.


cdef inline bint digits_at(const char *data, Py_ssize_t count, int64_t *number) noexcept nogil:
    """Read so many digits; return whether they are there."""
    cdef int64_t read = 0
    cdef Py_ssize_t at
    for at in range(count):
        if not 48 <= data[at] <= 57:
            return False
        read = read * 10 + (data[at] - 48)
    number[0] = read
    return True


# Numbers


cdef object decode_digits_text(Column column, const char *data, Py_ssize_t size):
    cdef int64_t number
    return number if 0 < size <= 18 and digits_at(data, size, &number) else UNUSUAL


cdef object decode_int_text(Column column, const char *data, Py_ssize_t size):
    cdef int64_t number
    cdef Py_ssize_t sign = size > 0 and data[0] == b"-"
    if not 0 < size - sign <= 18 or not digits_at(data + sign, size - sign, &number):
        return UNUSUAL
    return -number if sign else number


cdef bint read_float(const char *data, Py_ssize_t size, double *number) except -1:
    cdef char text[64]
    cdef char *end
    cdef Py_ssize_t at
    if not 0 < size < 64:
        return False
    for at in range(size):
        if not (48 <= data[at] <= 57 or data[at] in b"-.e+"):
            return False
    memcpy(text, data, size)
    text[size] = 0
    try:
        number[0] = PyOS_string_to_double(text, &end, NULL)
    except ValueError:
        return False
    return end == text + size


cdef object decode_float_text(Column column, const char *data, Py_ssize_t size):
    cdef double number
    return number if read_float(data, size, &number) else UNUSUAL


cdef object decode_float4_text(Column column, const char *data, Py_ssize_t size):
    cdef double number
    if not read_float(data, size, &number) or isinf(<float>number):
        return UNUSUAL
    return <double><float>number


cdef object decode_numeric_text(Column column, const char *data, Py_ssize_t size):
    try:
        return DECIMAL(PyUnicode_DecodeASCII(data, size, NULL))
    except Exception:
        return UNUSUAL


# Bytes


cdef inline int nibble(char digit) noexcept nogil:
    if 48 <= digit <= 57:
        return digit - 48
    digit |= 32
    return digit - 87 if 97 <= digit <= 102 else -1


cdef object decode_bytea_text(Column column, const char *data, Py_ssize_t size):
    cdef Py_ssize_t at
    cdef int high, low
    cdef char *target
    if size < 2 or size % 2 or data[0] != b"\\" or data[1] != b"x":
        return UNUSUAL
    value = PyBytes_FromStringAndSize(NULL, size // 2 - 1)
    target = PyBytes_AS_STRING(value)
    for at in range(1, size // 2):
        high, low = nibble(data[2 * at]), nibble(data[2 * at + 1])
        if high < 0 or low < 0:
            return UNUSUAL
        target[at - 1] = <char>(high << 4 | low)
    return value


cdef object decode_uuid_text(Column column, const char *data, Py_ssize_t size):
    cdef uint64_t[2] halves = [0, 0]
    cdef int at, digit, read = 0
    if size != 36:
        return UNUSUAL
    for at in range(36):
        if at in (8, 13, 18, 23):
            if data[at] != b"-":
                return UNUSUAL
            continue
        digit = nibble(data[at])
        if digit < 0:
            return UNUSUAL
        halves[read // 16] = halves[read // 16] << 4 | <uint64_t>digit
        read += 1
    return uuid_of(column, halves[0], halves[1])


# Dates and times


cdef bint read_day(const char *data, int64_t *day) noexcept nogil:
    """Read YYYY-MM-DD, the number of a day from 2000-01-01 on."""
    cdef int64_t year, month, of_month, years
    if not (digits_at(data, 4, &year) and digits_at(data + 5, 2, &month) and digits_at(data + 8, 2, &of_month)):
        return False
    if data[4] != b"-" or data[7] != b"-" or not (1 <= month <= 12 and 1 <= of_month <= 31 and year >= 1):
        return False
    if of_month > 30 and month in (4, 6, 9, 11):
        return False
    if month == 2 and of_month > (29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28):
        return False
    years = year if month > 2 else year - 1  # that begin with March
    month = month - 3 if month > 2 else month + 9
    day[0] = years * 365 + years // 4 - years // 100 + years // 400 + (153 * month + 2) // 5 + of_month
    day[0] -= 306 + EPOCH_DAY
    return True


cdef Py_ssize_t read_clock(const char *data, Py_ssize_t size, int64_t *clock) noexcept nogil:
    """Read :MM:SS or :MM:SS.ffffff in microseconds; return how long it is, 0 if there is none."""
    cdef int64_t minutes, seconds, digit
    cdef Py_ssize_t at = 6
    cdef int64_t unit = SECOND
    if size < 6 or data[0] != b":" or data[3] != b":":
        return 0
    if not (digits_at(data + 1, 2, &minutes) and digits_at(data + 4, 2, &seconds)):
        return 0
    if minutes > 59 or seconds > 59:
        return 0
    clock[0] = (minutes * 60 + seconds) * SECOND
    if at < size and data[at] == b".":
        at += 1
        while at < size and unit > 1 and digits_at(data + at, 1, &digit):
            unit //= 10
            clock[0] += digit * unit
            at += 1
        if unit == SECOND:
            return 0
    return at


cdef Py_ssize_t read_time(const char *data, Py_ssize_t size, int64_t *clock) noexcept nogil:
    """Read HH:MM:SS or HH:MM:SS.ffffff in microseconds; return how long it is, 0 if there is none."""
    cdef int64_t hours
    cdef Py_ssize_t length
    if size < 8 or not digits_at(data, 2, &hours) or hours > 23:
        return 0
    length = read_clock(data + 2, size - 2, clock)
    if not length:
        return 0
    clock[0] += hours * 3600 * SECOND
    return length + 2


cdef bint read_offset(const char *data, Py_ssize_t size, int64_t *offset) noexcept nogil:
    """Read +HH, +HH:MM or +HH:MM:SS to the end, in seconds."""
    cdef int64_t part
    cdef int64_t unit = 3600
    cdef Py_ssize_t at = 1
    if size not in (3, 6, 9) or data[0] not in b"+-":
        return False
    offset[0] = 0
    while at < size:
        if (at > 1 and data[at - 1] != b":") or not digits_at(data + at, 2, &part):
            return False
        offset[0] += part * unit
        unit //= 60
        at += 3
    if data[0] == b"-":
        offset[0] = -offset[0]
    return -86400 < offset[0] < 86400


cdef object decode_date_text(Column column, const char *data, Py_ssize_t size):
    cdef int64_t day
    cdef int year, month, of_month
    if size != 10 or not read_day(data, &day):
        return UNUSUAL
    civil(day + EPOCH_DAY, &year, &month, &of_month)
    return date_new(year, month, of_month)


cdef object decode_time_text(Column column, const char *data, Py_ssize_t size):
    cdef int64_t clock
    return time_of(clock, None) if size and read_time(data, size, &clock) == size else UNUSUAL


cdef object decode_timetz_text(Column column, const char *data, Py_ssize_t size):
    cdef int64_t clock, offset
    cdef Py_ssize_t length = read_time(data, size, &clock)
    if not length or not read_offset(data + length, size - length, &offset):
        return UNUSUAL
    return timetz_of(clock, offset)


cdef Py_ssize_t read_moment(const char *data, Py_ssize_t size, int64_t *moment) noexcept nogil:
    """Read a date, a space and a time in microseconds since 2000; return how long it is, 0 if there is none."""
    cdef int64_t day, clock
    cdef Py_ssize_t length
    if size < 19 or data[10] != b" " or not read_day(data, &day):
        return 0
    length = read_time(data + 11, size - 11, &clock)
    if not length:
        return 0
    moment[0] = day * DAY + clock
    return length + 11


cdef object decode_timestamp_text(Column column, const char *data, Py_ssize_t size):
    cdef int64_t moment
    return datetime_of(moment, None) if size and read_moment(data, size, &moment) == size else UNUSUAL


cdef object decode_timestamptz_text(Column column, const char *data, Py_ssize_t size):
    cdef int64_t moment, offset
    cdef Py_ssize_t length = read_moment(data, size, &moment)
    if not length or not read_offset(data + length, size - length, &offset):
        return UNUSUAL
    return aware_of(column, moment - offset * SECOND)


cdef object decode_interval_text(Column column, const char *data, Py_ssize_t size):
    """Read "-3 days -04:05:06.789", or one half of it."""
    cdef int64_t days = 0, hours = 0, clock = 0
    cdef Py_ssize_t at = 0, length
    cdef bint is_negative = read_sign(data, size, &at)
    length = count_digits(data + at, size - at)
    if not 0 < length <= 9:
        return UNUSUAL
    digits_at(data + at, length, &hours)
    at += length
    if size - at >= 4 and memcmp(data + at, b" day", 4) == 0:
        days = -hours if is_negative else hours
        at += 4
        if at < size and data[at] == b"s":
            at += 1
        if at == size:
            return timedelta_of(days, 0)
        if data[at] != b" ":
            return UNUSUAL
        at += 1
        is_negative = read_sign(data, size, &at)
        length = count_digits(data + at, size - at)
        if not 0 < length <= 9:
            return UNUSUAL
        digits_at(data + at, length, &hours)
        at += length
    length = read_clock(data + at, size - at, &clock)
    if not length or at + length != size:
        return UNUSUAL
    clock += hours * 3600 * SECOND
    return timedelta_of(days, -clock if is_negative else clock)


cdef inline bint read_sign(const char *data, Py_ssize_t size, Py_ssize_t *at) noexcept nogil:
    """Step over a sign; return whether it is a minus."""
    if at[0] >= size or data[at[0]] not in b"+-":
        return False
    at[0] += 1
    return data[at[0] - 1] == b"-"


cdef inline Py_ssize_t count_digits(const char *data, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t count = 0
    while count < size and 48 <= data[count] <= 57:
        count += 1
    return count


# Arrays


cdef object decode_array_text(Column column, const char *data, Py_ssize_t size):
    """Read a list without lists in it."""
    cdef Column element
    cdef Py_ssize_t at = 1, end
    cdef list values = []
    if size < 2 or data[0] != b"{" or data[size - 1] != b"}":
        return UNUSUAL
    if size == 2:
        return values
    if not is_flat(data, size, column.yes):
        return UNUSUAL
    element = element_of(column, 0)
    while at < size:
        end = end_of_item(data, at, size - 1, column.yes)
        values.append(item_of(element, data + at, end - at))
        at = end + 1
    return values


cdef bint is_flat(const char *data, Py_ssize_t size, int delimiter) noexcept nogil:
    """Return whether there is nothing but items between the braces: all is looked at before any is loaded."""
    cdef Py_ssize_t at = 1
    while at < size:
        at = end_of_item(data, at, size - 1, delimiter)
        if at < 0 or (at < size - 1 and data[at] != delimiter):
            return False
        at += 1
    return True


cdef Py_ssize_t end_of_item(const char *data, Py_ssize_t at, Py_ssize_t end, int delimiter) noexcept nogil:
    """Return where the item ends, -1 if there is none, or no simple one."""
    cdef Py_ssize_t begin = at
    if at < end and data[at] == b'"':
        at += 1
        while at < end and data[at] != b'"':
            at += 2 if data[at] == b"\\" else 1
        return at + 1 if at < end else -1
    if at < end and (data[at] == 32 or 9 <= data[at] <= 13):
        return -1
    while at < end and data[at] != delimiter:
        if data[at] in b'{}"\\':
            return -1
        at += 1
    return at if at > begin else -1


cdef object item_of(Column element, const char *data, Py_ssize_t size):
    """Return an item that stands between quotes, NULL, or as it is."""
    cdef Py_ssize_t at, length = 0
    cdef char *target
    if data[0] != b'"':
        return None if size == 4 and memcmp(data, b"NULL", 4) == 0 else value_of(element, data, size)
    if memchr(data, b"\\", size) is NULL:
        return value_of(element, data + 1, size - 2)
    unquoted = PyBytes_FromStringAndSize(NULL, size - 2)
    target = PyBytes_AS_STRING(unquoted)
    at = 1
    while at < size - 1:
        if data[at] == b"\\":
            at += 1
        target[length] = data[at]
        length += 1
        at += 1
    return value_of(element, target, length)
