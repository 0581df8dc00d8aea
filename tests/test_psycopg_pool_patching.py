"""psycopg_pool's patch: all of it is put back, and what is built otherwise is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.test_activation import run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.subprocess, pytest.mark.gevent]

SNAPSHOT = """
def snapshot():
    import psycopg_pool
    from psycopg_pool import _acompat, null_pool, pool, sched
    holders = [_acompat, null_pool, pool, sched]
    holders += [each for module in holders for each in vars(module).values() if isinstance(each, type)]
    return [(holder, dict(vars(holder))) for holder in holders]
"""


def test_put_back_exactly() -> None:
    run(
        SNAPSHOT
        + """
before = snapshot()
green.patch()
patched = snapshot()
assert patched != before
green.patch()
assert snapshot() == patched
green.unpatch()
assert snapshot() == before
"""
    )


@pytest.mark.parametrize("order", ["before", "after"])
def test_imported_before_or_after(order: str) -> None:
    run(
        f"""
if {order == "before"}:
    import psycopg_pool
green.patch()
import psycopg_pool
from greenpg.compat import psycopg_pool as room
assert room.is_patched()
text = "psycopg_pool waits through gevent now: whoever waits for a connection, and the pool's own threads"
assert logged.count("INFO " + text) == 1, logged
"""
    )


@pytest.mark.parametrize(("version", "why"), [("4.0", "another version"), ("3.3.99", "_acompat")])
def test_one_that_is_not_known(tmp_path: Path, version: str, why: str) -> None:
    (tmp_path / "psycopg_pool").mkdir()
    source = f"__version__ = {version!r}\nclass ConnectionPool: pass\n"
    (tmp_path / "psycopg_pool" / "__init__.py").write_text(source)
    run(
        f"""
green.patch()
import psycopg_pool
before = dict(vars(psycopg_pool.ConnectionPool))
green.patch()
assert vars(psycopg_pool.ConnectionPool) == before
[warning] = [text for text in logged if "psycopg_pool" in text]
assert warning.startswith("WARNING psycopg_pool {version} is not 3.2 or 3.3 as greenpg knows it"), warning
assert {why!r} in warning
""",
        path=tmp_path,
    )
