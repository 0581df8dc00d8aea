"""numpy's scalars and shapely's geometries."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely

from greenpg.adapt import AdaptersMap, Format, PyFormat, Transformer, TypeInfo
from greenpg.errors import DataError, ProgrammingError
from greenpg.types import adapters
from greenpg.types.shapely import register_shapely

if TYPE_CHECKING:
    from tests.roundtrip import RoundTrip

INTEGERS = {
    "int8": "int2",
    "uint8": "int2",
    "int16": "int2",
    "uint16": "int4",
    "int32": "int4",
    "uint32": "int8",
    "int64": "int8",
    "uint64": "numeric",
    "longlong": "int8",
    "ulonglong": "numeric",
}
FLOATS = {"float16": "float4", "float32": "float4", "float64": "float8"}


@pytest.mark.parametrize(("name", "type"), INTEGERS.items())
def test_integers(trip: RoundTrip, name: str, type: str) -> None:
    scalar = getattr(np, name)
    for number in (np.iinfo(scalar).min, 0, np.iinfo(scalar).max):
        assert all(way == int(number) for way in trip.all_ways(scalar(number), type))
        assert all(way == [int(number)] for way in trip.all_ways([scalar(number)], f"{type}[]"))
    assert trip.select("select pg_typeof($1)::oid", [scalar(1)]) == adapters.types[type].oid


@pytest.mark.parametrize(("name", "type"), FLOATS.items())
def test_floats(trip: RoundTrip, name: str, type: str) -> None:
    scalar = getattr(np, name)
    for number in (0.1, -0.0, math.inf, np.finfo(scalar).max, np.finfo(scalar).tiny):
        assert all(way == float(scalar(number)) for way in trip.all_ways(scalar(number), type))
    assert all(math.isnan(way) for way in trip.all_ways(scalar(math.nan), type))


def test_the_others(trip: RoundTrip) -> None:
    assert all(way is True for way in trip.all_ways(np.bool_(True), "bool"))
    assert all(way == "a" for way in trip.all_ways(np.str_("a"), "text"))
    with pytest.raises(ProgrammingError, match="complex128"):
        Transformer().dump_sequence([np.complex128(1)], [PyFormat.AUTO])
    # What numpy is never changes what an integer is.
    assert trip.select("select $1::int8[]", [[1, 2**40]]) == [1, 2**40]


def test_neither_is_imported() -> None:
    code = "import sys, greenpg.types; sys.exit('numpy' in sys.modules or 'shapely' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


GEOMETRIES = [
    shapely.Point(1.5, -2),
    shapely.Point(1, 2, 3),
    shapely.LineString([(0, 0), (1, 1)]),
    shapely.Polygon([(0, 0), (1, 0), (1, 1)]),
    shapely.set_srid(shapely.Point(1, 2), 4326),
    shapely.MultiPoint([(0, 0), (1, 1)]),
]


@pytest.mark.parametrize("value", GEOMETRIES, ids=str)
@pytest.mark.parametrize("form", [PyFormat.TEXT, PyFormat.BINARY])
def test_geometries(value: Any, form: PyFormat) -> None:
    tx = _with_shapely()
    (data,) = tx.dump_sequence([value], [form])
    assert data is not None
    assert tx.types == (700001,)
    tx.set_loader_types([700001], form.as_pq)
    (loaded,) = tx.load_sequence([bytes(data)])
    assert loaded == value
    assert shapely.get_srid(loaded) == shapely.get_srid(value)


@pytest.mark.parametrize("form", list(Format))
@pytest.mark.parametrize("data", [b"", b"zz", b"\x01\x02\x00\x00\x00\xff\xff\xff\x3f", b"0102000000FFFFFF3F"])
def test_broken_geometries(form: Format, data: bytes) -> None:
    tx = _with_shapely()
    tx.set_loader_types([700001], form)
    with pytest.raises(DataError, match="geometry"):
        tx.load_sequence([data])


def _with_shapely() -> Transformer:
    known = AdaptersMap(adapters)
    register_shapely(TypeInfo("geometry", 700001, 700002), known)
    return Transformer(known)
