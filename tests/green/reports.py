"""Test reports on their way from the child that ran the tests to the session that asked for them.

$GREENPG_TEST_REPORTS names a file; a line is a test's start, or a report as pytest serializes it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

VARIABLE = "GREENPG_TEST_REPORTS"


def writers() -> list[Writer]:
    """Return the plugin that writes reports, if a session wants them."""
    path = os.environ.get(VARIABLE)
    return [Writer(Path(path))] if path else []


class Writer:
    """Plugin of the child: one JSON line per report, written at once, so that a crash loses nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._config: pytest.Config | None = None

    def pytest_configure(self, config: pytest.Config) -> None:
        """Keep the config, which knows how to serialize."""
        self._config = config

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Write that a test is starting."""
        self._write({"started": nodeid})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write the report of one phase of one test."""
        assert self._config is not None
        self._write(self._config.hook.pytest_report_to_serializable(config=self._config, report=report))

    def _write(self, line: dict[str, Any]) -> None:
        with self._path.open("a") as file:
            print(json.dumps(line, default=str), file=file)


def read(config: pytest.Config, path: Path) -> tuple[dict[str, list[pytest.TestReport]], set[str]]:
    """Return the reports of every test that has ended, by node id, and the tests that have only started."""
    started: set[str] = set()
    found: dict[str, list[pytest.TestReport]] = {}
    for line in map(json.loads, path.read_text().splitlines()):
        if "started" in line:
            started.add(line["started"])
        else:
            report = config.hook.pytest_report_from_serializable(config=config, data=_with_tuples(line))
            found.setdefault(report.nodeid, []).append(report)
    ended = {nodeid: phases for nodeid, phases in found.items() if phases[-1].when == "teardown"}
    return ended, started - ended.keys()


def _with_tuples(line: dict[str, Any]) -> dict[str, Any]:
    """Make tuples again of what pytest insists on and JSON has made lists."""
    return {
        key: tuple(value) if key in ("location", "longrepr") and isinstance(value, list) else value
        for key, value in line.items()
    }
