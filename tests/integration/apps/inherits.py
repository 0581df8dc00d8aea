"""An application that connects by $DRIVER when it is loaded, and once more in each of uWSGI's workers."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

import_module(os.environ["FIRST"])  # each of the two takes uWSGI's one hook for itself
driver: Any = import_module(os.environ["DRIVER"])
connections = {"/inherited": driver.connect("", application_name="inherited")}

from uwsgidecorators import postfork  # noqa: E402

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@postfork  # type: ignore[untyped-decorator]
def connect() -> None:
    connections["/own"] = driver.connect("")


def application(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/":
        return [b"hello"]
    try:
        cursor = connections[environ["PATH_INFO"]].cursor()
        cursor.execute("select 42")
    except driver.Error as error:
        return [str(error).encode()]
    return [str(*cursor.fetchone()).encode()]
