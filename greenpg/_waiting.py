"""What a connection keeps to wait for its socket: the wait callback in force, bound to it where that can be.

It is dropped before the socket is closed, or its number would be waited for when it is another's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenpg._liveness import Lively
from greenpg.rows import Row

if TYPE_CHECKING:
    from collections.abc import Callable


class Waiting(Lively[Row]):
    """A connection that waits; the blocking and the async one say by which callback."""

    _source: Any = None
    _bound: Any = None
    _wait: Any

    def _bind(self, source: Any, timed: Callable[[Any, Any], Any]) -> None:
        """Wait by `source` from now on.

        :param timed: takes the trace, if there is one, and makes a callback that tells it
        """
        self._unbind()
        bind = getattr(source, "bind", None)
        if bind is None:
            self._wait = source
        else:
            self._bound = bind(self.pgconn.socket)
            self._wait = self._bound.__call__
        if self._trace is not None:
            self._wait = timed(self._trace, self._wait)
        self._source = source

    def _unbind(self) -> None:
        bound, self._bound, self._source = self._bound, None, None
        if bound is not None:
            bound.close()

    def _finish(self) -> None:
        if self._bound is not None:
            self._unbind()  # before the socket is closed
        super()._finish()
