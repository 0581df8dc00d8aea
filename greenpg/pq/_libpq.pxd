"""What the compiled binding offers to the compiled loops beside it: libpq's functions and our objects.

No header of libpq is needed: its structs are opaque, and `Functions` holds what dlsym found. A table of
functions lives as long as the process, as the library that it points into does: it may be used without
keeping anything else alive.

The rules of who uses it: `pq` and `ptr` may be used after `ptr` was found not to be NULL, again after every
call of Python code, which may have closed or cleared the object. Only the functions in `_versions.SINCE` may
be NULL.
"""

cimport cython
from libc.stdint cimport uintptr_t

ctypedef unsigned int Oid

cdef extern from *:
    """
    typedef struct pg_conn pg_conn;
    typedef struct pg_result pg_result;
    typedef struct pg_cancel pg_cancel;
    typedef struct pg_cancel_conn pg_cancel_conn;
    """
    ctypedef struct pg_conn:
        pass
    ctypedef struct pg_result:
        pass
    ctypedef struct pg_cancel:
        pass
    ctypedef struct pg_cancel_conn:
        pass

cdef struct conninfo_option:  # PQconninfoOption; an array of them ends where `keyword` is NULL
    char *keyword
    char *envvar
    char *compiled
    char *val
    char *label
    char *dispchar
    int dispsize

cdef struct pg_notify:  # PGnotify, as far as it is public
    char *relname
    int be_pid
    char *extra

ctypedef void (*notice_receiver)(void *, const pg_result *) noexcept nogil

