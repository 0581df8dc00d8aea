"""The detector without a server: its limits, its reports, and that it leaves nothing behind."""

from __future__ import annotations

import logging
import sys
from time import monotonic
from typing import TYPE_CHECKING, Any

import gevent
import pytest

from greenpg import detector
from greenpg.detector import _reports
from greenpg.detector._calls import Call
from greenpg.detector._install import _limit
from greenpg.detector._reports import BURST, Reports
from greenpg.detector._table import Table
from greenpg.detector._thread_times import ThreadTimes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fresh import Ran

CALL = Call("psycopg2", "execute", "select pg_sleep(?)", "views.py", 42, "checkout", measured=False)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("50ms", 0.05), ("0.05s", 0.05), (" 1 s ", 1.0), (".5s", 0.5), ("2.s", 2.0), (3, 3.0), ("10s", 10.0)],
)
def test_limits(given: Any, seconds: float) -> None:
    assert _limit(given) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "given",
    ["abc", "-5ms", "5 min", "", "ms", "1e3", "50", "0.05", "0", "\N{ARABIC-INDIC DIGIT FIVE}ms"],
)
def test_limits_that_are_no_times(given: str) -> None:
    with pytest.raises(ValueError, match=r"^the limit is a time such as 50ms or 0\.05s, not "):
        _limit(given)


@pytest.mark.parametrize("given", [0, -1, 0.009, "9ms", "0s", float("nan"), 50, "10.1s", float("inf"), [1]])
def test_limits_that_are_too_short_or_too_long(given: Any) -> None:
    with pytest.raises(ValueError, match=r"^the limit is from 0\.01 to 10 seconds, not "):
        _limit(given)


def test_the_environment_gives_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GREENPG_DETECT", raising=False)
    assert _limit(None) == 0.05
    monkeypatch.setenv("GREENPG_DETECT", "70ms")
    assert _limit(None) == pytest.approx(0.07)
    assert _limit(0.02) == 0.02
    for off in ("0", " 0 ", "0ms", " "):
        monkeypatch.setenv("GREENPG_DETECT", off)
        assert _limit(None) == 0.05
    for wrong in ("soon", "50"):
        monkeypatch.setenv("GREENPG_DETECT", wrong)
        with pytest.raises(ValueError, match=r"^\$GREENPG_DETECT: the limit is a time such as 50ms"):
            _limit(None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"statements": 1}, "statements is a number from 2 on, not 1"),
        ({"hook": "print"}, "the hook is something to be called with each hold, not 'print'"),
        ({"statements": "5"}, "statements is a number from 2 on, not '5'"),
        ({"runtime": "twisted"}, "the detector knows the runtimes gevent, eventlet, asyncio, not 'twisted'"),
        ({"runtime": ""}, "the detector knows the runtimes gevent, eventlet, asyncio, not ''"),
        ({"runtime": ["gevent"]}, r"the detector knows the runtimes .*, not \['gevent'\]"),
        ({"libraries": "layer"}, r"libraries are names of modules, as in \['layer'\], not 'layer'"),
        ({"libraries": 5}, r"libraries are names of modules, as in \['layer'\], not 5"),
        ({"libraries": [5]}, r"libraries are names of modules, as in \['layer'\], not \[5\]"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        detector.install(**options)
    assert not detector.is_installed()


def test_a_runtime_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "eventlet", None)
    with pytest.raises(RuntimeError, match=r"^there is no loop to watch: eventlet cannot be imported: "):
        detector.install(runtime="eventlet")


def test_without_a_loop(run_python: Callable[..., Ran]) -> None:
    run_python("""
        from greenpg import detector

        try:
            detector.install()
        except RuntimeError as error:
            assert "call this in a coroutine, or after monkey-patching" in str(error)
        else:
            raise AssertionError
        assert not detector.is_installed()
    """)


def test_off_is_off() -> None:
    assert detector.statistics() == []
    assert detector.counters() == detector.Counters()
    detector.uninstall()


def test_a_record(caplog: pytest.LogCaptureFixture) -> None:
    reports = Reports(Table(10))
    reports.put("gevent's hub", CALL, 0.3041, is_over=True)
    reports.put("gevent's hub", CALL._replace(method="commit", statement=None), 5.0, is_over=False)
    assert caplog.records == []
    reports.deliver()
    reports.deliver()
    assert [record.getMessage() for record in caplog.records] == [
        "psycopg2 held gevent's hub for 0.304 s: execute() at views.py:42 in checkout: select pg_sleep(?)",
        "psycopg2 is holding gevent's hub for 5.000 s so far: commit() at views.py:42 in checkout",
    ]
    assert {(record.name, record.levelname) for record in caplog.records} == {("greenpg.detector", "WARNING")}


