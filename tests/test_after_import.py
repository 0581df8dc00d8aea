"""The import hook: whatever people do with imports, the action runs after the module, and only then."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import itertools
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.abc import MetaPathFinder
from importlib.machinery import SourceFileLoader
from typing import TYPE_CHECKING, Any

import pytest

from greenpg.compat._imports import AfterImport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from importlib.machinery import ModuleSpec
    from pathlib import Path
    from types import ModuleType

LIMIT = 30.0

_numbers = itertools.count()


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Write a module into a folder that is imported from, and return its name, which is new each time."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # a file that is written anew in the same second

    def write(source: str = "", name: str = "") -> str:
        name = name or f"after_import_{next(_numbers)}"
        file = tmp_path.joinpath(*name.split(".")).with_suffix(".py")
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text(source)
        importlib.invalidate_caches()
        return name

    return write


@pytest.fixture
def hook() -> Iterator[Callable[..., list[str]]]:
    """Install a hook, and return the list to which its action appends the module's `state`, or a remark."""
    hooks = []
    before = list(sys.meta_path)

    def install(name: str, action: Callable[[], Any] | None = None) -> list[str]:
        done: list[str] = []

        def act() -> None:
            done.append(getattr(sys.modules[name], "state", "imported"))
            if action is not None:
                action()

        hooks.append(AfterImport(name, act))
        hooks[-1].install()
        return done

    yield install
    for each in hooks:
        each.remove()
    assert sys.meta_path == before


def test_acts_once_after_the_module_and_only_after_that_one(
    write: Callable[..., str], hook: Callable[..., list[str]]
) -> None:
    name, other = write("state = 'complete'"), write()
    done = hook(name)
    importlib.import_module(other)
    assert done == []
    importlib.import_module(name)
    importlib.import_module(name)
    assert done == ["complete"]


def test_looking_is_not_importing(write: Callable[..., str], hook: Callable[..., list[str]]) -> None:
    name = write()
    done = hook(name)
    assert importlib.util.find_spec(name) is not None
    assert done == []
    importlib.import_module(name)
    assert done == ["imported"]


def test_reload_acts_again(write: Callable[..., str], hook: Callable[..., list[str]]) -> None:
    name = write("state = 'first'")
    done = hook(name)
    module = importlib.import_module(name)
    write("state = 'second'", name)
    importlib.reload(module)
    assert done == ["first", "second"]


def test_after_remove_nothing_happens(write: Callable[..., str]) -> None:
    name = write()
    done: list[str] = []
    hook = AfterImport(name, lambda: done.append(""))
    before = list(sys.meta_path)
    hook.install()
    spec = importlib.util.find_spec(name)
    hook.remove()
    hook.remove()
    assert sys.meta_path == before
    assert hook.find_spec(name, None) is None
    importlib.import_module(name)
    assert done == []
    assert spec is not None


def test_import_that_fails(write: Callable[..., str], hook: Callable[..., list[str]]) -> None:
    name = write("1 / 0")
    done = hook(name)
    with pytest.raises(ZeroDivisionError):
        importlib.import_module(name)
    assert done == []
    assert name not in sys.modules
    write("state = 'mended'", name)
    importlib.import_module(name)
    assert done == ["mended"]


def test_action_that_fails(write: Callable[..., str], hook: Callable[..., list[str]]) -> None:
    name = write()
    errors = iter([RuntimeError("not this time")])

    def fail_once() -> None:
        for error in errors:
            raise error

    done = hook(name, fail_once)
    with pytest.raises(RuntimeError, match="not this time"):
        importlib.import_module(name)
    assert name not in sys.modules
    importlib.import_module(name)
    assert done == ["imported", "imported"]


def test_module_that_does_not_exist(hook: Callable[..., list[str]]) -> None:
    done = hook("after_import_nowhere")
    assert importlib.util.find_spec("after_import_nowhere") is None
    with pytest.raises(ModuleNotFoundError, match="after_import_nowhere"):
        importlib.import_module("after_import_nowhere")
    assert done == []


def test_circular_import(write: Callable[..., str], hook: Callable[..., list[str]]) -> None:
    first, second = write(), write()
    write(f"state = 'half'\nimport {second}\nstate = 'complete'", first)
    write(f"import {first}\nseen = {first}.state", second)
    done = hook(first)
    assert importlib.import_module(second).seen == "complete"
    assert done == ["complete"]


def test_action_that_imports_the_module(write: Callable[..., str], hook: Callable[..., list[str]]) -> None:
    name = write("state = 'complete'")
    done = hook(name, lambda: importlib.import_module(name))
    importlib.import_module(name)
    assert done == ["complete"]


def test_packages(write: Callable[..., str], hook: Callable[..., list[str]]) -> None:
    package = f"after_import_{next(_numbers)}"
    write("state = 'package'", f"{package}.__init__")
    write("state = 'inside'", f"{package}.inside")
    outer, inner = hook(package), hook(f"{package}.inside")
    importlib.import_module(f"{package}.inside")
    assert (outer, inner) == (["package"], ["inside"])


def test_namespace_package(write: Callable[..., str], hook: Callable[..., list[str]]) -> None:
    package = f"after_import_{next(_numbers)}"
    write("state = 'inside'", f"{package}.inside")
    hook(package)
    assert importlib.import_module(f"{package}.inside").state == "inside"


def test_module_shows_its_own_loader(write: Callable[..., str], hook: Callable[..., list[str]]) -> None:
    name = write("state = 'complete'")
    hook(name)
    assert importlib.util.find_spec(name).loader.get_source(name) == "state = 'complete'"  # type: ignore
    module = importlib.import_module(name)
    assert module.__spec__ is not None
    assert type(module.__spec__.loader) is type(module.__loader__) is SourceFileLoader
    assert inspect.getsource(module).strip() == "state = 'complete'"


def test_two_hooks_for_one_module(write: Callable[..., str], hook: Callable[..., list[str]]) -> None:
    name = write()
    first, second = hook(name), hook(name)
    importlib.import_module(name)
    assert (first, second) == (["imported"], ["imported"])


def test_hook_beside_one_that_asks_all_finders(
    write: Callable[..., str], hook: Callable[..., list[str]]
) -> None:
    """As wrapt and ddtrace do: they stand aside, and ask for the module by its name."""
    name = write()
    asking: list[str] = []

    class AsksAll(MetaPathFinder):
        def find_spec(
            self, fullname: str, path: object, target: ModuleType | None = None
        ) -> ModuleSpec | None:
            if fullname != name or asking:
                return None
            asking.append(fullname)
            return importlib.util.find_spec(fullname)

    done = hook(name)
    theirs = AsksAll()
    sys.meta_path.insert(1, theirs)
    try:
        importlib.import_module(name)
    finally:
        sys.meta_path.remove(theirs)
    assert done
    assert asking


def test_many_threads_at_once(write: Callable[..., str], hook: Callable[..., list[str]]) -> None:
    """Whoever imports it finds the action done, and done once."""
    name = write("state = 'complete'")
    entered, gate = threading.Event(), threading.Event()

    def wait() -> None:
        entered.set()
        assert gate.wait(LIMIT)
        sys.modules[name].acted = True  # type: ignore[attr-defined]

    done = hook(name, wait)

    def load() -> bool:
        return hasattr(importlib.import_module(name), "acted")

    with ThreadPoolExecutor(8) as threads:
        loads = [threads.submit(load) for _ in range(8)]
        assert entered.wait(LIMIT)
        assert not any(each.done() for each in loads)
        gate.set()
        assert [each.result(LIMIT) for each in loads] == [True] * 8
    assert done == ["complete"]
