"""psycopg2 with the callback that eventlet brings, and installs when it monkey-patches."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from benchmarks.contenders.plain import Plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.contenders.base import Job


class EventletOwn(Plain):
    """psycopg2 made green by eventlet itself."""

    name = "eventlet"
    title = "psycopg2 + eventlet's own"
    packages = ("psycopg2", "eventlet")
    can_copy = False  # psycopg2 refuses COPY under a wait callback

    def start(self) -> None:
        """Monkey-patch, psycopg2 included."""
        # Advice to leave eventlet, at every import: not what this is about.
        warnings.filterwarnings("ignore", message="\nEventlet is deprecated")
        import eventlet

        eventlet.monkey_patch()
        self.make_green()
        super().start()

    def make_green(self) -> None:
        """Leave it at what eventlet has done."""

    def run(self, jobs: Sequence[Job]) -> None:
        """Run each job in a green thread."""
        import eventlet

        for thread in [eventlet.spawn(job) for job in jobs]:
            thread.wait()
