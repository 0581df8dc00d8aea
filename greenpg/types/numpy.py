"""numpy's scalars, each as the smallest type that holds all of its values: `uint32` as `int8`, `uint64` as
`numeric`.

They are registered by name: numpy is not imported. What has no exact type (longdouble, complex, datetime64)
has no dumper.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenpg.adapt import Dumper, adapters_of
from greenpg.types.bool import BoolBinaryDumper, BoolDumper
from greenpg.types.numeric import (
    Float4BinaryDumper,
    Float4Dumper,
    FloatBinaryDumper,
    FloatDumper,
    Int2BinaryDumper,
    Int2Dumper,
    Int4BinaryDumper,
    Int4Dumper,
    Int8BinaryDumper,
    Int8Dumper,
    IntNumericBinaryDumper,
    IntNumericDumper,
)

if TYPE_CHECKING:
    from greenpg.adapt import AdaptContext

_DUMPERS = (
    ("bool bool_", BoolDumper, BoolBinaryDumper),  # numpy 2 and numpy 1 call it so
    ("int8 uint8 int16", Int2Dumper, Int2BinaryDumper),
    ("uint16 int32", Int4Dumper, Int4BinaryDumper),
    ("uint32 int64 longlong", Int8Dumper, Int8BinaryDumper),
    ("uint64 ulonglong", IntNumericDumper, IntNumericBinaryDumper),
    ("float16 float32", Float4Dumper, Float4BinaryDumper),
    ("float64", FloatDumper, FloatBinaryDumper),
)


def _of_scalars(dumper: type[Dumper]) -> type[Dumper]:
    """Return the dumper with the Python object of the same value dumped."""
    dump: Any = dumper.dump

    def dump_item(self: Dumper, obj: Any) -> Any:
        return dump(self, obj.item() if hasattr(obj, "item") else obj)

    return type(f"Numpy{dumper.__name__}", (dumper,), {"dump": dump_item, "__module__": __name__})


def register_default_adapters(context: AdaptContext) -> None:
    """Register the scalars' dumpers: before the numbers, whose dumpers are then the ones of their types."""
    adapters = adapters_of(context)
    for names, *dumpers in _DUMPERS:
        for dumper in map(_of_scalars, dumpers):
            for name in names.split():
                adapters.register_dumper(f"numpy.{name}", dumper)
