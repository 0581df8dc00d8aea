"""`patch()` and its ways: orders, repetitions, refusals, what is not installed, and all of it put back."""

from __future__ import annotations

import os
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from tests import fresh

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.subprocess

MONKEY = {"gevent": ("gevent.monkey", "patch_all"), "eventlet": ("eventlet", "monkey_patch")}

PROLOGUE = """
import sys
import warnings
from importlib import import_module
from tests.activation_process import *
warnings.filterwarnings("ignore", "\\nEventlet is deprecated")

runtime, monkey, patch_all = sys.argv[1:]
green = import_module(f"greenpg.{runtime}")
line = "INFO " + LINE.format(runtime)

def monkey_patch():
    getattr(import_module(monkey), patch_all)()

def error(function, **options):
    try:
        function(**options)
    except Exception as exc:
        return f"{type(exc).__name__}: {exc}"
"""

NO_DRIVER = (
    "ImportError: there is no driver to patch: install one of psycopg2, psycopg"
    ' (pip install "greenpg[psycopg2]" or "greenpg[psycopg]")'
)
OTHER = {"gevent": "eventlet", "eventlet": "gevent"}
TWO = (
    "WARNING this process waits in eventlet and in gevent: the hub of one blocks that of the other;"
    " monkey-patch with one"
)


@pytest.fixture(params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in MONKEY])
def runtime(request: pytest.FixtureRequest) -> str:
    """Each runtime that greenpg has a `patch()` for."""
    return str(request.param)


def run(
    code: str,
    runtime: str = "gevent",
    *,
    options: tuple[str, ...] = (),
    path: Path | None = None,
    auto: str = "0",
) -> None:
    """Run code after the prologue; its asserts are the test.

    :param options: of the interpreter: "-S" leaves out what is installed
    :param path: where to import from first
    :param auto: whether the process follows gevent's monkey-patching by itself
    """
    source = PROLOGUE + textwrap.dedent(code)
    where = os.pathsep.join(map(str, filter(None, (path, fresh.ROOT))))
    ran = fresh.run(
        *(sys.executable, *options, "-c", source, runtime, *MONKEY[runtime]),
        env={"GREENPG_AUTO": auto, "PYTHONPATH": where},
    )
    assert ran.returncode == 0, str(ran)


def driver(folder: Path, source: str) -> Path:
    """Make a psycopg2 of our own, and return the folder to import it from."""
    (folder / "psycopg2").mkdir()
    (folder / "psycopg2" / "__init__.py").write_text(source)
    return folder


@pytest.mark.parametrize(
    "steps",
    [
        "monkey_patch(); green.patch(); import psycopg2",
        "monkey_patch(); import psycopg2; green.patch()",
        "green.patch(); monkey_patch(); import psycopg2",
        "green.patch(); import psycopg2; monkey_patch()",
        "import psycopg2; monkey_patch(); green.patch()",
        "import psycopg2; green.patch(); monkey_patch()",
    ],
)
def test_any_order(steps: str, runtime: str) -> None:
    run(
        f"""
        assert not green.is_patched()
        {steps}
        assert green.is_patched()
        assert is_green(runtime)
        assert [each for each in logged if "is not installed" not in each] == [line]
        """,
        runtime,
    )


def test_patching_loads_no_driver(runtime: str) -> None:
    run(
        """
        green.patch()
        assert green.is_patched()
        assert not any(name.startswith(("psycopg2", "greenpg.compat.psycopg2")) for name in sys.modules)
        assert logged == []
        """,
        runtime,
    )


def test_twice_is_once_with_the_second_limits() -> None:
    run(
        """
        green.patch(recovery_timeout=1, cancel_timeout=2)
        import psycopg2
        from greenpg.compat.psycopg2._session import limits
        once = state()
        assert (limits.recovery, limits.cancel) == (1, 2)
        green.patch(recovery_timeout=3)
        assert state() == once
        assert (limits.recovery, limits.cancel) == (3, 10)
        assert logged == [line]
        """
    )


def test_unpatch_puts_everything_back(runtime: str) -> None:
    run(
        """
        import psycopg2.extras, psycopg2.pool, psycopg2.sql
        plain = state()
        green.patch()
        assert is_green(runtime)
        assert state() != plain
        green.patch()
        green.unpatch()
        assert state() == plain
        assert not green.is_patched()
        green.unpatch()
        assert state() == plain
        green.patch()
        assert is_green(runtime)
        """,
        runtime,
    )


def test_unpatch_of_a_driver_that_was_imported_later() -> None:
    run(
        """
        finders = list(sys.meta_path)
        green.patch()
        import psycopg2
        green.unpatch()
        from psycopg2 import _psycopg, extensions
        assert sys.meta_path == finders
        assert psycopg2._connect is _psycopg._connect
        assert extensions.set_wait_callback is _psycopg.set_wait_callback
        assert _psycopg.get_wait_callback() is None
        """
    )


def test_unpatch_before_the_import() -> None:
    run(
        """
        finders = list(sys.meta_path)
        green.patch()
        green.unpatch()
        assert sys.meta_path == finders
        import psycopg2.extensions
        assert psycopg2.extensions.get_wait_callback() is None
        """
    )


def test_unpatch_leaves_what_others_have_installed_since() -> None:
    run(
        """
        import psycopg2.extras
        from greenpg.waiters import get_wait_callback, set_wait_callback
        green.patch()
        psycopg2.extensions.set_wait_callback(psycopg2.extras.wait_select)
        set_wait_callback("select")
        select = get_wait_callback()
        green.unpatch()
        assert psycopg2.extensions.get_wait_callback() is psycopg2.extras.wait_select
        assert get_wait_callback() is select
        """
    )


