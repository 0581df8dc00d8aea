"""Fresh interpreters: how a test runs what must not share a process with other tests.

A child has a process group of its own and a hard limit; past it, its stacks are dumped and the group ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parent.parent
_DUMP_LIMIT = 5.0


@dataclass(frozen=True)
class Ran:
    """A child process that has ended."""

    command: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    timed_out: bool

    @property
    def end(self) -> str:
        """How it ended, in words."""
        return "did not end in time" if self.timed_out else f"ended with {self.returncode}"

    def __str__(self) -> str:
        return f"{' '.join(self.command)}\n{self.end}\n-- stdout\n{self.stdout}\n-- stderr\n{self.stderr}"


def environment(first: Path = ROOT) -> dict[str, str]:
    """Return our environment, with a folder and the repository to import from before all else."""
    path = os.pathsep.join(filter(None, (str(first), str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path, "PYTHONFAULTHANDLER": "1"}


def run(*command: str, env: Mapping[str, str] | None = None, cwd: Path = ROOT, timeout: float = 60.0) -> Ran:
    """Run a command in a process group that does not survive the call.

    :param env: variables on top of ours
    :param cwd: the folder that it starts in, and the first that it imports from
    :param timeout: seconds; then the child gets SIGABRT, which dumps a Python child's stacks, and is killed
    """
    variables = {**environment(cwd), **(env or {})}
    # Files, not pipes: a grandchild that keeps a pipe open must not keep us waiting.
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = subprocess.Popen(
            command,
            cwd=cwd,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        timed_out = False
        try:
            child.wait(timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
            child.send_signal(signal.SIGABRT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_DUMP_LIMIT)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        out.seek(0)
        err.seek(0)
        return Ran(command, child.returncode, out.read(), err.read(), timed_out)


def run_python(
    code: str | Path, *args: str, env: Mapping[str, str] | None = None, timeout: float = 60.0
) -> Ran:
    """Run a snippet (its indentation does not matter) or a file in a fresh interpreter.

    :param args: `sys.argv[1:]` of the child
    :raise AssertionError: it did not end in time, or not with 0; the message is all that it wrote
    """
    program = (str(code),) if isinstance(code, Path) else ("-c", textwrap.dedent(code))
    ran = run(sys.executable, *program, *args, env=env, timeout=timeout)
    if ran.timed_out or ran.returncode:
        raise AssertionError(str(ran))
    return ran
