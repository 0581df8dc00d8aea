"""`greenpg doctor` without a server: what it sees in a process, what it says of it, and of bad input."""

from __future__ import annotations

import io
import json
import re
import socket
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any

import pytest

from greenpg.__main__ import main
from greenpg.compat._drivers import DRIVERS
from greenpg.doctor import examine
from tests import fresh
from tests.test_activation import MONKEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# What a process of the tests begins with.
PROLOGUE = """
import sys, warnings
warnings.filterwarnings("ignore", "\\nEventlet is deprecated")

def said(report, about):
    return [(each.level, each.text, each.fix) for each in report.findings if each.about == about]

def state(report, name):
    return next(driver.state for driver in report.drivers if driver.name == name)
"""

SHOP = """
import queue, threading
from concurrent.futures import ThreadPoolExecutor

import psycopg2.pool

class Shelf:
    guard = threading.Lock()

    def __init__(self):
        self._lock = threading.RLock()
        self.orders = queue.Queue()

class Lazy:
    def __getattr__(self, name):
        raise RuntimeError("woken")

SHELVES = {"left": Shelf()}
POOL = psycopg2.pool.ThreadedConnectionPool(0, 1)
basket = threading.local()
closed = threading.Event()
workers = ThreadPoolExecutor(1)
fast = [queue.SimpleQueue()]
lazy = Lazy()
number = 42
print("an application prints what it likes")
"""
# What of it nobody repairs; eventlet itself greens RLocks.
NATIVE = {
    "shop.stock:Shelf.guard": "Lock",
    "shop.stock:SHELVES['left']._lock": "RLock",
    "shop.stock:SHELVES['left'].orders": "Queue",
    "shop.stock:basket": "thread-local",
    "shop.stock:closed": "Event",
    "shop.stock:workers": "ThreadPoolExecutor",
    "shop.stock:fast[0]": "SimpleQueue",
}


