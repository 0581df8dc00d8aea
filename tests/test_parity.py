"""The two colours are twins, and the check that says so notices when they are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import architecture, fresh, parity
from tests.architecture import Module, modules
from tests.test_architecture import tree

if TYPE_CHECKING:
    from pathlib import Path


def shells() -> list[Module]:
    """Return the modules that hold the shells."""
    rooms = {*architecture.SHELLS, "_session"}
    return [module for module in modules(fresh.ROOT / "greenpg") if module.room in rooms]


def test_twins() -> None:
    assert list(parity.wrong_twins(shells())) == []


def test_there_are_twins() -> None:
    names = {name for module in shells() for name in module.text.split() if name.startswith("AsyncC")}
    assert {"AsyncConnection", "AsyncCursor"} <= {name.partition("(")[0] for name in names}


def twins(blocking: str, twin: str) -> str:
    """Return a module with two classes."""
    return f"class X:\n {blocking}\nclass AsyncX:\n {twin}\n"


BAD = [
    twins("def a(self): ...", "async def b(self): ..."),
    twins("def a(self): ...\n def b(self): ...", "async def a(self): ..."),
    twins("def a(self): ...", "async def a(self): ...\n async def b(self): ..."),
    twins("def a(self): ...\n def b(self): ...", "async def b(self): ...\n async def a(self): ..."),
    twins("def a(self, x: int): ...", "async def a(self, x: str): ..."),
    twins("def a(self, x=1): ...", "async def a(self, x=2): ..."),
    twins("def a(self, *, x): ...", "async def a(self, x): ..."),
    twins("def a(self) -> int: ...", "async def a(self) -> str: ..."),
    twins("@property\n def a(self): ...", "def a(self): ..."),
    twins("def a(self):\n  '''Do.'''", "async def a(self):\n  '''Do.'''"),
    twins("def a(self):\n  '''Do.'''", "async def a(self): ..."),
    twins("def a(self):\n  '''Do.'''", "async def a(self):\n  '''Async `X.b()`.'''"),
    twins("def __enter__(self): ...", "async def __enter__(self): ..."),
    twins("def __enter__(self) -> X: ...", "async def __aenter__(self) -> None: ..."),
]


@pytest.mark.parametrize("text", BAD)
def test_twins_that_differ(tmp_path: Path, text: str) -> None:
    [complaint] = parity.wrong_twins(tree(tmp_path, {"connection.py": text}))
    assert "AsyncX" in complaint


GOOD = [
    twins("def a(self, x=1) -> X:\n  '''Do.'''", "async def a(self, x=1) -> AsyncX:\n  '''Async `X.a()`.'''"),
    twins("def _a(self): ...", "def _b(self): ..."),
    twins("def __enter__(self) -> X: ...", "async def __aenter__(self) -> AsyncX: ..."),
    twins("def __iter__(self) -> Iterator[R]: ...", "def __aiter__(self) -> AsyncIterator[R]: ..."),
    twins("@contextmanager\n def a(self): ...", "@asynccontextmanager\n async def a(self): ..."),
    twins("def a(self, p: F[str]): ...", "async def a(self, p: F[str | Awaitable[str]]): ..."),
    twins("def a(self) -> Generator[R, None, None]: ...", "def a(self) -> AsyncGenerator[R, None]: ..."),
    twins("def a(self, *, wait_callback=None, y=1): ...", "async def a(self, *, y=1): ..."),
    "class AsyncAlone:\n def a(self): ...",
    "class Alone:\n def a(self): ...",
]  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_twins_that_do_not_differ(tmp_path: Path, text: str) -> None:
    assert list(parity.wrong_twins(tree(tmp_path, {"connection.py": text}))) == []
