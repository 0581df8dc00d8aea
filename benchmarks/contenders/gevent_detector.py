"""psycopg2 made green by greenpg, in gevent, and watched by the detector: what it costs to have it on."""

from __future__ import annotations

from benchmarks.contenders.gevent_greenpg import GeventGreenpg


class GeventDetector(GeventGreenpg):
    """The same process as greenpg's, with the detector on, at the limit that it has by itself."""

    name = "greenpg-gevent-detector"
    title = "psycopg2 + greenpg + its detector, gevent"
    rivals = ("greenpg-gevent",)
    statistics = False

    def make_green(self) -> None:
        """Patch the driver, and switch the detector on."""
        super().make_green()
        import greenpg.detector

        greenpg.detector.install(statistics=self.statistics)


class GeventStatistics(GeventDetector):
    """The same, and each statement is measured too."""

    name = "greenpg-gevent-detector-statistics"
    title = "psycopg2 + greenpg + its detector with statistics, gevent"
    statistics = True