def doctor(*options: str, cwd: Path = fresh.ROOT, **env: str) -> fresh.Ran:
    """Run the command in this process, which is a plain one; what it examines has a process of its own."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(cwd)
        for name, value in {**fresh.environment(cwd), **env}.items():
            patch.setenv(name, value)
        try:
            status = main(["doctor", *options])
        except SystemExit as end:
            status = int(str(end.code))
    return fresh.Ran(options, status, out.getvalue(), err.getvalue(), timed_out=False)


def process(*options: str, cwd: Path = fresh.ROOT, **env: str) -> fresh.Ran:
    """Run the command in a process of its own, which is to be examined.

    :param options: of the interpreter, up to the doctor's
    """
    return fresh.run(sys.executable, *options, cwd=cwd, env=env)


def reports(ran: fresh.Ran) -> list[dict[str, Any]]:
    """What `--json` has printed."""
    found: list[dict[str, Any]] = json.loads(ran.stdout)["reports"]
    return found


def complaint(*options: str, cwd: Path = fresh.ROOT) -> str:
    """The one line that bad input is answered with."""
    ran = doctor(*options, cwd=cwd)
    assert (ran.returncode, ran.stdout) == (2, ""), ran
    assert re.fullmatch(r"greenpg doctor: error: .+\n", ran.stderr), ran
    return ran.stderr


@pytest.fixture(params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in MONKEY])
def runtime(request: pytest.FixtureRequest) -> str:
    """Each runtime that greenpg has a `patch()` for."""
    return str(request.param)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with an application."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").touch()
    (tmp_path / "shop" / "stock.py").write_text(SHOP)
    return tmp_path


# Processes


def test_both_runtimes_are_examined_if_none_is_named() -> None:
    ran = doctor("--json", "--driver=psycopg2")
    assert ran.returncode == 0, ran
    assert [report["process"]["runtime"] for report in reports(ran)] == list(MONKEY)


def test_an_unpatched_process(runtime: str) -> None:
    """What greenpg does not follow blocks, or is as green as eventlet has made it."""
    ran = doctor(f"--{runtime}", "--preload", *(f"--driver={name}" for name in DRIVERS), GREENPG_AUTO="0")
    assert ran.returncode == 1, ran
    lines = re.findall(r"^  problem  (\w+): (blocks|half green): .* -> (.*)$", ran.stdout, re.M)
    states = ("blocks", "blocks") if runtime == "gevent" else ("half green", "blocks")
    assert [(name, state) for name, state, _ in lines] == list(zip(DRIVERS, states, strict=True)), ran
    assert all(f"greenpg.{runtime}.patch()" in fix for _, _, fix in lines)
    assert ("unset GREENPG_AUTO" in lines[0][2]) == (runtime == "gevent")
    assert "environment  GREENPG_AUTO=0" in ran.stdout
    assert ran.stdout.endswith("\nnot green, 2 problems\n")


def test_what_was_imported_too_early_is_repaired_or_named(runtime: str, shop: Path) -> None:
    asked = (f"--{runtime}", "--driver=psycopg2", "--import=shop.stock", "--json")
    ran = doctor(*asked, "--preload", "--strict", cwd=shop)
    assert ran.returncode == 1, ran
    [report] = reports(ran)
    assert report["green"], "it is the warnings that --strict means"
    findings = report["findings"]
    repaired = (
        "made before the process was monkey-patched, and repaired: 1 psycopg2.pool.ThreadedConnectionPool"
    )
    assert {"level": "ok", "about": "greenpg", "text": repaired, "fix": ""} in findings
    [green] = [each["text"] for each in findings if each["about"] == "psycopg2"]
    assert (
        green == f"green: it waits through greenpg.waiters.{runtime}.wait, and was imported before the patch"
    )
    named = {
        each["about"]: each["text"].split()[2].rstrip(",") for each in findings if "shop" in each["about"]
    }
    expected = {place: kind for place, kind in NATIVE.items() if runtime == "gevent" or kind != "RLock"}
    assert named == expected
    [in_order] = reports(doctor(*asked, cwd=shop))
    assert not [each for each in in_order["findings"] if each["level"] in ("warning", "problem")]
    early = [each for each in in_order["findings"] if "before the patch" in each["text"]]
    assert bool(early) == (runtime == "eventlet"), "eventlet itself imports psycopg2"


@pytest.mark.gevent
def test_what_nobody_repairs_is_a_problem(shop: Path) -> None:
    ran = doctor(
        "--gevent", "--preload", "--import=shop.stock", "--driver=psycopg2", cwd=shop, GREENPG_AUTO="0"
    )
    assert ran.returncode == 1
    assert re.search(
        r"problem  psycopg2\.pool\.ThreadedConnectionPool: 1 made before .* -> unset", ran.stdout
    ), ran


@pytest.mark.gevent
def test_an_application_that_patches_its_process_by_itself(tmp_path: Path) -> None:
    (tmp_path / "wise.py").write_text("import gevent.monkey\ngevent.monkey.patch_all()")
    (tmp_path / "plain.py").touch()
    ran = doctor("--import=wise", "--driver=psycopg2", cwd=tmp_path)
    assert (ran.returncode, ran.stdout.splitlines()[-1]) == (0, "green"), ran
    ran = doctor("--import=plain", "--driver=psycopg2", cwd=tmp_path)
    assert (ran.returncode, ran.stdout.splitlines()[-1]) == (1, "not a green process"), ran
    assert ran.stdout.startswith("greenpg doctor: a process that has imported plain\n")


@pytest.mark.gevent
def test_a_fresh_process_owes_nothing_to_the_launcher(shop: Path) -> None:
    launcher = ("-m", "greenpg", "run", "--gevent", "--", sys.executable, "-m", "greenpg")
    options = ("--eventlet", "--preload", "--import=shop.stock", "--driver=psycopg2", "--json")
    ran = process(*launcher, "doctor", *options, cwd=shop)
    [report] = reports(ran)
    assert list(report["process"]["monkey_patched"]) == ["eventlet"]
    assert any(each["about"].startswith("shop.stock") for each in report["findings"])


@pytest.mark.gevent
def test_a_running_process_is_left_as_it_is(run_python: Callable[..., object]) -> None:
    run_python(
        PROLOGUE
        + """
