# `PGconn`: one libpq connection, our own or borrowed. Every call looks first whether it is still there, and
# one that changes it also whether no other call is under way: from another thread, or around a notice's handler.


cdef class BaseConn:
    """What a `PGconn` is apart from what goes through it; finished with this object, unless it is borrowed."""

    def __cinit__(self):
        self.pq = &no_functions

    def __dealloc__(self):
        self.close()

    cdef pg_conn *alive(self) except NULL:
        if self.ptr is NULL:
            raise OperationalError("the connection is closed")
        return self.ptr

    cdef pg_conn *idle(self) except NULL:
        if self.calls or self.notices:
            raise OperationalError("the connection is in the middle of another call: use it in one thread at a time")
        return self.alive()

    cdef int released(self, int (*call)(pg_conn *) noexcept nogil) except? -1:
        cdef pg_conn *ptr = self.idle()
        cdef int answer
        self.calls += 1
        with nogil:
            answer = call(ptr)
        self.calls -= 1
        return answer

    cdef int released_with_text(
        self, int (*call)(pg_conn *, const char *) noexcept nogil, const char *text
    ) except? -1:
        cdef pg_conn *ptr = self.idle()
        cdef int answer
        self.calls += 1
        with nogil:
            answer = call(ptr, text)
        self.calls -= 1
        return answer

    cdef pg_conn *able(self, const void *function, str name) except NULL:
        cdef pg_conn *ptr = self.alive()
        if function is NULL:
            raise too_old(name, self.library.version, self.library.path)
        return ptr

    # Connecting and closing

    @property
    def pgconn_ptr(self):
        return None if self.ptr is NULL else <uintptr_t> self.ptr

    def connect_poll(self):
        return member(POLLING_STATUS, self.released(self.pq.PQconnectPoll))

    def reset_start(self):
        if not self.released(self.pq.PQresetStart):
            self.fail("the connection could not be reset")

    def reset_poll(self):
        return member(POLLING_STATUS, self.released(self.pq.PQresetPoll))

    def finish(self):
        self.close()

    cdef int close(self) except -1:
        cdef pg_conn *ptr = self.ptr
        if self.notices:  # libpq is in the middle of a call on it
            raise OperationalError("the connection cannot be closed by the handler of its notices")
        if self.calls and self.pid == getpid():  # those of the parent process never come back here
            raise OperationalError("the connection cannot be closed while another thread is in a call on it")
        self.ptr = NULL
        if ptr is NULL or not self.owned:
            return 0
        conns.pop(self.key, None)
        if self.pid != getpid():
            cut_off(self.pq.PQsocket(ptr))
        with nogil:
            self.pq.PQfinish(ptr)
        self.end_trace()
        return 0

    # State

    @property
    def status(self):
        return ConnStatus.BAD if self.ptr is NULL else member(CONN_STATUS, self.pq.PQstatus(self.ptr))

    @property
    def transaction_status(self):
        if self.ptr is NULL:
            return TransactionStatus.UNKNOWN
        return member(TRANSACTION_STATUS, self.pq.PQtransactionStatus(self.ptr))

    @property
    def pipeline_status(self):
        cdef pg_conn *ptr = self.able(self.pq.PQpipelineStatus, "PQpipelineStatus")
        return member(PIPELINE_STATUS, self.pq.PQpipelineStatus(ptr))

    @property
    def socket(self):
        cdef int fd = self.pq.PQsocket(self.alive())
        if fd < 0:
            raise OperationalError("the connection is lost")
        return fd

    @property
    def backend_pid(self):
        return self.pq.PQbackendPID(self.alive())

    @property
    def protocol_version(self):
        return self.pq.PQprotocolVersion(self.alive())

    @property
    def full_protocol_version(self):
        return self.pq.PQfullProtocolVersion(self.able(self.pq.PQfullProtocolVersion, "PQfullProtocolVersion"))

    @property
    def server_version(self):
        return self.pq.PQserverVersion(self.alive())

    @property
    def error_message(self):
        return text_or_empty(self.pq.PQerrorMessage(self.alive()))

    def get_error_message(self, encoding="utf-8"):
        return message_text(self.error_message, encoding)

    def parameter_status(self, bytes name not None):
        return text_or_none(self.pq.PQparameterStatus(self.alive(), name))

    def parameter_statuses(self, tuple names not None):
        if names is not self.reported_names or not self.reports_the_same():
            self.reported = tuple([None if self.ptr is NULL else self.parameter_status(name) for name in names])
            self.reported_names = names
        return self.reported

    cdef bint reports_the_same(self) except -1:
        cdef Py_ssize_t i
        cdef const char *value
        for i in range(len(self.reported)):
            known = self.reported[i]
            value = NULL
            if self.ptr is not NULL:
                value = self.pq.PQparameterStatus(self.ptr, PyBytes_AS_STRING(self.reported_names[i]))
            if value is NULL or known is None:
                if value is not NULL or known is not None:
                    return False
            elif strcmp(value, PyBytes_AS_STRING(known)) != 0:
                return False
        return True

    def set_error_verbosity(self, int verbosity):
        return self.pq.PQsetErrorVerbosity(self.alive(), verbosity)

    # How it was made

    @property
    def info(self):
        cdef conninfo_option *array = self.pq.PQconninfo(self.alive())
        if array is NULL:
            raise OperationalError("libpq has no memory left for the connection's options")
        return option_list(self.pq, array)

    @property
    def db(self):
        return text_or_empty(self.pq.PQdb(self.alive()))

    @property
    def user(self):
        return text_or_empty(self.pq.PQuser(self.alive()))

    @property
    def password(self):
        return text_or_empty(self.pq.PQpass(self.alive()))

    @property
    def host(self):
        return text_or_empty(self.pq.PQhost(self.alive()))

    @property
    def hostaddr(self):
        return text_or_empty(self.pq.PQhostaddr(self.able(self.pq.PQhostaddr, "PQhostaddr")))

    @property
    def port(self):
        return text_or_empty(self.pq.PQport(self.alive()))

    @property
    def options(self):
        return text_or_empty(self.pq.PQoptions(self.alive()))

    @property
    def needs_password(self):
        return self.pq.PQconnectionNeedsPassword(self.alive()) != 0

    @property
    def used_password(self):
        return self.pq.PQconnectionUsedPassword(self.alive()) != 0

    @property
    def used_gssapi(self):
        cdef pg_conn *ptr = self.able(self.pq.PQconnectionUsedGSSAPI, "PQconnectionUsedGSSAPI")
        return self.pq.PQconnectionUsedGSSAPI(ptr) != 0

    @property
    def ssl_in_use(self):
        return self.pq.PQsslInUse(self.alive()) != 0

    # Cancelling

    @property
    def can_cancel_without_blocking(self):
        return self.pq.PQcancelCreate is not NULL

    def cancel_conn(self):
        cdef pg_conn *ptr = self.able(self.pq.PQcancelCreate, "PQcancelCreate")
        cdef PGcancelConn request = PGcancelConn.__new__(PGcancelConn)
        request.pq = self.pq
        request.ptr = self.pq.PQcancelCreate(ptr)
        if request.ptr is NULL:
            self.fail("no cancel connection could be made")
        return request

    def get_cancel(self):
        cdef pg_conn *ptr = self.alive()
        cdef PGcancel request = PGcancel.__new__(PGcancel)
        request.pq = self.pq
        request.ptr = self.pq.PQgetCancel(ptr)
        if request.ptr is NULL:
            self.fail("no cancel request could be made")
        return request

    # Escaping

    def escape_literal(self, bytes data):
        cdef pg_conn *ptr = self.alive()
        cdef char *escaped = self.pq.PQescapeLiteral(ptr, c_text(data), len(data))
        if escaped is NULL:
            self.fail("escaping a literal failed")
        return taken(self.pq, escaped)

    def escape_identifier(self, bytes data):
        cdef pg_conn *ptr = self.alive()
        cdef char *escaped = self.pq.PQescapeIdentifier(ptr, c_text(data), len(data))
        if escaped is NULL:
            self.fail("escaping an identifier failed")
        return taken(self.pq, escaped)

    def escape_string(self, bytes data):
        cdef pg_conn *ptr = self.alive()
        cdef const char *text = c_text(data)
        cdef int error = 0
        cdef size_t size
        cdef char *escaped = <char *> malloc(2 * <size_t> len(data) + 1)
        if escaped is NULL:
            raise MemoryError
        try:
            size = self.pq.PQescapeStringConn(ptr, escaped, text, len(data), &error)
            if error:
                self.fail("escaping a string failed")
            return PyBytes_FromStringAndSize(escaped, size)
        finally:
            free(escaped)

    def escape_bytea(self, bytes data not None):
        cdef pg_conn *ptr = self.alive()
        cdef size_t size = 0
        cdef void *escaped = self.pq.PQescapeByteaConn(ptr, data, len(data), &size)
        if escaped is NULL:
            self.fail("escaping a bytea failed")
        return taken(self.pq, escaped, size - 1)  # the size counts the NUL at the end

    def encrypt_password(self, bytes passwd, bytes user, bytes algorithm):
        cdef pg_conn *ptr = self.able(self.pq.PQencryptPasswordConn, "PQencryptPasswordConn")
        cdef const char *secret = c_text(passwd)
        cdef const char *name = c_text(user)
        cdef const char *method = c_text(algorithm)
        cdef char *encrypted
        ptr = self.idle()
        self.calls += 1
        with nogil:
            encrypted = self.pq.PQencryptPasswordConn(ptr, secret, name, method)
        self.calls -= 1
        if encrypted is NULL:
            self.fail("encrypting the password failed")
        return taken(self.pq, encrypted)

    # Tracing

    def trace(self, int fileno, int flags=0):
        cdef pg_conn *ptr = self.alive()
        self.untrace()
        if flags:
            self.able(self.pq.PQsetTraceFlags, "PQsetTraceFlags")
        self.trace_file = trace_file(fileno)
        self.pq.PQtrace(ptr, self.trace_file)
        if flags:
            self.pq.PQsetTraceFlags(ptr, flags)

    def untrace(self):
        cdef pg_conn *ptr = self.idle()
        self.calls += 1
        with nogil:
            self.pq.PQuntrace(ptr)
        self.calls -= 1
        self.end_trace()

    cdef int end_trace(self) except -1:
        cdef void *stream = self.trace_file
        self.trace_file = NULL
        if stream is not NULL:
            with nogil:
                fclose(<FILE *> stream)
        return 0

    # Failing

    cdef int fail(self, str what) except -1:
        raise OperationalError(f"{what}: {self.get_error_message()}")


cdef int cut_off(int fd) except -1:
    """Put /dev/null in the place of a socket shared with the parent, whose session PQfinish would end."""
    cdef int null
    if fd < 0:
        return 0
    null = c_open("/dev/null", O_RDWR)
    if null < 0:
        raise OSError(errno, "the connection of the parent process cannot be let go of: /dev/null does not open")
    dup2(null, fd)
    fcntl(fd, F_SETFD, FD_CLOEXEC)
    close(null)
    return 0


cdef void *trace_file(int fileno) except NULL:
    """Return a `FILE *` on a copy of a file descriptor."""
    cdef FILE *stream
    cdef int failure
    cdef int fd = dup(fileno)
    if fd < 0:
        failure = errno
        raise OSError(failure, os.strerror(failure))
    fcntl(fd, F_SETFD, FD_CLOEXEC)
    stream = fdopen(fd, "w")
    if stream is NULL:
        failure = errno
        close(fd)
        raise OSError(failure, "the file descriptor cannot be written to")
    return stream
