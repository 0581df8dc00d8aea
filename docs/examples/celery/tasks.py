"""Tasks that take their time in PostgreSQL, which libpq's PGHOST, PGUSER, PGDATABASE… lead to."""

from contextlib import closing

import psycopg2
from celery import Celery

app = Celery("tasks")  # $CELERY_BROKER_URL and $CELERY_RESULT_BACKEND say where


@app.task
def slow(seconds):
    with closing(psycopg2.connect("")) as connection, connection.cursor() as cursor:
        cursor.execute("select 42 from pg_sleep(%s)", [seconds])
        return cursor.fetchone()[0]
