# `PGresult`: what libpq received, readable for as long as the object lives, also after the connection.


cdef PGresult new_result(Functions *pq, pg_result *ptr):
    cdef PGresult result = PGresult.__new__(PGresult)
    result.pq = pq
    result.ptr = ptr
    result.owned = True
    result.ntuples = pq.PQntuples(ptr)
    result.nfields = pq.PQnfields(ptr)
    return result


@cython.final
@cython.freelist(16)
@cython.no_gc  # the only object it has, `end`, has none of its own
cdef class PGresult:
    """A `PGresult *` that is cleared with this object."""

    def __dealloc__(self):
        if self.ptr is not NULL and self.owned:
            self.pq.PQclear(self.ptr)

    def clear(self):
        cdef pg_result *ptr = self.ptr
        self.ptr = NULL
        self.ntuples = self.nfields = 0
        if ptr is not NULL and self.owned:
            if self.readers:
                self.cleared = ptr
            else:
                self.pq.PQclear(ptr)

    cdef pg_result *hold(self):
        self.readers += 1
        return self.ptr

    cdef void release(self) noexcept:
        self.readers -= 1
        if not self.readers and self.cleared is not NULL:
            self.pq.PQclear(self.cleared)
            self.cleared = NULL

    @property
    def status(self):
        if self.end is not None:
            return ExecStatus.TUPLES_OK
        return member(EXEC_STATUS, self.pq.PQresultStatus(self.ptr)) if self.ptr else ExecStatus.FATAL_ERROR

    @property
    def error_message(self):
        return text_or_empty(self.pq.PQresultErrorMessage(self.ptr)) if self.ptr else b""

    def get_error_message(self, encoding="utf-8"):
        return message_text(self.error_message, encoding)

    def error_field(self, int fieldcode):
        return text_or_none(self.pq.PQresultErrorField(self.ptr, fieldcode)) if self.ptr else None

    def fname(self, int column_number):
        self.check_column(column_number)
        return text_or_none(self.pq.PQfname(self.ptr, column_number))

    def ftable(self, int column_number):
        self.check_column(column_number)
        return self.pq.PQftable(self.ptr, column_number)

    def ftablecol(self, int column_number):
        self.check_column(column_number)
        return self.pq.PQftablecol(self.ptr, column_number)

    def fformat(self, int column_number):
        self.check_column(column_number)
        return self.pq.PQfformat(self.ptr, column_number)

    def ftype(self, int column_number):
        self.check_column(column_number)
        return self.pq.PQftype(self.ptr, column_number)

    def has_columns(self, tuple types not None, format=None):
        cdef int i, wanted = -1 if format is None else format
        if len(types) != self.nfields:
            return False
        for i in range(self.nfields):
            if self.pq.PQftype(self.ptr, i) != <Oid> types[i]:
                return False
            if format is not None and self.pq.PQfformat(self.ptr, i) != wanted:
                return False
        return True

    def fmod(self, int column_number):
        self.check_column(column_number)
        return self.pq.PQfmod(self.ptr, column_number)

    def fsize(self, int column_number):
        self.check_column(column_number)
        return self.pq.PQfsize(self.ptr, column_number)

    def get_value(self, int row_number, int column_number):
        self.check_cell(row_number, column_number)
        cdef int length = self.pq.PQgetlength(self.ptr, row_number, column_number)
        if length == 0 and self.pq.PQgetisnull(self.ptr, row_number, column_number):
            return None
        return PyBytes_FromStringAndSize(self.pq.PQgetvalue(self.ptr, row_number, column_number), length)

    def get_isnull(self, int row_number, int column_number):
        self.check_cell(row_number, column_number)
        return self.pq.PQgetisnull(self.ptr, row_number, column_number) != 0

    def get_length(self, int row_number, int column_number):
        self.check_cell(row_number, column_number)
        return self.pq.PQgetlength(self.ptr, row_number, column_number)

    @property
    def nparams(self):
        return self.pq.PQnparams(self.ptr) if self.ptr else 0

    def param_type(self, int param_number):
        cdef int described = self.pq.PQnparams(self.ptr) if self.ptr else 0
        if not 0 <= param_number < described:
            raise IndexError(f"there is no parameter {param_number}, the result describes {described}")
        return self.pq.PQparamtype(self.ptr, param_number)

    @property
    def command_status(self):
        tag = text_or_none(self.pq.PQcmdStatus(self.ptr)) if self.ptr else None
        return tag or (None if self.end is None else self.end.command_status)

    @property
    def command_tuples(self):
        cdef bytes count = text_or_empty(self.pq.PQcmdTuples(self.ptr)) if self.ptr else b""
        if count:
            return int(count)
        return None if self.end is None else self.end.command_tuples

    def be_whole(self, PGresult end not None):
        self.end = end

    @property
    def oid_value(self):
        return self.pq.PQoidValue(self.ptr) if self.ptr else 0

    cdef inline int check_cell(self, int row_number, int column_number) except -1:
        # libpq would report a bad number to the connection's notice receiver, which may be gone by now.
        if not 0 <= row_number < self.ntuples or not 0 <= column_number < self.nfields:
            raise IndexError(
                f"there is no row {row_number}, column {column_number} in a result "
                f"of {self.ntuples} rows and {self.nfields} columns"
            )
        return 0

    cdef inline int check_column(self, int column_number) except -1:
        if not 0 <= column_number < self.nfields:
            raise IndexError(f"there is no column {column_number} in a result of {self.nfields} columns")
        return 0
