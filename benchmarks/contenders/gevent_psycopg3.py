"""psycopg 3 in a process that gevent has patched: what people use today."""

from __future__ import annotations

from benchmarks.contenders.gevent_psycogreen import GeventPsycogreen
from benchmarks.contenders.psycopg3 import Psycopg3


class GeventPsycopg3(GeventPsycogreen, Psycopg3):
    """The same process as psycogreen's; psycopg 3 looks by itself whether it is patched."""

    name = "psycopg3-gevent"
    title = "psycopg 3, gevent"
    packages = ("psycopg", "gevent")
    can_copy = True

    def make_green(self) -> None:
        """Leave it as it is."""
