"""Starts the processes that are examined, and waits for their reports.

Its rule: what was started ends with the call, and what it prints goes to stderr.
"""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import subprocess
import sys
import tempfile
from dataclasses import asdict
from typing import TYPE_CHECKING

from greenpg.doctor.report import DoctorError, Report

if TYPE_CHECKING:
    from typing import IO

    from greenpg.doctor.patient import Job


def examine_fresh(job: Job) -> Report:
    """Examine a fresh process.

    :raises DoctorError: it cannot be examined, or ended before
    """
    said = subprocess.DEVNULL if sys.stderr is None else 2
    with _desk() as desk:
        fd = desk.fileno()
        command = [sys.executable, "-m", "greenpg.doctor.patient", str(fd)]
        environment = {**os.environ}
        environment.pop("GREENPG_RUN", None)  # or the launcher's runtime would come first
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=said, stderr=said, pass_fds=[fd], env=environment
        ) as patient:
            try:
                patient.communicate(json.dumps(asdict(job)).encode())
            except BaseException:
                patient.kill()
                raise
        desk.seek(0)
        handed_over = desk.read()
    if not handed_over:
        raise DoctorError(f"{job.how}, ended with {patient.returncode} before its examination")
    result = pickle.loads(handed_over)
    if isinstance(result, DoctorError):
        raise result
    assert isinstance(result, Report)
    return result


def _desk() -> IO[bytes]:
    """Return a new file, for reports only: none of the standard streams, though our own be closed."""
    with tempfile.TemporaryFile() as file:  # not a pipe: what an application starts may keep that open
        return open(fcntl.fcntl(file.fileno(), fcntl.F_DUPFD_CLOEXEC, 3), "w+b")
