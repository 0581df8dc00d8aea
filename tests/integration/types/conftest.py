"""A connection for all tests of a module, with settings of its own for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenpg.adapt import AdaptersMap
from greenpg.types import adapters
from tests.roundtrip import RoundTrip

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def session(dsn: str) -> Iterator[RoundTrip]:
    """A connection for the module; for a value generated a thousand times a new one would be too slow."""
    trip = RoundTrip(dsn)
    yield trip
    trip.close()


@pytest.fixture
def trip(session: RoundTrip) -> Iterator[RoundTrip]:
    """The connection as new, and left as new to those that use it as it is."""
    yield session
    session.command("reset all")
    session.adapters = AdaptersMap(adapters)
