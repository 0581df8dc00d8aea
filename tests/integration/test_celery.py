"""Celery workers on gevent and eventlet, with a real broker and real results, on the how-to's own files.

greenpg is installed, and that is all for gevent. For eventlet it is the handler in `eventlet_tasks.py`, or
the launcher.
"""

from __future__ import annotations

import os
import shlex
import signal
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest
from celery.exceptions import SoftTimeLimitExceeded, TaskRevokedError, TimeLimitExceeded
from psycopg2.extensions import make_dsn

from tests.integration.celery_worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.subprocess, pytest.mark.slow]

GEVENT = "celery --app=tasks worker --pool=gevent --concurrency=20"
EVENTLET = "celery --app=eventlet_tasks worker --pool=eventlet --concurrency=20"
PLAIN_EVENTLET = "celery --app=tasks worker --pool=eventlet --concurrency=20"
LAUNCHED = f"greenpg run --eventlet -- {PLAIN_EVENTLET}"

TASKS = 10
SLOW = "select 42 from pg_sleep(0.3)"
BLOCKING = 3.0
"""Seconds that so many slow ones take one after the other."""


_HERE = "from pg_stat_activity where datname = current_database()"
_WAITING = f"{_HERE} and wait_event in ('PgSleep', 'advisory')"


class Database:
    """A database, and what others do in it."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._connection = psycopg2.connect(dsn)
        self._connection.autocommit = True

    def close(self) -> None:
        """Leave it."""
        self._connection.close()

    @contextmanager
    def held(self) -> Iterator[str]:
        """Return a query whose answer is 42, but not yet."""
        self._run("select pg_advisory_lock(1)")
        try:
            yield "select 42 from pg_advisory_xact_lock_shared(1)"
        finally:
            self._run("select pg_advisory_unlock(1)")

    def waiting(self) -> list[Any]:
        """Return the processes of the queries that sleep or are held."""
        return self._run(f"select pid {_WAITING}")

    def cancel(self) -> None:
        """Cancel those queries."""
        self._run(f"select pg_cancel_backend(pid) {_WAITING}")

    def sessions(self, name: str) -> list[Any]:
        """Return the processes of an application's sessions."""
        return self._run(f"select pid {_HERE} and application_name = '{name}'")

    def _run(self, query: str) -> list[Any]:
        with self._connection.cursor() as cursor:
            cursor.execute(query)
            return [answer for (answer,) in cursor]


@pytest.fixture(scope="module")
def database(dsn: str) -> Iterator[Database]:
    """A database for the workers of this module alone."""
    name = f"celery_{os.getpid()}"
    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        connection.cursor().execute(f"create database {name}")
        with closing(Database(make_dsn(dsn, dbname=name))) as database:
            yield database
        connection.cursor().execute(f"drop database {name} with (force)")


@pytest.fixture(autouse=True)
def _leave_nothing_waiting(database: Database) -> Iterator[None]:
    """A test that has failed must not let the next ones fail."""
    yield
    database.cancel()


@pytest.fixture(scope="module")
def worker_of(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Worker]:
    """Return a worker that is to be started by a command."""

    def worker_of(command: str, **env: str) -> Worker:
        words = shlex.split(command)
        start = words[1:] if words[0] == "python" else ["-m", *words]
        return Worker(*start, room=tmp_path_factory.mktemp("celery"), dsn=database.dsn, env=env)

    return worker_of


@pytest.fixture(scope="module")
def gevent_worker(worker_of: Callable[..., Worker]) -> Iterator[Worker]:
    """A worker on gevent, for all the tests that leave it as it was."""
    with worker_of(f"{GEVENT} --include=celery_tasks,limited") as worker:
        yield worker


@pytest.fixture(scope="module")
def eventlet_worker(worker_of: Callable[..., Worker]) -> Iterator[Worker]:
    """A worker on eventlet, likewise."""
    with worker_of(f"{EVENTLET} --include=celery_tasks") as worker:
        yield worker


@pytest.fixture(
    params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in ("gevent", "eventlet")]
)
def worker(request: pytest.FixtureRequest) -> Worker:
    """A worker on each kind of green threads."""
    worker: Worker = request.getfixturevalue(f"{request.param}_worker")
    return worker


# At once


def test_tasks_overlap(worker: Worker, database: Database) -> None:
    """The how-to's own task."""
    sent = [worker.send("tasks.slow", 60) for _ in range(TASKS)]
    worker.until(lambda: len(database.waiting()) == TASKS)
    database.cancel()
    for one in sent:
        with pytest.raises(psycopg2.errors.QueryCanceled):
            worker.result(one)


@pytest.mark.parametrize("way", ["sqlalchemy", "django", "psycopg2_pool", "psycopg", "psycopg_pool"])
def test_tasks_overlap_whatever_they_use(way: str, worker: Worker, database: Database) -> None:
    assert_overlap(worker, database, f"by_{way}")


def assert_overlap(worker: Worker, database: Database, task: str) -> None:
    with database.held() as query:
        sent = [worker.send(f"celery_tasks.{task}", query) for _ in range(TASKS)]
        worker.until(lambda: len(database.waiting()) == TASKS)
    assert [worker.result(one) for one in sent] == [42] * TASKS