# One line for each function, in the order of `NAMES` in `_libpq.pyx`, which is how they are filled in.
cdef struct Functions:
    int (*PQlibVersion)() noexcept nogil
    void (*PQfreemem)(void *) noexcept nogil
    # Connecting and closing
    pg_conn *(*PQconnectStart)(const char *) noexcept nogil
    int (*PQconnectPoll)(pg_conn *) noexcept nogil
    int (*PQresetStart)(pg_conn *) noexcept nogil
    int (*PQresetPoll)(pg_conn *) noexcept nogil
    void (*PQfinish)(pg_conn *) noexcept nogil
    conninfo_option *(*PQconndefaults)() noexcept nogil
    conninfo_option *(*PQconninfoParse)(const char *, char **) noexcept nogil
    conninfo_option *(*PQconninfo)(pg_conn *) noexcept nogil
    void (*PQconninfoFree)(conninfo_option *) noexcept nogil
    int (*PQping)(const char *) noexcept nogil
    # State of a connection
    char *(*PQdb)(const pg_conn *) noexcept nogil
    char *(*PQuser)(const pg_conn *) noexcept nogil
    char *(*PQpass)(const pg_conn *) noexcept nogil
    char *(*PQhost)(const pg_conn *) noexcept nogil
    char *(*PQhostaddr)(const pg_conn *) noexcept nogil
    char *(*PQport)(const pg_conn *) noexcept nogil
    char *(*PQoptions)(const pg_conn *) noexcept nogil
    int (*PQstatus)(const pg_conn *) noexcept nogil
    int (*PQtransactionStatus)(const pg_conn *) noexcept nogil
    const char *(*PQparameterStatus)(const pg_conn *, const char *) noexcept nogil
    int (*PQprotocolVersion)(const pg_conn *) noexcept nogil
    int (*PQfullProtocolVersion)(const pg_conn *) noexcept nogil
    int (*PQserverVersion)(const pg_conn *) noexcept nogil
    char *(*PQerrorMessage)(const pg_conn *) noexcept nogil
    int (*PQsocket)(const pg_conn *) noexcept nogil
    int (*PQbackendPID)(const pg_conn *) noexcept nogil
    int (*PQpipelineStatus)(const pg_conn *) noexcept nogil
    int (*PQconnectionNeedsPassword)(const pg_conn *) noexcept nogil
    int (*PQconnectionUsedPassword)(const pg_conn *) noexcept nogil
    int (*PQconnectionUsedGSSAPI)(const pg_conn *) noexcept nogil
    int (*PQsslInUse)(pg_conn *) noexcept nogil
    notice_receiver (*PQsetNoticeReceiver)(pg_conn *, notice_receiver, void *) noexcept nogil
    int (*PQsetErrorVerbosity)(pg_conn *, int) noexcept nogil
    void (*PQtrace)(pg_conn *, void *) noexcept nogil
    void (*PQuntrace)(pg_conn *) noexcept nogil
    void (*PQsetTraceFlags)(pg_conn *, int) noexcept nogil
    # Sending
    int (*PQsendQuery)(pg_conn *, const char *) noexcept nogil
    int (*PQsendQueryParams)(
        pg_conn *, const char *, int, const Oid *, const char *const *, const int *, const int *, int
    ) noexcept nogil
    int (*PQsendPrepare)(pg_conn *, const char *, const char *, int, const Oid *) noexcept nogil
    int (*PQsendQueryPrepared)(
        pg_conn *, const char *, int, const char *const *, const int *, const int *, int
    ) noexcept nogil
    int (*PQsendDescribePrepared)(pg_conn *, const char *) noexcept nogil
    int (*PQsendDescribePortal)(pg_conn *, const char *) noexcept nogil
    int (*PQsendClosePrepared)(pg_conn *, const char *) noexcept nogil
    int (*PQsendClosePortal)(pg_conn *, const char *) noexcept nogil
    int (*PQflush)(pg_conn *) noexcept nogil
    int (*PQsetnonblocking)(pg_conn *, int) noexcept nogil
    int (*PQisnonblocking)(const pg_conn *) noexcept nogil
    # Receiving
    pg_result *(*PQgetResult)(pg_conn *) noexcept nogil
    int (*PQconsumeInput)(pg_conn *) noexcept nogil
    int (*PQisBusy)(pg_conn *) noexcept nogil
    int (*PQsetSingleRowMode)(pg_conn *) noexcept nogil
    int (*PQsetChunkedRowsMode)(pg_conn *, int) noexcept nogil
    pg_notify *(*PQnotifies)(pg_conn *) noexcept nogil
    # COPY
    int (*PQputCopyData)(pg_conn *, const char *, int) noexcept nogil
    int (*PQputCopyEnd)(pg_conn *, const char *) noexcept nogil
    int (*PQgetCopyData)(pg_conn *, char **, int) noexcept nogil
    int (*PQgetlineAsync)(pg_conn *, char *, int) noexcept nogil
    int (*PQendcopy)(pg_conn *) noexcept nogil
    # Pipeline
    int (*PQenterPipelineMode)(pg_conn *) noexcept nogil
    int (*PQexitPipelineMode)(pg_conn *) noexcept nogil
    int (*PQpipelineSync)(pg_conn *) noexcept nogil
    int (*PQsendPipelineSync)(pg_conn *) noexcept nogil
    int (*PQsendFlushRequest)(pg_conn *) noexcept nogil
    # Cancelling
    pg_cancel_conn *(*PQcancelCreate)(pg_conn *) noexcept nogil
    int (*PQcancelStart)(pg_cancel_conn *) noexcept nogil
    int (*PQcancelPoll)(pg_cancel_conn *) noexcept nogil
    int (*PQcancelStatus)(const pg_cancel_conn *) noexcept nogil
    int (*PQcancelSocket)(const pg_cancel_conn *) noexcept nogil
    char *(*PQcancelErrorMessage)(const pg_cancel_conn *) noexcept nogil
    void (*PQcancelReset)(pg_cancel_conn *) noexcept nogil
    void (*PQcancelFinish)(pg_cancel_conn *) noexcept nogil
    pg_cancel *(*PQgetCancel)(pg_conn *) noexcept nogil
    void (*PQfreeCancel)(pg_cancel *) noexcept nogil
    int (*PQcancel)(pg_cancel *, char *, int) noexcept nogil
    # Escaping
    size_t (*PQescapeStringConn)(pg_conn *, char *, const char *, size_t, int *) noexcept nogil
    char *(*PQescapeLiteral)(pg_conn *, const char *, size_t) noexcept nogil
    char *(*PQescapeIdentifier)(pg_conn *, const char *, size_t) noexcept nogil
    unsigned char *(*PQescapeByteaConn)(
        pg_conn *, const unsigned char *, size_t, size_t *
    ) noexcept nogil
    unsigned char *(*PQunescapeBytea)(const unsigned char *, size_t *) noexcept nogil
    char *(*PQencryptPasswordConn)(pg_conn *, const char *, const char *, const char *) noexcept nogil
    # Results
    void (*PQclear)(pg_result *) noexcept nogil
    int (*PQresultStatus)(const pg_result *) noexcept nogil
    char *(*PQresultErrorMessage)(const pg_result *) noexcept nogil
    char *(*PQresultErrorField)(const pg_result *, int) noexcept nogil
    int (*PQntuples)(const pg_result *) noexcept nogil
    int (*PQnfields)(const pg_result *) noexcept nogil
    char *(*PQfname)(const pg_result *, int) noexcept nogil
    Oid (*PQftable)(const pg_result *, int) noexcept nogil
    int (*PQftablecol)(const pg_result *, int) noexcept nogil
    int (*PQfformat)(const pg_result *, int) noexcept nogil
    Oid (*PQftype)(const pg_result *, int) noexcept nogil
    int (*PQfsize)(const pg_result *, int) noexcept nogil
    int (*PQfmod)(const pg_result *, int) noexcept nogil
    char *(*PQcmdStatus)(pg_result *) noexcept nogil
    char *(*PQcmdTuples)(pg_result *) noexcept nogil
    Oid (*PQoidValue)(const pg_result *) noexcept nogil
    char *(*PQgetvalue)(const pg_result *, int, int) noexcept nogil
    int (*PQgetlength)(const pg_result *, int, int) noexcept nogil
    int (*PQgetisnull)(const pg_result *, int, int) noexcept nogil
    int (*PQnparams)(const pg_result *) noexcept nogil
    Oid (*PQparamtype)(const pg_result *, int) noexcept nogil


