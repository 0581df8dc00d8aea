# Rows as COPY has them, text and binary: see "File Formats" in PostgreSQL's documentation of COPY.


@cython.final
cdef class RowWriter:
    """Makes rows of Python values, and keeps them until there are enough to be sent."""

    cdef Encoders encoders
    cdef object tx, format
    cdef dict table
    cdef list columns
    cdef Py_ssize_t width, limit
    cdef bint is_binary, is_busy
    cdef char *data
    cdef Py_ssize_t size, room

    def __init__(self, Encoders encoders not None, tx, format, Py_ssize_t width, Py_ssize_t limit):
        self.encoders, self.tx, self.format = encoders, tx, format
        self.table = encoders.table(format)
        self.columns = tx.row_encoders(Encoder)
        self.width, self.limit = width, limit
        self.is_binary = format == "b"
        if self.columns is not None and len(self.columns) != width:
            raise DataError(f"expected {len(self.columns)} values in the row, got {width}")

    def __dealloc__(self):
        free(self.data)

    def add(self, row):
        cdef tuple values = row if type(row) is tuple else tuple(row)
        cdef Py_ssize_t before = self.size
        if len(values) != self.width:
            raise DataError(f"a row of this COPY has {self.width} values, not {len(values)}")
        if self.is_busy:
            raise InterfaceError("a dumper cannot write to the COPY that it is asked to dump for")
        self.is_busy = True
        try:
            self.add_values(values)
        except BaseException:
            self.size = before
            raise
        finally:
            self.is_busy = False
        return self.size >= self.limit

    def take(self):
        if self.is_busy:
            raise InterfaceError("a dumper cannot write to the COPY that it is asked to dump for")
        data = PyBytes_FromStringAndSize(self.data, self.size)
        self.size = 0
        if self.room > 4 * self.limit:  # there was one big row
            free(self.data)
            self.data, self.room = NULL, 0
        return data

    cdef int add_values(self, tuple values) except -1:
        cdef Py_ssize_t i
        cdef Encoder encoder
        cdef Encoded out
        cdef char room[ROOM]
        if self.is_binary:
            self.reserve(2)
            put_bytes(self.data + self.size, self.width, 2)
            self.size += 2
        for i in range(self.width):
            value = values[i]
            out.size = -1
            if value is not None:
                if self.columns is not None:
                    encoder = self.columns[i]
                else:
                    encoder = self.encoders.find(self.table, self.tx, value, self.format)
                if encoder is not None:
                    held = encode(encoder, value, self.tx, room, &out)
                if out.size < 0:
                    held = self.dumped(value, i)
                    if held is not None:
                        out.data, out.size = PyBytes_AS_STRING(held), PyBytes_GET_SIZE(held)
            if self.is_binary:
                self.add_field(out.data, out.size)
            else:
                self.add_text(out.data, out.size, b"\t")
        if not self.is_binary:
            self.reserve(1)
            self.size -= self.width > 0  # the last tab
            self.data[self.size] = b"\n"
            self.size += 1
        return 0

    cdef bytes dumped(self, value, Py_ssize_t number):
        """Return what the value's dumper makes of it."""
        if self.columns is None:
            data = self.tx.dump_one(value, self.format)[0]
        else:
            data = self.tx.dump_typed(value, number)
        return None if data is None else bytes(data)

    cdef int reserve(self, Py_ssize_t size) except -1:
        """Have room for so many bytes more."""
        cdef char *data
        if self.size + size <= self.room:
            return 0
        data = <char *>realloc(self.data, 2 * (self.size + size))
        if data is NULL:
            raise MemoryError
        self.data, self.room = data, 2 * (self.size + size)
        return 0

    cdef int add_field(self, const char *data, Py_ssize_t size) except -1:
        """Add a value in binary format, NULL if its size is -1."""
        if size > INT_MAX:
            raise DataError(f"a value of {size} bytes is larger than PostgreSQL takes, 1 GB")
        self.reserve(4 + max(size, 0))
        put_bytes(self.data + self.size, <uint64_t>size, 4)
        if size > 0:
            memcpy(self.data + self.size + 4, data, size)
        self.size += 4 + max(size, 0)
        return 0

    cdef int add_text(self, const char *data, Py_ssize_t size, char end) except -1:
        """Add a value in text format, NULL if its size is -1, and what is between it and the next one."""
        cdef Py_ssize_t i
        cdef char *to
        cdef char letter
        self.reserve(2 * max(size, 1) + 1)
        to = self.data + self.size
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
        self.size = to + 1 - self.data
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
