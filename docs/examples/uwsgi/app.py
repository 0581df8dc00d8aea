"""A WSGI application: `/slow` is slow in PostgreSQL, which libpq's PGHOST, PGUSER, PGDATABASE… lead to."""

import psycopg2


def application(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        connection = psycopg2.connect("")
        with connection, connection.cursor() as cursor:
            cursor.execute("select pg_sleep(0.3)")
        connection.close()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]
