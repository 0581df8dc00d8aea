"""Dumpers and loaders of what holds other values: those are for the context's `Transformer`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import ProxyType, proxy

from greenpg.adapt._base import Dumper, Loader
from greenpg.adapt._transformer import Transformer

if TYPE_CHECKING:
    from greenpg.adapt._base import AdaptContext


class RecursiveDumper(Dumper):
    """A dumper of values that hold others, with a `Transformer` for them in `_tx`."""

    __module__ = "greenpg.adapt"

    def __init__(self, cls: type, context: AdaptContext | None = None) -> None:
        """Make a dumper; see `Dumper`."""
        super().__init__(cls, context)
        self._tx = _transformer(context)


class RecursiveLoader(Loader):
    """A loader of values that hold others, with a `Transformer` for them in `_tx`."""

    __module__ = "greenpg.adapt"

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        """Make a loader; see `Loader`."""
        super().__init__(oid, context)
        self._tx = _transformer(context)


def _transformer(context: AdaptContext | None) -> Transformer:
    """Return the context's; it keeps what is made for it, and is not kept by that.

    In a cycle, it would keep a result and the connection until the collector came.
    """
    tx = Transformer.from_context(context)
    return proxy(tx) if tx is context and not isinstance(tx, ProxyType) else tx
