"""Every example of README.rst and of docs/ runs as it stands.

A Python block runs in a fresh interpreter, the commands of a console block in a shell, and what the block
shows must be among what they say: line by line, in this order, figures, folders and the ends of lines aside.
What has to be a file stands in docs/examples and is included. There is no other kind of block. A command that
does not end by itself is in a table, beside the test that runs it: change one of the two alone, and a test
fails.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
import textwrap
from configparser import ConfigParser
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from psycopg2.extensions import parse_dsn

from tests.fresh import ROOT, run, run_python
from tests.integration.served import Served, libpq_variables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
HERE = Path(__file__).parent
DOCUMENTS = [ROOT / "README.rst", *sorted(DOCS.rglob("*.rst"))]

pytestmark = pytest.mark.subprocess


@dataclass(frozen=True)
class Block:
    """An indented example, under a directive that says what it is."""

    document: Path
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"


_BLOCK = re.compile(r"^( *)\.\. code(?:-block)?:: *(\S*)\n(?:\1 +:.*\n)*\n((?:\1 +.*\n|\n)+)", re.MULTILINE)


def blocks(document: Path) -> Iterator[Block]:
    """Find the examples that are written in a document itself."""
    text = document.read_text()
    for found in _BLOCK.finditer(text):
        _, kind, body = found.groups()
        yield Block(document, text.count("\n", 0, found.start()) + 1, kind, textwrap.dedent(body))


BLOCKS = [block for document in DOCUMENTS for block in blocks(document)]


def of_kind(kind: str) -> list[Block]:
    """Return the blocks of one language."""
    return [block for block in BLOCKS if block.kind == kind]


def test_there_is_no_other_kind_of_example() -> None:
    assert [f"{block} {block.kind!r}" for block in BLOCKS if block.kind not in ("python", "console")] == []
    literal = re.compile(r"^(?!\.\. ).*::$", re.MULTILINE)  # an indented block without a directive
    assert {str(path): found for path in DOCUMENTS if (found := literal.findall(path.read_text()))} == {}


# Python


def given(dsn: str) -> str:
    """Return what the examples take for granted: where the database is, in each framework's words."""
    parts = parse_dsn(dsn)
    keys = ("user", "password", "host", "port", "dbname")
    user, password, host, port, name = (parts.get(key, "") for key in keys)
    url = f"postgresql://{user}:{password}@{host}:{port}/{name}"
    database = {"USER": user, "PASSWORD": password, "HOST": host, "PORT": port, "NAME": name}
    return f"DSN = {dsn!r}\nURL = {url!r}\nDATABASE = {database!r}\n"


_PARTICULAR = re.compile(
    r"\b(gevent|eventlet|asyncio|trio|uvloop|psycopg2?|sqlalchemy|pandas|opentelemetry|django|peewee)\b"
)


def is_for_every_runtime(block: Block) -> bool:
    """Whether an example is about the driver, wherever it runs; `test_guide` runs it there."""
    place = block.document.relative_to(ROOT).parts
    return (place[0] == "README.rst" or "guide" in place) and not _PARTICULAR.search(block.text)


IN_EVERY_RUNTIME = [block for block in of_kind("python") if is_for_every_runtime(block)]


@pytest.mark.parametrize("block", [b for b in of_kind("python") if not is_for_every_runtime(b)], ids=str)
def test_python(block: Block, dsn: str) -> None:
    run_python(given(dsn) + block.text)


# Consoles

SERVED = {
    "gunicorn -k gevent app:application": "gunicorn",
    "gunicorn -k gevent --preload app:application": "gunicorn",
    "gunicorn -k greenpg.contrib.gunicorn.GeventWorker app:application": "gunicorn",
    "gunicorn -k greenpg.contrib.gunicorn.EventletWorker app:application": "gunicorn",
    "gunicorn -k greenpg.contrib.gunicorn.EventletWorker --preload app:application": "gunicorn",
    "gunicorn -k worker.Worker app:application": "gunicorn",
    "gunicorn -k gevent mysite:application": "django",
    "gunicorn -k gevent --preload mysite:application": "django",
}
"""Web servers, for `test_served`, and the folder of docs/examples that each is started in."""

