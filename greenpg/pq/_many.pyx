"""One statement with one set of parameters after the other, compiled: what `greenpg.pq.many` says.

Nothing here waits. Python code may run wherever a set of parameters is asked for or a value is dumped, and it
may do anything: so the connection is looked at anew after it, and values are held until they were sent.
"""

cimport cython
from libc.limits cimport INT_MAX
from libc.stdlib cimport atoll, calloc, free, realloc
from libc.string cimport memcmp, memcpy, strcmp, strncmp
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.object cimport PyObject, PyTypeObject, Py_TYPE

from greenpg.pq._libpq cimport Functions, PGconn, PGresult, new_result, pg_conn, pg_result
from greenpg.pq._params cimport ROOM, Encoded, Encoder, Encoders, Oid, encode

from greenpg.errors import DataError
from greenpg.pq.enums import Format
from greenpg.pq.many import Sent

cdef extern from "Python.h":
    PyObject *PyDict_GetItemWithError(object, object) except? NULL

cdef object END = object()
cdef object DONE = Sent.ALL
cdef object FULL = Sent.ENOUGH
cdef object UNKNOWN = Sent.UNTIL_UNKNOWN
cdef object TEXT = Format.TEXT
cdef object BINARY = Format.BINARY

cdef enum:
    COMMAND_OK = 1  # of ExecStatusType
    TUPLES_OK = 2
    PIPELINE_ABORTED = 11
    OVERHEAD = 50  # bytes that an execution takes besides its parameters, about
    WORK = 256  # bytes that take the time of a dumper, about
    KEPT = 4096  # a value of so many bytes is not copied
    CHUNK = 16384  # bytes after which to see whether the socket takes more; libpq sends 8192 at a time
    OUTSIDE = -1  # where a value is, if not in the buffer
    FEW = 16  # parameters that a `Repeat` takes
    KINDS = 24  # of types that it knows at a time
    NULL_VALUE = -2


