"""What Python loses: an exception that is raised in a finalizer or in a callback of the collector."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def heard_of(error: BaseException, again: Callable[[], object]) -> Iterator[None]:
    """Have `again()` called whenever `error` is lost, to raise it anew; all else goes its way."""

    def hear(unraisable: Any) -> None:
        if unraisable.exc_value is error:
            again()
        else:
            hook(unraisable)

    hook, sys.unraisablehook = sys.unraisablehook, hear
    try:
        yield
    finally:
        sys.unraisablehook = hook