@cython.final
cdef class Library:
    cdef Functions *pq
    cdef readonly str path
    cdef readonly int version


@cython.final
cdef class PGresult:
    cdef pg_result *ptr  # NULL when cleared
    cdef Functions *pq
    cdef readonly int ntuples  # 0 when cleared
    cdef readonly int nfields
    cdef bint owned
    cdef int readers  # loops that read it and may call Python: what is cleared meanwhile is freed after them
    cdef pg_result *cleared  # by then
    cdef PGresult end  # what has come after the only chunk
    cdef pg_result *hold(self)  # ptr, which stays valid until release(); NULL if it is cleared
    cdef void release(self) noexcept
    cdef int check_cell(self, int row_number, int column_number) except -1  # IndexError
    cdef int check_column(self, int column_number) except -1


cdef class BaseConn:
    cdef pg_conn *ptr  # NULL when closed
    cdef Functions *pq
    cdef Library library
    cdef public object notice_handler
    cdef tuple reported_names  # the settings asked for last
    cdef tuple reported  # and what they were
    cdef void *trace_file
    cdef uintptr_t key  # what the notice receiver knows it by, 0 for a borrowed one
    cdef int notices  # that are being handled now
    cdef int calls  # that have let go of the GIL, and are not back
    cdef int pid
    cdef bint owned
    cdef bint is_sent  # all of the command that `receive()` is asked for the results of
    cdef object __weakref__
    @cython.final
    cdef pg_conn *alive(self) except NULL  # ptr, or OperationalError("the connection is closed")
    @cython.final
    cdef pg_conn *able(self, const void *function, str name) except NULL  # the same, and libpq has `function`
    @cython.final
    cdef pg_conn *idle(self) except NULL  # alive(), or OperationalError: libpq is in the middle of a call on it
    @cython.final
    cdef int released(self, int (*call)(pg_conn *) noexcept nogil) except? -1  # a call with the GIL let go
    @cython.final
    cdef int released_with_text(
        self, int (*call)(pg_conn *, const char *) noexcept nogil, const char *text
    ) except? -1
    @cython.final
    cdef int fail(self, str what) except -1  # raise OperationalError(f"{what}: {libpq's message}")
    @cython.final
    cdef int close(self) except -1
    @cython.final
    cdef int end_trace(self) except -1
    @cython.final
    cdef bint reports_the_same(self) except -1


@cython.final
cdef class PGconn(BaseConn):
    cdef int sent(self, int good) except -1  # fail("sending a command failed") if not good
    cdef int send_more(self) except -1  # what flush() does
    cdef int receive_more(self) except -1  # what consume_input() does
    cdef PGresult next_result(self)  # what get_result() does


@cython.final
cdef class PGcancelConn:
    cdef pg_cancel_conn *ptr
    cdef Functions *pq
    cdef pg_cancel_conn *alive(self) except NULL
    cdef int close(self) except -1


@cython.final
cdef class PGcancel:
    cdef pg_cancel *ptr
    cdef Functions *pq
    cdef int close(self) except -1


cdef PGresult new_result(Functions *pq, pg_result *ptr)  # of our own: cleared with the object
