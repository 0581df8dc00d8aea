"""Django on psycopg2, as its users use it: models, transactions, iterators, interruptions, lost connections.

Each green thread has a connection of its own, and closes it, as a request does.
"""

from __future__ import annotations

import io
import sys
import threading
import time
import uuid
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg2
import pytest
from psycopg2.extensions import parse_dsn

from greenpg.testing.server import EmbeddedServer
from tests.green.sessions import under_way, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.green.runtimes import Runtime

pytestmark = pytest.mark.runtimes("gevent", "eventlet")

T = TypeVar("T")

ORPHANS = (
    "select count(*) from pg_stat_activity"
    " where application_name = 'django' and state = 'active' and query = 'select pg_sleep(30)'"
)


@pytest.fixture(scope="module")
def driver() -> str:
    """The driver of this module's project; `test_django_psycopg` has the other one."""
    return "psycopg2"


@pytest.fixture(scope="module", autouse=True)
def models(dsn: str, driver: str) -> Iterator[Any]:
    """A project with two models, and their tables; Django is set up here, once in the child."""
    if driver == "psycopg2":
        sys.modules["psycopg"] = None  # type: ignore[assignment]  # Django would prefer it
    import django
    from django.conf import settings

    settings.configure(
        DATABASES={"default": database(dsn)},
        INSTALLED_APPS=["tests.green.django_app"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    django.setup()
    from django.db import connection

    from tests.green.django_app.models import Owner, Thing

    made = [Owner, Thing]
    with connection.schema_editor() as editor:
        editor.execute("drop table if exists django_app_thing, django_app_owner")  # a crash has left them
        for model in made:
            editor.create_model(model)
    yield made
    with connection.schema_editor() as editor:
        for model in reversed(made):
            editor.delete_model(model)
    connection.close()


def database(dsn: str, **options: Any) -> dict[str, Any]:
    """Return the settings of a database."""
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    parts = parse_dsn(dsn)
    known = {names[key]: parts.pop(key) for key in list(parts) if key in names}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "OPTIONS": {**parts, "application_name": "django"},
        **known,
        **options,
    }


@pytest.fixture
def owners(models: Any) -> Iterator[Any]:
    """The manager of an empty table."""
    owner, _ = models
    owner.objects.all().delete()
    yield owner.objects
    from django.db import connection

    assert not connection.in_atomic_block


def request(function: Callable[..., T], *args: Any) -> T:
    """Call a function as a request would: with a connection of its own, closed at the end."""
    from django.db import connection

    try:
        return function(*args)
    finally:
        connection.close()


def fetch(sql: str, *args: Any) -> Any:
    """Return the one value of a query."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, args)
        return cursor.fetchone()[0]


def raw_connection() -> Any:
    """Return psycopg2's connection of this green thread."""
    from django.db import connection

    connection.ensure_connection()
    return connection.connection


def test_it_is_psycopg2() -> None:
    from django.db.backends.postgresql.psycopg_any import is_psycopg3

    assert not is_psycopg3
    assert isinstance(raw_connection(), psycopg2.extensions.connection)


def test_orm_round_trip(owners: Any, models: Any) -> None:
    from django.db.models import F, Sum

    _, Thing = models
    token, since = uuid.uuid4(), datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=timezone.utc)
    extra = {"deep": [1, {"x": None}]}
    owner = owners.create(
        name="Zoë \N{SNOWMAN} %s", balance=Decimal("12345.678900"), since=since, token=token, extra=extra
    )
    Thing.objects.bulk_create(Thing(number=n, owner=owner) for n in range(500))
    found = owners.prefetch_related("things").get(extra__deep__0=1)
    assert (found.name, found.balance) == ("Zoë \N{SNOWMAN} %s", Decimal("12345.678900"))
    assert (found.since, found.token, found.extra) == (since, token, extra)
    assert sorted(thing.number for thing in found.things.all()) == list(range(500))
    Thing.objects.filter(owner=owner).update(number=F("number") + 1)
    assert Thing.objects.aggregate(sum=Sum("number")) == {"sum": sum(range(1, 501))}
    assert owner.things.filter(number__gt=490).delete()[0] == 10
    assert owners.get_or_create(name=owner.name)[1] is False
    owner.delete()
    assert not Thing.objects.exists()


