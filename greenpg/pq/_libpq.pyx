"""libpq, compiled: the fast implementation of `greenpg.pq.abc`, which says what everything here does.

Each .pxi wraps one C struct as the files of `_ctypes` do, with the same errors. libpq is opened by its path and
its functions are found by name: there is nothing to link to, several libpqs live in one process. What may
wait lets go of the GIL; what only touches memory keeps it, see `_ctypes.functions`.
"""

from cpython.buffer cimport PyBUF_FULL_RO, PyBuffer_IsContiguous, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.object cimport PyObject
from libc.errno cimport errno
from libc.limits cimport INT_MAX
from libc.stdint cimport uintptr_t
from libc.stdio cimport FILE, fclose
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memchr, strcmp, strlen
from posix.dlfcn cimport RTLD_LOCAL, RTLD_NOW, dlerror, dlopen, dlsym
from posix.fcntl cimport FD_CLOEXEC, F_SETFD, O_RDWR, fcntl, open as c_open
from posix.stdio cimport fdopen
from posix.unistd cimport close, dup, dup2, getpid
cimport cython

import os

from greenpg.abc import Wait
from greenpg.errors import DataError, InterfaceError, OperationalError, ProgrammingError
from greenpg.pq._versions import SINCE, too_old
from greenpg.pq.enums import ConnStatus, ExecStatus, Ping, PipelineStatus, PollingStatus, TransactionStatus
from greenpg.pq.records import ConninfoOption, PGnotify

NAMES = tuple(
    """
    PQlibVersion PQfreemem PQconnectStart PQconnectPoll PQresetStart PQresetPoll PQfinish PQconndefaults
    PQconninfoParse PQconninfo PQconninfoFree PQping PQdb PQuser PQpass PQhost PQhostaddr PQport PQoptions
    PQstatus PQtransactionStatus PQparameterStatus PQprotocolVersion PQfullProtocolVersion PQserverVersion
    PQerrorMessage PQsocket PQbackendPID PQpipelineStatus PQconnectionNeedsPassword
    PQconnectionUsedPassword PQconnectionUsedGSSAPI PQsslInUse PQsetNoticeReceiver PQsetErrorVerbosity
    PQtrace PQuntrace PQsetTraceFlags PQsendQuery PQsendQueryParams PQsendPrepare PQsendQueryPrepared
    PQsendDescribePrepared PQsendDescribePortal PQsendClosePrepared PQsendClosePortal PQflush
    PQsetnonblocking PQisnonblocking PQgetResult PQconsumeInput PQisBusy PQsetSingleRowMode
    PQsetChunkedRowsMode PQnotifies PQputCopyData PQputCopyEnd PQgetCopyData PQgetlineAsync
    PQendcopy PQenterPipelineMode PQexitPipelineMode PQpipelineSync PQsendPipelineSync PQsendFlushRequest
    PQcancelCreate PQcancelStart PQcancelPoll PQcancelStatus PQcancelSocket PQcancelErrorMessage
    PQcancelReset PQcancelFinish PQgetCancel PQfreeCancel PQcancel PQescapeStringConn PQescapeLiteral
    PQescapeIdentifier PQescapeByteaConn PQunescapeBytea PQencryptPasswordConn PQclear PQresultStatus
    PQresultErrorMessage PQresultErrorField PQntuples PQnfields PQfname PQftable PQftablecol PQfformat
    PQftype PQfsize PQfmod PQcmdStatus PQcmdTuples PQoidValue PQgetvalue PQgetlength PQgetisnull PQnparams
    PQparamtype
    """.split()
)

include "_libpq_memory.pxi"
include "_libpq_result.pxi"
include "_libpq_cancel.pxi"
include "_libpq_conn.pxi"
include "_libpq_traffic.pxi"
include "_libpq_library.pxi"
