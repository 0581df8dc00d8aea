/* The limit: the workloads in C on libpq, without a Python object.

   A shared library that benchmarks/drivers/libpq.py loads; one call is one job. libpq is the very one that
   greenpg has found, loaded by name, so that no headers are needed. Every call returns NULL or what went wrong.
   It does what a careful C program would: statements prepared, binary both ways, whole results, every value
   looked at, many connections by epoll, many rows by a pipeline. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <endian.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

typedef struct pg_conn PGconn;
typedef struct pg_result PGresult;
typedef unsigned int Oid;

enum { CONNECTION_OK = 0 };
enum { POLLING_FAILED, POLLING_READING, POLLING_WRITING, POLLING_OK };
enum { COMMAND_OK = 1, TUPLES_OK, COPY_OUT, COPY_IN, PIPELINE_SYNC = 10 };
enum { TEXT, BINARY };
enum { INT4 = 23, TEXTOID = 25, FLOAT8 = 701, TIMESTAMPTZ = 1184 };
enum { BLOCK = 65536, BATCH = 256, EVENTS = 256 };

#define FUNCTIONS(F) \
    F(PGconn *, PQconnectStart, (const char *)) \
    F(int, PQconnectPoll, (PGconn *)) \
    F(int, PQstatus, (const PGconn *)) \
    F(int, PQsocket, (const PGconn *)) \
    F(void, PQfinish, (PGconn *)) \
    F(char *, PQerrorMessage, (const PGconn *)) \
    F(PGresult *, PQexec, (PGconn *, const char *)) \
    F(PGresult *, PQprepare, (PGconn *, const char *, const char *, int, const Oid *)) \
    F(int, PQsendQueryPrepared, (PGconn *, const char *, int, const char *const *, const int *, const int *, int)) \
    F(int, PQsetnonblocking, (PGconn *, int)) \
    F(int, PQflush, (PGconn *)) \
    F(int, PQconsumeInput, (PGconn *)) \
    F(int, PQisBusy, (PGconn *)) \
    F(PGresult *, PQgetResult, (PGconn *)) \
    F(int, PQresultStatus, (const PGresult *)) \
    F(int, PQntuples, (const PGresult *)) \
    F(int, PQnfields, (const PGresult *)) \
    F(char *, PQgetvalue, (const PGresult *, int, int)) \
    F(int, PQgetlength, (const PGresult *, int, int)) \
    F(int, PQgetisnull, (const PGresult *, int, int)) \
    F(void, PQclear, (PGresult *)) \
    F(int, PQputCopyData, (PGconn *, const char *, int)) \
    F(int, PQputCopyEnd, (PGconn *, const char *)) \
    F(int, PQgetCopyData, (PGconn *, char **, int)) \
    F(void, PQfreemem, (void *)) \
    F(int, PQenterPipelineMode, (PGconn *)) \
    F(int, PQexitPipelineMode, (PGconn *)) \
    F(int, PQpipelineSync, (PGconn *))

#define POINTER(type, name, arguments) static type(*name) arguments;
FUNCTIONS(POINTER)

static char message[512];

static const char *failed(const PGconn *conn, const char *what)
{
    snprintf(message, sizeof message, "%s: %s", what, conn ? PQerrorMessage(conn) : "out of memory");
    return message;
}

/* Load libpq from `path`: itself, or an extension module that is linked to it. */
const char *limit_load(const char *path)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return dlerror();
#define RESOLVE(type, name, arguments) \
    if (!(*(void **)&name = dlsym(handle, #name))) \
        return "this libpq is too old, it has no " #name;
    FUNCTIONS(RESOLVE)
    return NULL;
}

static int wait_for(int fd, short events)
{
    struct pollfd waiting = {fd, events, 0};
    return poll(&waiting, 1, -1) < 0 ? 0 : waiting.revents;
}

void limit_close(int n, PGconn **conns)
{
    for (int i = 0; i < n; i++)
        if (conns[i])
            PQfinish(conns[i]);
}

static const char *connect_all(const char *dsn, int n, PGconn **conns, struct pollfd *waiting)
{
    int left = n;
    for (int i = 0; i < n; i++) {
        if (!(conns[i] = PQconnectStart(dsn)) || PQsocket(conns[i]) < 0)
            return failed(conns[i], "connect");
        waiting[i] = (struct pollfd){PQsocket(conns[i]), POLLOUT, 0};
    }
    while (left) {
        if (poll(waiting, n, -1) < 0)
            return "poll failed";
        for (int i = 0; i < n; i++) {
            if (waiting[i].fd < 0 || !waiting[i].revents)
                continue;
            int need = PQconnectPoll(conns[i]);
            if (need == POLLING_FAILED)
                return failed(conns[i], "connect");
            left -= need == POLLING_OK;
            waiting[i].fd = need == POLLING_OK ? -1 : PQsocket(conns[i]);
            waiting[i].events = need == POLLING_READING ? POLLIN : POLLOUT;
        }
    }
    return NULL;
}

/* Connect `n` times at once. */
const char *limit_connect(const char *dsn, int n, PGconn **conns)
{
    struct pollfd *waiting = calloc(n, sizeof *waiting);
    memset(conns, 0, n * sizeof *conns);
    const char *error = waiting ? connect_all(dsn, n, conns, waiting) : "out of memory";
    free(waiting);
    if (error) {
        limit_close(n, conns);
        memset(conns, 0, n * sizeof *conns);
    }
    return error;
}

static const char *expect(PGconn *conn, PGresult *result, int status, const char *what)
{
    int found = result ? PQresultStatus(result) : -1;
    PQclear(result);
    return found == status ? NULL : failed(conn, what);
}

const char *limit_execute(PGconn *conn, const char *sql)
{
    return expect(conn, PQexec(conn, sql), COMMAND_OK, sql);
}

/* Prepare `sql`, with parameters of the types that `limit_query` (1) or `limit_insert` (4) sends. */
const char *limit_prepare(PGconn *conn, const char *name, const char *sql, int parameters)
{
    static const Oid query[] = {INT4}, insert[] = {INT4, TEXTOID, FLOAT8, TIMESTAMPTZ};
    return expect(conn, PQprepare(conn, name, sql, parameters, parameters == 1 ? query : insert), COMMAND_OK, sql);
}

static uint64_t look_at(const PGresult *result)
{
    int rows = PQntuples(result), columns = PQnfields(result);
    uint64_t sum = 0;
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++)
            if (!PQgetisnull(result, row, column))
                sum += PQgetlength(result, row, column) + (unsigned char)*PQgetvalue(result, row, column);
    return sum;
}

static int send_query(PGconn *conn, const char *name, int32_t key)
{
    int32_t wire = htobe32(key);
    const char *values[] = {(const char *)&wire};
    static const int lengths[] = {4}, formats[] = {BINARY};
    return PQsendQueryPrepared(conn, name, 1, values, lengths, formats, BINARY);
}

/* Take what has come. Sets `done` once the query has ended. */
static const char *receive(PGconn *conn, uint64_t *sum, int *done)
{
    *done = 0;
    if (!PQconsumeInput(conn))
        return failed(conn, "query");
    while (!PQisBusy(conn)) {
        PGresult *result = PQgetResult(conn);
        if (!result) {
            *done = 1;
            return NULL;
        }
        *sum += look_at(result);
        const char *error = expect(conn, result, TUPLES_OK, "query");
        if (error)
            return error;
    }
    return NULL;
}

static const char *query_one(PGconn *conn, const char *name, const int32_t *keys, int each, uint64_t *sum)
{
    for (int i = 0; i < each; i++) {
        if (!send_query(conn, name, keys[i]))
            return failed(conn, "query");
        for (int done = 0; !done;) {
            wait_for(PQsocket(conn), POLLIN);
            const char *error = receive(conn, sum, &done);
            if (error)
                return error;
        }
    }
    return NULL;
}

static const char *query_all(
    int epoll, int n, PGconn **conns, const char *name, const int32_t *keys, int each, int *next, uint64_t *sum)
{
    struct epoll_event events[EVENTS];
    for (int i = 0; i < n; i++) {
        struct epoll_event event = {EPOLLIN, {.u32 = i}};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, PQsocket(conns[i]), &event) < 0)
            return "epoll_ctl failed";
        if (!send_query(conns[i], name, keys[i * each]))
            return failed(conns[i], "query");
    }
    for (int left = n; left;) {
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int k = 0; k < ready; k++) {
            int i = events[k].data.u32, done;
            const char *error = receive(conns[i], sum, &done);
            if (error)
                return error;
            if (!done)
                continue;
            if (++next[i] == each)
                left--;
            else if (!send_query(conns[i], name, keys[i * each + next[i]]))
                return failed(conns[i], "query");
        }
    }
    return NULL;
}