def test_reload_of_the_driver() -> None:
    run(
        """
        import importlib, psycopg2
        plain = state()
        green.patch()
        importlib.reload(psycopg2)
        assert is_green(runtime)
        assert psycopg2._connect is not psycopg2._psycopg._connect
        green.unpatch()
        assert psycopg2._connect is psycopg2._psycopg._connect
        assert psycopg2.extensions.get_wait_callback() is None
        """
    )


@pytest.mark.eventlet
@pytest.mark.gevent
def test_one_runtime_at_a_time() -> None:
    run(
        """
        import greenpg.eventlet
        green.patch(cancel_timeout=7)
        assert error(greenpg.eventlet.patch, cancel_timeout=8).startswith("RuntimeError: ")
        import psycopg2
        from greenpg.compat.psycopg2._session import limits
        assert limits.cancel == 7
        patched = state()
        assert error(greenpg.eventlet.patch) == (
            "RuntimeError: this process waits in gevent already: call greenpg.gevent.unpatch() first"
        )
        greenpg.eventlet.unpatch()
        assert not greenpg.eventlet.is_patched()
        assert state() == patched
        green.unpatch()
        greenpg.eventlet.patch()
        assert is_green("eventlet")
        """
    )


@pytest.mark.eventlet
@pytest.mark.gevent
def test_another_runtime_has_monkey_patched(runtime: str) -> None:
    """It would hold the hub for each query: refused, and said when the other comes on top."""
    run(
        f"""
        monkey_patch()
        other = import_module("greenpg.{OTHER[runtime]}")
        plain = state()
        assert error(other.patch) == (
            f"RuntimeError: this process is monkey-patched by {{runtime}}: call greenpg.{{runtime}}.patch()"
        )
        assert not other.is_patched() and state() == plain and logged == []
        green.patch()
        module, name = {MONKEY[OTHER[runtime]]!r}
        getattr(import_module(module), name)()
        green.patch()
        assert {TWO!r} in logged
        """,
        runtime,
    )


@pytest.mark.parametrize("first", ["", "import psycopg2"], ids=["", "imported"])
def test_limits_are_checked_at_once(first: str) -> None:
    run(
        f"""
        {first}
        plain = state()
        for wrong in (0, -1, float("nan")):
            assert error(green.patch, cancel_timeout=wrong) == (
                f"ValueError: cancel_timeout is a positive number of seconds, not {{wrong!r}}"
            )
        assert error(green.patch, timeout=1).startswith("TypeError: ")
        assert not green.is_patched()
        assert state() == plain
        """
    )


def test_driver_that_is_forbidden(runtime: str) -> None:
    run(
        f"""
        sys.modules["psycopg2"] = sys.modules["psycopg"] = None
        plain = state()
        assert error(green.patch) == {NO_DRIVER!r}
        assert not green.is_patched()
        assert state() == plain
        del sys.modules["psycopg2"], sys.modules["psycopg"]
        Forbid("psycopg2", "psycopg")
        plain = state()
        assert error(green.patch) == {NO_DRIVER!r}
        assert not green.is_patched()
        assert state() == plain
        """,
        runtime,
    )


@pytest.mark.parametrize("folder", ["psycopg2", "elsewhere"])
def test_nothing_installed(folder: str, runtime: str, tmp_path: Path) -> None:
    """A folder called psycopg2 is importable too, and not the driver."""
    (tmp_path / folder).mkdir()
    run(
        f"""
        assert error(green.patch) == {NO_DRIVER!r}
        assert not green.is_patched()
        """,
        runtime,
        options=("-S",),
        path=tmp_path,
    )


def test_runtime_that_is_not_installed(runtime: str, tmp_path: Path) -> None:
    run(
        """
        plain = state()
        assert error(green.patch) == (
            f"ImportError: the wait callback {runtime!r} needs {runtime} (No module named {runtime!r}):"
            f" pip install 'greenpg[{runtime}]'"
        )
        assert not green.is_patched()
        assert state() == plain
        """,
        runtime,
        options=("-S",),
        path=driver(tmp_path, ""),
    )


def test_driver_that_is_another_one(tmp_path: Path) -> None:
    run(
        """
        import psycopg2
        plain = state()
        said = error(green.patch)
        assert said.startswith(f"ImportError: psycopg2 ({psycopg2.__file__}) cannot be made green: "), said
        assert not green.is_patched()
        assert state() == plain
        """,
        path=driver(tmp_path, ""),
    )


def test_driver_that_turns_out_to_be_another_one(tmp_path: Path) -> None:
    run(
        """
        green.patch()
        said = error(lambda: import_module("psycopg2"))
        assert said.startswith("ImportError: psycopg2 (") and "cannot be made green: " in said, said
        assert "psycopg2" not in sys.modules
        assert logged == []
        """,
        path=driver(tmp_path, ""),
    )


def test_driver_that_cannot_be_imported(tmp_path: Path) -> None:
    run(
        """
        green.patch()
        assert error(lambda: import_module("psycopg2")) == "OSError: libpq.so.5 is missing"
        assert logged == []
        """,
        path=driver(tmp_path, "raise OSError('libpq.so.5 is missing')"),
    )


@pytest.mark.gevent
@pytest.mark.parametrize("first", ["theirs", "ours"])
def test_beside_psycogreen(first: str) -> None:
    pytest.importorskip("psycogreen")
    run(
        f"""
        from psycogreen.gevent import gevent_wait_callback, patch_psycopg
        import psycopg2
        before = None
        if {first!r} == "theirs":
            patch_psycopg()
            before = gevent_wait_callback
        green.patch()
        patch_psycopg()
        assert is_green(runtime)
        green.unpatch()
        assert psycopg2.extensions.get_wait_callback() is before
        patch_psycopg()
        assert psycopg2.extensions.get_wait_callback() is gevent_wait_callback
        """
    )
