"""How `tests/green` deals with tests that take their process down: in a copy of it, with tests that do."""

from __future__ import annotations

import re
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from tests import fresh

if TYPE_CHECKING:
    from pathlib import Path

KIT = (
    "__init__.py",
    "conftest.py",
    "fresh.py",
    "lost.py",
    *(f"green/{name}.py" for name in ("__init__", "__main__", "conftest", "reports", "runtimes")),
)


@pytest.fixture
def green(tmp_path: Path) -> Path:
    """A repository that has nothing but the machinery."""
    for name in KIT:
        copy = tmp_path / "tests" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(fresh.ROOT / "tests" / name, copy)
    shutil.copy(fresh.ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def run_tests(folder: Path, dsn: str, source: str, *options: str) -> str:
    """Run the source as a module of `tests/green` and return what pytest says."""
    (folder / "tests" / "green" / "test_it.py").write_text(source)
    ran = fresh.run(
        *(
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:randomly",
            "-c",
            str(folder / "pyproject.toml"),
            *options,
        ),
        str(folder / "tests" / "green"),
        env={"GREENPG_TEST_DSN": dsn},
        cwd=folder,
        timeout=180,
    )
    return ran.stdout


def test_a_crash_takes_no_other_test_with_it(green: Path, dsn: str) -> None:
    said = run_tests(
        green, dsn, "import os\ndef test_a(): pass\ndef test_b(): os._exit(3)\ndef test_c(): pass\n"
    )
    assert re.search(r"3 failed, 6 passed", said)
    assert "ended with 3" in said


def test_a_hang_ends_with_its_stack(green: Path, dsn: str) -> None:
    source = "import time\ndef test_a():\n    while True: time.perf_counter()\ndef test_b(): pass\n"
    settings = green / "pyproject.toml"
    quick = re.sub(r"faulthandler_timeout = \d+", "faulthandler_timeout = 1", settings.read_text())
    settings.write_text(quick)
    said = run_tests(green, dsn, source, "-k", "gevent")
    assert re.search(r"1 failed, 1 passed", said)
    assert 'test_it.py", line 3 in test_a' in said


def test_a_failure_keeps_its_traceback_and_output(green: Path, dsn: str) -> None:
    said = run_tests(green, dsn, "def test_a():\n    print('printed')\n    assert 1 == 2\n", "-k", "gevent")
    assert "assert 1 == 2" in said
    assert "Captured stdout call" in said
    assert "printed" in said


def test_skips_and_warnings_arrive(green: Path, dsn: str) -> None:
    source = (
        "import pytest, warnings\n"
        "def test_a(): pytest.skip('for a reason')\n"
        "def test_b(): warnings.warn('a warning is an error')\n"
    )
    said = run_tests(green, dsn, source, "-k", "gevent")
    assert re.search(r"1 failed, 1 skipped", said)
    assert "for a reason" in said
    assert "a warning is an error" in said


def test_a_child_that_cannot_start_fails_all_its_tests(green: Path, dsn: str) -> None:
    runtimes = green / "tests" / "green" / "runtimes.py"
    runtimes.write_text(runtimes.read_text().replace("gevent.monkey.patch_all()", "raise OSError('no loop')"))
    said = run_tests(green, dsn, "def test_a(): pass\ndef test_b(): pass\n", "-k", "gevent")
    assert re.search(r"2 failed", said)
    assert "no loop" in said


def test_only_the_runtimes_that_a_test_names(green: Path, dsn: str) -> None:
    marked = "import pytest\n@pytest.mark.runtimes('eventlet')\n"
    source = marked + "def test_a(runtime): assert runtime.name == 'eventlet'\n"
    assert re.search(r"1 passed", run_tests(green, dsn, source))


def test_alone_is_a_process_of_its_own(green: Path, dsn: str) -> None:
    source = (
        "import pytest, sys\n"
        "@pytest.mark.alone\n"
        "def test_a(): sys.mark_of_a = True\n"
        "def test_b(): assert not hasattr(sys, 'mark_of_a')\n"
    )
    assert re.search(r"2 passed", run_tests(green, dsn, source, "-k", "gevent"))
