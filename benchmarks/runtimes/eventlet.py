"""eventlet, monkey-patched as its users do."""

from __future__ import annotations

import warnings

from benchmarks.runtimes.base import Green


class Eventlet(Green):
    """Each job in a green thread."""

    packages = ("eventlet",)

    def start(self) -> None:
        """Monkey-patch, psycopg2 included."""
        # Advice to leave eventlet, at every import: not what this is about.
        warnings.filterwarnings("ignore", message="\nEventlet is deprecated")
        import eventlet
        from eventlet.greenthread import GreenThread

        eventlet.monkey_patch()
        self.spawn, self.sleep, self.result_of = eventlet.spawn, eventlet.sleep, GreenThread.wait
