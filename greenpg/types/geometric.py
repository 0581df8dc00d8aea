"""Geometric types: classes named as asyncpg's, of floats that come back as they were sent.

A `Box` keeps its corners as the server does, the upper right one first, so that what is sent is what comes
back.

See "Geometric Types" in PostgreSQL's manual, and the `*_send` functions of its utils/adt/geo_ops.c.
"""

from __future__ import annotations

import re
from struct import Struct
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from greenpg.adapt import Dumper, Loader, adapters_of
from greenpg.errors import DataError
from greenpg.pq import Format
from greenpg.types._wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from greenpg.adapt import AdaptContext

_NUMBER = re.compile(rb"-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Infinity)|NaN")
_PAIR = Struct("!dd")


class Point(NamedTuple):
    """A point of the plane."""

    x: float
    y: float


class Line(NamedTuple):
    """The infinite line of all points where ax + by + c = 0."""

    a: float
    b: float
    c: float


class LineSegment(NamedTuple):
    """What lies between two points."""

    p1: Point
    p2: Point


class Circle(NamedTuple):
    """A circle by its center and radius."""

    center: Point
    radius: float


class Box(tuple[Point, Point]):
    """A rectangle by two opposite corners, whichever; kept as the upper right and the lower left one."""

    __slots__ = ()

    def __new__(cls, high: Sequence[float], low: Sequence[float]) -> Box:
        """Make a box of two pairs of coordinates."""
        (low_x, high_x), (low_y, high_y) = (sorted(pair, key=_order) for pair in zip(high, low, strict=True))
        return super().__new__(cls, (Point(high_x, high_y), Point(low_x, low_y)))

    def __getnewargs__(self) -> tuple[Point, Point]:
        """Return what a copy is made of."""
        return self.high, self.low

    @property
    def high(self) -> Point:
        """The upper right corner."""
        return self[0]

    @property
    def low(self) -> Point:
        """The lower left corner."""
        return self[1]

    def __repr__(self) -> str:
        return f"Box(high={self.high!r}, low={self.low!r})"


def _order(number: float) -> tuple[bool, float]:
    return (number != number, number)  # NaN is the greatest, as it is to PostgreSQL


class Path:
    """Points one after the other, open or closed."""

    __slots__ = ("is_closed", "points")

    def __init__(self, *points: Sequence[float], is_closed: bool = False) -> None:
        self.points = tuple(Point(*point) for point in points)
        self.is_closed = is_closed

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, index: int) -> Point:
        return self.points[index]

    def __contains__(self, point: object) -> bool:
        return point in self.points

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Path):
            return NotImplemented
        return (type(self), self.points, self.is_closed) == (type(other), other.points, other.is_closed)

    def __hash__(self) -> int:
        return hash((type(self), self.points, self.is_closed))

    def __repr__(self) -> str:
        closed = "is_closed=True" if self.is_closed and type(self) is Path else ""
        return f"{type(self).__name__}({', '.join([*map(repr, self.points), *filter(None, [closed])])})"


class Polygon(Path):
    """The area within a closed path."""

    __slots__ = ()

    def __init__(self, *points: Sequence[float]) -> None:
        super().__init__(*points, is_closed=True)


class _Shape(NamedTuple):
    """A type of as many numbers in every value: how its text looks, and how an object is made of them."""

    name: str
    oid: int
    cls: type
    template: str
    make: Callable[..., Any]


_SHAPES = (
    _Shape("point", 600, Point, "({},{})", Point),
    _Shape("line", 628, Line, "{{{},{},{}}}", Line),
    _Shape(
        "lseg",
        601,
        LineSegment,
        "[({},{}),({},{})]",
        lambda a, b, c, d: LineSegment(Point(a, b), Point(c, d)),
    ),
    _Shape("box", 603, Box, "({},{}),({},{})", lambda a, b, c, d: Box((a, b), (c, d))),
    _Shape("circle", 718, Circle, "<({},{}),{}>", lambda x, y, radius: Circle(Point(x, y), radius)),
)


def _floats(obj: Iterable[Any]) -> list[float]:
    """Return all numbers of an object, in order, as the floats that PostgreSQL keeps."""
    numbers: list[float] = []
    for part in obj:
        if isinstance(part, tuple):
            numbers += _floats(part)
            continue
        numbers.append(float(part))
        if numbers[-1] != part and part == part:
            raise DataError(f"cannot dump {part!r} in a geometric value: no float is equal to it")
    return numbers


def _parsed(data: bytes) -> tuple[bytes, list[float]]:
    """Return what stands around the numbers of a text, each of them marked, and the numbers."""
    numbers = [float(number) for number in _NUMBER.findall(data)]
    return _NUMBER.sub(b"#", data), numbers


def _malformed(data: bytes, name: str) -> DataError:
    return DataError(f"cannot read the text of a {name}: {data[:80]!r}")


