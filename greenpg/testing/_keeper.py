"""Runs one PostgreSQL server and ends it when whoever started it is gone, however that came about.

`EmbeddedServer` runs this file as a script: `_keeper.py FOLDER UID GID COMMAND…` (UID and GID of -1: as we
are). The end of the input means that the starter has died, kill -9 included: the server is stopped and FOLDER
removed. A process of its own, for the server needs a parent that collects it; it imports nothing of ours.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading


def main(folder: str, uid: int, gid: int, command: list[str]) -> int:
    """Run `command` to its end and return its exit code; its process id goes to standard output first."""
    identity = {"user": uid, "group": gid, "extra_groups": ()} if uid >= 0 else {}
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, **identity)  # type: ignore[call-overload]
    abandoned = threading.Event()

    def watch() -> None:
        os.read(0, 1)  # not sys.stdin: its lock, held by a thread that waits, delays the exit by a second
        abandoned.set()
        server.send_signal(signal.SIGQUIT)

    threading.Thread(target=watch, daemon=True).start()
    with contextlib.suppress(BrokenPipeError):
        print(server.pid, flush=True)
    code: int = server.wait()
    if abandoned.is_set():
        shutil.rmtree(folder, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))
