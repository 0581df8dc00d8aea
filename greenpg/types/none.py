"""None, which is NULL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenpg.adapt import Dumper, adapters_of

if TYPE_CHECKING:
    from greenpg.adapt import AdaptContext


class NoneDumper(Dumper):
    """NULL in literals; as a parameter, None never needs a dumper."""

    def dump(self, obj: Any) -> None:
        """Return None, which stands for NULL."""
        return

    def quote(self, obj: Any) -> bytes:
        """Return the word."""
        return b"NULL"


def register_default_adapters(context: AdaptContext) -> None:
    """Register the dumper of None."""
    adapters_of(context).register_dumper(type(None), NoneDumper)
