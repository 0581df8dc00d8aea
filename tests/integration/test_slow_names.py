"""Names are resolved off the hub: `tests/green/*slow_names.py` in children with a resolver of our own."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests import fresh
from tests.green import runtimes

if TYPE_CHECKING:
    from pathlib import Path

TESTS = fresh.ROOT / "tests"


@pytest.fixture(scope="module")
def resolver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The resolver of `names.c`, compiled."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("there is no C compiler")
    library = tmp_path_factory.mktemp("names") / "names.so"
    source = str(TESTS / "names.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O", "-o", str(library), source, "-ldl"], check=True)
    return library


@pytest.mark.parametrize("driver", ["psycopg2", "psycopg"])
def test_plain_drivers_resolve_in_the_main_thread(resolver: Path, dsn: str, driver: str) -> None:
    # so the resolver does notice
    code = f"import {driver}, sys; {driver}.connect(sys.argv[1], host='slow.test')"
    ran = fresh.run(sys.executable, "-c", code, dsn, env={"LD_PRELOAD": str(resolver)})
    assert ran.returncode == -signal.SIGABRT


@pytest.mark.subprocess
@pytest.mark.parametrize("runtime", runtimes.RUNTIMES)
def test_slow_names(resolver: Path, dsn: str, runtime: str) -> None:
    files = [str(TESTS / "green" / file) for file in ("slow_names.py", "psycopg_slow_names.py")]
    ran = fresh.run(
        *(sys.executable, "-m", "tests.green", runtime, "-q", *files),
        env={"LD_PRELOAD": str(resolver), "GREENPG_TEST_DSN": dsn},
        timeout=180,
    )
    assert ran.returncode == 0, str(ran)
    assert " passed" in ran.stdout
