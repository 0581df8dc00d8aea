"""Every Python example of README.rst runs as it stands, each in a fresh interpreter."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

import pytest
from psycopg2.extensions import parse_dsn

from tests.fresh import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

_BLOCK = re.compile(r"^\.\. code-block:: python\n\n((?:(?: {4}.*)?\n)+)", re.MULTILINE)
EXAMPLES = [textwrap.dedent(block) for block in _BLOCK.findall((ROOT / "README.rst").read_text())]

_GIVEN = """\
DSN = {dsn!r}
URL = {url!r}
DATABASE = {database!r}
"""


def given(dsn: str) -> str:
    """Return what the examples take for granted: where the database is, in each framework's words."""
    parts = parse_dsn(dsn)
    user, host, port, name = (parts.get(key, "") for key in ("user", "host", "port", "dbname"))
    return _GIVEN.format(
        dsn=dsn,
        url=f"postgresql+psycopg2://{user}@{host}:{port}/{name}",
        database={"USER": user, "HOST": host, "PORT": port, "NAME": name},
    )


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_example(number: int, dsn: str, run_python: Callable[..., object]) -> None:
    run_python(given(dsn) + EXAMPLES[number])
