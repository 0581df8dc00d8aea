"""`examine()`: what can be known of a process by looking at it, and with a server, by trying.

Its rule: what it looks at cannot make it fail; what fails is a finding. Its other rooms are imported when it
is called, for each of greenpg's commands imports this one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from greenpg.doctor.report import Finding, Report

if TYPE_CHECKING:
    from collections.abc import Iterable

    from greenpg.doctor.server import Target

_NO_DRIVER = Finding(
    "problem", "drivers", "no PostgreSQL driver is installed here", 'pip install "greenpg[psycopg2]"'
)
_NOT_TRIED = Finding(
    "note", "drivers", "not tried: that might hold the hub for ever", "solve the problems above first"
)
_LIMIT_OF_ALL = Finding(
    "note",
    "limits",
    "in green drivers too, fetchall() of a big result holds the hub while it is decoded",
    "fetch it in slices by a server-side cursor",
)


def examine(
    dsn: str | None = None,
    *,
    drivers: Iterable[str] | None = None,
    app: Iterable[str] = (),
    concurrency: int = 10,
    seconds: float = 0.2,
    how: str = "this process, as it is",
) -> Report:
    """Examine the running process: whether it is green, and what would hold its hub.

    Without `dsn` nothing is sent anywhere and nothing waits; all objects are looked at once, which takes
    about 0.1 s for a million.

    :param dsn: a server to try the drivers on; `""` leaves all to libpq's environment
    :param drivers: the drivers that matter, imported if they are not; by default those that are imported
    :param app: the packages whose locks are looked at, besides all modules outside of `site-packages`
    :param concurrency: connections of one driver at the same time, 2 or more
    :param seconds: how long the server is to take for each query; a driver that blocks takes `concurrency`
        times as long
    :param how: for the report: how the process came to be as it is
    :raises DoctorError: the server of `dsn` cannot be reached, or refuses us; or there is no such driver
    :raises ValueError: `concurrency` or `seconds` are too small to see anything
    """
    from greenpg.doctor.drivers import choose, look_at_driver
    from greenpg.doctor.natives import native_findings
    from greenpg.doctor.process import findings_of_process, look_at_process, missing_activation
    from greenpg.doctor.server import find_server

    if concurrency < 2 or not seconds > 0:
        raise ValueError("to see whether queries overlap takes 2 of them, and more than 0 seconds for each")
    chosen = choose(drivers)
    target = None if dsn is None else find_server(dsn, concurrency)
    process = look_at_process()
    looked_at = [look_at_driver(known, process, imports=drivers is not None) for known in chosen]
    found = [*findings_of_process(process), *(said for _, said in looked_at if said is not None)]
    if not chosen:
        found.append(_NO_DRIVER)
    seen = tuple(driver for driver, _ in looked_at)
    if any(driver.state == "green" for driver in seen):
        found.append(_LIMIT_OF_ALL)
    report = Report(how, process, seen, tuple(found), target and target.server)
    if process.runtime is None:
        return report
    native = native_findings(app, missing_activation(process.runtime))
    report = replace(report, findings=(*found, *native))
    return report if target is None else _tried(report, target, concurrency, seconds)


def _tried(report: Report, target: Target, concurrency: int, seconds: float) -> Report:
    """Return the report of a green process with what came of trying the drivers, or why they were not."""
    from greenpg.doctor.drivers import TRY_IT
    from greenpg.doctor.measuring import findings_of_measurement, measure_all
    from greenpg.doctor.process import is_muddled

    runtime = report.process.runtime or ""
    if runtime not in ("gevent", "eventlet"):
        elsewhere = Finding("note", runtime, "the drivers are tried in gevent and eventlet alone")
        return replace(report, findings=(*report.findings, elsewhere))
    if is_muddled(report.process):
        return replace(report, findings=(*report.findings, _NOT_TRIED))
    measured = tuple(measure_all(report.drivers, runtime, target, concurrency, seconds))
    tried = {each.driver for each in measured}
    seen = (each for each in report.findings if not (each.about in tried and each.fix == TRY_IT))
    came = (finding for each in measured for finding in findings_of_measurement(each))
    return replace(report, findings=(*seen, *came), measurements=measured)
