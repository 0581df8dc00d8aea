# The other half of `PGconn`: sends commands and COPY data, and receives what comes of them.

cdef object WAIT_R = Wait.R, WAIT_RW = Wait.RW

cdef enum:  # `COPY_STATES`
    COPY_OUT = 3
    COPY_IN = 4
    COPY_BOTH = 8


@cython.final
cdef class PGconn(BaseConn):
    """A `PGconn *`."""

    # Sending commands

    def send_query(self, bytes command):
        self.sent(self.released_with_text(self.pq.PQsendQuery, c_text(command)))

    def send_query_params(
        self, bytes command, param_values, param_types=None, param_formats=None, int result_format=0
    ):
        cdef pg_conn *ptr = self.alive()
        cdef Parameters params
        cdef const char *text
        cdef Oid *types = NULL
        cdef int good
        try:
            kept = fill_parameters(&params, param_values, param_formats)
            given = tuple(param_types) if param_types else ()
            if given and len(given) != params.count:
                raise ValueError(f"got {params.count} parameter values but {len(given)} parameter types")
            types = oids(given)
            text = c_text(command)
            ptr = self.idle()  # values may be of classes that run code
            self.calls += 1
            with nogil:
                good = self.pq.PQsendQueryParams(
                    ptr, text, params.count, types, params.values, params.lengths, params.formats, result_format
                )
            self.calls -= 1
        finally:
            free(types)
            free(params.heap)
        self.sent(good)

    def send_prepare(self, bytes name, bytes command, param_types=None):
        cdef pg_conn *ptr = self.alive()
        cdef const char *named = c_text(name)
        cdef const char *text = c_text(command)
        cdef tuple given = tuple(param_types) if param_types else ()
        cdef Oid *types
        cdef int good, count = len(given)
        ptr = self.idle()  # the sequence may have run code
        types = oids(given)
        self.calls += 1
        with nogil:
            good = self.pq.PQsendPrepare(ptr, named, text, count, types)
        self.calls -= 1
        free(types)
        self.sent(good)

    def send_query_prepared(self, bytes name, param_values, param_formats=None, int result_format=0):
        cdef pg_conn *ptr = self.alive()
        cdef Parameters params
        cdef const char *named
        cdef int good
        try:
            kept = fill_parameters(&params, param_values, param_formats)
            named = c_text(name)
            ptr = self.idle()  # values may be of classes that run code
            self.calls += 1
            with nogil:
                good = self.pq.PQsendQueryPrepared(
                    ptr, named, params.count, params.values, params.lengths, params.formats, result_format
                )
            self.calls -= 1
        finally:
            free(params.heap)
        self.sent(good)

    def send_describe_prepared(self, bytes name):
        self.sent(self.released_with_text(self.pq.PQsendDescribePrepared, c_text(name)))

    def send_describe_portal(self, bytes name):
        self.sent(self.released_with_text(self.pq.PQsendDescribePortal, c_text(name)))

    def send_close_prepared(self, bytes name):
        self.able(self.pq.PQsendClosePrepared, "PQsendClosePrepared")
        self.sent(self.released_with_text(self.pq.PQsendClosePrepared, c_text(name)))

    def send_close_portal(self, bytes name):
        self.able(self.pq.PQsendClosePortal, "PQsendClosePortal")
        self.sent(self.released_with_text(self.pq.PQsendClosePortal, c_text(name)))

    def flush(self):
        return self.send_more()

    cdef int send_more(self) except -1:
        cdef int left = self.released(self.pq.PQflush)
        if left < 0:
            self.fail("sending to the server failed")
        return left

    @property
    def nonblocking(self):
        return self.pq.PQisnonblocking(self.alive()) != 0

    @nonblocking.setter
    def nonblocking(self, bint value):
        cdef pg_conn *ptr = self.idle()
        cdef int failed
        self.calls += 1
        with nogil:
            failed = self.pq.PQsetnonblocking(ptr, value)
        self.calls -= 1
        if failed:
            self.fail("setting non-blocking mode failed")

    # Receiving

    def consume_input(self):
        self.receive_more()

    cdef int receive_more(self) except -1:
        if not self.released(self.pq.PQconsumeInput):
            self.fail("receiving from the server failed")
        return 0

    def is_busy(self):
        return self.pq.PQisBusy(self.idle()) != 0

    def get_result(self):
        return self.next_result()

    cdef PGresult next_result(self):
        cdef pg_conn *ptr = self.idle()
        cdef pg_result *result
        if self.pq.PQisBusy(ptr):
            self.calls += 1
            with nogil:
                result = self.pq.PQgetResult(ptr)
            self.calls -= 1
        else:
            result = self.pq.PQgetResult(ptr)
        return None if result is NULL else new_result(self.pq, result)

    def receive(self, list results not None, int ready=0):
        cdef PGresult result
        cdef int status
        if ready & 1:
            self.receive_more()
        if not ready:
            self.is_sent = False
        while True:
            if not self.is_sent:
                if self.send_more():
                    return WAIT_RW
                self.is_sent = True  # libpq need not be asked again: nothing else is sent meanwhile
            if self.pq.PQisBusy(self.idle()):
                return WAIT_R
            result = self.next_result()
            if result is None:
                return None
            results.append(result)
            status = result.pq.PQresultStatus(result.ptr)
            if status == COPY_OUT or status == COPY_IN or status == COPY_BOTH:
                return None

    def set_single_row_mode(self):
        if not self.pq.PQsetSingleRowMode(self.alive()):
            self.fail("single-row mode must be set right after a query was sent")

    def set_chunked_rows_mode(self, int size):
        cdef pg_conn *ptr = self.able(self.pq.PQsetChunkedRowsMode, "PQsetChunkedRowsMode")
        if not self.pq.PQsetChunkedRowsMode(ptr, size):
            self.fail("chunked-rows mode must be set right after a query was sent, with a size above 0")

    def notifies(self):
        cdef pg_notify *notify = self.pq.PQnotifies(self.idle())
        if notify is NULL:
            return None
        try:
            return PGnotify(<bytes> notify.relname, notify.be_pid, <bytes> notify.extra)
        finally:
            self.pq.PQfreemem(notify)

    # COPY: in non-blocking mode neither waits, so they keep the GIL for what is a copy of memory most times

    def put_copy_data(self, buffer):
        cdef pg_conn *ptr = self.alive()
        cdef Py_buffer view
        cdef int queued
        PyObject_GetBuffer(buffer, &view, PyBUF_FULL_RO)
        try:
            ptr = self.idle()  # the buffer's class may have run code
            if not PyBuffer_IsContiguous(&view, b"C"):
                return self.put_copy_data(bytes(buffer))
            if view.len > INT_MAX:
                raise DataError("more than 2 GB at once is more than libpq takes")
            queued = self.pq.PQputCopyData(ptr, <char *> view.buf, <int> view.len)
        finally:
            PyBuffer_Release(&view)
        if queued < 0:
            self.fail("sending copy data failed")
        return queued

    def put_copy_end(self, bytes error=None):
        cdef const char *text = NULL
        cdef int queued
        if error is not None:
            text = c_text(error)
        queued = self.released_with_text(self.pq.PQputCopyEnd, text)
        if queued < 0:
            self.fail("ending the copy failed")
        return queued

    def get_copy_data(self, int async_=1):
        cdef pg_conn *ptr = self.idle()
        cdef char *data = NULL
        cdef int size = self.pq.PQgetCopyData(ptr, &data, 1)
        if size > 0:
            return size, taken(self.pq, data, size)
        if size < -1:
            self.fail("receiving copy data failed")
        return size, b""

    def get_copy_block(self, int limit):
        cdef pg_conn *ptr = self.idle()
        cdef Py_ssize_t size = COPY_ROOM + limit, used = 0
        cdef PyObject *block
        cdef bytes rows
        cdef int room, got
        if limit <= 1:
            found, row = self.get_copy_data()
            return row, found < 0
        block = new_bytes(NULL, size)
        while True:
            room = <int> min(size - used, INT_MAX)
            got = self.pq.PQgetlineAsync(ptr, bytes_start(block) + used, room)
            if got <= 0:
                break
            used += got
            if got == room:  # the row may go on
                size *= 2
                resize_bytes(&block, size)
            elif used >= limit:
                break
        resize_bytes(&block, used)
        rows = given_up(block)
        if got > 0:
            return rows, False
        if got < 0:
            if self.pq.PQstatus(ptr) == CONNECTION_BAD:
                self.fail("receiving copy data failed")
            return rows, True
        found, row = self.get_copy_data()  # a row without bytes, now dropped, looks as if there were none
        return rows + row, found < 0

    def end_copy(self):
        return self.released(self.pq.PQendcopy) == 0

    # Pipeline

    def enter_pipeline_mode(self):
        cdef pg_conn *ptr = self.able(self.pq.PQenterPipelineMode, "PQenterPipelineMode")
        if not self.pq.PQenterPipelineMode(ptr):
            self.fail("pipeline mode can only be entered on an idle connection")

    def exit_pipeline_mode(self):
        self.able(self.pq.PQexitPipelineMode, "PQexitPipelineMode")
        if not self.released(self.pq.PQexitPipelineMode):
            self.fail("leaving pipeline mode failed")

    def pipeline_sync(self):
        self.able(self.pq.PQpipelineSync, "PQpipelineSync")
        self.sent(self.released(self.pq.PQpipelineSync))

    def send_pipeline_sync(self):
        self.able(self.pq.PQsendPipelineSync, "PQsendPipelineSync")
        self.sent(self.released(self.pq.PQsendPipelineSync))

    def send_flush_request(self):
        self.able(self.pq.PQsendFlushRequest, "PQsendFlushRequest")
        self.sent(self.released(self.pq.PQsendFlushRequest))

    # Failing

    cdef inline int sent(self, int good) except -1:
        if not good:
            self.fail("sending a command failed")
        return 0
