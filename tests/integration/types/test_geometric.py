"""Geometric types: floats come back as they were sent."""

from __future__ import annotations

import copy
import math
import pickle
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenpg.adapt import PyFormat, Transformer
from greenpg.errors import DataError
from greenpg.types.geometric import Box, Circle, Line, LineSegment, Path, Point, Polygon

if TYPE_CHECKING:
    from tests.roundtrip import RoundTrip

FLOAT = st.floats(allow_nan=False)
POINT = st.builds(Point, FLOAT, FLOAT)
POINTS = st.lists(POINT, min_size=1, max_size=4)
VALUES = {
    "point": POINT,
    "line": st.builds(Line, st.floats(1, 9), FLOAT.filter(math.isfinite), FLOAT.filter(math.isfinite)),
    "lseg": st.builds(LineSegment, POINT, POINT),
    "box": st.builds(Box, POINT, POINT),
    "path": st.builds(lambda points, closed: Path(*points, is_closed=closed), POINTS, st.booleans()),
    "polygon": POINTS.map(lambda points: Polygon(*points)),
    "circle": st.builds(Circle, POINT, st.floats(0, allow_nan=False)),
}


@pytest.mark.parametrize("type", VALUES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_values(session: RoundTrip, type: str, data: st.DataObject) -> None:
    value = data.draw(VALUES[type])
    for way in session.all_ways(value, type):
        assert (way, repr(way)) == (value, repr(value))  # -0.0 too
    assert all(way == [value, None] for way in session.all_ways([value, None], f"{type}[]"))


def test_nan_and_infinity(trip: RoundTrip) -> None:
    for way in trip.all_ways(Point(math.nan, -math.inf), "point"):
        assert math.isnan(way.x)
        assert way.y == -math.inf


@pytest.mark.parametrize("number", [2**53 + 1, Fraction(1, 3), 10**400])
@pytest.mark.parametrize("form", list(PyFormat))
def test_a_number_that_is_no_float_is_refused(number: Any, form: PyFormat) -> None:
    for value in (Point(number, 0), Path((0, number)), Circle(Point(0, 0), number)):
        with pytest.raises(DataError, match=r"no float is equal|too large"):
            Transformer().dump_sequence([value], [form])


def test_as_objects() -> None:
    assert (Box((0, 3), (2, 1)).high, Box((0, 3), (2, 1)).low) == (Point(2, 3), Point(0, 1))
    assert Box((0, 0), (1, 1)) == Box((1, 1), (0, 0)) == pickle.loads(pickle.dumps(Box((0, 0), (1, 1))))
    path = Path((1, 2), (3, 4))
    assert (path[0], len(path), (3, 4) in path, path.is_closed) == (Point(1, 2), 2, True, False)
    assert copy.copy(path) == path != Path((1, 2), (3, 4), is_closed=True) != Polygon((1, 2), (3, 4))
    assert len({path, copy.copy(path), Polygon((1, 2))}) == 2
    assert repr(Polygon((1, 2))) == "Polygon(Point(x=1, y=2))"
