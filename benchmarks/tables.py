"""What the workloads find on the server: a schema of the run's own, made before it and dropped after it."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

ACCOUNTS = "accounts"
ACCOUNTS_ROWS = 100_000
INSERTED = "inserted"
COPY_IN = "copied"
COPY_OUT = "source"
COPY_ROWS = 500_000
QUICK_COPY_ROWS = 5000
WIDE = "wide"
INTEGERS = "integers"
TEXTS = "texts"

_SMALL = f"""
    create unlogged table {ACCOUNTS} (id int primary key, abalance int not null);
    insert into {ACCOUNTS} select i, i * 3 from generate_series(0, {ACCOUNTS_ROWS - 1}) i;
    create unlogged table {INSERTED} (id int, name text, amount float8, at timestamptz);
    create unlogged table {COPY_IN} (id int, name text, amount int);
    vacuum analyze {ACCOUNTS}
"""
_BIG = {
    COPY_OUT: f"""
        create unlogged table {COPY_OUT} as
        select i as id, 'name of the row ' || i as name, i * 7 as amount from generate_series(1, %d) i
    """,
    WIDE: f"""
        create unlogged table {WIDE} as select i as id, i * 1000003::bigint as big,
        'text ' || lpad(i::text, 15, '0') as name, i / 7.0::float8 as ratio,
        timestamptz '2026-01-01 00:00:00+00' + i * interval '1.001 seconds' as at,
        (i * 1.25)::numeric(12, 2) as price, i %% 2 = 0 as even from generate_series(1, %d) i;
        create unique index on {WIDE} (id)
    """,
    INTEGERS: f"""
        create unlogged table {INTEGERS} as
        select i as c1, {", ".join(f"i * {n} as c{n}" for n in range(2, 11))} from generate_series(1, %d) i
    """,
    TEXTS: f"""
        create unlogged table {TEXTS} as
        select i as id, 'a' || i as a, 'some b ' || i as b, repeat('c', 20) as c, 'd' || i * 7 as d,
        'the text e of the row ' || i as e from generate_series(1, %d) i
    """,
}


def copy_data(rows: int) -> bytes:
    """Return the first rows of `COPY_OUT` in COPY's text format; all of them are about 18 MB."""
    return b"".join(b"%d\tname of the row %d\t%d\n" % (i, i, i * 7) for i in range(1, rows + 1))


def big_tables(workloads: Collection[str], quick: bool) -> dict[str, int]:
    """Return how many rows of the big tables some workloads need; those with none are not made."""
    rows: dict[str, int] = {}
    if {"W3", "W8", "W8M", "by-rows"} & {*workloads}:
        rows[WIDE] = 1_000_000 if {"W8M", "by-rows"} & {*workloads} else 200_000
    rows |= dict.fromkeys([INTEGERS] * ("W3b" in workloads) + [TEXTS] * ("W3c" in workloads), 200_000)
    rows |= dict.fromkeys([COPY_OUT] * ("W5out" in workloads), COPY_ROWS)
    return dict.fromkeys(rows, QUICK_COPY_ROWS) if quick else rows


@contextmanager
def tables(dsn: str, big: dict[str, int]) -> Iterator[str]:
    """Make the tables, give the conninfo that finds them, and drop them at the end.

    :param big: the big tables that are needed too, with their rows
    :raises psycopg2.Error: the server cannot be reached, or refuses
    """
    from psycopg2.extensions import make_dsn, parse_dsn

    schema = f"greenpg_benchmarks_{os.getpid()}"  # others may use the server at the same time
    options = f"{parse_dsn(dsn).get('options', '')} -c search_path={schema}"
    inside = make_dsn(dsn, options=options.strip())
    execute(dsn, f"create schema {schema}")
    try:
        execute(inside, *_SMALL.split(";"))
        for name, rows in big.items():
            execute(inside, *(_BIG[name] % rows).split(";"), f"vacuum analyze {name}")
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