RUN_BY = {
    "celery --app=tasks worker --pool=gevent --concurrency=20": "test_celery.py::gevent_worker",
    "celery --app=eventlet_tasks worker --pool=eventlet --concurrency=20": "test_celery.py::eventlet_worker",
    "greenpg run --eventlet -- celery --app=tasks worker --pool=eventlet --concurrency=20": (
        "test_celery.py::test_launched"
    ),
    "gunicorn -k gevent app:app": "test_flask.py::server",
    "locust --headless --users=10 --spawn-rate=10 --run-time=4s": "test_locust.py::test_users_query_at_once",
    "uwsgi --http-socket :8080 --ini early.ini": "test_uwsgi.py::test_three_ways",
    "uwsgi --http-socket :8080 --ini late.ini": "test_uwsgi.py::test_three_ways",
    "uwsgi --http-socket :8080 --ini late.ini --module limited": "test_uwsgi.py::test_time_limit",
    "uwsgi --http-socket :8080 --ini one_line.ini": "test_uwsgi.py::test_three_ways",
    "uwsgi --http-socket :8080 --ini async_core.ini": "test_uwsgi.py::test_three_ways",
}
"""What other tests run: each a file in this folder and a function in it."""

MADE = {"make bench": "-m benchmarks", "make demo": "greenpg demo", "make test": "-m pytest"}
"""What `test_make` looks at, and what it must come to."""

_PROMPT = "$ "
_FIGURE = re.compile(r"\d+(?:\.\d+)+|\d+(?= ?(?:ms|s|%|MB|kB)\b)")  # a version, a measurement
_FOLDER = re.compile(r"/\S*/(?=\w+\.py\b)")


@dataclass
class Command:
    """A command line, and what a console block shows of its output."""

    line: str
    shown: list[str]

    @property
    def is_run_here(self) -> bool:
        """Whether it is for `test_console`."""
        return self.line not in SERVED | RUN_BY | MADE and not self.line.startswith("pip install ")


def commands(block: Block) -> list[Command]:
    """Read a console block."""
    found: list[Command] = []
    for line in block.text.strip().splitlines():
        if line.startswith(_PROMPT):
            found.append(Command(line.removeprefix(_PROMPT), []))
        elif found[-1].line.endswith("\\"):
            found[-1].line = found[-1].line.removesuffix("\\") + line.strip()
        elif line.strip():
            found[-1].shown.append(line)
    return found


COMMANDS = [command for block in of_kind("console") for command in commands(block)]


def plain(lines: Iterable[str]) -> list[str]:
    """Return lines as they compare: without figures and folders, and without the width of columns."""
    return [" ".join(_FIGURE.sub("0", _FOLDER.sub("", line)).split()) for line in lines]


def missing(shown: list[str], said: str) -> list[str]:
    """Return the lines with which none of the output's begins, in the same order."""
    rest = iter(plain(said.splitlines()))
    return [line for line in plain(shown) if not any(real.startswith(line) for real in rest)]


@pytest.mark.parametrize("block", of_kind("console"), ids=str)
def test_console(block: Block, dsn: str, tmp_path: Path) -> None:
    here = EXAMPLES / block.document.stem
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = {**libpq_variables(dsn), "DSN": dsn, "GREENPG_TEST_DSN": dsn, "PATH": path, "COLUMNS": "100"}
    for command in commands(block):
        if command.is_run_here:
            ran = run(
                "bash", "-c", f"exec 2>&1; {command.line}", env=env, cwd=here if here.exists() else tmp_path
            )
            assert ran.returncode == 0, ran
            assert missing(command.shown, ran.stdout) == [], ran


