"""psycopg2 with psycogreen's callback: what people use with gevent today."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from benchmarks.contenders.plain import Plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.contenders.base import Job


class GeventPsycogreen(Plain):
    """psycopg2 made green by psycogreen."""

    name = "psycogreen"
    title = "psycopg2 + psycogreen, gevent"
    packages: ClassVar[tuple[str, ...]] = ("psycopg2", "gevent", "psycogreen")
    can_copy = False  # psycopg2 refuses COPY under a wait callback

    def start(self) -> None:
        """Monkey-patch, and install psycogreen's callback."""
        import gevent.monkey

        gevent.monkey.patch_all()
        self.make_green()
        super().start()

    def make_green(self) -> None:
        """Install the wait callback."""
        from psycogreen.gevent import patch_psycopg

        patch_psycopg()

    def run(self, jobs: Sequence[Job]) -> None:
        """Run each job in a greenlet."""
        import gevent

        gevent.joinall([gevent.spawn(job) for job in jobs], raise_error=True)
