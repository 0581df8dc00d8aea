"""A database of one's own for each process of the suite, made new before every use.

Its rule: nothing that a test left behind (sessions, locks, prepared transactions, an active replication slot)
reaches the next one.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import make_dsn, parse_dsn

if TYPE_CHECKING:
    from collections.abc import Iterator

# What psycopg2's tests let us say about the server, and how.
VARIABLES = {
    "host": "PSYCOPG2_TESTDB_HOST",
    "port": "PSYCOPG2_TESTDB_PORT",
    "user": "PSYCOPG2_TESTDB_USER",
    "password": "PSYCOPG2_TESTDB_PASSWORD",
}
SLOT_LIMIT = 5000  # milliseconds for the holder of a replication slot to go


class ScratchDatabase:
    """The database `name` on the server that `dsn` connects to, as a superuser."""

    def __init__(self, dsn: str, name: str) -> None:
        self._admin_dsn = dsn
        self._name = name
        self._parts = parse_dsn(dsn)
        if unknown := self._parts.keys() - VARIABLES.keys() - {"dbname"}:
            raise ValueError(
                f"psycopg2's tests cannot be told about {', '.join(sorted(unknown))}: "
                "use a DSN of dbname, host, port, user and password only"
            )

    @property
    def dsn(self) -> str:
        """Connection string of the database."""
        return make_dsn(self._admin_dsn, dbname=self._name)

    @property
    def environ(self) -> dict[str, str]:
        """The variables that point psycopg2's tests, replication included, at this database."""
        told = {VARIABLES[key]: value for key, value in self._parts.items() if key in VARIABLES}
        return {
            **told,
            "PSYCOPG2_TESTDB": self._name,
            "PSYCOPG2_TEST_REPL_DSN": "",  # the same database
            "PSYCOPG2_TEST_REPL_SLOT": self._slot,
        }

    def renew(self) -> None:
        """Drop the database with all that is in use of it, and create it again."""
        self.drop()
        with self._cursor() as cursor:
            # template0: nobody is ever connected to it, so two of these can be made at once.
            cursor.execute(sql.SQL("create database {} template template0").format(self._identifier))
        with self._cursor(self.dsn) as cursor:
            cursor.execute("select true from pg_available_extensions where name = 'hstore'")
            if cursor.fetchone():
                cursor.execute("create extension hstore")

    def drop(self) -> None:
        """Drop the database with all that is in use of it."""
        self._drop_slots()
        self._roll_back_prepared()
        with self._cursor() as cursor:
            cursor.execute(sql.SQL("drop database if exists {} with (force)").format(self._identifier))

    @property
    def _slot(self) -> str:
        return f"{self._name}_slot"

    @property
    def _identifier(self) -> sql.Identifier:
        return sql.Identifier(self._name)

    def _drop_slots(self) -> None:
        # A physical slot belongs to no database, but has the name we chose.
        ours = "from pg_replication_slots where (database = %(name)s or slot_name = %(slot)s)"
        names = {"name": self._name, "slot": self._slot}
        with self._cursor() as cursor:
            cursor.execute(f"select pg_terminate_backend(active_pid, {SLOT_LIMIT}) {ours} and active", names)
            cursor.execute(f"select pg_drop_replication_slot(slot_name) {ours}", names)

    def _roll_back_prepared(self) -> None:
        with self._cursor() as cursor:
            cursor.execute("select gid from pg_prepared_xacts where database = %s", (self._name,))
            gids = cursor.fetchall()
        if gids:
            with self._cursor(self.dsn) as cursor:
                for gid in gids:
                    cursor.execute("rollback prepared %s", gid)

    @contextlib.contextmanager
    def _cursor(self, dsn: str | None = None) -> Iterator[Any]:
        with contextlib.closing(psycopg2.connect(dsn or self._admin_dsn)) as connection:
            connection.autocommit = True
            yield connection.cursor()