def test_a_hundred_requests(owners: Any, runtime: Runtime) -> None:
    """All of them are inside of their transactions at the same time."""
    from django.db import transaction

    meeting = threading.Barrier(100)

    def work(number: int) -> Any:
        with transaction.atomic():
            owners.create(name=f"owner {number}")
            meeting.wait(30)
            return owners.get(name=f"owner {number}").name, fetch("select pg_backend_pid()")

    answers = runtime.join_all([runtime.spawn(request, work, number) for number in range(100)])
    assert [name for name, _ in answers] == [f"owner {number}" for number in range(100)]
    assert len({pid for _, pid in answers}) == 100
    assert owners.count() == 100


def test_row_lock_between_requests(owners: Any, runtime: Runtime) -> None:
    """One waits in the server for a row that the other has locked, and that one goes on."""
    from django.db import transaction

    owner = owners.create(name="the one", balance=1)

    def double() -> None:
        with transaction.atomic():
            fetch("select set_config('statement_timeout', '20s', true)")
            locked = owners.select_for_update().get(pk=owner.pk)
            locked.balance *= 2
            locked.save()

    with transaction.atomic():
        held = owners.select_for_update().get(pk=owner.pk)
        waiter = runtime.spawn(request, double)
        wait_for(lambda: fetch("select count(*) from pg_locks where not granted"), runtime.sleep)
        held.balance = 21
        held.save()
    waiter.get()
    owner.refresh_from_db()
    assert owner.balance == 42


def test_atomic_and_savepoints(owners: Any, runtime: Runtime) -> None:
    from django.db import IntegrityError, transaction

    committed = []

    class GivenUp(Exception):
        pass

    def give_up(number: int) -> None:
        with transaction.atomic():
            owners.create(name=f"given up {number}")
            raise GivenUp

    def collide(number: int) -> None:
        with transaction.atomic():
            owners.create(name=f"outer {number}")

    def work(number: int) -> None:
        with transaction.atomic():
            collide(number)
            with pytest.raises(IntegrityError):
                collide(number)
            with pytest.raises(GivenUp):
                give_up(number)
            with transaction.atomic():
                owners.create(name=f"rolled back {number}")
                transaction.set_rollback(True)
            transaction.on_commit(lambda: committed.append(number))

    runtime.join_all([runtime.spawn(request, work, number) for number in range(20)])
    assert sorted(owners.values_list("name", flat=True)) == sorted(f"outer {n}" for n in range(20))
    assert sorted(committed) == list(range(20))


def test_iterators_side_by_side(owners: Any, runtime: Runtime) -> None:
    """Server-side cursors; they wait for each other at every hundredth row."""
    owners.bulk_create(owners.model(name=f"{n:05}") for n in range(2000))
    meeting = threading.Barrier(4)

    def work() -> list[str]:
        names = []
        for number, owner in enumerate(owners.order_by("name").iterator(chunk_size=100)):
            if number % 100 == 0:
                assert fetch("select count(*) from pg_cursors where name like '_django_curs_%%'") == 1
                meeting.wait(30)
            names.append(owner.name)
        return names

    answers = runtime.join_all([runtime.spawn(request, work) for _ in range(4)])
    assert answers == [[f"{n:05}" for n in range(2000)]] * 4


def test_iterator_that_is_left_early(owners: Any) -> None:
    owners.bulk_create(owners.model(name=f"{n:05}") for n in range(500))
    with closing(owners.order_by("name").iterator(chunk_size=100)) as iterator:
        assert [next(iterator).name for _ in range(150)] == [f"{n:05}" for n in range(150)]
    assert owners.count() == 500


def test_copy_through_the_raw_connection(owners: Any) -> None:
    from django.db import connection, transaction

    rows = "".join(f"{n}\tname {n}\t0.000000\n" for n in range(1, 20_001))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.copy_expert("copy django_app_owner (id, name, balance) from stdin", io.StringIO(rows))
        assert cursor.rowcount == 20_000
    assert owners.count() == 20_000
    with raw_connection().cursor() as cursor:
        out = io.StringIO()
        cursor.copy_to(out, "django_app_owner", columns=("id", "name", "balance"))
        assert out.getvalue() == rows


def test_two_phase_commit(owners: Any) -> None:
    """Django has no words for it; the connection has."""
    from django.db import transaction

    driver = raw_connection()
    transaction.set_autocommit(False)
    try:
        for name, end in (("kept", driver.tpc_commit), ("dropped", driver.tpc_rollback)):
            driver.tpc_begin(driver.xid(1, f"django {name}", ""))
            owners.create(name=name)
            driver.tpc_prepare()
            end()
    finally:
        transaction.set_autocommit(True)
    assert list(owners.values_list("name", flat=True)) == ["kept"]
    assert fetch("select count(*) from pg_prepared_xacts where gid like '%%django%%'") == 0


