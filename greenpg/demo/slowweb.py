"""A web server that takes its time: it answers every request after a fixed delay, in a process of its own.

Its rule: the process lives as long as its stdin is open, so that none outlives a demo that was killed.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def slow_web(seconds: float) -> Iterator[str]:
    """Run the server in a child process; give the URL of its page, which takes `seconds` to come."""
    command = [sys.executable, "-m", "greenpg.demo.slowweb", str(seconds)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        with child.stdin:
            yield f"http://127.0.0.1:{int(child.stdout.readline())}/"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024  # the default of 5 makes the kernel delay the sixth user by a second


def _handler(seconds: float) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            began = time.monotonic()
            time.sleep(seconds)
            body = str(time.monotonic() - began).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent: the demo has the terminal."""

    return Handler


def main() -> None:
    """Serve on a free port of 127.0.0.1, print the port, and end when stdin does."""
    with _Server(("127.0.0.1", 0), _handler(float(sys.argv[1]))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_port, flush=True)
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main()
