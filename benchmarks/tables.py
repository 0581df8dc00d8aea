"""What the workloads find on the server: a schema of the run's own, made before it and dropped after it."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNTS = "accounts"
ACCOUNTS_ROWS = 100_000
COPY_IN = "copied"
COPY_OUT = "source"
COPY_ROWS = 500_000

_TABLES = f"""
    create unlogged table {ACCOUNTS} (id int primary key, abalance int not null);
    insert into {ACCOUNTS} select i, i * 3 from generate_series(0, {ACCOUNTS_ROWS - 1}) i;
    create unlogged table {COPY_IN} (id int, name text, amount int);
    create unlogged table {COPY_OUT} (like {COPY_IN});
    vacuum analyze {ACCOUNTS}
"""
_FILL = (
    f"insert into {COPY_OUT} select i, 'name of the row ' || i, i * 7 from generate_series(1, {COPY_ROWS}) i"
)


def copy_data() -> bytes:
    """Return what `COPY_IN` is filled with, the same as is in `COPY_OUT`, about 18 MB of text."""
    return b"".join(b"%d\tname of the row %d\t%d\n" % (i, i, i * 7) for i in range(1, COPY_ROWS + 1))


@contextmanager
def tables(dsn: str, *, copies: bool) -> Iterator[str]:
    """Make the tables, give the conninfo that finds them, and drop them at the end.

    :param copies: whether the big table is needed too
    :raises psycopg2.Error: the server cannot be reached, or refuses
    """
    from psycopg2.extensions import make_dsn, parse_dsn

    schema = f"greenpg_benchmarks_{os.getpid()}"  # others may use the server at the same time
    options = f"{parse_dsn(dsn).get('options', '')} -c search_path={schema}"
    inside = make_dsn(dsn, options=options.strip())
    execute(dsn, f"create schema {schema}")
    try:
        execute(inside, *_TABLES.split(";"), *[_FILL] * copies)
        yield inside
    finally:
        execute(dsn, f"drop schema {schema} cascade")


def execute(dsn: str, *statements: str) -> list[Any]:
    """Execute each statement in a transaction of its own; return the rows of the last."""
    import psycopg2

    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []
