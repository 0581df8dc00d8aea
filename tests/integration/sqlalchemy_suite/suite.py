"""The suite, but for what it cannot know of a dialect that is not SQLAlchemy's own."""

from __future__ import annotations

from typing import Any

from sqlalchemy.testing.suite import *  # noqa: F403
from sqlalchemy.testing.suite import ServerSideCursorsTest as _ServerSideCursorsTest


class ServerSideCursorsTest(_ServerSideCursorsTest):  # type: ignore[no-redef]
    """The original asks for the name of the driver, and takes those that it does not know for without any."""

    def _is_server_side(self, cursor: Any) -> bool:
        return bool(getattr(cursor, "name", False))
