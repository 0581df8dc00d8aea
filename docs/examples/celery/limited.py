"""A soft time limit of the task's own: Celery gives its green threads none."""

from contextlib import closing

import psycopg2
from celery.exceptions import SoftTimeLimitExceeded
from gevent import Timeout

from tasks import app


@app.task
def at_most(limit):
    with closing(psycopg2.connect("")) as connection, connection.cursor() as cursor:
        try:
            with Timeout(limit, SoftTimeLimitExceeded()):
                cursor.execute("select pg_sleep(60)")
        except SoftTimeLimitExceeded:  # the server has cancelled the statement
            connection.rollback()
            cursor.execute("select 'the connection goes on'")
            return cursor.fetchone()[0]
