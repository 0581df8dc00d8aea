# Cancel requests: `PGcancelConn` (libpq 17) goes through its steps like a connection, `PGcancel` blocks.


cdef int cancel_closed() except -1:
    raise OperationalError("the cancel connection is closed")


@cython.final
cdef class PGcancelConn:
    """A `PGcancelConn *` that is finished with this object."""

    def __cinit__(self):
        self.pq = &no_functions

    def __dealloc__(self):
        self.close()

    cdef inline pg_cancel_conn *alive(self) except NULL:
        if self.ptr is NULL:
            cancel_closed()
        return self.ptr

    def finish(self):
        self.close()

    cdef int close(self) except -1:
        cdef pg_cancel_conn *ptr = self.ptr
        self.ptr = NULL
        if ptr is not NULL:
            with nogil:
                self.pq.PQcancelFinish(ptr)
        return 0

    def start(self):
        cdef pg_cancel_conn *ptr = self.alive()
        cdef int started
        with nogil:
            started = self.pq.PQcancelStart(ptr)
        if not started:
            raise OperationalError(f"the cancel request failed to start: {self.get_error_message()}")

    def poll(self):
        cdef pg_cancel_conn *ptr = self.alive()
        cdef int status
        with nogil:
            status = self.pq.PQcancelPoll(ptr)
        return member(POLLING_STATUS, status)

    def reset(self):
        cdef pg_cancel_conn *ptr = self.alive()
        with nogil:
            self.pq.PQcancelReset(ptr)

    @property
    def status(self):
        return member(CONN_STATUS, self.pq.PQcancelStatus(self.ptr)) if self.ptr else ConnStatus.BAD

    @property
    def socket(self):
        cdef int fd = self.pq.PQcancelSocket(self.alive())
        if fd < 0:
            raise OperationalError("the cancel connection has no socket")
        return fd

    @property
    def error_message(self):
        return text_or_empty(self.pq.PQcancelErrorMessage(self.alive()))

    def get_error_message(self, encoding="utf-8"):
        return message_text(self.error_message, encoding)


@cython.final
cdef class PGcancel:
    """A `PGcancel *` that is freed with this object."""

    def __cinit__(self):
        self.pq = &no_functions

    def __dealloc__(self):
        self.close()

    def free(self):
        self.close()

    cdef int close(self) except -1:
        cdef pg_cancel *ptr = self.ptr
        self.ptr = NULL
        if ptr is not NULL:
            self.pq.PQfreeCancel(ptr)
        return 0

    def cancel(self):
        cdef char message[256]  # the size that libpq's chapter on cancelling recommends
        cdef pg_cancel *ptr = self.ptr
        cdef int taken
        if ptr is NULL:
            cancel_closed()
        message[0] = 0
        with nogil:
            taken = self.pq.PQcancel(ptr, message, sizeof(message))
        if not taken:
            raise OperationalError(f"the cancel request failed: {message_text(message, 'utf-8')}")
