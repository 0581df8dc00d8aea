"""Celery workers as child processes, with a broker of files, and tasks that are sent to them.

Celery's broker of files may take a message that is half written. So each side writes into a folder of its
own, and what we have written is handed over when it is complete.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from celery import Celery
from celery.exceptions import TimeoutError as NoResult
from psycopg2.extensions import parse_dsn

from tests.fresh import ROOT
from tests.integration.served import APPS, libpq_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from celery.result import AsyncResult
    from typing_extensions import Self

EXAMPLES = ROOT / "docs" / "examples" / "celery"
_LIMIT = 60.0
"""Seconds after which something is wrong; a busy machine takes many to import what a worker needs."""


class Worker:
    """A Celery worker, of one process group; a context manager.

    :param command: what starts it, after `python`
    :param room: an empty folder, for its messages and its log
    :param dsn: the database of its tasks, and of their results
    """

    def __init__(self, *command: str, room: Path, dsn: str, env: Mapping[str, str] | None = None) -> None:
        self._command = (sys.executable, *command)
        self._room = room
        self._results = f"db+postgresql+psycopg2:///?{urlencode(parse_dsn(dsn))}"
        for name in ("sent", "received", "answers", "control"):
            (room / name).mkdir()
        self._client = Celery("client", set_as_current=False)
        self._client.conf.update(self._settings("answers", "sent"))
        self._env = {
            **os.environ,
            **libpq_variables(dsn),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": os.pathsep.join(map(str, (EXAMPLES, APPS, ROOT))),
            "CELERY_CONFIG_MODULE": "celery_settings",
            "CELERY_SETTINGS": json.dumps(self._settings("received", "answers")),
            "DJANGO_SETTINGS_MODULE": "django_settings",
            **(env or {}),
        }

    def _settings(self, reads: str, writes: str) -> dict[str, Any]:
        return {
            "broker_url": "filesystem://",
            "broker_transport_options": {
                "data_folder_in": str(self._room / reads),
                "data_folder_out": str(self._room / writes),
                "control_folder": str(self._room / "control"),
                "polling_interval": 0.05,
            },
            "result_backend": self._results,
        }

    def __enter__(self) -> Self:
        with (self._room / "log").open("w") as log:
            self.process = subprocess.Popen(
                self._command,
                cwd=EXAMPLES,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self.until(self._listens)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        # not SIGTERM: a worker that hangs would be waited for
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._client.close()

    def _listens(self) -> bool:
        """Return whether it has said where it takes tasks, and where it takes orders."""
        assert self.process.poll() is None, self.log
        said = [self._room / "control" / f"{name}.exchange" for name in ("celery", "celery.pidbox")]
        return all(file.exists() and file.read_text() for file in said)

    @property
    def log(self) -> str:
        """What the worker has written."""
        return (self._room / "log").read_text()

    def until(self, condition: Callable[[], bool]) -> None:
        """Ask again and again until it is so."""
        end = time.monotonic() + _LIMIT
        while not condition():
            assert time.monotonic() < end, self.log
            time.sleep(0.01)

    def send(self, task: str, *args: object, **options: object) -> AsyncResult:
        """Send a task to the worker."""
        sent = self._client.send_task(task, args, **options)
        self._hand_over()
        return sent

    def terminate(self, sent: AsyncResult) -> None:
        """Revoke a task that is running."""
        sent.revoke(terminate=True)
        self._hand_over()

    def _hand_over(self) -> None:
        for message in (self._room / "sent").iterdir():
            message.rename(self._room / "received" / message.name)

    def result(self, sent: AsyncResult) -> Any:
        """Return the result of a task, or raise what it has raised."""
        try:
            return sent.get(timeout=_LIMIT, interval=0.05)
        except NoResult:
            raise AssertionError(f"no result from {self._command}:\n{self.log}") from None

    def run(self, task: str, *args: object, **options: object) -> Any:
        """Send a task to the worker and return its result, or raise what it has raised."""
        return self.result(self.send(task, *args, **options))

    def wait(self) -> int:
        """Wait until the worker has ended, and return its status."""
        return self.process.wait(_LIMIT)
