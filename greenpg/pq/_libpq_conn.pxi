@cython.final
cdef class PGconn:
    """A `PGconn *` that is finished with this object, unless it is borrowed."""

    cdef pg_conn *alive(self) except NULL:
        if self.ptr is NULL:
            raise OperationalError("the connection is closed")
        return self.ptr

    cdef int fail(self, str what) except -1:
        raise OperationalError(f"{what}: ")
