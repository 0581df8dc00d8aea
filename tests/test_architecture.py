"""The source keeps to the design, and the checks that say so notice when it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import architecture, fresh
from tests.architecture import Module, modules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    Check = Callable[[Iterable[Module]], Iterator[str]]

OURS = ("greenpg", "tests", "benchmarks")
OF_THE_PACKAGE = [
    architecture.wrong_arrows,
    architecture.cycles,
    architecture.waits,
    architecture.code_in_packages,
]
OF_EVERYTHING = [architecture.too_long, architecture.undocumented]


@pytest.mark.parametrize("check", OF_THE_PACKAGE)
def test_package(check: Check) -> None:
    assert list(check(modules(fresh.ROOT / "greenpg"))) == []


@pytest.mark.parametrize("check", OF_EVERYTHING)
@pytest.mark.parametrize("folder", OURS)
def test_everything(check: Check, folder: str) -> None:
    assert list(check(modules(fresh.ROOT / folder))) == []


def test_compiled() -> None:
    assert list(architecture.compiled(fresh.ROOT / "greenpg")) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('"""Doc."""\nfrom greenpg._core.x import y\n', "pq must not import greenpg._core"),
        ('"""Doc."""\ndef f():\n    from greenpg.types cimport y\n', "pq must not import greenpg.types"),
        ("# Doc.\n" * 501, "has 501 lines, more than 500"),
        ("x = 1\n", "does not begin with what it is for"),
    ],
)
def test_bad_compiled(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "_x.pyx").write_text(text)
    assert [complaint in line for line in architecture.compiled(tmp_path)] == [True]


def test_no_place_outside_of_the_repository() -> None:
    own = {"architecture.py", "test_architecture.py"}
    files = [path for path in fresh.ROOT.iterdir() if path.is_file()]
    for folder in (*OURS, "docs", ".ci"):
        files += [path for path in (fresh.ROOT / folder).rglob("*") if path.is_file()]
    complaints: list[str] = []
    for path in files:
        # what is compiled has such places, and other names while somebody writes it
        if path.parent.name != "__pycache__" and path.suffix != ".so" and path.name not in own:
            complaints += architecture.foreign(path, path.read_text(errors="replace"))
    assert complaints == []


LOOPS = {"asyncio", "eventlet", "gevent", "trio"}
C_LIBRARIES = {"ctypes", "_ctypes", "psycopg2", "psycopg"}


@pytest.mark.parametrize(
    ("name", "unloaded"),
    [
        ("greenpg", {*LOOPS, *C_LIBRARIES, "selectors", "socket"}),
        ("greenpg.waiters", {*LOOPS, *C_LIBRARIES}),
        ("greenpg.gevent", LOOPS),
        ("greenpg.eventlet", LOOPS),
    ],
)
def test_import_is_light(run_python: Callable[..., fresh.Ran], name: str, unloaded: set[str]) -> None:
    code = f"import sys; before = set(sys.modules); import {name}; print(*set(sys.modules) - before)"
    loaded = run_python(code).stdout.split()
    assert name in loaded
    assert unloaded & {module.split(".")[0] for module in loaded} == set()


def tree(folder: Path, files: dict[str, str]) -> list[Module]:
    """Write a package named greenpg and read it."""
    for name, text in {"__init__.py": '"""Doc."""', **files}.items():
        path = folder / "greenpg" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return modules(folder / "greenpg")


BAD: list[tuple[Check, dict[str, str], str]] = [
    (architecture.wrong_arrows, {"_core/a.py": "from greenpg.waiters import b", "waiters/b.py": ""}, "s.b"),
    (architecture.wrong_arrows, {"waiters/a.py": "import greenpg._core.b", "_core/b.py": ""}, "_core.b"),
    (architecture.wrong_arrows, {"pq/a.py": "from .._core import b", "_core/b.py": ""}, "greenpg._core.b"),
    (architecture.wrong_arrows, {"abc.py": "def f():\n from . import errors", "errors.py": ""}, "abc.py:2"),
    (
        architecture.wrong_arrows,
        {"testing/a.py": "if TYPE_CHECKING:\n import greenpg.compat.b", "compat/b.py": ""},
        "testing must not import greenpg.compat.b",
    ),
    (architecture.wrong_arrows, {"util.py": ""}, "'util' has no place"),
    (
        architecture.cycles,
        {"a.py": "from . import b", "b.py": "def f():\n from greenpg import c", "c.py": "import greenpg.a"},
        "greenpg.a -> greenpg.b -> greenpg.c -> greenpg.a",
    ),
    (architecture.waits, {"_core/a.py": "import time"}, "must not import time"),
    (architecture.waits, {"_core/a.py": "from gevent import socket"}, "must not import gevent.socket"),
    (architecture.waits, {"_core/a.py": "def f(x):\n x.sleep(1)"}, "a.py:2 _core must not use sleep"),
    (architecture.waits, {"_core/a.py": "async def f():\n pass"}, "must not await"),
    (architecture.waits, {"_core/a.py": "async def f(x):\n await x"}, "a.py:2 _core must not await"),
    (architecture.too_long, {"a.py": "x = 1\n" * 501}, "has 501 lines, more than 500"),
    (architecture.too_long, {"a.py": "def f():\n '''Doc.'''\n" + " x = 1\n" * 40}, "f has 41 lines"),
    (architecture.too_long, {"a.py": "class A:\n async def f():\n" + "  x = 1\n" * 40}, "f has 41 lines"),
    (architecture.code_in_packages, {"pq/__init__.py": "def f(): pass"}, "names only"),
    (architecture.code_in_packages, {"pq/__init__.py": "X = find()"}, "names only"),
    (architecture.code_in_packages, {"pq/__init__.py": "if X:\n import y"}, "names only"),
    (architecture.undocumented, {"a.py": "x = 1"}, "has no docstring"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "files", "complaint"), BAD)
def test_bad_tree(tmp_path: Path, check: Check, files: dict[str, str], complaint: str) -> None:
    complaints = list(check(tree(tmp_path, files)))
    assert any(complaint in line for line in complaints), complaints


GOOD = {
    "abc.py": '"""Doc."""',
    "errors.py": '"""Doc."""\nfrom . import abc',
    "pq/__init__.py": '"""Doc."""\nfrom greenpg.pq.a import X as X\n\n__version__ = "1"',
    "pq/a.py": '"""Doc: sleep, await, gevent."""\nfrom greenpg import errors\nX = 1',
    "_core/a.py": '"""Doc."""\nfrom greenpg.pq import X\nfrom ..abc import Y\n\nsleepy = asleep = X',
    "compat/a.py": '"""Doc."""\nimport time\nfrom greenpg import pq, waiters\nfrom greenpg._core import a\n',
    "waiters/__init__.py": '"""Doc."""',
    "a.py": '"""Doc."""\ndef f():\n    """One.\n\n    Two.\n    """\n' + "    x = 1\n" * 39,
}  # fmt: skip


@pytest.mark.parametrize("check", [*OF_THE_PACKAGE, *OF_EVERYTHING])
def test_good_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: Check) -> None:
    monkeypatch.setitem(architecture.ARROWS, "a", ())
    assert list(check(tree(tmp_path, GOOD))) == []


@pytest.mark.parametrize(
    "line", ["see /home/me/x", "in /opt/x/main", "/tmp/x/notes", "pip --index-url x", "file:///x"]
)  # fmt: skip
def test_foreign_places(tmp_path: Path, line: str) -> None:
    assert len(list(architecture.foreign(tmp_path, f"fine\n{line}\n"))) == 1


@pytest.mark.parametrize(
    "line", ["https://www.postgresql.org/docs/", 'root = "/tmp"', "docs/opt/x", "#!/usr/bin/env"]
)
def test_places_that_are_everybodys(tmp_path: Path, line: str) -> None:
    assert list(architecture.foreign(tmp_path, line)) == []
