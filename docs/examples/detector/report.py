"""A report that takes all its rows at once."""

import gevent.monkey

gevent.monkey.patch_all()

import gevent
import psycopg2


def report():
    connection = psycopg2.connect("")
    cursor = connection.cursor()
    cursor.execute("select n, n::text, n::numeric from generate_series(1, 300000) n")
    return cursor.fetchall()


print(len(gevent.spawn(report).get()), "rows")
