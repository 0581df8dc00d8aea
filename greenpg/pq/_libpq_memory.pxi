# Values on their way into C and out of it: what libpq allocated is copied and freed at once.

cdef tuple CONN_STATUS = tuple(map(ConnStatus, range(len(ConnStatus))))
cdef tuple EXEC_STATUS = tuple(map(ExecStatus, range(len(ExecStatus))))
cdef tuple PING = tuple(map(Ping, range(len(Ping))))
cdef tuple PIPELINE_STATUS = tuple(map(PipelineStatus, range(len(PipelineStatus))))
cdef tuple POLLING_STATUS = tuple(map(PollingStatus, range(len(PollingStatus))))
cdef tuple TRANSACTION_STATUS = tuple(map(TransactionStatus, range(len(TransactionStatus))))


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
