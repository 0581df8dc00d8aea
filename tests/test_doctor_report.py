"""What `greenpg doctor` makes of its figures, and what people and programs see of a report."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest

from greenpg.doctor import Driver, Finding, Libpq, Measurement, Process, Report, Server, Step, render
from greenpg.doctor.crowd import Span, most_at_once
from greenpg.doctor.measuring import findings_of_measurement

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("spans", "most"),
    [
        ([], 0),
        ([(0, 1)], 1),
        ([(0, 1), (1, 2)], 1),
        ([(0, 2), (1, 3), (2, 4)], 2),
        ([(0, 9), (1, 8), (2, 3), (4, 5)], 3),
    ],
)
def test_how_many_were_under_way_at_once(spans: list[tuple[float, float]], most: int) -> None:
    assert most_at_once([Span(*span) for span in spans]) == most


@pytest.mark.gevent
@pytest.mark.skipif(not os.path.exists("/proc/thread-self/schedstat"), reason="this kernel does not tell")
def test_to_wait_for_a_processor_is_not_to_hold_the_hub(run_python: Callable[..., object]) -> None:
    run_python(
        """
import os, time
from greenpg.doctor.crowd import Ticker, green_threads

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
rival = os.fork()
if not rival:
    while os.getppid() != 1:
        pass
    os._exit(0)
try:
    with Ticker(green_threads("gevent")) as ticker:
        began = time.monotonic(), time.thread_time()
        while time.monotonic() - began[0] < 1:
            pass
        took, held = time.monotonic() - began[0], time.thread_time() - began[1]
finally:
    os.kill(rival, 9)
assert took - held > 0.1, "the rival has not run"
# nearer to what it held than to what it took: some of the time that is lost belongs to no processor of ours
assert held - 0.1 < ticker.longest < (held + took) / 2, (ticker.longest, held, took)
assert abs(ticker.computed - held) < 0.1, (ticker.computed, held)
with Ticker(green_threads("gevent")) as ticker:
    time.sleep(0.2)
assert ticker.longest > 0.15 and ticker.computed < 0.1, (ticker.longest, ticker.computed)
"""
    )


def measured(*steps: Step, driver: str = "psycopg2", error: str | None = None) -> list[Finding]:
    return list(findings_of_measurement(Measurement(driver, 10, 0.2, steps, error)))


def test_what_the_figures_mean() -> None:
    query = Step("query", 0.21, 0.002, at_once=10)
    [finding] = measured(query)
    assert (finding.level, finding.about) == ("ok", "psycopg2")
    [finding] = measured(Step("query", 2.0, 2.0, at_once=1))
    assert finding.level == "problem"
    assert finding.text == "10 queries came one after the other, in 2.00 s: the hub was held for 2000 ms"
    [finding] = measured(query, Step("COPY", 0.2, 0.2))
    assert (finding.level, finding.text) == ("problem", "COPY: the hub was held for 200 ms, waiting")
    [finding] = measured(query, Step("COPY", 0.2, 0.2, computed=0.15))
    assert (finding.level, finding.text) == ("warning", "COPY: the hub was held for 200 ms, computing")
    [finding] = measured(Step("connect", 4.0, 3.0, at_once=10), query)
    assert finding.level == "problem", "they overlap, and hold the hub all the same"
    [finding] = measured(query, Step("timeout", 0.1, 0.0, error="it was lost"))
    assert (finding.level, finding.text) == ("problem", "timeout failed: it was lost")
    [finding] = measured(query, Step("timeout", 0.1, 0.0, error="it was lost"), driver="pg8000")
    assert finding.level == "warning"
    [finding] = measured(error="it broke")
    assert (finding.level, finding.text) == ("problem", "tried, and broken off: it broke")


@pytest.fixture
def report() -> Report:
    libpq = Libpq("17.6", "/venv/site-packages/psycopg2_binary.libs/libpq.so")
    process = Process(
        7,
        "CPython 3",
        "gevent",
        {"gevent": ("socket",)},
        "gevent",
        "greenpg.waiters.gevent.wait",
        libpq,
        {},
        {},
    )
    return Report(
        "a test",
        process,
        (Driver("psycopg2", "2.9", "green", "greenpg.waiters.gevent.wait", libpq),),
        (
            Finding("problem", "here", "it is " + "very " * 30 + "wrong", "mend it"),
            Finding("ok", "there", "all is well"),
        ),
        Server("16.1", "db:5432", True, 100),
        (Measurement("psycopg2", 10, 0.2, (Step("query", 0.21, 0.002, at_once=10),)),),
    )


def test_the_text_is_plain_and_the_verdict_last(report: Report) -> None:
    text = render(report)
    assert not re.search(r"[\x00-\x09\x0b-\x1f]| \n", text)
    lines = text.splitlines()
    assert lines[-1] == "not green, 1 problem"
    assert lines[-3] == f"  problem  here: it is {'very ' * 30}wrong -> mend it"
    assert lines[-4] == "  ok       there: all is well"
    assert "  psycopg2  query  10 of 10  0.21 s  2 ms" in lines
    assert any(line.endswith("17.6 psycopg2_binary.libs/libpq.so") for line in lines)


def test_a_terminal_gets_colours_and_lines_that_fit(report: Report) -> None:
    text = render(report, width=60, colours=True)
    assert "\033[31mproblem\033[0m  here" in text
    found = text[text.index("\033[32mok") :]
    plain = re.sub(r"\033\[[\d;]*m", "", found)
    assert max(map(len, plain.splitlines())) <= 60
    assert plain.count("very") == 30


def test_json_is_all_that_there_is(report: Report) -> None:
    told = json.loads(json.dumps(report.as_dict()))
    assert told["green"] is False
    assert told["measurements"][0]["steps"][0]["held"] == 0.002
    assert told["server"] == {
        "version": "16.1",
        "address": "db:5432",
        "encrypted": True,
        "max_connections": 100,
    }
