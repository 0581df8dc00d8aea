"""psycopg2 made green by greenpg, in eventlet."""

from __future__ import annotations

from benchmarks.contenders.eventlet_own import EventletOwn


class EventletGreenpg(EventletOwn):
    """The same process as eventlet's own, with greenpg's patch over it."""

    name = "greenpg-eventlet"
    title = "psycopg2 + greenpg, eventlet"
    rivals = ("eventlet", "plain")
    can_copy = True

    def make_green(self) -> None:
        """Patch the driver."""
        import greenpg.eventlet

        greenpg.eventlet.patch()