/* Execute a prepared statement for `each` keys on each of `n` connections, these at the same time. */
const char *limit_query(int n, PGconn **conns, const char *name, const int32_t *keys, int each, uint64_t *sum)
{
    if (n == 1)
        return query_one(*conns, name, keys, each, sum);
    int epoll = epoll_create1(0), *next = calloc(n, sizeof *next);
    const char *error = "out of memory or files";
    if (epoll >= 0 && next)
        error = query_all(epoll, n, conns, name, keys, each, next, sum);
    if (epoll >= 0)
        close(epoll);
    free(next);
    return error;
}

static int send_row(PGconn *conn, const char *name, int32_t i, int64_t start)
{
    char text[32];
    double amount = i * 1.5;
    uint64_t bits;
    memcpy(&bits, &amount, sizeof bits);
    uint32_t id = htobe32(i);
    uint64_t wire = htobe64(bits), at = htobe64(start + i * INT64_C(1000000));
    int length = snprintf(text, sizeof text, "name of the row %d", i);
    const char *values[] = {(const char *)&id, text, (const char *)&wire, (const char *)&at};
    const int lengths[] = {4, length, 8, 8};
    static const int formats[] = {BINARY, TEXT, BINARY, BINARY};
    return PQsendQueryPrepared(conn, name, 4, values, lengths, formats, BINARY);
}

