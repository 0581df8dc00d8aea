"""An application that echoes by eventlet's WebSockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eventlet.websocket import WebSocketWSGI

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@WebSocketWSGI  # type: ignore[untyped-decorator]
def echo(socket: Any) -> None:
    while (message := socket.wait()) is not None:
        socket.send(message)


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/echo":
        echoed: Iterable[bytes] = echo(environ, start_response)
        return echoed
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]
