"""What the compiled loop over sets of parameters needs of the encoders; see `_params.pyx`."""

cimport cython

ctypedef unsigned int Oid

cdef struct Encoded:
    const char *data  # in the room that was given, or in the object that `encode()` returned
    Py_ssize_t size  # -1: not encoded, ask the Python dumper
    Oid oid
    int format

cdef enum:
    ROOM = 64  # bytes that `encode()` may write to


@cython.final
cdef class Encoder:
    cdef int code
    cdef Oid oid
    cdef int format


@cython.final
cdef class Encoders:
    cdef dict _auto
    cdef dict _text
    cdef dict _binary
    cdef dict table(self, object format)
    cdef Encoder find(self, dict table, object tx, object value, object format)


cdef object encode(Encoder encoder, object value, object tx, char *room, Encoded *out)
