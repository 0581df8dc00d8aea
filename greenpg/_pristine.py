"""Standard modules as they were before anybody monkey-patched them."""

from __future__ import annotations

from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType


def pristine(name: str) -> ModuleType:
    """Return an own copy of the C module `name`, which no monkey-patching has reached.

    gevent and eventlet replace attributes of the one module in `sys.modules` (eventlet deletes
    `select.poll`), and each would have its own way to ask for the originals.

    :raise ImportError: this Python has no such module
    """
    spec = find_spec(name)
    if spec is None or spec.loader is None:
        raise ImportError(f"this Python has no module {name!r}, which greenpg needs", name=name)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
