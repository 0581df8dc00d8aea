"""Runs something right after a module was executed, whoever imports or reloads it and whenever."""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class AfterImport(MetaPathFinder):
    """A finder that finds nothing by itself: it adds an action to one module's loader.

    It stays until `remove()`: a look whether the module is there (`importlib.util.find_spec()`) is not
    an import yet, and a reload throws away what the action has done. The action runs before any import
    of the module returns, in any thread; what it raises, the import raises.
    """

    def __init__(self, name: str, action: Callable[[], None]) -> None:
        self._name = name
        self._action = action

    def install(self) -> None:
        """Stand in front of the other finders."""
        sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Stand aside."""
        # a new list: a thread that is going through the old one must not miss a finder
        sys.meta_path = [finder for finder in sys.meta_path if finder is not self]

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the module's own spec, with the action behind its loader."""
        if fullname != self._name:
            return None
        spec = self._next_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _ThenAct(spec.loader, self._action)
        return spec

    def _next_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        """Ask the finders after this one, as the import itself would have done."""
        finders = list(sys.meta_path)
        behind = finders[finders.index(self) + 1 :] if self in finders else []
        for finder in behind:
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                return spec
        return None


class _ThenAct(Loader):
    """A module's own loader, and an action once the module is there."""

    def __init__(self, loader: Loader, action: Callable[[], None]) -> None:
        self._loader = loader
        self._action = action

    def __getattr__(self, name: str) -> object:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # the module shows its own loader: what asks it for resources shall not meet this one
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._action()
