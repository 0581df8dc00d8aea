"""A worker of green threads by eventlet for gunicorn, whose own was removed in version 26.

Its rule: HTTP stays gunicorn's (`AsyncWorker`); here is how connections are accepted, limited, and let end.
Nothing is monkey-patched in gunicorn's master process.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import eventlet
from eventlet import GreenPool, Timeout, hubs, wsgi
from eventlet.green import os as green_os
from eventlet.green import socket
from greenlet import GreenletExit
from gunicorn.sock import ssl_context
from gunicorn.workers.base_async import AsyncWorker

import greenpg.eventlet
from greenpg.contrib._gunicorn_setup import Checked

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_BEAT = 1.0
"""Seconds between two signs of life to the master process."""
_CLEAN_UP = 3.0
"""Seconds that killed requests have to cancel their statements: more than greenpg's `recovery_timeout`."""
_RESERVE = 0.1
"""Part of `graceful_timeout`, at most a second, in which requests are killed in good order: at its end the
master process, if it stops too, sends SIGKILL, and statements would run on."""


class EventletWorker(Checked, AsyncWorker):  # type: ignore[misc] # gunicorn has no types
    """Serves each connection in a green thread, with the PostgreSQL drivers green.

    Settings: as for gunicorn's gevent worker. `worker_connections` is the most at one time, for each socket;
    `graceful_timeout` is the seconds that requests may take after SIGTERM. Those that take longer are killed,
    and so are their statements on the server.
    """

    RUNTIME = greenpg.eventlet.RUNTIME

    sockets: list[Any]
    alive: bool

    def init_process(self) -> None:
        """Become green before anything else, and serve."""
        self.patch()
        super().init_process()

    def patch(self) -> None:
        """Monkey-patch the worker process, and make the drivers green; override it to give limits."""
        hubs.use_hub()  # a hub that the master process has would be shared with it
        eventlet.monkey_patch()
        greenpg.eventlet.patch()
        self.sockets = [
            socket.socket(listener.FAMILY, socket.SOCK_STREAM, fileno=listener.sock.detach())
            for listener in self.sockets
        ]
        # os.sendfile() would refuse a socket that eventlet has made non-blocking
        self.cfg.set("sendfile", False)

    def run(self) -> None:
        """Serve until a signal or `max_requests` says stop, then let the requests under way end."""
        self._ssl = ssl_context(self.cfg) if self.cfg.is_ssl else None
        pool = GreenPool(self.worker_connections * len(self.sockets))
        acceptors = [eventlet.spawn(self._accept, listener, pool) for listener in self.sockets]
        while self.alive:
            self.notify()
            self._pause()
        for acceptor in acceptors:
            acceptor.kill()
        for listener in self.sockets:
            listener.close()
        self._drain(pool)

    def notify(self) -> None:
        """Give the master process a sign of life; stop if it is another one by now."""
        super().notify()
        if self.alive and self.ppid != os.getppid():
            self.log.info("Parent changed, shutting down: %s", self)
            self.alive = False

    def _pause(self) -> None:
        """Let the green threads run until the next sign of life is due, or a signal has come."""
        with Timeout(_BEAT, False):
            green_os.read(self.PIPE[0], 512)

    def _accept(self, listener: Any, pool: Any) -> None:
        """Accept connections for ever, and none before it can be served: another process may be free."""
        free = eventlet.Semaphore(self.worker_connections)
        while True:
            free.acquire()
            try:
                client, address = listener.accept()
            except OSError as error:
                free.release()
                self.log.warning("Cannot accept a connection: %s", error)
                eventlet.sleep(_BEAT)  # out of file descriptors, for one: the others may give some back
                continue
            pool.spawn(self.handle, listener, client, address).link(lambda _: free.release())
            eventlet.sleep(0)  # for the same reason

    def _drain(self, pool: Any) -> None:
        """Wait until all requests have ended; kill those that take more than `graceful_timeout`."""
        allowed: float = self.cfg.graceful_timeout
        limit = time.monotonic() + allowed - min(1.0, allowed * _RESERVE)
        while pool.running() and (left := limit - time.monotonic()) > 0:
            self.notify()
            with Timeout(min(left, _BEAT), False):
                pool.waitall()
        if pool.running():
            self.log.warning("Worker graceful timeout (pid:%s)", self.pid)
            self.notify()
            for request in list(pool.coroutines_running):
                request.kill()
            with Timeout(_CLEAN_UP, False):
                pool.waitall()

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve one connection to its end."""
        if self._ssl is not None:
            try:
                client = self._ssl.wrap_socket(
                    client,
                    server_side=True,
                    suppress_ragged_eofs=self.cfg.suppress_ragged_eofs,
                    do_handshake_on_connect=self.cfg.do_handshake_on_connect,
                )
            except OSError as error:
                self.log.debug("No TLS with %s: %s", addr, error)
                client.close()
                return
        super().handle(listener, client, addr)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Log an error and answer it, unless the request was killed."""
        if not isinstance(exc, GreenletExit):
            super().handle_error(req, client, addr, exc)

    def is_already_handled(self, respiter: Any) -> bool:
        """Return whether the application has talked to the socket itself, as eventlet's WebSockets do.

        :raises StopIteration: it has, and the connection has had its use
        """
        if getattr(wsgi.WSGI_LOCAL, "already_handled", False):
            raise StopIteration
        handled: bool = super().is_already_handled(respiter)
        return handled

    def timeout_ctx(self) -> AbstractContextManager[Any]:
        """Return the limit for the next request to come."""
        limit: AbstractContextManager[Any] = Timeout(self.cfg.keepalive or None, False)
        return limit

    # In a green thread of their own: a signal's handler runs in the hub, and must not wait for a lock there.

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Stop at once (SIGINT, SIGQUIT)."""
        eventlet.spawn(super().handle_quit, sig, frame)

    def handle_usr1(self, sig: int, frame: Any) -> None:
        """Open the log files anew (SIGUSR1)."""
        eventlet.spawn(super().handle_usr1, sig, frame)
