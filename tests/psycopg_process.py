"""What the tests of psycopg's versions run in a process of its own: `python -m … RUNTIME before|after`.

Ten users sleep at once each way that there is to psycopg: straight, through its pool, and through
SQLAlchemy. It prints one line of JSON: the versions, and how many seconds each ten took together.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Ways = dict[str, Callable[[], Any]]

USERS = 10
SLEEP = "select 42 from pg_sleep(0.3)"
MONKEY = {"gevent": ("gevent.monkey", "patch_all"), "eventlet": ("eventlet", "monkey_patch")}


def ways(dsn: str) -> tuple[Any, Ways]:
    """Import everything; return the pool, which is to be opened, and what one user does each way."""
    import psycopg
    from psycopg_pool import ConnectionPool
    from sqlalchemy import create_engine, text

    pool: Any = ConnectionPool(dsn, min_size=USERS, open=False)
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn), pool_size=USERS)

    def straight() -> Any:
        with psycopg.connect(dsn) as connection:
            return connection.execute(SLEEP).fetchone()

    def through_pool() -> Any:
        with pool.connection() as connection:
            return connection.execute(SLEEP).fetchone()

    def through_sqlalchemy() -> Any:
        with engine.connect() as connection:
            return connection.execute(text(SLEEP)).one()

    return pool, {"straight": straight, "pool": through_pool, "sqlalchemy": through_sqlalchemy}


def seconds(users: Ways) -> dict[str, float]:
    """Let all users of all ways run at once; return how long those of each way took together."""
    import threading  # not before the process is patched: it is the runtime's then
    from time import monotonic

    found: dict[str, list[float]] = {way: [] for way in users}

    def run(way: str, use: Callable[[], Any]) -> None:
        (answer,) = use()
        assert answer == 42
        found[way].append(monotonic() - began)

    threads = [threading.Thread(target=run, args=each) for each in users.items() for _ in range(USERS)]
    began = monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(len(ends) == USERS for ends in found.values()), found
    return {way: max(ends) for way, ends in found.items()}


def main(runtime: str, order: str) -> None:
    """Do it all, with everything imported and made `before` or `after` the process is patched."""
    dsn = os.environ["GREENPG_TEST_DSN"]
    early = ways(dsn) if order == "before" else None
    module, patch_all = MONKEY[runtime]
    getattr(import_module(module), patch_all)()
    import_module(f"greenpg.{runtime}").patch()
    pool, users = early or ways(dsn)
    pool.open(wait=True)
    took = seconds(users)
    pool.close()
    from psycopg_pool import __version__ as pool_version

    driver: Any = sys.modules["psycopg"]
    print(json.dumps([driver.__version__, driver.pq.__impl__, pool_version, took]))


if __name__ == "__main__":
    main(*sys.argv[1:])