class _ShapeDumper(Dumper):
    shape: ClassVar[_Shape]

    def dump(self, obj: Any) -> bytes:
        return self.shape.template.format(*map(repr, _floats(obj))).encode()


class _ShapeBinaryDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Any) -> bytes:
        numbers = _floats(obj)
        return Struct(f"!{len(numbers)}d").pack(*numbers)


class _ShapeLoader(Loader):
    shape: ClassVar[_Shape]

    def load(self, data: bytes) -> Any:
        around, numbers = _parsed(bytes(data))
        if around != self.shape.template.format(*"####").encode():
            raise _malformed(data, self.shape.name)
        return self.shape.make(*numbers)


class _ShapeBinaryLoader(Loader):
    format = Format.BINARY
    shape: ClassVar[_Shape]

    def load(self, data: bytes) -> Any:
        wire = Wire(data, self.shape.name)
        numbers = wire.unpack(Struct(f"!{self.shape.template.count('{}')}d"))
        wire.end()
        return self.shape.make(*numbers)


class PathDumper(Dumper):
    """A path as `[(0,0),(1,1)]`, a closed one or a polygon as `((0,0),(1,1))`."""

    format = Format.TEXT
    oid = 602

    def dump(self, obj: Path) -> bytes:
        points = ",".join("({!r},{!r})".format(*_floats(point)) for point in obj.points)
        return (f"({points})" if obj.is_closed else f"[{points}]").encode()


class PolygonDumper(PathDumper):
    """A polygon."""

    oid = 604


class PathBinaryDumper(Dumper):
    """A path in path_recv's layout."""

    format = Format.BINARY
    oid = 602

    def dump(self, obj: Path) -> bytes:
        numbers = _floats(obj.points)
        return Struct(f"!?i{len(numbers)}d").pack(obj.is_closed, len(obj.points), *numbers)


class PolygonBinaryDumper(Dumper):
    """A polygon in poly_recv's layout."""

    format = Format.BINARY
    oid = 604

    def dump(self, obj: Polygon) -> bytes:
        numbers = _floats(obj.points)
        return Struct(f"!i{len(numbers)}d").pack(len(obj.points), *numbers)


class PathLoader(Loader):
    """A path from text."""

    format = Format.TEXT

    def load(self, data: bytes) -> Path:
        points, is_closed = _points(bytes(data), "path")
        return Path(*points, is_closed=is_closed)


class PolygonLoader(Loader):
    """A polygon from text."""

    format = Format.TEXT

    def load(self, data: bytes) -> Polygon:
        points, is_closed = _points(bytes(data), "polygon")
        if not is_closed:
            raise _malformed(data, "polygon")
        return Polygon(*points)


def _points(data: bytes, name: str) -> tuple[list[Point], bool]:
    around, numbers = _parsed(data)
    points = [Point(x, y) for x, y in zip(numbers[::2], numbers[1::2], strict=False)]
    if around[1:-1] != b",".join([b"(#,#)"] * len(points)) or around[:1] + around[-1:] not in (b"()", b"[]"):
        raise _malformed(data, name)
    return points, around[:1] == b"("


class PathBinaryLoader(Loader):
    """A path from binary."""

    format = Format.BINARY

    def load(self, data: bytes) -> Path:
        wire = Wire(data, "path")
        is_closed = wire.take(1) != b"\0"
        return Path(*_read_points(wire), is_closed=is_closed)


class PolygonBinaryLoader(Loader):
    """A polygon from binary."""

    format = Format.BINARY

    def load(self, data: bytes) -> Polygon:
        return Polygon(*_read_points(Wire(data, "polygon")))


def _read_points(wire: Wire) -> list[Point]:
    points = [Point(*wire.unpack(_PAIR)) for _ in range(wire.count(_PAIR.size))]
    wire.end()
    return points


def register_default_adapters(context: AdaptContext) -> None:
    """Register the seven types."""
    adapters = adapters_of(context)
    for shape in _SHAPES:
        known = {"shape": shape, "oid": shape.oid, "__module__": __name__}
        for dumper in (_ShapeDumper, _ShapeBinaryDumper):
            adapters.register_dumper(shape.cls, type(dumper.__name__.strip("_"), (dumper,), known))
        for loader in (_ShapeLoader, _ShapeBinaryLoader):
            adapters.register_loader(shape.oid, type(loader.__name__.strip("_"), (loader,), known))
    for cls, text, binary in (
        (Path, PathDumper, PathBinaryDumper),
        (Polygon, PolygonDumper, PolygonBinaryDumper),
    ):
        adapters.register_dumper(cls, text)
        adapters.register_dumper(cls, binary)
    adapters.register_loader("path", PathLoader)
    adapters.register_loader("path", PathBinaryLoader)
    adapters.register_loader("polygon", PolygonLoader)
    adapters.register_loader("polygon", PolygonBinaryLoader)