from greenpg import doctor
bindings = {"greenpg.pq._ctypes.library", "greenpg.pq._libpq"}
assert not bindings & sys.modules.keys(), "each of greenpg's commands would load libpq's binding"
plain = doctor.examine()
assert not plain.green and plain.process.runtime is None and not plain.problems
assert {driver.state for driver in plain.drivers} == {"not imported"}

import gevent.monkey
gevent.monkey.patch_all()
report = doctor.examine()
assert report.green, report
assert said(report, "psycopg2") == [("ok", "not imported yet: green as soon as it is", "")]
assert not {"psycopg2", "psycopg", "pg8000"} & set(sys.modules)

import psycopg2
report = doctor.examine()
assert (state(report, "psycopg2"), state(report, "psycopg")) == ("green", "not imported")
"""
    )


@pytest.mark.gevent
def test_who_else_waits_for_psycopg2(run_python: Callable[..., object]) -> None:
    run_python(
        PROLOGUE
        + """
import os
os.environ["GREENPG_AUTO"] = "0"
import gevent.monkey
gevent.monkey.patch_all()
import psycopg2.extensions, psycogreen.gevent
import greenpg.gevent
from greenpg import doctor

psycogreen.gevent.patch_psycopg()
report = doctor.examine(drivers=["psycopg2"])
[(level, text, fix)] = said(report, "psycopg2")
assert (state(report, "psycopg2"), level, report.green) == ("half green", "problem", False)
assert "psycogreen.gevent.gevent_wait_callback: queries let others run, but cancel() holds" in text, text
assert "unset GREENPG_AUTO" in fix

greenpg.gevent.patch()
assert doctor.examine(drivers=["psycopg2"]).green

def own(connection):
    pass

psycopg2.extensions.set_wait_callback(own)
[(level, text, fix)] = said(doctor.examine(drivers=["psycopg2"]), "psycopg2")
assert level == "problem" and "but __main__.own has been put in greenpg's place since" in text, text
assert "queries let others run, if that does" in text, text

psycopg2.extensions.set_wait_callback(None)
[(level, text, fix)] = said(doctor.examine(drivers=["psycopg2"]), "psycopg2")
assert level == "problem" and text.startswith("blocks: greenpg made it green, but its C library"), text
"""
    )


@pytest.mark.gevent
@pytest.mark.eventlet
def test_what_does_not_fit_together(run_python: Callable[..., object]) -> None:
    run_python(
        PROLOGUE
        + """
import gevent.monkey
gevent.monkey.patch_all(socket=False, thread=False)
import greenpg.eventlet, greenpg.gevent
from greenpg import doctor
from greenpg.waiters import set_wait_callback

report = doctor.examine(drivers=["psycopg2", "pg8000"])
assert (state(report, "psycopg2"), state(report, "pg8000")) == ("green", "blocks")
finding = report.problems[0]
assert finding.text.startswith("gevent has monkey-patched it without socket, thread: sockets"), finding

set_wait_callback("select")
report = doctor.examine(drivers=["psycopg2"])
[(level, text, fix)] = said(report, "greenpg")
assert text == "patched for gevent, but the wait callback in force is greenpg.waiters.select.wait", text
assert state(report, "psycopg2") == "blocks"

set_wait_callback(lambda fd, need, timeout: None)  # somebody's own may be right, or not
own = "waits through __main__.<lambda>, which the doctor does not know", "try it with --dsn"
assert said(doctor.examine(drivers=["psycopg2"]), "psycopg2") == [("warning", *own)]

set_wait_callback("gevent")
greenpg.gevent.unpatch()
greenpg.eventlet.patch()
report = doctor.examine(drivers=["psycopg2"])
[(level, text, fix)] = said(report, "greenpg")
assert text.startswith("patched for eventlet, but the process is monkey-patched by gevent"), text
assert fix == "call greenpg.gevent.patch() instead"
assert state(report, "psycopg2") == "blocks"

import eventlet
eventlet.monkey_patch()
texts = [finding.text for finding in doctor.examine(drivers=["psycopg2"]).problems]
assert any(text.startswith("monkey-patched by gevent and eventlet") for text in texts), texts
"""
    )


@pytest.mark.gevent
def test_patched_drivers_in_a_process_that_is_not_monkey_patched(run_python: Callable[..., object]) -> None:
    run_python(
        PROLOGUE
        + """
