"""`PGconn`: one libpq connection, our own or borrowed. Every call looks first whether it is still there."""

from __future__ import annotations

import os
from ctypes import addressof, byref, c_int, c_size_t, c_void_p, create_string_buffer, resize, string_at
from typing import TYPE_CHECKING, NoReturn

from greenpg.abc import Wait
from greenpg.errors import OperationalError
from greenpg.pq import abc
from greenpg.pq._ctypes.cancel import PGcancel, PGcancelConn
from greenpg.pq._ctypes.functions import NotifyStruct
from greenpg.pq._ctypes.memory import COPY_ROOM, INT_MAX, c_text, oids, option_list, parameters, taken
from greenpg.pq._ctypes.result import PGresult
from greenpg.pq._ctypes.trace import Trace
from greenpg.pq.enums import COPY_STATES, ConnStatus, Format, PipelineStatus, PollingStatus, TransactionStatus
from greenpg.pq.records import PGnotify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import SimpleNamespace

    from greenpg.pq.abc import Buffer


def closed() -> NoReturn:
    """Raise what every call on a closed connection raises."""
    raise OperationalError("the connection is closed")


class PGconn(abc.PGconn):
    """A `PGconn *` that is finished with this object, unless it is borrowed."""

    notices = 0  # that are being handled now

    def __init__(self, pq: SimpleNamespace, address: int, owned: bool):
        self._pq = pq
        self._owned = owned
        self._pid = os.getpid()
        self._trace: Trace | None = None
        self._reported: tuple[bytes | None, ...] = ()
        self._ptr: int | None = address
        self._copied = c_void_p()
        self._copied_ref = byref(self._copied)
        self.notice_handler: Callable[[abc.PGresult], None] | None = None

    def __del__(self) -> None:
        # a signal may come before the first line of __init__; at its end the interpreter takes modules away
        if hasattr(self, "_ptr") and os is not None:
            self.finish()

    # Connecting and closing

    @property
    def pgconn_ptr(self) -> int | None:
        return self._ptr

    def connect_poll(self) -> PollingStatus:
        return PollingStatus(self._pq.PQconnectPoll(self._ptr or closed()))

    def reset_start(self) -> None:
        self._check(self._pq.PQresetStart(self._ptr or closed()), "the connection could not be reset")

    def reset_poll(self) -> PollingStatus:
        return PollingStatus(self._pq.PQresetPoll(self._ptr or closed()))

    def finish(self) -> None:
        if self.notices:  # libpq is in the middle of a call on it
            raise OperationalError("the connection cannot be closed by the handler of its notices")
        ptr, self._ptr = self._ptr, None
        if ptr and self._owned:
            if self._pid != os.getpid():
                self._cut_off(ptr)
            self._pq.PQfinish(ptr)
            self._end_trace()

    def _cut_off(self, ptr: int) -> None:
        """Put /dev/null in the place of a socket shared with the parent, whose session PQfinish would end."""
        fd = self._pq.PQsocket(ptr)
        if fd >= 0:
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, fd, inheritable=False)
            os.close(null)

    # State

    @property
    def status(self) -> ConnStatus:
        return ConnStatus(self._pq.PQstatus(self._ptr)) if self._ptr else ConnStatus.BAD

    @property
    def transaction_status(self) -> TransactionStatus:
        if not self._ptr:
            return TransactionStatus.UNKNOWN
        return TransactionStatus(self._pq.PQtransactionStatus(self._ptr))

    @property
    def pipeline_status(self) -> PipelineStatus:
        return PipelineStatus(self._pq.PQpipelineStatus(self._ptr or closed()))

    @property
    def socket(self) -> int:
        fd: int = self._pq.PQsocket(self._ptr or closed())
        if fd < 0:
            raise OperationalError("the connection is lost")
        return fd

    @property
    def backend_pid(self) -> int:
        return int(self._pq.PQbackendPID(self._ptr or closed()))

    @property
    def protocol_version(self) -> int:
        return int(self._pq.PQprotocolVersion(self._ptr or closed()))

    @property
    def full_protocol_version(self) -> int:
        return int(self._pq.PQfullProtocolVersion(self._ptr or closed()))

    @property
    def server_version(self) -> int:
        return int(self._pq.PQserverVersion(self._ptr or closed()))

    @property
    def error_message(self) -> bytes:
        return self._pq.PQerrorMessage(self._ptr or closed()) or b""

    def get_error_message(self, encoding: str = "utf-8") -> str:
        return self.error_message.decode(encoding, "replace").strip()

    def parameter_status(self, name: bytes) -> bytes | None:
        value: bytes | None = self._pq.PQparameterStatus(self._ptr or closed(), name)
        return value

    def parameter_statuses(self, names: tuple[bytes, ...]) -> tuple[bytes | None, ...]:
        found = (None,) * len(names) if not self._ptr else tuple(map(self.parameter_status, names))
        if found != self._reported:
            self._reported = found
        return self._reported

    def set_error_verbosity(self, verbosity: int) -> int:
        return int(self._pq.PQsetErrorVerbosity(self._ptr or closed(), verbosity))

    # How it was made

    @property
    def info(self) -> list[abc.ConninfoOption]:
        array = self._pq.PQconninfo(self._ptr or closed())
        if not array:
            raise OperationalError("libpq has no memory left for the connection's options")
        return option_list(self._pq, array)

    @property
    def db(self) -> bytes:
        return self._pq.PQdb(self._ptr or closed()) or b""

    @property
    def user(self) -> bytes:
        return self._pq.PQuser(self._ptr or closed()) or b""

    @property
    def password(self) -> bytes:
        return self._pq.PQpass(self._ptr or closed()) or b""

    @property
    def host(self) -> bytes:
        return self._pq.PQhost(self._ptr or closed()) or b""

    @property
    def hostaddr(self) -> bytes:
        return self._pq.PQhostaddr(self._ptr or closed()) or b""

    @property
    def port(self) -> bytes:
        return self._pq.PQport(self._ptr or closed()) or b""

    @property
    def options(self) -> bytes:
        return self._pq.PQoptions(self._ptr or closed()) or b""

    @property
    def needs_password(self) -> bool:
        return bool(self._pq.PQconnectionNeedsPassword(self._ptr or closed()))

    @property
    def used_password(self) -> bool:
        return bool(self._pq.PQconnectionUsedPassword(self._ptr or closed()))

    @property
    def used_gssapi(self) -> bool:
        return bool(self._pq.PQconnectionUsedGSSAPI(self._ptr or closed()))

    @property
    def ssl_in_use(self) -> bool:
        return bool(self._pq.PQsslInUse(self._ptr or closed()))

    # Sending commands

    def send_query(self, command: bytes) -> None:
        self._sent(self._pq.PQsendQuery(self._ptr or closed(), c_text(command)))

    def send_query_params(
        self,
        command: bytes,
        param_values: Sequence[Buffer | None] | None,
        param_types: Sequence[int] | None = None,
        param_formats: Sequence[int] | None = None,
        result_format: int = Format.TEXT,
    ) -> None:
        ptr = self._ptr or closed()
        count, values, lengths, formats = parameters(param_values, param_formats)
        if param_types and len(param_types) != count:
            raise ValueError(f"got {count} parameter values but {len(param_types)} parameter types")
        types = oids(param_types)
        command = c_text(command)
        self._sent(
            self._pq.PQsendQueryParams(ptr, command, count, types, values, lengths, formats, result_format)
        )

    def send_prepare(self, name: bytes, command: bytes, param_types: Sequence[int] | None = None) -> None:
        ptr = self._ptr or closed()
        count = len(param_types or ())
        self._sent(self._pq.PQsendPrepare(ptr, c_text(name), c_text(command), count, oids(param_types)))

    def send_query_prepared(
        self,
        name: bytes,
        param_values: Sequence[Buffer | None] | None,
        param_formats: Sequence[int] | None = None,
        result_format: int = Format.TEXT,
    ) -> None:
        ptr = self._ptr or closed()
        count, values, lengths, formats = parameters(param_values, param_formats)
        name = c_text(name)
        self._sent(self._pq.PQsendQueryPrepared(ptr, name, count, values, lengths, formats, result_format))

    def send_describe_prepared(self, name: bytes) -> None:
        self._sent(self._pq.PQsendDescribePrepared(self._ptr or closed(), c_text(name)))

    def send_describe_portal(self, name: bytes) -> None:
        self._sent(self._pq.PQsendDescribePortal(self._ptr or closed(), c_text(name)))

    def send_close_prepared(self, name: bytes) -> None:
        self._sent(self._pq.PQsendClosePrepared(self._ptr or closed(), c_text(name)))

    def send_close_portal(self, name: bytes) -> None:
        self._sent(self._pq.PQsendClosePortal(self._ptr or closed(), c_text(name)))

    def flush(self) -> int:
        rv: int = self._pq.PQflush(self._ptr or closed())
        self._check(rv >= 0, "sending to the server failed")
        return rv

    @property
    def nonblocking(self) -> bool:
        return bool(self._pq.PQisnonblocking(self._ptr or closed()))

    @nonblocking.setter
    def nonblocking(self, value: bool) -> None:
        rv = self._pq.PQsetnonblocking(self._ptr or closed(), bool(value))
        self._check(rv >= 0, "setting non-blocking mode failed")

    # Receiving

    def consume_input(self) -> None:
        self._check(self._pq.PQconsumeInput(self._ptr or closed()), "receiving from the server failed")

    def is_busy(self) -> bool:
        return bool(self._pq.PQisBusy(self._ptr or closed()))

    def get_result(self) -> PGresult | None:
        address = self._pq.PQgetResult(self._ptr or closed())
        return PGresult(self._pq, address) if address else None

    def receive(self, results: list[abc.PGresult], ready: int = 0) -> Wait | None:
        if ready & Wait.R:
            self.consume_input()
        while True:
            if self.flush():
                return Wait.RW
            if self.is_busy():
                return Wait.R
            result = self.get_result()
            if result is None:
                return None
            results.append(result)
            if result.status in COPY_STATES:
                return None

    def set_single_row_mode(self) -> None:
        rv = self._pq.PQsetSingleRowMode(self._ptr or closed())
        self._check(rv, "single-row mode must be set right after a query was sent")

    def set_chunked_rows_mode(self, size: int) -> None:
        rv = self._pq.PQsetChunkedRowsMode(self._ptr or closed(), size)
        self._check(rv, "chunked-rows mode must be set right after a query was sent, with a size above 0")

    def notifies(self) -> PGnotify | None:
        address = self._pq.PQnotifies(self._ptr or closed())
        if not address:
            return None
        sent = NotifyStruct.from_address(address)
        notify = PGnotify(sent.relname, sent.be_pid, sent.extra)
        self._pq.PQfreemem(address)
        return notify

    # COPY

    def put_copy_data(self, buffer: abc.Buffer) -> int:
        if buffer.__class__ is not bytes:
            buffer = bytes(buffer)
        rv: int = self._pq.PQputCopyData(self._ptr or closed(), buffer, len(buffer))
        if rv < 0:
            self._check(False, "sending copy data failed")
        return rv

    def put_copy_end(self, error: bytes | None = None) -> int:
        ptr = self._ptr or closed()
        rv: int = self._pq.PQputCopyEnd(ptr, None if error is None else c_text(error))
        self._check(rv >= 0, "ending the copy failed")
        return rv

    def get_copy_data(self, async_: int = 1) -> tuple[int, bytes]:
        size: int = self._pq.PQgetCopyData(self._ptr or closed(), self._copied_ref, 1)
        if size > 0:
            address = self._copied.value
            data = string_at(address, size)  # type: ignore[arg-type]  # set when there is a size
            self._pq.PQfreemem(address)
            return size, data
        self._check(size > -2, "receiving copy data failed")
        return size, b""

    def get_copy_block(self, limit: int) -> tuple[bytes, bool]:
        if limit <= 1:
            found, row = self.get_copy_data()
            return row, found < 0
        ptr = self._ptr or closed()
        rows = create_string_buffer(limit + COPY_ROOM)
        start, size, used = addressof(rows), len(rows), 0
        # obsolete, but it copies a row to where it shall be, and PQgetCopyData to memory of its own
        while (got := self._pq.PQgetlineAsync(ptr, start + used, room := min(size - used, INT_MAX))) > 0:
            used += got
            if got == room:  # the row may go on
                size *= 2
                resize(rows, size)
                start = addressof(rows)
            elif used >= limit:
                return string_at(start, used), False
        if got < 0:
            self._check(self.status != ConnStatus.BAD, "receiving copy data failed")
            return string_at(start, used), True
        found, row = self.get_copy_data()  # a row without bytes, now dropped, looks as if there were none
        return string_at(start, used) + row, found < 0

    def end_copy(self) -> bool:
        return not self._pq.PQendcopy(self._ptr or closed())

    # Pipeline

    def enter_pipeline_mode(self) -> None:
        rv = self._pq.PQenterPipelineMode(self._ptr or closed())
        self._check(rv, "pipeline mode can only be entered on an idle connection")

    def exit_pipeline_mode(self) -> None:
        self._check(self._pq.PQexitPipelineMode(self._ptr or closed()), "leaving pipeline mode failed")

    def pipeline_sync(self) -> None:
        self._sent(self._pq.PQpipelineSync(self._ptr or closed()))

    def send_pipeline_sync(self) -> None:
        self._sent(self._pq.PQsendPipelineSync(self._ptr or closed()))

    def send_flush_request(self) -> None:
        self._sent(self._pq.PQsendFlushRequest(self._ptr or closed()))

    # Cancelling

    @property
    def can_cancel_without_blocking(self) -> bool:
        return "PQcancelCreate" not in self._pq.missing

    def cancel_conn(self) -> PGcancelConn:
        address = self._pq.PQcancelCreate(self._ptr or closed())
        self._check(address, "no cancel connection could be made")
        return PGcancelConn(self._pq, address)

    def get_cancel(self) -> PGcancel:
        address = self._pq.PQgetCancel(self._ptr or closed())
        self._check(address, "no cancel request could be made")
        return PGcancel(self._pq, address)

    # Escaping

    def escape_literal(self, data: bytes) -> bytes:
        address = self._pq.PQescapeLiteral(self._ptr or closed(), c_text(data), len(data))
        self._check(address, "escaping a literal failed")
        return taken(self._pq, address)

    def escape_identifier(self, data: bytes) -> bytes:
        address = self._pq.PQescapeIdentifier(self._ptr or closed(), c_text(data), len(data))
        self._check(address, "escaping an identifier failed")
        return taken(self._pq, address)

    def escape_string(self, data: bytes) -> bytes:
        ptr = self._ptr or closed()
        escaped, error = create_string_buffer(2 * len(data) + 1), c_int()
        size = self._pq.PQescapeStringConn(ptr, escaped, c_text(data), len(data), byref(error))
        self._check(not error, "escaping a string failed")
        return escaped.raw[:size]

    def escape_bytea(self, data: bytes) -> bytes:
        size = c_size_t()
        address = self._pq.PQescapeByteaConn(self._ptr or closed(), data, len(data), byref(size))
        self._check(address, "escaping a bytea failed")
        return taken(self._pq, address, size.value - 1)  # the size counts the NUL at the end

    def encrypt_password(self, passwd: bytes, user: bytes, algorithm: bytes) -> bytes:
        ptr = self._ptr or closed()
        address = self._pq.PQencryptPasswordConn(ptr, c_text(passwd), c_text(user), c_text(algorithm))
        self._check(address, "encrypting the password failed")
        return taken(self._pq, address)

    # Tracing

    def trace(self, fileno: int, flags: int = 0) -> None:
        ptr = self._ptr or closed()
        self.untrace()
        self._trace = Trace(fileno)
        self._pq.PQtrace(ptr, self._trace.address)
        if flags:
            self._pq.PQsetTraceFlags(ptr, flags)

    def untrace(self) -> None:
        self._pq.PQuntrace(self._ptr or closed())
        self._end_trace()

    def _end_trace(self) -> None:
        trace, self._trace = self._trace, None
        if trace is not None:
            trace.close()

    # Failing

    def _check(self, good: object, what: str) -> None:
        if not good:
            raise OperationalError(f"{what}: {self.get_error_message()}")

    def _sent(self, good: int) -> None:
        self._check(good, "sending a command failed")
