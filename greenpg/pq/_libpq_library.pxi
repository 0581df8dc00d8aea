# `Library`: one loaded libpq, from which everything else is made.


cdef dict conns = {}  # the address of each connection that can have notices, by its key
cdef uintptr_t last_key = 0


# libpq keeps the receiver in results too and they may live longer than the connection: so there is one for
# all, and connections have numbers that are never used again, as addresses are.
cdef void receive_notice(void *key, const pg_result *ptr) noexcept with gil:
    cdef PGconn conn
    cdef PGresult notice
    address = conns.get(<uintptr_t> key)
    if address is None:
        return
    conn = <PGconn> <PyObject *> <uintptr_t> address
    if conn.notice_handler is None:
        return
    notice = new_result(conn.pq, <pg_result *> ptr)
    notice.owned = False
    conn.notices += 1
    try:
        conn.notice_handler(notice)
    finally:
        conn.notices -= 1
        notice.clear()  # libpq frees it now


cdef PGconn new_conn(Library library, pg_conn *ptr, bint owned):
    cdef PGconn conn = PGconn.__new__(PGconn)
    conn.library = library
    conn.pq = library.pq
    conn.ptr = ptr
    conn.owned = owned
    conn.pid = getpid()
    return conn


@cython.final
cdef class Library:
    """The libpq at `path`, loaded."""

    implementation = "c"

    def __cinit__(self, str path not None):
        self.path = path
        self.pq = load(path)
        self.version = self.pq.PQlibVersion()

    @property
    def _functions(self):
        """The address of the pointers that are called, in the order of `NAMES`: tests listen there."""
        return <uintptr_t> self.pq

    def has(self, str function not None):
        if function not in NAMES:
            raise ValueError(f"greenpg uses no libpq function called {function!r}")
        return (<void **> self.pq)[<int> NAMES.index(function)] is not NULL

    def connect_start(self, bytes conninfo):
        global last_key
        cdef const char *text = c_text(conninfo)
        cdef pg_conn *ptr
        cdef PGconn conn
        with nogil:
            ptr = self.pq.PQconnectStart(text)
        if ptr is NULL:
            raise OperationalError("libpq has no memory left for a connection")
        conn = new_conn(self, ptr, True)
        last_key += 1
        conn.key = last_key
        conns[last_key] = <uintptr_t> <PyObject *> conn
        self.pq.PQsetNoticeReceiver(ptr, receive_notice, <void *> conn.key)
        return conn

    def borrow(self, address):
        return new_conn(self, <pg_conn *> <uintptr_t> address, False)

    def parse_conninfo(self, bytes conninfo):
        cdef const char *text = c_text(conninfo)
        cdef char *message = NULL
        cdef conninfo_option *array
        with nogil:
            array = self.pq.PQconninfoParse(text, &message)
        if array is NULL:
            reason = b"out of memory" if message is NULL else taken(self.pq, message)
            raise ProgrammingError(f"bad connection string: {message_text(reason, 'utf-8')}")
        return option_list(self.pq, array)

    def conninfo_defaults(self):
        cdef conninfo_option *array
        with nogil:
            array = self.pq.PQconndefaults()
        if array is NULL:
            raise OperationalError("libpq could not tell its connection defaults")
        return option_list(self.pq, array)

    def ping(self, bytes conninfo):
        cdef const char *text = c_text(conninfo)
        cdef int answer
        with nogil:
            answer = self.pq.PQping(text)
        return member(PING, answer)

    def unescape_bytea(self, bytes data):
        cdef size_t size = 0
        cdef void *unescaped = self.pq.PQunescapeBytea(<const unsigned char *> c_text(data), &size)
        if unescaped is NULL:
            raise OperationalError("libpq has no memory left to unescape a bytea")
        return taken(self.pq, unescaped, size)


cdef Functions *load(str path) except NULL:
    """Return the functions of the libpq at `path`; nothing ever unloads it or frees them."""
    cdef void *handle = dlopen(os.fsencode(path), RTLD_NOW | RTLD_LOCAL)
    cdef Functions *pq
    cdef void **slots
    if handle is NULL:
        raise InterfaceError(f"cannot load libpq from {path!r}: {os.fsdecode(dlerror())}")
    pq = <Functions *> calloc(1, sizeof(Functions))
    if pq is NULL:
        raise MemoryError
    slots = <void **> pq
    for i, name in enumerate(NAMES):
        slots[<int> i] = dlsym(handle, name.encode())
        if slots[<int> i] is NULL and name not in SINCE:
            free(pq)
            raise InterfaceError(f"{path!r} is no libpq: it has no function {name}")
    return pq
