"""The C signatures of the libpq functions that greenpg calls, and nothing else: a table and who binds it.

Two kinds of functions. `CALLS` may do system calls, so ctypes lets go of the GIL around them.
`ACCESSORS` only touch memory and keep it: each release would hand the GIL to a busy native thread for up to
5 ms (a hundredfold slowdown of row-by-row COPY was measured), for a function that takes nanoseconds.

Pointers are plain integers; see the chapters of "libpq: C Library" for what each function does.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_int, c_size_t, c_uint, c_void_p
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn

from greenpg.errors import InterfaceError
from greenpg.pq._versions import too_old

if TYPE_CHECKING:
    from collections.abc import Callable

PTR = c_void_p  # PGconn *, PGresult *, PGcancel *, PGcancelConn *, and memory that PQfreemem frees
STR = c_char_p
INT = c_int
OID = c_uint
SIZE = c_size_t


class ConninfoOptionStruct(ctypes.Structure):
    """PQconninfoOption; an array of them ends where `keyword` is NULL."""

    _fields_ = [(name, STR) for name in ("keyword", "envvar", "compiled", "val", "label", "dispchar")]
    _fields_ += [("dispsize", INT)]


class NotifyStruct(ctypes.Structure):
    """PGnotify, as far as it is public."""

    _fields_ = [("relname", STR), ("be_pid", INT), ("extra", STR)]


NoticeReceiver = ctypes.CFUNCTYPE(None, PTR, PTR)

STRS = POINTER(STR)
INTS = POINTER(INT)
OIDS = POINTER(OID)
OPTIONS = POINTER(ConninfoOptionStruct)

Signature = tuple[Any, ...]  # the type returned, then those of the arguments

CALLS: dict[str, Signature] = {
    "PQconnectStart": (PTR, STR),
    "PQconnectPoll": (INT, PTR),
    "PQresetStart": (INT, PTR),
    "PQresetPoll": (INT, PTR),
    "PQfinish": (None, PTR),
    "PQconndefaults": (OPTIONS,),
    "PQconninfoParse": (OPTIONS, STR, POINTER(PTR)),
    "PQping": (INT, STR),
    "PQcancelStart": (INT, PTR),
    "PQcancelPoll": (INT, PTR),
    "PQcancelReset": (None, PTR),
    "PQcancelFinish": (None, PTR),
    "PQcancel": (INT, PTR, STR, INT),
    "PQsendQuery": (INT, PTR, STR),
    "PQsendQueryParams": (INT, PTR, STR, INT, OIDS, STRS, INTS, INTS, INT),
    "PQsendPrepare": (INT, PTR, STR, STR, INT, OIDS),
    "PQsendQueryPrepared": (INT, PTR, STR, INT, STRS, INTS, INTS, INT),
    "PQsendDescribePrepared": (INT, PTR, STR),
    "PQsendDescribePortal": (INT, PTR, STR),
    "PQsendClosePrepared": (INT, PTR, STR),
    "PQsendClosePortal": (INT, PTR, STR),
    "PQgetResult": (PTR, PTR),
    "PQconsumeInput": (INT, PTR),
    "PQflush": (INT, PTR),
    "PQsetnonblocking": (INT, PTR, INT),
    "PQputCopyEnd": (INT, PTR, STR),
    "PQendcopy": (INT, PTR),
    "PQexitPipelineMode": (INT, PTR),
    "PQpipelineSync": (INT, PTR),
    "PQsendPipelineSync": (INT, PTR),
    "PQsendFlushRequest": (INT, PTR),
    "PQencryptPasswordConn": (PTR, PTR, STR, STR, STR),
    "PQuntrace": (None, PTR),
}

ACCESSORS: dict[str, Signature] = {
    "PQlibVersion": (INT,),
    "PQfreemem": (None, PTR),
    "PQconninfo": (OPTIONS, PTR),
    "PQconninfoFree": (None, OPTIONS),
    "PQdb": (STR, PTR),
    "PQuser": (STR, PTR),
    "PQpass": (STR, PTR),
    "PQhost": (STR, PTR),
    "PQhostaddr": (STR, PTR),
    "PQport": (STR, PTR),
    "PQoptions": (STR, PTR),
    "PQstatus": (INT, PTR),
    "PQtransactionStatus": (INT, PTR),
    "PQparameterStatus": (STR, PTR, STR),
    "PQprotocolVersion": (INT, PTR),
    "PQfullProtocolVersion": (INT, PTR),
    "PQserverVersion": (INT, PTR),
    "PQerrorMessage": (STR, PTR),
    "PQsocket": (INT, PTR),
    "PQbackendPID": (INT, PTR),
    "PQpipelineStatus": (INT, PTR),
    "PQconnectionNeedsPassword": (INT, PTR),
    "PQconnectionUsedPassword": (INT, PTR),
    "PQconnectionUsedGSSAPI": (INT, PTR),
    "PQsslInUse": (INT, PTR),
    "PQsetNoticeReceiver": (PTR, PTR, NoticeReceiver, PTR),
    "PQsetErrorVerbosity": (INT, PTR, INT),
    "PQtrace": (None, PTR, PTR),
    "PQsetTraceFlags": (None, PTR, INT),
    "PQcancelCreate": (PTR, PTR),
    "PQcancelStatus": (INT, PTR),
    "PQcancelSocket": (INT, PTR),
    "PQcancelErrorMessage": (STR, PTR),
    "PQgetCancel": (PTR, PTR),
    "PQfreeCancel": (None, PTR),
    "PQsetSingleRowMode": (INT, PTR),
    "PQsetChunkedRowsMode": (INT, PTR, INT),
    "PQisBusy": (INT, PTR),
    "PQisnonblocking": (INT, PTR),
    "PQenterPipelineMode": (INT, PTR),
    "PQnotifies": (PTR, PTR),
    # COPY row by row is the hot path. All may only be called in non-blocking mode, so they never wait.
    "PQputCopyData": (INT, PTR, STR, INT),
    "PQgetCopyData": (INT, PTR, POINTER(PTR), INT),
    "PQgetlineAsync": (INT, PTR, PTR, INT),
    "PQescapeStringConn": (SIZE, PTR, STR, STR, SIZE, INTS),
    "PQescapeLiteral": (PTR, PTR, STR, SIZE),
    "PQescapeIdentifier": (PTR, PTR, STR, SIZE),
    "PQescapeByteaConn": (PTR, PTR, STR, SIZE, POINTER(SIZE)),
    "PQunescapeBytea": (PTR, STR, POINTER(SIZE)),
    "PQclear": (None, PTR),
    "PQresultStatus": (INT, PTR),
    "PQresultErrorMessage": (STR, PTR),
    "PQresultErrorField": (STR, PTR, INT),
    "PQntuples": (INT, PTR),
    "PQnfields": (INT, PTR),
    "PQfname": (STR, PTR, INT),
    "PQftable": (OID, PTR, INT),
    "PQftablecol": (INT, PTR, INT),
    "PQfformat": (INT, PTR, INT),
    "PQftype": (OID, PTR, INT),
    "PQfsize": (INT, PTR, INT),
    "PQfmod": (INT, PTR, INT),
    "PQcmdStatus": (STR, PTR),
    "PQcmdTuples": (STR, PTR),
    "PQoidValue": (OID, PTR),
    "PQgetvalue": (PTR, PTR, INT, INT),
    "PQgetlength": (INT, PTR, INT, INT),
    "PQgetisnull": (INT, PTR, INT, INT),
    "PQnparams": (INT, PTR),
    "PQparamtype": (OID, PTR, INT),
}


def bind(path: str) -> SimpleNamespace:
    """Load the library at `path` and return its functions, ready to be called.

    A function that this libpq is too old for is there too, and raises `NotSupportedError` when called;
    the set `missing` holds the names of those.

    :raises InterfaceError: the file cannot be loaded, or there is no libpq in it
    """
    try:
        releasing, keeping = ctypes.CDLL(path), ctypes.PyDLL(path)
    except OSError as e:
        raise InterfaceError(f"cannot load libpq from {path!r}: {e}") from e
    if not hasattr(keeping, "PQlibVersion"):
        raise InterfaceError(f"{path!r} is no libpq: it has no function PQlibVersion")
    version = keeping.PQlibVersion()
    pq = SimpleNamespace(missing=set())
    for dll, table in ((releasing, CALLS), (keeping, ACCESSORS)):
        for name, signature in table.items():
            function = _function(dll, name, signature)
            if function is None:
                pq.missing.add(name)
                function = _missing(name, version, path)
            setattr(pq, name, function)
    return pq


def _function(dll: ctypes.CDLL, name: str, signature: Signature) -> Any:
    """Return the function `name` with its signature, or None if this libpq does not have it."""
    function = getattr(dll, name, None)
    if function is not None:
        function.restype, *function.argtypes = signature
    return function


def _missing(name: str, version: int, path: str) -> Callable[..., NoReturn]:
    def missing(*_args: object) -> NoReturn:
        raise too_old(name, version, path)

    missing.__name__ = name
    return missing
