"""Every test of the bindings runs with both, and with every libpq that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import bindings, libraries
from tests.integration.pq import loops

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greenpg.pq import Library, PGconn


@pytest.fixture(params=bindings.MODULES)
def binding(request: pytest.FixtureRequest) -> str:
    """The name of one of the bindings."""
    return str(request.param)


@pytest.fixture(params=libraries.ALL)
def lib(binding: str, request: pytest.FixtureRequest) -> Library:
    """One of the libpqs, through one of the bindings."""
    path = libraries.ALL[request.param]
    if path is None:
        pytest.skip("not there")
    return bindings.library(binding, path)


@pytest.fixture
def needs(lib: Library) -> Callable[[str], None]:
    """Skip the test when the libpq is too old for a function."""

    def check(function: str) -> None:
        if not lib.has(function):
            pytest.skip(f"libpq {lib.version // 10000} has no {function}")

    return check


@pytest.fixture
def conn(lib: Library, dsn: str) -> Iterator[PGconn]:
    """A connection in non-blocking mode."""
    connection = loops.connect(lib, dsn)
    yield connection
    connection.finish()


@pytest.fixture
def witness(lib: Library, dsn: str) -> Iterator[PGconn]:
    """A connection to look at the server from."""
    connection = loops.connect(lib, dsn)
    yield connection
    connection.finish()
