"""shapely's geometries as PostGIS's: in WKB, with the SRID, both ways.

shapely is imported when `register_shapely` is called, and is the caller's to install.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from greenpg.adapt import Dumper, Loader, adapters_of
from greenpg.errors import DataError
from greenpg.pq import Format

if TYPE_CHECKING:
    from greenpg.adapt import AdaptContext, TypeInfo


class GeometryLoader(Loader):
    """A geometry from text: WKB in hexadecimal digits."""

    format = Format.TEXT

    def load(self, data: bytes) -> Any:
        return _loaded(bytes(data).decode("ascii", "replace"))


class GeometryBinaryLoader(Loader):
    """A geometry from WKB."""

    format = Format.BINARY

    def load(self, data: bytes) -> Any:
        return _loaded(bytes(data))


def _loaded(wkb: str | bytes) -> Any:
    shapely = importlib.import_module("shapely")
    try:
        return shapely.from_wkb(wkb)
    except shapely.errors.ShapelyError as error:
        raise DataError(f"cannot read a geometry: {error}") from error


class GeometryDumper(Dumper):
    """A geometry as WKB in hexadecimal digits."""

    format = Format.TEXT

    def dump(self, obj: Any) -> bytes:
        digits: str = importlib.import_module("shapely").to_wkb(obj, hex=True, include_srid=True)
        return digits.encode()


class GeometryBinaryDumper(Dumper):
    """A geometry as WKB."""

    format = Format.BINARY

    def dump(self, obj: Any) -> bytes:
        wkb: bytes = importlib.import_module("shapely").to_wkb(obj, include_srid=True)
        return wkb


def register_shapely(info: TypeInfo, context: AdaptContext | None = None) -> None:
    """Load a type of PostGIS as shapely's geometries, and dump these as it.

    :param info: the type, as `TypeInfo.fetch(connection, "geometry")` found it
    :param context: where to register it: a connection or a cursor; everywhere if None
    :raises ImportError: shapely is not installed
    """
    if not info:
        raise TypeError("no info passed: is the extension postgis created in the database?")
    base = importlib.import_module("shapely.geometry.base").BaseGeometry
    adapters, known = adapters_of(context), {"oid": info.oid, "__module__": __name__}
    adapters.register_type(info)
    for dumper in (GeometryDumper, GeometryBinaryDumper):
        adapters.register_dumper(base, type(dumper.__name__, (dumper,), known))
    adapters.register_loader(info.oid, GeometryLoader)
    adapters.register_loader(info.oid, GeometryBinaryLoader)