import greenpg.gevent
from greenpg import doctor
greenpg.gevent.patch()
report = doctor.examine(drivers=["psycopg2"])
[(level, text, fix)] = said(report, "process")
assert level == "warning" and text.startswith("not monkey-patched: drivers wait through gevent"), text
assert report.green
"""
    )


# Drivers without support, and what cannot be loaded


@pytest.mark.gevent
def test_drivers_without_support(tmp_path: Path) -> None:
    (tmp_path / "pgdb.py").write_text("raise ImportError('no libpq')")
    (tmp_path / "psycopg2cffi").mkdir()
    (tmp_path / "psycopg2cffi" / "__init__.py").write_text("from psycopg2cffi import extensions")
    (tmp_path / "psycopg2cffi" / "extensions.py").write_text("get_wait_callback = lambda: None")
    (tmp_path / "psycopg2").mkdir()
    (tmp_path / "psycopg2" / "__init__.py").touch()
    names = ("pg8000", "asyncpg", "psycopg2cffi", "pgdb", "psycopg2")
    ran = doctor("--gevent", "--json", *(f"--driver={name}" for name in names), cwd=tmp_path)
    assert ran.returncode == 1, ran
    [report] = reports(ran)
    assert [driver["state"] for driver in report["drivers"]] == [
        *("sockets", "asyncio", "blocks", "broken", "unknown")
    ]
    said = {each["about"]: (each["level"], each["text"], each["fix"]) for each in report["findings"]}
    assert said["pg8000"][0] == said["asyncpg"][0] == "warning"
    assert "leaves it out of step" in said["pg8000"][1]
    assert "only one green thread" in said["asyncpg"][1]
    assert said["psycopg2cffi"][::2] == ("problem", "use psycopg2 or psycopg, which greenpg makes green")
    assert said["psycopg2"][0] == "warning"
    assert said["pgdb"][:2] == ("problem", "cannot be imported: no libpq")


@pytest.mark.gevent
def test_a_libpq_that_is_not_there() -> None:
    ran = doctor("--gevent", "--driver=psycopg2", GREENPG_LIBPQ="/nonexistent/libpq.so")
    assert ran.returncode == 1, ran
    assert "  its binding  none" in ran.stdout
    assert re.search(r"problem  libpq: .*/nonexistent/libpq\.so.* -> unset GREENPG_LIBPQ", ran.stdout), ran
    ran = doctor("--gevent", "--driver=psycopg2", "--dsn=", GREENPG_LIBPQ="/nonexistent/libpq.so")
    assert ran.returncode == 2
    assert "cannot be read without a libpq" in ran.stderr


def test_nothing_is_installed() -> None:
    bare = ("-S", "-m", "greenpg", "doctor")
    ran = process(*bare, PYTHONPATH=str(fresh.ROOT))
    assert (ran.returncode, ran.stderr) == (1, ""), ran
    assert "not a green process: neither gevent nor eventlet is at work in it" in ran.stdout
    assert 'no PostgreSQL driver is installed here -> pip install "greenpg[psycopg2]"' in ran.stdout
    assert ran.stdout.endswith("\nnot a green process, 1 problem\n")
    ran = process(*bare, "--gevent", PYTHONPATH=str(fresh.ROOT))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == 'greenpg doctor: error: gevent is not installed: pip install "greenpg[gevent]"\n'


def test_a_plain_process_is_no_green_one() -> None:
    ran = process("-m", "greenpg", "doctor", "--here", "--driver=psycopg2")
    assert ran.returncode == 1
    assert ran.stdout.endswith("\nnot a green process\n")
    assert "blocks the native thread that calls it, as it should" in ran.stdout
    assert "problem" not in ran.stdout


def test_what_is_too_small_to_be_seen() -> None:
    for few in ({"concurrency": 1}, {"seconds": 0.0}):
        with pytest.raises(ValueError, match="takes 2 of them"):
            examine(**few)


def test_no_secret_of_the_environment_is_shown() -> None:
    ran = doctor(
        "--here", "--driver=psycopg2", "--json", GREENPG_TEST_DSN="password=geheim", GREENPG_DETECT="50ms"
    )
    assert "geheim" not in ran.stdout
    [report] = reports(ran)
    assert report["process"]["environment"]["GREENPG_DETECT"] == "50ms"


# Standard streams


@pytest.mark.gevent
@pytest.mark.parametrize(
    ("streams", "status", "said"),
    [
        (">/dev/full", 2, "greenpg doctor: error: cannot write the report: no space left on device\n"),
        (
            ">&-",
            2,
            "greenpg doctor: error: there is nowhere to write the report: standard output is closed\n",
        ),
        ("<&- 2>&-", 0, ""),
    ],
)
def test_standard_streams_that_are_full_or_closed(streams: str, status: int, said: str) -> None:
    command = (sys.executable, "-m", "greenpg", "doctor", "--gevent", "--driver=psycopg2")
    ran = fresh.run("sh", "-c", f'"$@" {streams}', "sh", *command)
    assert (ran.returncode, ran.stderr) == (status, said)
    assert ran.stdout.endswith("\ngreen\n") == (status == 0)


# Bad input


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--nonsense"], "unrecognized arguments: --nonsense (see greenpg doctor --help)"),
        (["--gevent", "--eventlet"], "not allowed with argument"),
        (["--concurrency=1"], "must be a whole number from 2 to 1000, not '1'"),
        (["--seconds=soon"], "must be a number of seconds from 0.05 to 10, not 'soon'"),
        (["--seconds=nan"], "must be a number of seconds"),
        (["--here", "--preload"], "--preload needs --gevent or --eventlet"),
        (["--here", "--driver=oracle"], "no driver is called 'oracle'; known are psycopg2, psycopg,"),
        (["--here", "--driver=pgdb"], "pgdb is not installed"),
        (["--here", "--import=nosuch.app"], "cannot import nosuch.app: ModuleNotFoundError: No module named"),
        (["--here", "--dsn=host=h password=se cret"], 'bad connection string: missing "..." after "..."'),
        (["--here", "--dsn=postgresql://me:se@cret@h/db"], "write @ : / of a password as %40 %3A %2F"),
        (["--here", "--dsn=postgresql://me:cret/@h/db"], "write @ : / of a password as %40 %3A %2F"),
    ],
)
def test_bad_input_is_one_line(options: list[str], expected: str) -> None:
    message = complaint(*options)
    assert expected in message
    assert "cret" not in message


@pytest.mark.gevent
@pytest.mark.parametrize(
    ("application", "expected"),
    [
        ("raise SystemExit('no settings')", "cannot import app: SystemExit: no settings"),
        (
            "import os; os._exit(3)",
            "a process of gevent, monkey-patched after the imports, ended with 3 before its examination",
        ),
        (
            "class Lazy:\n    __class__ = property(lambda self: 1 / 0)\nlazy = Lazy()",
            "gevent fails to monkey-patch the process: ZeroDivisionError: division by zero",
        ),
    ],
)
def test_an_application_that_cannot_be_examined(application: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(application)
    message = complaint("--gevent", "--preload", "--import=app", cwd=tmp_path)
    assert message == f"greenpg doctor: error: {expected}\n"


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where somebody listens and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port where nobody listens, and nobody else can begin to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_no_server(deaf_port: int, silent_port: int) -> None:
    target = "user=me password=geheim host=127.0.0.1"
    message = complaint("--here", f"--dsn={target} port={deaf_port}")
    assert "cannot connect to PostgreSQL" in message
    assert "refused" in message
    message = complaint("--here", f"--dsn={target} port={silent_port} connect_timeout=1")
    assert "127.0.0.1 did not answer within 1 s" in message
    hosts = f"host=127.0.0.1,127.0.0.1 port={silent_port},{deaf_port} connect_timeout=1"
    message = complaint("--here", f"--dsn=password=geheim {hosts}")
    assert "did not answer within 1 s; " in message
    assert "refused" in message
    assert "geheim" not in message
