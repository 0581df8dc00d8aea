"""A WSGI application that gives its statements half a second, and goes on with the same connection."""

import gevent
import psycopg2


def application(environ, start_response):
    answer = b"hello"
    if environ["PATH_INFO"] == "/slow":
        answer = slow()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [answer]


def slow():
    connection = psycopg2.connect("")
    cursor = connection.cursor()
    try:
        with gevent.Timeout(0.5):
            cursor.execute("select pg_sleep(30)")
    except gevent.Timeout:
        connection.rollback()
        cursor.execute("select 'too slow'")
    (answer,) = cursor.fetchone()
    connection.close()
    return answer.encode()