@cython.final
cdef class Sender:
    """Sends one statement with one set of parameters after the other."""

    cdef PGconn pgconn
    cdef Encoders encoders
    cdef object tx
    cdef bytes query
    cdef tuple formats, names
    cdef object arrange
    cdef list tables, held
    cdef int count
    cdef char *data
    cdef Py_ssize_t size, room, weight
    cdef void *arrays
    cdef const char **values
    cdef Py_ssize_t *places
    cdef int *lengths
    cdef int *used
    cdef Oid *types
    cdef Oid *known
    cdef PyTypeObject **classes  # of the last value of each parameter that had an encoder
    cdef PyObject **found  # and the encoder
    cdef bint is_known
    cdef bytes name
    cdef int result_format
    cdef readonly Py_ssize_t sent
    cdef readonly Py_ssize_t taken

    def __init__(
        self, PGconn pgconn not None, Encoders encoders not None, tx, bytes query not None, formats, names, arrange
    ):
        if self.arrays is not NULL:
            raise TypeError("it is made once")
        self.pgconn, self.encoders, self.tx = pgconn, encoders, tx
        self.query, self.names, self.arrange = query, names, arrange
        self.formats = tuple(formats)
        self.tables = [encoders.table(format) for format in self.formats]
        self.held = []
        self.count = len(self.formats)
        cdef size_t each = 3 * sizeof(char *) + sizeof(Py_ssize_t) + 2 * sizeof(int) + 2 * sizeof(Oid)
        self.arrays = calloc(max(self.count, 1), each)
        if self.arrays is NULL:
            raise MemoryError
        self.classes = <PyTypeObject **>self.arrays
        self.found = <PyObject **>(self.classes + self.count)
        self.values = <const char **>(self.found + self.count)
        self.places = <Py_ssize_t *>(self.values + self.count)
        self.lengths = <int *>(self.places + self.count)
        self.used = self.lengths + self.count
        self.types = <Oid *>(self.used + self.count)
        self.known = self.types + self.count

    def __dealloc__(self):
        free(self.arrays)
        free(self.data)

    def send(self, rows, dict statements, Py_ssize_t limit):
        cdef Py_ssize_t unflushed = 0
        self.sent = self.taken = 0
        self.is_known = False
        while self.taken < limit:
            params = next(rows, END)
            if params is END:
                return DONE
            self.fill(params)
            if not (self.is_known and memcmp(self.types, self.known, self.count * sizeof(Oid)) == 0):
                if not self.look_up(statements):
                    return UNKNOWN
            self.pgconn.sent(self.send_one(self.pgconn.idle()))
            self.sent += 1
            self.taken += self.weight + OVERHEAD
            unflushed += self.weight + OVERHEAD
            if unflushed >= CHUNK:
                unflushed = 0
                if self.is_stuck():
                    break
        return FULL

    def take(self):
        types, used, values = [], [], []
        for i in range(self.count):
            types.append(self.types[i])
            used.append(BINARY if self.used[i] else TEXT)
            if self.places[i] == NULL_VALUE:
                values.append(None)
            else:
                values.append(PyBytes_FromStringAndSize(self.value(i), self.lengths[i]))
        return values, tuple(types), used

    cdef bint look_up(self, dict statements) except -1:
        """Take the name of the statement for the types that the parameters have; return whether there is one."""
        found = statements.get(tuple([self.types[i] for i in range(self.count)]))
        if found is None:
            return False
        self.name, self.result_format = found
        memcpy(self.known, self.types, self.count * sizeof(Oid))
        self.is_known = True
        return True

    cdef bint is_stuck(self) except -1:
        """Return whether the socket takes no more: what is sent now would only be kept."""
        cdef int left = self.pgconn.pq.PQflush(self.pgconn.idle())
        if left < 0:
            self.pgconn.fail("sending failed")
        return left > 0

    cdef int send_one(self, pg_conn *ptr) noexcept:
        cdef Functions *pq = self.pgconn.pq
        cdef int i
        for i in range(self.count):
            self.values[i] = self.value(i)
        if self.name is not None:
            return pq.PQsendQueryPrepared(
                ptr, PyBytes_AS_STRING(self.name), self.count, self.values, self.lengths, self.used,
                self.result_format,
            )
        return pq.PQsendQueryParams(
            ptr, PyBytes_AS_STRING(self.query), self.count, self.types, self.values, self.lengths, self.used,
            self.result_format,
        )

    cdef inline const char *value(self, Py_ssize_t i) noexcept:
        if self.places[i] == NULL_VALUE:
            return NULL
        return self.values[i] if self.places[i] == OUTSIDE else self.data + self.places[i]

    # One set of parameters

    cdef int fill(self, params) except -1:
        """Encode a set of parameters."""
        cdef tuple values = self.in_order(params)
        cdef int i
        self.size = self.weight = 0
        self.held.clear()
        for i in range(self.count):
            value = values[i]
            if value is None:
                self.set_null(i)
                self.types[i], self.used[i] = 0, 0
            else:
                self.put(i, value)
        self.weight += self.size
        return 0

    cdef tuple in_order(self, params):
        """Return the values of a set of parameters, as many as there are placeholders."""
        cdef tuple values = ordered(params, self.names, self.count)
        if values is not None:
            return values
        values = tuple(self.arrange(params))  # or it says what is wrong
        if len(values) != self.count:
            raise ValueError("the parameters have changed while they were read")
        return values

    cdef int put(self, int i, object value) except -1:
        cdef Encoded out
        cdef Encoder encoder
        if Py_TYPE(value) is self.classes[i]:
            encoder = <Encoder>self.found[i]
        else:
            encoder = self.encoders.find(<dict>self.tables[i], self.tx, value, self.formats[i])
            if encoder is not None:  # the table keeps both, for as long as there are these encoders
                self.classes[i], self.found[i] = Py_TYPE(value), <PyObject *>encoder
        self.reserve(ROOM)
        out.size = -1
        if encoder is not None:
            held = encode(encoder, value, self.tx, self.data + self.size, &out)
        if out.size < 0:
            return self.put_dumped(i, value)
        self.types[i], self.used[i] = out.oid, out.format
        if held is None:
            return self.end_value(i, out.size)
        return self.put_held(i, held, out.data, out.size)

    cdef int put_dumped(self, int i, object value) except -1:
        """Have a value dumped by its dumper."""
        self.weight += WORK
        dumped, oid, format = self.tx.dump_one(value, self.formats[i])
        self.types[i], self.used[i] = oid, format
        if dumped is None:
            return self.set_null(i)
        cdef bytes data = bytes(dumped)
        if not self.used[i] and b"\0" in data:
            raise DataError("PostgreSQL takes no text with a NUL byte in it, use bytea for binary data")
        return self.put_held(i, data, PyBytes_AS_STRING(data), len(data))

    cdef int put_held(self, int i, object held, const char *data, Py_ssize_t size) except -1:
        """Take bytes that are in an object."""
        if size > INT_MAX:
            raise DataError(f"a value of {size} bytes is larger than PostgreSQL takes, 1 GB")
        self.lengths[i] = <int>size
        if size >= KEPT:
            self.held.append(held)
            self.places[i], self.values[i] = OUTSIDE, data
            self.weight += size
            return 0
        self.reserve(size + 1)
        memcpy(self.data + self.size, data, size)
        return self.end_value(i, size)

    cdef int end_value(self, int i, Py_ssize_t size) except -1:
        """Take what was written to the buffer."""
        self.places[i], self.lengths[i] = self.size, <int>size
        self.data[self.size + size] = 0  # libpq does not look at the length of text
        self.size += size + 1
        return 0

    cdef int set_null(self, int i) except -1:
        self.places[i], self.lengths[i] = NULL_VALUE, 0
        return 0

    cdef int reserve(self, Py_ssize_t size) except -1:
        """Have room for so many bytes more."""
        if self.size + size <= self.room:
            return 0
        cdef char *data = <char *>realloc(self.data, 2 * (self.size + size))
        if data is NULL:
            raise MemoryError
        self.data, self.room = data, 2 * (self.size + size)
        return 0


