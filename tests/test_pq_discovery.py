"""Which libpq is used, and that none is before it is needed. Each test has an interpreter of its own."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from greenpg import InterfaceError
from tests import bindings, fresh, libraries

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    RunPython = Callable[..., fresh.Ran]

NOTHING_SET = {"GREENPG_LIBPQ": "", "GREENPG_IMPL": ""}
SHOW_PATH = """
    import sys
    from greenpg import pq
    assert pq.library() is pq.library(pq.library().path)
    assert pq.library().version > 9_00_00
    assert not {"psycopg2", "psycopg", "psycopg_binary"} & sys.modules.keys()
    print(pq.library().path)
"""
SHOW_ERROR = """
    import ctypes.util
    from greenpg import InterfaceError, pq
    if {empty_system}:
        ctypes.util.find_library = lambda name: None
    try:
        pq.library()
    except (InterfaceError, ImportError) as e:
        print(type(e).__name__, e)
"""


def run_with_packages(folder: Path, code: str, *packages: str) -> str:
    """Run `code` where only these of the installed packages are there; return what it printed."""
    for name in packages:
        package = libraries.package_folder(name)
        if package is None:
            pytest.skip(f"{name} is not installed")
        for path in (package, package.with_name(f"{name}.libs")):
            if path.exists():
                (folder / path.name).symlink_to(path)
    env = {**NOTHING_SET, "PYTHONPATH": os.pathsep.join((str(fresh.ROOT), str(folder)))}
    ran = fresh.run(sys.executable, "-S", "-c", "if True:" + code, env=env)
    assert ran.returncode == 0, ran
    return ran.stdout.strip()


def test_importing_loads_no_c_library(run_python: RunPython) -> None:
    run_python("""
        import sys
        import greenpg, greenpg.pq, greenpg.pq.enums, greenpg.errors
        assert "ctypes" not in sys.modules
    """)


@pytest.mark.skipif(libraries.PSYCOPG2 is None, reason="psycopg2 is not installed")
def test_psycopg2s_comes_first(run_python: RunPython) -> None:
    assert run_python(SHOW_PATH, env=NOTHING_SET).stdout.strip() == libraries.PSYCOPG2


@pytest.mark.skipif(libraries.PSYCOPG is None, reason="psycopg_binary is not installed")
def test_environment_variable_comes_before_all(run_python: RunPython) -> None:
    env = {**NOTHING_SET, "GREENPG_LIBPQ": libraries.PSYCOPG or ""}
    assert run_python(SHOW_PATH, env=env).stdout.strip() == libraries.PSYCOPG


def test_psycopgs_comes_before_the_systems(tmp_path: Path) -> None:
    path = run_with_packages(tmp_path, SHOW_PATH, "psycopg_binary")
    assert path.startswith(str(tmp_path / "psycopg_binary"))


@pytest.mark.skipif(libraries.ALL["system"] is None, reason="the system has no libpq")
def test_systems_comes_last(tmp_path: Path) -> None:
    assert run_with_packages(tmp_path, SHOW_PATH) == libraries.ALL["system"]


def test_extension_that_cannot_be_loaded_is_passed_over_and_named(tmp_path: Path) -> None:
    from importlib.machinery import EXTENSION_SUFFIXES

    (tmp_path / "psycopg2").mkdir()
    (tmp_path / "psycopg2" / "__init__.py").touch()
    broken = tmp_path / "psycopg2" / ("_psycopg" + EXTENSION_SUFFIXES[0])
    broken.write_bytes(b"no library at all")
    error = run_with_packages(tmp_path, SHOW_ERROR.format(empty_system=True))
    assert error.startswith("InterfaceError no libpq found")
    assert str(broken) in error


def test_none_at_all_is_one_error_that_says_what_to_do(tmp_path: Path) -> None:
    error = run_with_packages(tmp_path, SHOW_ERROR.format(empty_system=True))
    assert error == (
        "InterfaceError no libpq found: install psycopg2-binary, psycopg[binary] or the system's libpq, "
        "or set GREENPG_LIBPQ to the path of one"
    )


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"GREENPG_LIBPQ": "/no/such/libpq.so"}, "InterfaceError cannot load libpq from '/no/such/libpq.so'"),
        ({"GREENPG_IMPL": "rust"}, "ImportError GREENPG_IMPL is 'rust', set it to c or python"),
    ],
)
def test_bad_setting_is_a_clear_error(run_python: RunPython, env: dict[str, str], said: str) -> None:
    ran = run_python(SHOW_ERROR.format(empty_system=False), env={**NOTHING_SET, **env})
    assert ran.stdout.startswith(said)


@pytest.mark.parametrize("binding", bindings.MODULES)
def test_library_that_is_no_libpq_is_a_clear_error(binding: str) -> None:
    import _ctypes  # some shared library

    with pytest.raises(InterfaceError, match=f"^{_ctypes.__file__!r} is no libpq: it has no function PQ"):
        bindings.library(binding, _ctypes.__file__)


SHOW_BINDING = """
    import sys
    from greenpg import pq
    sys.modules.update(dict.fromkeys(sys.argv[1:]))  # cannot be imported then
    try:
        print(pq.library().implementation, "ctypes" in sys.modules, pq.why_not_compiled(), sep="|")
    except ImportError as e:
        print(e)
"""
NOT_BUILT = "this greenpg has no compiled binding: install a C compiler and Python's headers, and it anew"


@pytest.mark.parametrize("chosen", ["", "c"])
def test_the_compiled_binding_is_used_where_it_is(run_python: RunPython, chosen: str) -> None:
    bindings.module("c")
    ran = run_python(SHOW_BINDING, "ctypes", env={"GREENPG_IMPL": chosen})
    assert ran.stdout == "c|True|\n", "what cannot be imported has not been: it needs no ctypes"


@pytest.mark.parametrize(
    ("chosen", "hidden", "said"),
    [
        ("", ["greenpg.pq._libpq"], f"python|True|{NOT_BUILT}"),
        ("c", ["greenpg.pq._libpq"], f"{NOT_BUILT}, or unset GREENPG_IMPL"),
        ("python", [], "python|True|GREENPG_IMPL is python: unset it to use the compiled binding"),
    ],
)
def test_without_the_compiled_binding(
    run_python: RunPython, chosen: str, hidden: list[str], said: str
) -> None:
    ran = run_python(SHOW_BINDING, *hidden, env={"GREENPG_IMPL": chosen})
    assert ran.stdout.strip() == said


@pytest.mark.parametrize(
    ("binding", "said"), [("c", "compiled\n"), ("python", "ctypes, GREENPG_IMPL is python: unset it ")]
)
def test_the_doctor_names_the_binding(binding: str, said: str) -> None:
    bindings.module(binding)
    command = (sys.executable, "-m", "greenpg", "doctor", "--driver=psycopg2")
    assert f"  its binding  {said}" in fresh.run(*command, env={"GREENPG_IMPL": binding}).stdout
