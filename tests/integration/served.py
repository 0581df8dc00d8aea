"""Web servers as child processes, and requests that reach them all at once."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

from psycopg2.extensions import parse_dsn

from tests.fresh import ROOT

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence

    from typing_extensions import Self

APPS = Path(__file__).parent / "apps"
_LIMIT = 60.0
"""Seconds after which something is wrong; a busy machine takes many to start a server."""
_VARIABLES = {"dbname": "PGDATABASE", "password": "PGPASSWORD"}


def libpq_variables(dsn: str) -> dict[str, str]:
    """Return the environment in which an empty connection string leads to the same server."""
    return {_VARIABLES.get(key, f"PG{key.upper()}"): value for key, value in parse_dsn(dsn).items()}


class Served:
    """An application behind a web server, of one process group; a context manager.

    :param command: what serves it; says on stderr at which URL
    :param folders: what it imports from; the first is where it starts
    :param trust: whose certificates its requests believe in
    """

    def __init__(
        self,
        *command: str,
        dsn: str,
        env: Mapping[str, str] | None = None,
        folders: Sequence[Path] = (APPS, APPS / "without_psycopg3"),
        trust: ssl.SSLContext | None = None,
    ) -> None:
        paths = os.pathsep.join(map(str, (*folders, ROOT)))
        variables = {**libpq_variables(dsn), "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1"}
        self._command = command
        self._cwd = folders[0]
        self._env = {**os.environ, **variables, **(env or {})}
        self._opener = build_opener(ProxyHandler({}), HTTPSHandler(context=trust))
        self._lines: list[str] = []
        self.url = ""
        self._listens = threading.Event()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, *self._command],
            cwd=self._cwd,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        try:
            assert self._listens.wait(_LIMIT), f"{self._command} does not listen:\n{self.log}"
            assert self.url, f"{self._command} does not listen:\n{self.log}"
            assert self.get("/") == "hello", self.log  # from now on the application is there
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        # not SIGTERM: a worker that hangs would be waited for
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join()

    @property
    def log(self) -> str:
        """What the server has written to stderr."""
        return "".join(self._lines)

    def until_it_says(self, text: str) -> None:
        """Wait for a text in the log, which may come a moment after the answer that it is about."""
        end = time.monotonic() + _LIMIT
        while text not in self.log:
            assert time.monotonic() < end, self.log
            time.sleep(0.01)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process that was started, not to its children."""
        self._process.send_signal(number)

    def ended(self) -> int:
        """Wait until it has ended; return its exit status."""
        return self._process.wait(_LIMIT)

    def get(self, path: str) -> str:
        """Return the body of the answer, or what the error was."""
        try:
            with self._opener.open(self.url + path, timeout=_LIMIT) as answer:
                body: bytes = answer.read()
        except HTTPError as error:
            with error:
                return str(error)
        except OSError as error:
            return repr(error)
        return body.decode()

    def get_at_once(self, path: str, count: int) -> tuple[list[str], float]:
        """Return the answers to as many requests, and how many seconds they took together."""
        gate = threading.Barrier(count + 1)

        def get(_: int) -> str:
            gate.wait(_LIMIT)
            return self.get(path)

        with ThreadPoolExecutor(count) as threads:
            answers = threads.map(get, range(count))
            gate.wait(_LIMIT)
            began = time.monotonic()
            return list(answers), time.monotonic() - began

    def _read(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                self._lines.append(line)
                if not self.url and (found := re.search(r"https?://[\d.]+:\d+", line)):
                    self.url = found[0]
                    self._listens.set()
        self._listens.set()
