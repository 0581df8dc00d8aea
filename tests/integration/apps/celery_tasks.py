"""Tasks on every driver and ORM, for a worker that knows the how-to's own tasks too."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

import psycopg
from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection as django
from psycopg2.pool import ThreadedConnectionPool
from psycopg_pool import ConnectionPool
from sqlalchemy import create_engine, text

engine = create_engine("postgresql+psycopg2://", pool_size=10)
pool2 = ThreadedConnectionPool(0, 20, "")  # connects under a lock that is made here and now


@cache
def pool3() -> ConnectionPool:
    return ConnectionPool("", min_size=10, open=True)


@cache
def kept(driver: str) -> Any:
    """Return the connection of all calls of `session`, which come one after the other."""
    return sys.modules[driver].connect("")


def by_sqlalchemy(query: str) -> Any:
    with engine.connect() as connection:
        return connection.execute(text(query)).scalar_one()


def by_django(query: str) -> Any:
    with django.cursor() as cursor:
        cursor.execute(query)
        ((answer,),) = cursor.fetchall()
    return answer


def by_psycopg2_pool(query: str) -> Any:
    connection = pool2.getconn()
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(query)
            ((answer,),) = cursor.fetchall()
    finally:
        pool2.putconn(connection)
    return answer


def by_psycopg(query: str) -> Any:
    with psycopg.connect("") as connection:
        ((answer,),) = connection.execute(query)
    return answer


def by_psycopg_pool(query: str) -> Any:
    with pool3().connection() as connection:
        ((answer,),) = connection.execute(query)
    return answer


def session(driver: str, seconds: float = 0, limit: float | None = None) -> Any:
    """Return the process id of the kept connection's session, after a sleep in it.

    :param limit: the seconds of a soft time limit
    """
    runtime = sys.modules.get("eventlet") or sys.modules["gevent"]
    try:
        with runtime.Timeout(limit, SoftTimeLimitExceeded(limit)), kept(driver).cursor() as cursor:
            cursor.execute("select pg_backend_pid() from pg_sleep(%s)", [seconds])
            ((pid,),) = cursor.fetchall()
    finally:
        kept(driver).rollback()
    return pid


for task in (by_sqlalchemy, by_django, by_psycopg2_pool, by_psycopg, by_psycopg_pool, session):
    shared_task(task)
