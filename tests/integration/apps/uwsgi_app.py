"""What an application may do in uWSGI's async core, a path each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg2
from greenlet import GreenletExit

import greenpg.uwsgi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

greenpg.uwsgi.patch()

SLOW = "select 42 from pg_sleep(0.3)"


def query(sql: str, dsn: str = "") -> Any:
    """Run a statement on a connection of its own; return the first column of the first row."""
    connection = psycopg2.connect(dsn)
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            row: Any = cursor.fetchone()
        return row[0]
    finally:
        connection.close()


at_load = query("select 42")
shared = psycopg2.connect("")
shared.autocommit = True
ended: list[object] = []


def hello(_environ: WSGIEnvironment) -> Iterable[bytes]:
    yield b"hello"


def slow(_environ: WSGIEnvironment) -> Iterable[bytes]:
    yield str(query(SLOW)).encode()


def loaded(_environ: WSGIEnvironment) -> Iterable[bytes]:
    yield str(at_load).encode()


def busy(_environ: WSGIEnvironment) -> Iterable[bytes]:
    """All requests on one connection."""
    with shared.cursor() as cursor:
        try:
            cursor.execute(SLOW)
        except psycopg2.ProgrammingError as error:
            yield str(error).encode()
        else:
            yield b"42"


def parts(environ: WSGIEnvironment) -> Iterator[bytes]:
    """A response in parts, some through `write()`, with a query before each."""
    write = environ["write"]
    for part in range(4):
        text = str(query(f"select {part} from pg_sleep(0.1)")).encode()
        if part % 2:
            yield text
        else:
            write(text)


def whole(_environ: WSGIEnvironment) -> Any:
    """A response that is no list, which PEP 3333 does not allow and uWSGI does."""
    return str(query("select 42")).encode()


def wrappers(environ: WSGIEnvironment) -> Iterable[bytes]:
    """What there is to wrap files in."""
    yield str([name for name in environ if "wrapper" in name]).encode()


def length(environ: WSGIEnvironment) -> Iterable[bytes]:
    """How long the upload is."""
    yield str(query(f"select {len(environ['wsgi.input'].read())}")).encode()


def endless(environ: WSGIEnvironment) -> Iterator[bytes]:
    """A response that only the client ends: first all through `write()`, then in parts."""
    try:
        environ["write"](bytes(20_000_000))
        while True:
            yield bytes(query("select 100000"))
    finally:
        ended.append("endless")


def ends(_environ: WSGIEnvironment) -> Iterable[bytes]:
    """What those that were ended have left."""
    yield str(ended).encode()


def fails(_environ: WSGIEnvironment) -> Iterable[bytes]:
    raise ZeroDivisionError(query(SLOW))


def connects(environ: WSGIEnvironment) -> Iterable[bytes]:
    """What it is to connect as the query string says."""
    try:
        yield str(query("select 42", environ["QUERY_STRING"].replace("&", " "))).encode()
    except psycopg2.OperationalError as error:
        yield str(error).encode()


def patient(_environ: WSGIEnvironment) -> Iterable[bytes]:
    """Wait for a long statement; whoever is ended meanwhile leaves a connection that works."""
    connection = psycopg2.connect("")
    cursor = connection.cursor()
    try:
        cursor.execute("select pg_sleep(30)")
    except GreenletExit:
        connection.rollback()
        cursor.execute("select 42")
        ended.append(cursor.fetchone())
    yield b""


def limited(_environ: WSGIEnvironment) -> Iterable[bytes]:
    """A statement that takes longer than the inner of two limits, and one that would have, too."""
    connection = psycopg2.connect("")
    cursor = connection.cursor()
    with greenpg.uwsgi.Timeout(5), greenpg.uwsgi.Timeout(0.2):
        try:
            cursor.execute("select pg_sleep(30)")
        except greenpg.uwsgi.Timeout as limit:
            connection.rollback()
            cursor.execute(SLOW)
            yield f"{limit.seconds} {cursor.fetchone()}".encode()
    connection.close()


PATHS: dict[str, Callable[[WSGIEnvironment], Iterable[bytes]]] = {
    "/": hello, "/slow": slow, "/loaded": loaded, "/busy": busy, "/parts": parts, "/wrappers": wrappers,
    "/length": length, "/endless": endless, "/ends": ends, "/fails": fails, "/connects": connects,
    "/patient": patient, "/limited": limited, "/whole": whole,
}  # fmt: skip


def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    environ["write"] = start_response("200 OK", [("Content-Type", "text/plain")])
    return PATHS[environ["PATH_INFO"]](environ)


green = greenpg.uwsgi.green(serve)


def closed_while_it_waits(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes | None]:
    """Close a response that waits for a statement, as uWSGI would; note what has become of it."""
    active = """
        select count(*) from pg_stat_activity where state = 'active' and query = 'select pg_sleep(30)'
        and application_name = current_setting('application_name')
    """
    response: Any = green(environ | {"PATH_INFO": "/patient"}, start_response)
    for _ in response:
        if query(active):
            break
        yield None
    response.close()
    ended.append(query(active))


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/not-green":
        return serve(environ | {"PATH_INFO": "/slow"}, start_response)
    if environ["PATH_INFO"] == "/closed":
        return closed_while_it_waits(environ, start_response)  # type: ignore[return-value]  # uWSGI's None
    return green(environ, start_response)