def test_packages_to_install() -> None:
    extras = {line.split(" = ")[0] for line in (ROOT / "pyproject.toml").read_text().splitlines()}
    for command in COMMANDS:
        for asked in re.findall(r"greenpg\[([\w,]+)\]", command.line):
            assert set(asked.split(",")) <= extras, command.line


@pytest.mark.parametrize("line", MADE)
def test_make(line: str) -> None:
    """What it comes to is tested elsewhere, in an environment that is there already."""
    assert MADE[line] in run(*line.split(), "--dry-run").stdout


def test_every_command_is_run_by_a_test() -> None:
    lines = {command.line for command in COMMANDS}
    assert {*SERVED, *RUN_BY, *MADE} - lines == set(), "no document says so any more"
    for line, place in RUN_BY.items():
        name, test = place.split("::")
        module = vars(import_module(f"tests.integration.{name.removesuffix('.py')}"))
        assert test in module, place
        # uWSGI has to have a socket of its own; the rest of its line is in the file
        assert line in module.values() or line.startswith("uwsgi "), f"{name} does not run {line}"


def test_files_that_are_named_exist() -> None:
    for document in DOCUMENTS:
        for name in re.findall(r"\btests/[\w/]+\.py|(?<=<)docs/[^>]+", document.read_text()):
            assert (ROOT / name).exists(), f"{document}: {name}"


# Files

RUNNERS = {host: f"test_{host}.py" for host in ("celery", "flask", "locust", "uwsgi")}
"""Folders of docs/examples, and the module beside this one that runs what is in them; the others run here."""

_INCLUDED = re.compile(r"^ *\.\. literalinclude:: (\S+)$", re.MULTILINE)


def runner(name: str) -> str:
    """Return the text of a test module in this folder."""
    return (HERE / name).read_text()


def test_every_file_is_shown_and_run() -> None:
    shown = {
        (page.parent / name).resolve() for page in DOCUMENTS for name in _INCLUDED.findall(page.read_text())
    }
    typed = " ".join(command.line for command in COMMANDS)
    for path in EXAMPLES.rglob("*.*"):
        if path.suffix != ".pyc":
            assert path in shown, f"{path} is in no document"
            run_by = runner(RUNNERS.get(path.relative_to(EXAMPLES).parts[0], "test_docs.py"))
            assert re.search(rf"\b{path.stem}\b", typed + run_by), f"{path} is run by nothing"


def test_the_package_of_a_wait_callback(tmp_path: Path) -> None:
    project = ConfigParser()
    project.read(EXAMPLES / "waiter" / "pyproject.toml")
    metadata = tmp_path / "tidepool-1.0.dist-info"  # what an installer makes of it
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: tidepool\nVersion: 1.0\n")
    entry_point = project['project.entry-points."greenpg.waiters"']["tidepool"].strip('"')
    (metadata / "entry_points.txt").write_text(f"[greenpg.waiters]\ntidepool = {entry_point}\n")
    code = """
        from greenpg.waiters import get_wait_callback, set_wait_callback
        import test_tidepool

        set_wait_callback("tidepool")
        assert get_wait_callback() is test_tidepool.wait
        test_tidepool.test_contract()
    """
    run_python(code, env={"PYTHONPATH": os.pathsep.join(map(str, (tmp_path, EXAMPLES / "waiter", ROOT)))})


# Web servers

REQUESTS = 10
GREEN = 2.0
"""Seconds within which ten requests of 0.3 s each are answered; one after the other they take three."""


@pytest.mark.parametrize("line", SERVED)
def test_served(line: str, dsn: str) -> None:
    env = {"GUNICORN_CMD_ARGS": "--bind=127.0.0.1:0 --no-control-socket"}
    folders = [EXAMPLES / SERVED[line]]
    with Served("-m", *shlex.split(line), dsn=dsn, env=env, folders=folders) as server:
        answers, seconds = server.get_at_once("/slow", REQUESTS)
    assert answers == ["hello"] * REQUESTS, server.log
    assert seconds < GREEN