@cython.final
cdef class Repeat:
    """One statement, executed again."""

    cdef PGconn pgconn
    cdef Encoders encoders
    cdef tuple formats, names, tables
    cdef dict statements  # by the types of the parameters
    cdef object latest  # the one that was sent last
    cdef bint is_bare  # given without parameters
    cdef int count
    cdef Oid types[FEW]  # and of which types its parameters were

    def __cinit__(self, PGconn pgconn not None, Encoders encoders not None, formats, names):
        self.pgconn, self.encoders = pgconn, encoders
        self.is_bare = formats is None
        self.formats, self.names = tuple(formats or ()), names
        if len(self.formats) > FEW:
            raise ValueError(f"a statement with more than {FEW} parameters is not repeated")
        self.count = <int>len(self.formats)
        self.tables = tuple([encoders.table(format) for format in self.formats])
        self.statements = {}

    def remember(self, statement):
        if len(self.statements) >= KINDS:
            self.statements.clear()
        _, types = statement.key
        self.statements[types] = statement
        self.latest = None

    def send(self, params, tx, state):
        cdef Encoded out
        cdef Encoder encoder
        cdef char room[FEW * (ROOM + 1)]
        cdef const char *data[FEW]
        cdef int lengths[FEW]
        cdef int used[FEW]
        cdef Oid types[FEW]
        cdef int i
        cdef char *space
        cdef list kept = None
        cdef tuple values
        if (params is None) != self.is_bare:
            return None
        values = () if params is None else ordered(params, self.names, self.count)
        if values is None:
            return None
        for i in range(self.count):
            value = values[i]
            if value is None:
                data[i], lengths[i], used[i], types[i] = NULL, 0, 0, 0
                continue
            encoder = self.encoders.find(<dict>self.tables[i], tx, value, self.formats[i])
            if encoder is None:
                return None
            space = room + i * (ROOM + 1)
            held = encode(encoder, value, tx, space, &out)
            if not 0 <= out.size <= INT_MAX:
                return None
            if held is None:
                space[out.size] = 0  # libpq does not look at the length of text
            elif held is not value:
                kept = kept or []
                kept.append(held)
            data[i], lengths[i], used[i], types[i] = out.data, <int>out.size, out.format, out.oid
        statement = self.find(types)
        if statement is None or statement.judged_by is not state:
            return None
        cdef object name = statement.name
        if name is None:
            return None
        cdef int result_format = statement.is_binary
        self.pgconn.sent(self.send_one(self.pgconn.idle(), <bytes?>name, data, lengths, used, result_format))
        return statement

    cdef object find(self, const Oid *types):
        """Return the statement for parameters of these types, None if it is not known."""
        if self.latest is None or memcmp(types, self.types, self.count * sizeof(Oid)):
            self.latest = self.statements.get(tuple([types[i] for i in range(self.count)]))
            memcpy(self.types, types, self.count * sizeof(Oid))
        return self.latest

    cdef int send_one(
        self, pg_conn *ptr, bytes name, const char **data, const int *lengths, const int *used, int result_format
    ) except? -1:
        cdef Functions *pq = self.pgconn.pq
        cdef const char *named = PyBytes_AS_STRING(name)
        cdef int good
        self.pgconn.calls += 1
        with nogil:
            good = pq.PQsendQueryPrepared(ptr, named, self.count, data, lengths, used, result_format)
        self.pgconn.calls -= 1
        return good


