"""What every user of the demo does: ordinary code that waits for a web server and for a database.

Its rule: nothing in this file knows of green threads or of greenpg. It runs as it is in both phases.
"""

from __future__ import annotations

from contextlib import closing
from urllib.request import urlopen

import psycopg2


def ask_web(url: str) -> float:
    """Fetch the page at `url`; return the seconds that its server says it took."""
    with urlopen(url) as page:
        return float(page.read())


def ask_database(dsn: str, seconds: float) -> float:
    """Run a statement that takes `seconds`; return the seconds that its server says it took."""
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select pg_sleep(%s), extract(epoch from clock_timestamp() - statement_timestamp())::float8",
            [seconds],
        )
        [(_, took)] = cursor.fetchall()
        return float(took)