def seconds(worker: Worker, task: str, argument: object) -> float:
    """Return how long ten tasks took together."""
    began = time.monotonic()
    sent = [worker.send(task, argument) for _ in range(TASKS)]
    assert [worker.result(one) for one in sent] == [42] * TASKS
    return time.monotonic() - began


@pytest.mark.gevent
def test_without_greenpg_they_wait_for_each_other(worker_of: Callable[..., Worker]) -> None:
    with worker_of(GEVENT, GREENPG_AUTO="0") as worker:
        assert seconds(worker, "tasks.slow", 0.3) >= BLOCKING


@pytest.mark.eventlet
def test_without_greenpg_psycopg_waits_in_eventlet(worker_of: Callable[..., Worker]) -> None:
    """Not psycopg2: eventlet gives that a callback of its own."""
    with worker_of(f"{PLAIN_EVENTLET} --include=celery_tasks") as worker:
        assert seconds(worker, "celery_tasks.by_psycopg", SLOW) >= BLOCKING


@pytest.mark.eventlet
def test_launched(worker_of: Callable[..., Worker], database: Database) -> None:
    with worker_of(f"{LAUNCHED} --include=celery_tasks") as worker:
        assert_overlap(worker, database, "by_psycopg")
        test_soft_limit_of_a_task_cancels_on_the_server("psycopg2", worker, database)


@pytest.mark.gevent
def test_started_from_python(worker_of: Callable[..., Worker], database: Database) -> None:
    with worker_of("python start.py") as worker:
        test_tasks_overlap(worker, database)


@pytest.mark.gevent
def test_monkey_patched_after_all_imports(worker_of: Callable[..., Worker], database: Database) -> None:
    """What tasks use was made with native locks and thread-locals by then."""
    with worker_of("python -m celery_late") as worker:
        assert_overlap(worker, database, "by_psycopg2_pool")
        assert_overlap(worker, database, "by_django")


# Interrupted


@pytest.mark.parametrize("driver", ["psycopg2", "psycopg"])
def test_soft_limit_of_a_task_cancels_on_the_server(driver: str, worker: Worker, database: Database) -> None:
    session = worker.run("celery_tasks.session", driver)
    with pytest.raises(SoftTimeLimitExceeded):
        worker.run("celery_tasks.session", driver, 60, 0.3)
    assert database.waiting() == []
    assert worker.run("celery_tasks.session", driver) == session


@pytest.mark.gevent
def test_soft_limit_of_the_how_to(gevent_worker: Worker) -> None:
    assert gevent_worker.run("limited.at_most", 0.3) == "the connection goes on"


@pytest.mark.gevent
def test_hard_limit_cancels_on_the_server(gevent_worker: Worker, database: Database) -> None:
    """Celery has it for gevent, not for eventlet; a driver that blocks lets nobody keep it."""
    session = gevent_worker.run("celery_tasks.session", "psycopg2")
    with pytest.raises(TimeLimitExceeded):
        gevent_worker.run("celery_tasks.session", "psycopg2", 60, time_limit=0.3)
    assert database.waiting() == []
    assert gevent_worker.run("celery_tasks.session", "psycopg2") == session


def test_revoked_task_is_cancelled_on_the_server(worker: Worker, database: Database) -> None:
    session = worker.run("celery_tasks.session", "psycopg2")
    sent = worker.send("celery_tasks.session", "psycopg2", 60)
    worker.until(lambda: len(database.waiting()) == 1)
    worker.terminate(sent)
    with pytest.raises(TaskRevokedError):
        worker.result(sent)
    worker.until(lambda: database.waiting() == [])
    assert worker.run("celery_tasks.session", "psycopg2") == session


# At the end


def test_connections_of_django_end_with_their_task(worker: Worker, database: Database) -> None:
    """Although CONN_MAX_AGE is to keep them: each task has a green thread of its own."""
    assert_overlap(worker, database, "by_django")
    worker.until(lambda: database.sessions("django") == [])


@pytest.mark.gevent
def test_warm_shutdown_lets_tasks_finish(worker_of: Callable[..., Worker], database: Database) -> None:
    with worker_of(f"{GEVENT} --include=celery_tasks") as worker:
        with database.held() as query:
            sent = [worker.send("celery_tasks.by_psycopg", query) for _ in range(3)]
            worker.until(lambda: len(database.waiting()) == 3)
            worker.process.send_signal(signal.SIGTERM)
            worker.until(lambda: "Warm shutdown" in worker.log)
        assert [worker.result(one) for one in sent] == [42] * 3
        assert worker.wait() == 0


@pytest.mark.gevent
def test_cold_shutdown_cancels_on_the_server(worker_of: Callable[..., Worker], database: Database) -> None:
    with worker_of(GEVENT) as worker:
        worker.send("tasks.slow", 60)
        worker.until(lambda: len(database.waiting()) == 1)
        worker.process.send_signal(signal.SIGQUIT)
        worker.wait()
        worker.until(lambda: database.waiting() == [])