def create_and_sleep(owners: Any, number: int) -> None:
    """Do something that must be rolled back, and be in a statement for long."""
    from django.db import transaction

    with transaction.atomic():
        owners.create(name=f"owner {number}")
        fetch("select pg_sleep(30)")


def test_connection_survives_timeouts(owners: Any, runtime: Runtime) -> None:
    """It is one and the same to the end, in a transaction and out of one."""
    pid = fetch("select pg_backend_pid()")
    for number in range(25):
        with pytest.raises(runtime.Timeout), runtime.timeout(0.02):
            fetch("select pg_sleep(30)")
        assert fetch("select %s", number) == number
        with pytest.raises(runtime.Timeout), runtime.timeout(0.02):
            create_and_sleep(owners, number)
        assert owners.count() == 0
    assert fetch("select pg_backend_pid()") == pid
    assert fetch(ORPHANS) == 0


def test_connection_survives_kill(owners: Any, runtime: Runtime) -> None:
    drivers = []

    def work(number: int) -> tuple[Any, bool]:
        drivers.append(raw_connection())
        pid = fetch("select pg_backend_pid()")
        with pytest.raises(runtime.Killed):
            create_and_sleep(owners, number)
        return fetch("select %s", number), fetch("select pg_backend_pid()") == pid

    for number in range(10):
        task = runtime.spawn(request, work, number)
        wait_for(lambda: fetch(ORPHANS), runtime.sleep)
        runtime.kill(task)
        assert task.get() == (number, True)
        assert fetch(ORPHANS) == 0
    assert owners.count() == 0
    assert all(driver.closed for driver in drivers)


def test_timeouts_at_moving_moments_give_no_wrong_row(runtime: Runtime) -> None:
    from django.db import connection, transaction

    rows = "select %s, i, pg_sleep(0.0001) from generate_series(1, 10) i"

    def ask(number: int) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(rows, [number])
            assert [row[:2] for row in cursor.fetchall()] == [(number, i) for i in range(1, 11)]

    ask(-1)
    began = time.monotonic()
    ask(-2)
    usual = time.monotonic() - began
    timed_out = 0
    for number in range(30):
        try:
            with runtime.timeout(usual * number / 20):
                ask(number)
        except runtime.Timeout:
            timed_out += 1
            connection.close_if_unusable_or_obsolete()  # as Django does between requests
        assert fetch("select %s", -number) == -number
    assert timed_out


def test_busy_connection_is_refused(runtime: Runtime) -> None:
    """Another green thread that gets hold of the connection, past Django's own check."""
    from django.db.utils import OperationalError

    driver = raw_connection()

    def intrude() -> None:
        wait_for(lambda: request(fetch, ORPHANS), runtime.sleep)  # or it would drop the request to cancel
        try:
            with pytest.raises(psycopg2.ProgrammingError, match="one connection for each green thread"):
                driver.cursor().execute("select 1")
        finally:
            driver.cancel()

    intruder = runtime.spawn(intrude)
    with pytest.raises(OperationalError, match="canceling statement"):
        fetch("select pg_sleep(30)")
    intruder.get()
    assert fetch("select 42") == 42


@contextmanager
def second_database(**settings: Any) -> Iterator[Any]:
    """Add a database to the project's; the body gets its connection."""
    from django.db import connections

    databases = {**connections.settings, "second": settings}
    connections.settings["second"] = connections.configure_settings(databases)["second"]
    try:
        yield connections["second"]
        connections["second"].close()
    finally:
        del connections["second"], connections.settings["second"]


def test_server_is_restarted(runtime: Runtime) -> None:
    from django.db import close_old_connections
    from django.db.utils import OperationalError

    def ask() -> Any:
        with connection.cursor() as cursor:
            cursor.execute("select 42")
            return cursor.fetchone()[0]

    with EmbeddedServer() as server, second_database(**database(server.dsn, CONN_MAX_AGE=None)) as connection:
        assert ask() == 42
        server.restart()
        with pytest.raises(OperationalError):
            ask()
        close_old_connections()
        assert ask() == 42

        connection.settings_dict["CONN_HEALTH_CHECKS"] = True
        connection.close()
        assert ask() == 42
        server.restart("immediate")
        close_old_connections()
        assert ask() == 42

        driver = connection.connection

        def restart() -> None:
            under_way(driver, runtime)
            server.restart("immediate")

        restarter = runtime.spawn(restart)
        with pytest.raises(OperationalError), connection.cursor() as cursor:
            cursor.execute("select pg_sleep(30)")
        restarter.get()
        close_old_connections()
        assert ask() == 42
