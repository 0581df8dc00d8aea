"""Visitors of locust who use psycopg 3."""

from __future__ import annotations

import psycopg
from locust import User, task


class Reader(User):
    def on_start(self) -> None:
        self.connection = psycopg.connect("", autocommit=True)

    def on_stop(self) -> None:
        self.connection.close()

    @task
    def read(self) -> None:
        with self.environment.events.request.measure("query", "read"):
            self.connection.execute("select pg_sleep(0.3)")
