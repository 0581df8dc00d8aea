"""UUIDs; Python's `uuid` is imported when the first one is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenpg.adapt import Dumper, Format, Loader, adapters_of
from greenpg.adapt._decoders import decodable
from greenpg.adapt._encoders import encodable

if TYPE_CHECKING:
    from uuid import UUID

    from greenpg.adapt import AdaptContext

_UUID = 2950


@encodable("uuid")
class UUIDDumper(Dumper):
    """A UUID as 32 digits."""

    oid = _UUID

    def dump(self, obj: UUID) -> bytes:
        """Return the digits."""
        return obj.hex.encode()


@encodable("uuid")
class UUIDBinaryDumper(Dumper):
    """A UUID as 16 bytes."""

    format = Format.BINARY
    oid = _UUID

    def dump(self, obj: UUID) -> bytes:
        """Return the bytes."""
        return obj.bytes


class _UUIDLoader(Loader):
    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        """Make a loader; see `Loader`."""
        super().__init__(oid, context)
        from uuid import UUID

        self._class: Any = UUID


class UUIDLoader(_UUIDLoader):
    """Digits and hyphens as a UUID."""

    @decodable(lambda self: ("uuid text", self._class))
    def load(self, data: bytes) -> UUID:
        """Return the UUID."""
        uuid: UUID = self._class(bytes(data).decode("ascii"))
        return uuid


class UUIDBinaryLoader(_UUIDLoader):
    """Sixteen bytes as a UUID."""

    format = Format.BINARY

    @decodable(lambda self: ("uuid", self._class))
    def load(self, data: bytes) -> UUID:
        """Return the UUID."""
        uuid: UUID = self._class(bytes=bytes(data))
        return uuid


def register_default_adapters(context: AdaptContext) -> None:
    """Register dumpers and loaders of UUIDs."""
    adapters = adapters_of(context)
    adapters.register_dumper("uuid.UUID", UUIDDumper)
    adapters.register_dumper("uuid.UUID", UUIDBinaryDumper)
    adapters.register_loader("uuid", UUIDLoader)
    adapters.register_loader("uuid", UUIDBinaryLoader)