def test_a_line_that_is_slow_all_the_time_does_not_fill_the_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = Reports(Table(10))
    for _ in range(BURST + 7):
        reports.put("gevent's hub", CALL, 0.1, is_over=True)
    reports.put("gevent's hub", CALL._replace(line=43), 0.1, is_over=True)
    reports.deliver()
    assert len(caplog.records) == BURST + 1
    assert reports.counters().holds == BURST + 8
    assert reports.counters().unlogged == 7
    now = monotonic()
    monkeypatch.setattr(_reports, "monotonic", lambda: now + _reports.INTERVAL)
    reports.put("gevent's hub", CALL, 0.1, is_over=True)
    reports.deliver()
    assert caplog.records[-1].getMessage().endswith("(and 7 times more since the last record)")


def test_counters() -> None:
    reports = Reports(Table(10))
    for driver, seconds in (("psycopg2", 0.25), ("psycopg", 0.5), ("psycopg2", 0.125)):
        reports.put("gevent's hub", CALL._replace(driver=driver), seconds, is_over=True)
    reports.deliver()
    expected = detector.Counters(holds=3, seconds=0.875, longest=0.5, drivers={"psycopg2": 2, "psycopg": 1})
    assert reports.counters() == expected
    reports.counters().drivers.clear()
    assert reports.counters() == expected
    reports.clear()
    assert reports.counters() == detector.Counters()


def test_the_hook_gets_each_hold() -> None:
    holds: list[detector.Hold] = []
    reports = Reports(Table(10))
    reports.hook = holds.append
    reports.put("gevent's hub", CALL, 0.25, is_over=True)
    reports.deliver()
    [hold] = holds
    assert (hold.driver, hold.method, hold.statement) == ("psycopg2", "execute", "select pg_sleep(?)")
    assert (hold.filename, hold.line, hold.function) == ("views.py", 42, "checkout")
    assert (hold.loop, hold.seconds, hold.is_over) == ("gevent's hub", 0.25, True)


@pytest.mark.parametrize("error", [ZeroDivisionError, gevent.Timeout, SystemExit])
def test_a_hook_that_fails_is_logged_once(
    caplog: pytest.LogCaptureFixture, error: type[BaseException]
) -> None:
    def fail(_hold: object) -> None:
        raise error

    reports = Reports(Table(10))
    reports.hook = fail
    for _ in range(3):
        reports.put("gevent's hub", CALL, 0.25, is_over=True)
    reports.deliver()
    assert reports.counters().hook_failures == 3
    assert reports.counters().holds == 3
    assert [record.levelno for record in caplog.records].count(logging.ERROR) == 1


def test_the_rest_of_a_long_hold_is_counted_and_not_told_again(caplog: pytest.LogCaptureFixture) -> None:
    holds: list[detector.Hold] = []
    table = Table(10)
    reports = Reports(table)
    reports.hook = holds.append
    reports.put("gevent's hub", CALL, 5.0, is_over=False)
    reports.deliver()
    reports.put("gevent's hub", CALL, 7.5, is_over=True, told=5.0)
    reports.deliver()
    assert len(caplog.records) == len(holds) == 1
    assert reports.counters() == detector.Counters(1, 7.5, 7.5, {"psycopg2": 1})
    [found] = table.snapshot()
    assert (found.held, found.holds, found.longest) == (7.5, 1, 7.5)


