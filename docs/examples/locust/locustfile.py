"""Visitors who query PostgreSQL, which libpq's PGHOST, PGUSER, PGDATABASE… lead to."""

import psycopg2
from locust import User, task


class Visitor(User):
    def on_start(self):
        self.connection = psycopg2.connect("")

    def on_stop(self):
        self.connection.close()

    @task
    def look_around(self):
        measure = self.environment.events.request.measure
        with measure("query", "look around"), self.connection, self.connection.cursor() as cursor:
            cursor.execute("select pg_sleep(0.3)")
