"""gevent, monkey-patched as its users do."""

from __future__ import annotations

from benchmarks.runtimes.base import Green


class Gevent(Green):
    """Each job in a greenlet."""

    packages = ("gevent",)

    def start(self) -> None:
        """Monkey-patch."""
        import gevent.monkey

        gevent.monkey.patch_all()
        self.spawn, self.sleep, self.result_of = gevent.spawn, gevent.sleep, gevent.Greenlet.get
