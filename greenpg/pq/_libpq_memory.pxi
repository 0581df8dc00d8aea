# Values on their way into C and out of it: what libpq allocated is copied and freed at once.

cdef Functions no_functions  # of an object that Python made by itself: it is closed and calls none


cdef tuple CONN_STATUS = tuple(map(ConnStatus, range(len(ConnStatus))))
cdef tuple EXEC_STATUS = tuple(map(ExecStatus, range(len(ExecStatus))))
cdef tuple PING = tuple(map(Ping, range(len(Ping))))
cdef tuple PIPELINE_STATUS = tuple(map(PipelineStatus, range(len(PipelineStatus))))
cdef tuple POLLING_STATUS = tuple(map(PollingStatus, range(len(PollingStatus))))
cdef tuple TRANSACTION_STATUS = tuple(map(TransactionStatus, range(len(TransactionStatus))))


cdef extern from "Python.h":
    # a `bytes` that is still being written belongs to nobody else: Cython's own would count its references
    PyObject *new_bytes "PyBytes_FromStringAndSize"(const char *, Py_ssize_t) except NULL
    int resize_bytes "_PyBytes_Resize"(PyObject **, Py_ssize_t) except -1
    char *bytes_start "PyBytes_AS_STRING"(PyObject *)
    void unref "Py_DECREF"(PyObject *)

cdef int CONNECTION_BAD = ConnStatus.BAD

cdef Py_ssize_t COPY_ROOM = 8192  # as in `_ctypes.memory`


cdef inline bytes given_up(PyObject *written):
    """Return the `bytes` that has been written, as one of Python's."""
    rows = <bytes> written
    unref(written)
    return rows


cdef inline object member(tuple members, int value):
    """Return the member of an enum, also of a value that only a newer libpq knows."""
    if 0 <= value < len(members):
        return members[value]
    return type(members[0])(value)


cdef inline const char *c_text(bytes text) except NULL:
    """Return `text` as a C string, which lives as long as `text`; no NUL may be in it, C would cut it there."""
    if text is None:
        raise TypeError("expected bytes, not None")
    if memchr(PyBytes_AS_STRING(text), 0, len(text)) is not NULL:
        refuse_nul()
    return PyBytes_AS_STRING(text)


cdef int refuse_nul() except -1:
    raise DataError("PostgreSQL takes no text with a NUL byte in it, use bytea for binary data")


cdef inline bytes text_or_none(const char *text):
    return None if text is NULL else <bytes> text


cdef inline bytes text_or_empty(const char *text):
    return b"" if text is NULL else <bytes> text


cdef bytes taken(Functions *pq, void *memory, Py_ssize_t size=-1):
    """Return what libpq allocated, and free it; without a size up to the NUL."""
    try:
        return PyBytes_FromStringAndSize(<char *> memory, strlen(<char *> memory) if size < 0 else size)
    finally:
        pq.PQfreemem(memory)


cdef list option_list(Functions *pq, conninfo_option *array):
    """Return what is in an array of options, and free it."""
    cdef conninfo_option *option = array
    cdef list found = []
    try:
        while option.keyword is not NULL:
            found.append(
                ConninfoOption(
                    option.keyword,
                    text_or_none(option.envvar),
                    text_or_none(option.compiled),
                    text_or_none(option.val),
                    text_or_none(option.label),
                    text_or_none(option.dispchar),
                    option.dispsize,
                )
            )
            option += 1
    finally:
        pq.PQconninfoFree(array)
    return found


cdef str message_text(bytes message, encoding):
    return message.decode(encoding, "replace").strip()


cdef inline int c_length(bytes value) except -1:
    """Return the length of `value`, which has to fit into an int of C."""
    if len(value) > INT_MAX:
        raise DataError(f"PostgreSQL takes at most 1 GB in one value, this one has {len(value)} bytes")
    return <int> len(value)


# Parameters as C arrays

cdef enum:
    FEW = 16  # parameters, for which no memory is allocated

cdef struct Parameters:
    int count
    const char **values
    int *lengths
    int *formats
    void *heap  # to be freed
    const char *few_values[FEW]
    int few_numbers[2 * FEW]


cdef Oid *oids(types) except? NULL:
    """Return `types` as a C array to be freed, NULL for none."""
    cdef tuple given = tuple(types) if types else ()
    cdef Py_ssize_t i, count = len(given)
    cdef Oid *found
    if not count:
        return NULL
    found = <Oid *> malloc(count * sizeof(Oid))
    if found is NULL:
        raise MemoryError
    try:
        for i in range(count):
            found[i] = given[i]
    except BaseException:
        free(found)
        raise
    return found


cdef tuple fill_parameters(Parameters *params, values, formats):
    """Fill the arrays from Python's sequences; return what has to be kept while they are in use."""
    cdef tuple given, chosen
    cdef bytes data
    cdef Py_ssize_t i, count
    params.count = 0
    params.values = NULL
    params.lengths = params.formats = NULL
    params.heap = NULL
    if not values:
        return ()
    given = all_bytes(values)
    chosen = None if formats is None else tuple(formats)
    count = len(given)
    if chosen is not None and len(chosen) != count:
        raise ValueError(f"got {count} parameter values but {len(chosen)} parameter formats")
    make_room(params, count)
    for i in range(count):
        params.formats[i] = 0 if chosen is None else chosen[i]
        data = given[i]
        if data is None:
            params.values[i] = NULL
            params.lengths[i] = 0
        else:
            params.values[i] = PyBytes_AS_STRING(data)
            params.lengths[i] = c_length(data)
            if not params.formats[i]:
                c_text(data)
    return given


cdef tuple all_bytes(values):
    """Return the values as bytes, and None for None."""
    cdef tuple given = tuple(values)
    for value in given:
        if value is not None and type(value) is not bytes:
            return tuple([None if each is None else bytes(each) for each in given])
    return given


cdef int make_room(Parameters *params, Py_ssize_t count) except -1:
    params.count = <int> min(count, INT_MAX)  # libpq refuses more than 65535
    if count <= FEW:
        params.values = params.few_values
        params.lengths = params.few_numbers
        params.formats = params.few_numbers + FEW
        return 0
    params.heap = malloc(count * (sizeof(char *) + 2 * sizeof(int)))
    if params.heap is NULL:
        raise MemoryError
    params.values = <const char **> params.heap
    params.lengths = <int *> (params.values + count)
    params.formats = params.lengths + count
    return 0