/* Take the results that have come, of a pipeline; returns how many statements have ended, or -1. */
static int take_results(PGconn *conn)
{
    int taken = 0;
    /* One NULL comes after each statement; a second one says that there is nothing to wait for. */
    for (int nothing = 0; nothing < 2 && !PQisBusy(conn);) {
        PGresult *result = PQgetResult(conn);
        if (!result) {
            nothing++;
            continue;
        }
        int status = PQresultStatus(result);
        PQclear(result);
        if (status != COMMAND_OK && status != PIPELINE_SYNC)
            return -1;
        nothing = 0;
        taken++;
    }
    return taken;
}

static const char *insert_all(PGconn *conn, const char *name, int rows, int64_t start)
{
    int sent = 0, left = rows + 1; /* the sync has a result of its own */
    for (;;) {
        for (int batch = 0; sent < rows && batch < BATCH; batch++)
            if (!send_row(conn, name, ++sent, start))
                return failed(conn, "insert");
        if (sent == rows) {
            if (!PQpipelineSync(conn))
                return failed(conn, "insert");
            sent++;
        }
        for (;;) {
            int pending = PQflush(conn), taken = take_results(conn);
            if (pending < 0 || taken < 0)
                return failed(conn, "insert");
            if (!(left -= taken))
                return NULL;
            if (!pending && sent < rows)
                break;
            short ready = wait_for(PQsocket(conn), pending ? POLLIN | POLLOUT : POLLIN);
            if ((ready & ~POLLOUT) && !PQconsumeInput(conn))
                return failed(conn, "insert");
        }
    }
}

/* Execute a prepared INSERT for `rows` rows of four parameters, numbered from 1, by a pipeline. */
const char *limit_insert(PGconn *conn, const char *name, int rows, int64_t start)
{
    if (!PQenterPipelineMode(conn) || PQsetnonblocking(conn, 1))
        return failed(conn, "insert");
    const char *error = insert_all(conn, name, rows, start);
    PGresult *result;
    while (!error && (result = PQgetResult(conn)))
        PQclear(result);
    if (!error && (!PQexitPipelineMode(conn) || PQsetnonblocking(conn, 0)))
        error = failed(conn, "insert");
    return error;
}

const char *limit_copy_in(PGconn *conn, const char *sql, const char *data, int64_t length)
{
    const char *error = expect(conn, PQexec(conn, sql), COPY_IN, sql);
    if (error)
        return error;
    for (int64_t done = 0; done < length; done += BLOCK)
        if (PQputCopyData(conn, data + done, length - done < BLOCK ? length - done : BLOCK) != 1)
            return failed(conn, sql);
    if (PQputCopyEnd(conn, NULL) != 1)
        return failed(conn, sql);
    error = expect(conn, PQgetResult(conn), COMMAND_OK, sql);
    PQclear(PQgetResult(conn));
    return error;
}

const char *limit_copy_out(PGconn *conn, const char *sql)
{
    const char *error = expect(conn, PQexec(conn, sql), COPY_OUT, sql);
    if (error)
        return error;
    size_t used = 0, size = 1 << 20;
    char *all = malloc(size), *row;
    for (int length; (length = PQgetCopyData(conn, &row, 0)) > 0; PQfreemem(row)) {
        if (used + length > size)
            all = realloc(all, size = 2 * size + length);
        if (!all)
            return "out of memory";
        memcpy(all + used, row, length);
        used += length;
    }
    free(all);
    error = expect(conn, PQgetResult(conn), COMMAND_OK, sql);
    PQclear(PQgetResult(conn));
    return error;
}
