"""Which of our own dumpers a compiled encoder may stand in for, and the kind of encoder that does the same.

The mark is of one class and none below it: a subclass may change anything, so it is asked itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from greenpg.adapt._base import Dumper
from greenpg.pq._implementation import implementation

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenpg.pq.params import Encoder, Encoders

Class = TypeVar("Class", bound=type[Dumper])

_KINDS: dict[type[Dumper], str] = {}
# Those whose `upgrade()` chooses between two types by the value.
_CHOOSING = {"timestamptz": "datetime"}


def encodable(kind: str) -> Callable[[Class], Class]:
    """Mark a dumper class as one whose `dump()` there is an encoder for.

    :param kind: of encoder, one of those in `greenpg/pq/_params.pyx`
    """

    def mark(dumper: Class) -> Class:
        _KINDS[dumper] = kind
        return dumper

    return mark


def encoder_for(
    make: Callable[[str, int, int], Encoder], dumper: type[Dumper], *, by_class: bool
) -> Encoder | None:
    """Return an encoder that does what a dumper does, None if there is none.

    :param by_class: whether the dumper is one that was found by the class of the values, and not by a type
    """
    kind = _KINDS.get(dumper)
    if kind is None:
        return None
    return make(_CHOOSING.get(kind, kind) if by_class else kind, dumper.oid, dumper.format)


def new_encoders() -> Encoders:
    """Return encoders for a set of dumpers, the compiled ones if they are there."""
    encoders: Encoders = implementation("_params", "_ctypes.params").Encoders()
    return encoders