def test_what_the_loop_does_not_come_to_is_told_all_the_same(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = Reports(Table(10))
    reports.deliver_overdue()
    reports.put("gevent's hub", CALL, 0.25, is_over=True)
    reports.deliver_overdue()
    assert caplog.records == []
    monkeypatch.setattr(_reports, "OVERDUE", -1.0)
    reports.deliver_overdue()
    assert len(caplog.records) == 1


def test_the_statistics_know_of_holds() -> None:
    table = Table(10)
    reports = Reports(table)
    reports.put("gevent's hub", CALL, 0.25, is_over=True)
    reports.put("gevent's hub", CALL._replace(statement=None, method="commit"), 0.5, is_over=True)
    reports.deliver()
    assert [(found.statement, found.held, found.holds) for found in table.snapshot()] == [
        ("COMMIT", 0.5, 1),
        ("select pg_sleep(?)", 0.25, 1),
    ]


def test_thread_times_grow_with_work_and_not_with_sleep(run_python: Callable[..., Ran]) -> None:
    run_python("""
        import time
        from greenpg.detector._thread_times import ThreadTimes

        times = ThreadTimes()
        before = times.ran()
        time.sleep(0.1)
        assert times.ran() - before < 0.05
        while times.ran() - before < 0.1:
            pass
        assert times.delayed() >= 0
    """)


def test_thread_times_of_a_thread_that_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    times = ThreadTimes()
    monkeypatch.setattr(times, "_path", "/proc/self/task/0/schedstat")
    assert times.delayed() == 0


@pytest.mark.parametrize("variable", ["", "0"])
def test_nothing_is_imported_unless_it_is_asked_for(variable: str, run_python: Callable[..., Ran]) -> None:
    run_python(
        """
        import sys
        import gevent.monkey

        gevent.monkey.patch_all()
        import greenpg.gevent

        greenpg.gevent.patch()
        found = sys.modules.get("greenpg.detector")
        assert found is None or not found.is_installed()
        """,
        env={"GREENPG_DETECT": variable},
    )


@pytest.mark.parametrize("runtime", ["gevent", "eventlet"])
def test_a_wrong_limit_in_the_environment_is_a_log_line(runtime: str, run_python: Callable[..., Ran]) -> None:
    ran = run_python(
        f"""
        import {runtime} as runtime
        if runtime.__name__ == "gevent":
            import gevent.monkey
            gevent.monkey.patch_all()
        else:
            runtime.monkey_patch()
        import greenpg.{runtime}

        greenpg.{runtime}.patch()
        from greenpg import detector
        assert not detector.is_installed()
        """,
        env={"GREENPG_DETECT": "-5ms"},
    )
    message = "the detector is not on: $GREENPG_DETECT: the limit is a time such as 50ms or 0.05s, not '-5ms'"
    assert ran.stderr.strip().splitlines()[-1] == message


PROCESS = """
    import sys, threading
    import gevent.monkey
    gevent.monkey.patch_all()
    import gevent, psycopg2, psycopg
    import greenpg.gevent
    greenpg.gevent.patch()
    from greenpg import detector
    from greenpg.compat.psycopg2._cursor import GreenCursor
    from greenpg.compat.psycopg2._connection import GreenBaseConnection

    def state():
        classes = (GreenCursor, GreenBaseConnection, psycopg.Cursor, psycopg.ServerCursor, psycopg.Connection)
        return [dict(vars(cls)) for cls in classes], list(sys.meta_path)

    def native_threads(number):
        while len(sys._current_frames()) != number:  # else the time is over: one that ends takes its time
            gevent.sleep(0)

    before = state()
    threads = len(sys._current_frames())
"""


def test_it_leaves_nothing_behind(run_python: Callable[..., Ran]) -> None:
    ran = run_python(
        PROCESS
        + """
    for _ in range(3):
        detector.install(0.02)
        detector.install(0.03, hook=print, statistics=True)
        assert detector.is_installed()
        assert state() != before
        native_threads(threads + 1)
        detector.uninstall()
        detector.uninstall()
        assert not detector.is_installed()
        assert state() == before
        native_threads(threads)
    """
    )
    assert (ran.stdout, ran.stderr) == ("", "")


def test_drivers_that_are_made_green_later_are_measured(run_python: Callable[..., Ran]) -> None:
    run_python(
        """
        import gevent.monkey
        gevent.monkey.patch_all()
        from greenpg import detector
        detector.install(statistics=True)
        import greenpg.gevent
        greenpg.gevent.patch()
        import psycopg2, psycopg
        from greenpg.compat.psycopg2._cursor import GreenCursor
        assert GreenCursor.execute.__wrapped__.__module__ == "greenpg.compat.psycopg2._cursor"
        assert psycopg.Cursor.execute.__wrapped__.__module__ == "psycopg.cursor"
        detector.uninstall()
        assert not hasattr(GreenCursor.execute, "__wrapped__")
        assert not hasattr(psycopg.Cursor.execute, "__wrapped__")
    """,
        env={"GREENPG_AUTO": "0"},
    )


def test_the_process_ends_in_silence_with_it(run_python: Callable[..., Ran]) -> None:
    ran = run_python(PROCESS + "    detector.install(0.01)\n    gevent.sleep(0.03)\n")
    assert (ran.stdout, ran.stderr) == ("", "")


def test_several_threads_with_loops(run_python: Callable[..., Ran]) -> None:
    run_python("""
        import asyncio
        from greenpg import detector
        from greenpg.detector import _install

        async def main():
            detector.install(0.02)
            detector.install(0.02)
            await asyncio.to_thread(asyncio.run, other())
            assert len(_install._detector._watcher.watches) == 2

        async def other():
            detector.install(0.02)

        asyncio.run(main())
        detector.uninstall()
    """)