cdef tuple ordered(params, tuple names, int count):
    """Return parameters in order, if they are of a usual class and as many as there are placeholders."""
    cdef tuple values
    cdef list by_name
    cdef PyObject *found
    cdef int i
    if names is None:
        if type(params) is tuple or type(params) is list:
            values = tuple(params)
            if len(values) == count:
                return values
    elif type(params) is dict and len(names) == count:
        by_name = [None] * count
        for i in range(count):
            found = PyDict_GetItemWithError(params, names[i])
            if found is NULL:
                return None
            by_name[i] = <object>found
        return tuple(by_name)
    return None


@cython.final
cdef class Tally:
    """Takes in what comes of executions of one statement."""

    cdef readonly Py_ssize_t left
    cdef bint is_kept, is_awaiting_end
    cdef list kept
    cdef long long touched, each
    cdef bytes tag

    def __init__(self, bint is_kept):
        self.is_kept, self.kept = is_kept, []

    def expect(self, Py_ssize_t count):
        self.left += count

    def collect(self, PGconn pgconn not None, bint is_failed):
        cdef Functions *pq = pgconn.pq
        cdef pg_result *result
        cdef pg_conn *ptr
        while self.left:
            ptr = pgconn.idle()  # a notice was handled, perhaps
            if not self.is_awaiting_end and pq.PQisBusy(ptr):
                break
            result = pq.PQgetResult(ptr)
            if result is NULL:
                if not self.is_awaiting_end:
                    break
                self.is_awaiting_end = False
                self.left -= 1
            elif self.is_awaiting_end or not self.take(pq, result, is_failed):
                return new_result(pq, result)
            else:
                self.is_awaiting_end = True
        return None

    cdef bint take(self, Functions *pq, pg_result *result, bint is_failed) except -1:
        """Count a result, unless there is more to be done about it."""
        cdef int status = pq.PQresultStatus(result)
        cdef const char *tag
        if status == PIPELINE_ABORTED and is_failed:
            pq.PQclear(result)
            return True
        if status != COMMAND_OK and status != TUPLES_OK:
            return False
        tag = pq.PQcmdStatus(result)
        if self.tag is None or strcmp(tag, PyBytes_AS_STRING(self.tag)):
            if not is_steady(tag):
                return False
            self.tag, self.each = tag, atoll(pq.PQcmdTuples(result))
        self.touched += self.each
        if self.is_kept:
            self.kept.append(new_result(pq, result))
        else:
            pq.PQclear(result)
        return True

    def skip(self):
        self.left -= 1

    def give(self):
        touched, kept = self.touched, self.kept
        self.touched = 0
        if kept:
            self.kept = []
        return touched, self.tag, kept


cdef bint is_steady(const char *tag) noexcept:
    """Return whether it is of a command that changes nothing of what is known of statements."""
    return (
        strncmp(tag, b"INSERT", 6) == 0 or strncmp(tag, b"UPDATE", 6) == 0 or strncmp(tag, b"DELETE", 6) == 0
        or strncmp(tag, b"SELECT", 6) == 0 or strncmp(tag, b"MERGE", 5) == 0
    )
