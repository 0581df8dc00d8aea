"""psycopg 3.2 and 3.3, the newest and the oldest of each, in C and in Python, imported before and after."""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import version
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from tests import fresh
from tests.integration.served import APPS
from tests.integration.test_gunicorn import GREEN, REQUESTS, eventlet, gunicorn
from tests.psycopg_versions import NEWEST, OLDEST, Psycopg

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = [pytest.mark.subprocess, pytest.mark.slow]

PROMISES = (
    "usable or orphan or (every_way and not copy_in) or one_wait or waits_once or writes_too or by_mistake"
    " or in_the_check or come_already or given_back or (a_storm and not Null)"
)


def case(psycopg: Psycopg, runtime: str, order: str) -> Any:
    """Return the parameters of one test; what is not there is skipped, and says why."""
    marks = [getattr(pytest.mark, runtime)]
    if psycopg.missing is not None:
        marks.append(pytest.mark.skip(psycopg.missing))
    return pytest.param(psycopg, runtime, order, marks=marks, id=f"{psycopg}-{runtime}-{order}")


def variables(psycopg: Psycopg, *folders: Path) -> dict[str, str]:
    """Return the environment of a child process that has that psycopg."""
    path = os.pathsep.join(map(str, (*psycopg.folders, *folders, fresh.ROOT)))
    return {"PYTHONPATH": path, **psycopg.variables}


@pytest.mark.parametrize(
    ("psycopg", "runtime", "order"),
    [case(*each) for each in product(NEWEST, ("gevent", "eventlet"), ("before", "after"))],
)
def test_ten_sleep_at_once(psycopg: Psycopg, runtime: str, order: str, dsn: str) -> None:
    """Straight, through psycopg_pool, and through SQLAlchemy."""
    env = {**variables(psycopg), "GREENPG_TEST_DSN": dsn, "GREENPG_AUTO": "0"}
    ran = fresh.run(sys.executable, "-W", "ignore", "-m", "tests.psycopg_process", runtime, order, env=env)
    assert ran.returncode == 0, ran
    found, impl, _, took = json.loads(ran.stdout)
    assert found.startswith(version("psycopg") if psycopg.folder is None else psycopg.version)
    assert impl == psycopg.impl
    assert set(took) == {"straight", "pool", "sqlalchemy"}
    assert max(took.values()) < GREEN, took


@pytest.mark.parametrize(
    ("psycopg", "runtime", "order"),
    [
        *(case(psycopg, "gevent", "after") for psycopg in OLDEST),
        *(case(psycopg, "eventlet", "after") for psycopg in NEWEST[::3]),
    ],
)
def test_the_same_promises(psycopg: Psycopg, runtime: str, order: str, dsn: str) -> None:
    """Those of `tests/green` that are most about what psycopg keeps to itself."""
    files = map(str, sorted((fresh.ROOT / "tests" / "green").glob("test_psycopg_*.py")))
    ran = fresh.run(
        *(sys.executable, "-W", "ignore", "-m", "tests.green", runtime, "-q", "-k", PROMISES, *files),
        env={**variables(psycopg), "GREENPG_TEST_DSN": dsn},
        timeout=180,
    )
    assert ran.returncode == 0, ran


@pytest.mark.parametrize(
    ("psycopg", "runtime", "order"),
    [
        *(case(psycopg, "gevent", "before") for psycopg in NEWEST),
        *(case(*each, "after") for each in product((NEWEST[0], NEWEST[-1]), ("gevent", "eventlet"))),
    ],
)
def test_django(psycopg: Psycopg, runtime: str, order: str, dsn: str) -> None:
    """With and without its `pool`; in gunicorn, to import it before means --preload."""
    env = variables(psycopg, APPS)
    if runtime == "gevent":
        server = gunicorn("django_app", *["--preload"] * (order == "before"), dsn=dsn, **env)
    else:
        server = eventlet("django_app", "patch", dsn=dsn, **env)
    with server:
        for path in ("/sleep", "/pooled"):
            answers, took = server.get_at_once(path, REQUESTS)
            assert answers == ["42"] * REQUESTS, server.log
            assert took < GREEN
