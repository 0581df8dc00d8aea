"""Parameters to bytes without a compiler: every value goes to its dumper.

What the compiled loops do with whole rows of COPY is left to who asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenpg.pq import params as contract
from greenpg.pq.enums import Format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greenpg.pq.abc import Buffer


class Encoders(contract.Encoders):
    """No encoders at all."""

    def dump(self, tx: contract.Dumps, params: Sequence[Any], formats: Sequence[Any]) -> contract.Dumped:
        values = tuple(params)  # a dumper may change a list
        if len(formats) != len(values):
            raise ValueError(f"got {len(values)} parameters but {len(formats)} formats")
        dumped: list[Buffer | None] = [None] * len(values)
        types = [0] * len(values)
        used = [Format.TEXT] * len(values)
        for i, value in enumerate(values):
            if value is not None:
                dumped[i], types[i], used[i] = tx.dump_one(value, formats[i])
        return dumped, tuple(types), used


RowWriter = None
"""None: left to the caller, as the others here."""


def split_text_row(rows: bytes, at: int, decoded: bool) -> contract.Split | None:
    """Leave it to the caller."""
    return None


def split_binary_row(rows: bytes, at: int) -> contract.Split | None:
    """Leave it to the caller."""
    return None
