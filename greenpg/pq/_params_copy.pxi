# Rows as COPY has them, text and binary: see "File Formats" in PostgreSQL's documentation of COPY.


cdef struct Row:  # bytes that grow: on the stack until there are too many
    char *data
    Py_ssize_t size
    Py_ssize_t room
    char *heap


cdef enum:
    SMALL_ROW = 1024


cdef int reserve(Row *row, Py_ssize_t size) except -1:
    """Have room for so many bytes more."""
    cdef char *heap
    if row.size + size <= row.room:
        return 0
    heap = <char *>realloc(row.heap, 2 * (row.size + size))
    if heap is NULL:
        raise MemoryError
    if row.heap is NULL:
        memcpy(heap, row.data, row.size)
    row.data = row.heap = heap
    row.room = 2 * (row.size + size)
    return 0


cdef int add_row(Encoders self, Row *row, tuple values, tx, format) except -1:
    cdef bint binary = format == "b"
    cdef dict table = self.table(format)
    cdef list columns = tx.row_encoders(Encoder)
    cdef Py_ssize_t i, count = len(values)
    cdef Encoder encoder
    cdef Encoded out
    cdef char room[ROOM]
    if columns is not None and len(columns) != count:
        raise DataError(f"expected {len(columns)} values in the row, got {count}")
    if binary:
        reserve(row, 2)
        put_bytes(row.data, count, 2)
        row.size = 2
    for i in range(count):
        value = values[i]
        out.size = -1
        if value is None:
            held = None
        else:
            encoder = self.find(table, tx, value, format) if columns is None else columns[i]
            if encoder is not None:
                held = encode(encoder, value, tx, room, &out)
            if out.size < 0:
                held = tx.dump_one(value, format)[0] if columns is None else tx.dump_typed(value, i)
                if held is not None:
                    held = bytes(held)
                    out.data, out.size = PyBytes_AS_STRING(held), PyBytes_GET_SIZE(held)
        if binary:
            add_field(row, out.data, out.size)
        else:
            add_text(row, out.data, out.size, b"\n" if i + 1 == count else b"\t")
    if not binary and count == 0:
        reserve(row, 1)
        row.data[0] = b"\n"
        row.size = 1
    return 0


cdef int add_field(Row *row, const char *data, Py_ssize_t size) except -1:
    """Add a value in binary format, NULL if its size is -1."""
    if size > INT_MAX:
        raise DataError(f"a value of {size} bytes is larger than PostgreSQL takes, 1 GB")
    reserve(row, 4 + max(size, 0))
    put_bytes(row.data + row.size, <uint64_t>size, 4)
    if size > 0:
        memcpy(row.data + row.size + 4, data, size)
    row.size += 4 + max(size, 0)
    return 0


cdef int add_text(Row *row, const char *data, Py_ssize_t size, char end) except -1:
    """Add a value in text format, NULL if its size is -1, and what is between it and the next one."""
    cdef Py_ssize_t i
    cdef char *to
    cdef char letter
    reserve(row, 2 * max(size, 1) + 1)
    to = row.data + row.size
    if size < 0:
        to[0], to[1] = b"\\", b"N"
        to += 2
    for i in range(size):
        letter = data[i]
        if 8 <= letter <= 13 or letter == b"\\":
            to[0] = b"\\"
            to += 1
            if letter != b"\\":
                letter = CONTROLS[letter - 8]
        to[0] = letter
        to += 1
    to[0] = end
    row.size = to + 1 - row.data
    return 0


cdef const char *CONTROLS = b"btnvfr"  # for the bytes 8 to 13


def split_text_row(bytes rows, Py_ssize_t at, bint decoded):
    """Return the values of the row in text format that begins somewhere, and where it ends.

    :param decoded: whether they are to be strings; they are in UTF-8
    :raises UnicodeDecodeError: they are not
    """
    cdef const char *data = PyBytes_AS_STRING(rows)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(rows)
    cdef const char *start
    cdef const char *stop
    cdef const char *next
    if not 0 <= at <= size:
        raise IndexError(f"no row begins at {at}")
    start = data + at
    stop = <const char *>memchr(start, b"\n", size - at)
    if stop is NULL:
        stop = data + size
    cdef list values = []
    while True:
        next = <const char *>memchr(start, b"\t", stop - start)
        values.append(text_value(start, (stop if next is NULL else next) - start, decoded))
        if next is NULL:
            break
        start = next + 1
    return values, min(stop - data + 1, size)


cdef object text_value(const char *data, Py_ssize_t size, bint decoded):
    cdef Py_ssize_t i
    cdef char letter
    cdef char *to
    if size == 2 and data[0] == b"\\" and data[1] == b"N":
        return None
    if memchr(data, b"\\", size) is not NULL:
        value = PyBytes_FromStringAndSize(NULL, size)
        to = PyBytes_AS_STRING(value)
        i = 0
        while i < size:
            letter = data[i]
            if letter == b"\\" and i + 1 < size:
                i += 1
                letter = control(data[i])
            to[0] = letter
            to += 1
            i += 1
        size = to - PyBytes_AS_STRING(value)
        if not decoded:
            return value[:size]
        data = PyBytes_AS_STRING(value)
    return PyUnicode_DecodeUTF8(data, size, NULL) if decoded else PyBytes_FromStringAndSize(data, size)


cdef inline char control(char letter) noexcept:
    """Return the byte that an escaped letter stands for."""
    cdef int i
    for i in range(6):
        if CONTROLS[i] == letter:
            return <char>(8 + i)
    return letter


def split_binary_row(bytes rows, Py_ssize_t at):
    """Return the values of the row in binary format that begins somewhere, and where it ends.

    :return: None for what is no row: a header, a trailer, or what cannot be read
    """
    cdef const unsigned char *data = <const unsigned char *>PyBytes_AS_STRING(rows)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(rows), length
    cdef int count, i
    if at < 0 or size - at < 2:
        return None
    count = data[at] << 8 | data[at + 1]
    at += 2
    if count >= 1 << 15 or 4 * count > size - at:
        return None
    cdef list values = []
    for i in range(count):
        if size - at < 4:
            return None
        length = <int32_t>(<uint32_t>data[at] << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3])
        at += 4
        if length == -1:
            values.append(None)
            continue
        if not 0 <= length <= size - at:
            return None
        values.append(PyBytes_FromStringAndSize(<const char *>data + at, length))
        at += length
    return values, at
