"""A reversible record of what was replaced, so that patching twice is patching once and undoing is exact."""

from __future__ import annotations

from typing import Any

_MISSING = object()


class Patch:
    """The replaced attributes of one driver, in order."""

    def __init__(self) -> None:
        self._replaced: list[tuple[Any, str, Any, Any]] = []

    def __bool__(self) -> bool:
        """Return whether anything is replaced now."""
        return bool(self._replaced)

    def replace(self, holder: Any, name: str, new: Any) -> None:
        """Set `holder.name` to `new` and remember what was there."""
        self._replaced.append((holder, name, vars(holder).get(name, _MISSING), new))
        setattr(holder, name, new)

    def undo(self) -> None:
        """Put everything back, last replaced first; what somebody else replaced since is left to them."""
        while self._replaced:
            holder, name, old, new = self._replaced.pop()
            if vars(holder).get(name) is not new:
                continue
            if old is _MISSING:
                delattr(holder, name)
            else:
                setattr(holder, name, old)
