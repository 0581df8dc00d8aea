"""psycopg2 made green by greenpg, in gevent."""

from __future__ import annotations

from typing import ClassVar

from benchmarks.contenders.gevent_psycogreen import GeventPsycogreen


class GeventGreenpg(GeventPsycogreen):
    """The same process as psycogreen's, with greenpg's patch instead."""

    name = "greenpg-gevent"
    title = "psycopg2 + greenpg, gevent"
    packages: ClassVar[tuple[str, ...]] = ("psycopg2", "gevent")
    rivals: ClassVar[tuple[str, ...]] = ("psycogreen", "plain")
    can_copy = True

    def make_green(self) -> None:
        """Patch the driver."""
        import greenpg.gevent

        greenpg.gevent.patch()
