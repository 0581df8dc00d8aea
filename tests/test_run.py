"""`greenpg run` without a server: what it refuses, what it passes on, and which Pythons it gets into."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import venv
from typing import TYPE_CHECKING

import pytest

from greenpg.__main__ import main
from greenpg.run.isolation import isolating_option
from tests.fresh import ROOT, Ran, environment, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.subprocess

LAUNCHER = (sys.executable, "-m", "greenpg", "run")
RUNTIMES = [pytest.param(name, marks=getattr(pytest.mark, name)) for name in ("gevent", "eventlet")]
# Says in which runtime its process is green.
SHOW = """
import sys
import greenpg.eventlet, greenpg.gevent
monkey, patcher = sys.modules.get("gevent.monkey"), sys.modules.get("eventlet.patcher")
patched = [monkey and monkey.is_module_patched("socket"), patcher and patcher.is_monkey_patched("socket")]
print(patched, [greenpg.gevent.is_patched(), greenpg.eventlet.is_patched()])
"""
GREEN = {
    "gevent": "[True, None] [True, False]\n",
    "eventlet": "[None, True] [False, True]\n",
    "": "[None, None] [False, False]\n",
}


def launch(runtime: str, *command: str, **given: str) -> Ran:
    return run(*LAUNCHER, f"--{runtime}", "--", *command, env=given)


def python(runtime: str, code: str, *options: str, **given: str) -> Ran:
    return launch(runtime, sys.executable, *options, "-c", code, **given)


def complaint(ran: Ran) -> str:
    """The one line that bad input is answered with."""
    assert (ran.returncode, ran.stdout) == (2, ""), ran
    assert ran.stderr.count("\n") == 1, ran
    return ran.stderr.strip()


@pytest.fixture(params=RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> str:
    """Each runtime that a program can be started in."""
    return str(request.param)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python in which nothing is installed."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True)
    return str(folder / "bin" / "python")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "one of the arguments --gevent --eventlet is required (see greenpg run --help)"),
        (["--", "true"], "one of the arguments --gevent --eventlet is required (see greenpg run --help)"),
        (["--gevent", "--eventlet", "--", "true"], "argument --eventlet: not allowed with argument --gevent"),
        (
            ["--gevent", "--unknown", "--", "true"],
            "arguments: --unknown (see greenpg run --help)",
        ),
        (["--gevent"], "no command given: greenpg run --gevent -- COMMAND ..."),
        (["--eventlet", "--"], "no command given: greenpg run --eventlet -- COMMAND ..."),
        (["--gevent", "--", ""], "no command given: greenpg run --gevent -- COMMAND ..."),
        (["--gevent", "--", "python", "-I", "app.py"], "leave -I out: with it, Python does not load what"),
    ],
)
def test_bad_options(options: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status: object = main(["run", *options])
    except SystemExit as end:
        status = end.code
    out, err = capsys.readouterr()
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert says in err


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("no-such-command", "no such command"),
        ("/", "permission denied"),
        ("app.py", "start it with python app.py"),
    ],
)
def test_a_command_that_cannot_start(command: str, reason: str) -> None:
    said = complaint(launch("gevent", command))
    assert said == f"greenpg run: error: cannot start {command!r}: {reason}"


def test_a_script_whose_interpreter_is_missing(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    assert complaint(launch("gevent", str(script))).endswith("the interpreter of its first line is not there")


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("python app.py -I", None),
        ("python -m app -E", None),
        ("python -W ignore -X dev -u -bb app.py -S", None),
        ("python -c import -I", None),
        ("sh -I", None),
        ("pythonic -I", None),
        ("python -", None),
        ("python -sE app.py", "-sE"),
        ("/usr/bin/python3.13t -W ignore -I -m app", "-I"),
        ("python3 -Xdev -S app.py", "-S"),
        ("pypy3.11 -uS", "-uS"),
        ("env python -I app.py", "-I"),
        ("/usr/bin/env -u HOME -C / -v A=1 --unset=B --block-signal=INT C=-I -- python -E app.py", "-E"),
        ("env -vS python -S app.py", "-S"),
        ("env -Spython -S app.py", "-S"),
        ("env --split-string python -I", "-I"),
        ("env A=1 env B=2 python -I", "-I"),
        ("env python app.py -I", None),
        ("env -i python app.py", "-i"),
        ("env -u PYTHONPATH python app.py", "-u PYTHONPATH"),
        ("env PYTHONPATH=src python app.py", "PYTHONPATH=src"),
        ("env -i sh app.sh", None),
        ("env -u python -I", None),
        ("env", None),
    ],
)
def test_options_by_which_a_python_ignores_the_environment(command: str, option: str | None) -> None:
    assert isolating_option(command.split()) == option


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("#!/usr/bin/python3 -sE", "-sE"),
        ("#!/usr/bin/env -S python3 -I", "-I"),
        ("#!/usr/bin/env -S A=1 python3 -I", "-I"),
        ("#!/usr/bin/env python3", None),
        ("#!/bin/sh -E", None),
        ("", None),
    ],
)
def test_first_lines_by_which_a_python_ignores_the_environment(
    tmp_path: Path, line: str, option: str | None
) -> None:
    script = tmp_path / "script"
    script.write_text(f"{line}\n")
    script.chmod(0o755)
    assert isolating_option([str(script), "-I"]) == option


def test_what_is_not_installed(bare: str, tmp_path: Path) -> None:
    def refused(**env: str) -> str:
        return complaint(run(bare, "-m", "greenpg", "run", "--gevent", "--", "true", env=env))

    assert 'gevent is not installed: pip install "greenpg[gevent]"' in refused()
    (tmp_path / "gevent.py").touch()
    said = refused(PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert 'no driver is installed: pip install "greenpg[psycopg2]" or "greenpg[psycopg]"' in said


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("exit 0", 0),
        ("exit 3", 3),
        ("kill -KILL $$", -signal.SIGKILL),
        ("kill -PIPE $$", -signal.SIGPIPE),  # the launcher, being a Python, ignores this one
    ],
)
def test_the_end_is_the_programs_own(end: str, status: int) -> None:
    ran = launch("gevent", "sh", "-c", end)
    assert (ran.returncode, ran.stdout, ran.stderr) == (status, "", "")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 5), (signal.SIGINT, 7)])
def test_signals_reach_the_program(runtime: str, number: int, status: int) -> None:
    # The handlers end the program themselves: they may run in the hub, where no green function may
    # write, and where an exception can get lost.
    code = """
import os, signal, time
signal.signal(signal.SIGTERM, lambda *_: os._exit(5))
signal.signal(signal.SIGINT, lambda *_: os._exit(7))
print("ready", flush=True)
while True:
    time.sleep(0.1)  # a signal just before the hub begins to poll is seen when the poll ends
"""
    command = (*LAUNCHER, f"--{runtime}", "--", sys.executable, "-c", code)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment()
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            process.send_signal(number)
            assert process.wait(20) == status
        finally:
            process.kill()


def test_standard_streams_are_the_programs_own() -> None:
    command = (*LAUNCHER, "--gevent", "--", sys.executable, "-c", "import sys; print(sys.stdin.read() * 2)")
    ran = subprocess.run(
        command, input="twice", capture_output=True, text=True, env=environment(), timeout=60
    )
    assert (ran.stdout, ran.stderr) == ("twicetwice\n", "")


def test_green_before_the_first_import_and_in_children(runtime: str) -> None:
    code = SHOW + f"import subprocess; subprocess.run([sys.executable, '-c', {SHOW!r}], check=True)"
    ran = python(runtime, code, "-W", "error", GREENPG_AUTO="0")
    assert (ran.stdout, ran.stderr, ran.returncode) == (GREEN[runtime] * 2, "", 0)


def test_a_child_that_is_to_stay_as_it_is() -> None:
    child = (
        f"import os, sys; os.environ['GREENPG_RUN'] = ''; os.execl(sys.executable, 'python', '-c', {SHOW!r})"
    )
    assert python("gevent", child).stdout == GREEN[""]


def test_children_that_multiprocessing_spawns(runtime: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(f"""
import multiprocessing

def show():
    exec({SHOW!r}, {{}})

if __name__ == "__main__":
    child = multiprocessing.get_context("spawn").Process(target=show)
    child.start()
    child.join()
    exit(child.exitcode)
""")
    ran = launch(runtime, sys.executable, str(program))
    assert (ran.stdout, ran.stderr, ran.returncode) == (GREEN[runtime], "", 0)


def test_a_program_that_patches_itself_as_well(runtime: str) -> None:
    patch = {
        "gevent": "import gevent.monkey; gevent.monkey.patch_all()",
        "eventlet": "import eventlet; eventlet.monkey_patch()",
    }
    ran = python(runtime, patch[runtime] + SHOW, "-W", "error")
    assert (ran.stdout, ran.stderr) == (GREEN[runtime], "")


def test_a_launcher_in_a_launcher() -> None:
    code = SHOW + "import os; print(os.environ['PYTHONPATH'].count('bootstrap'))"
    inner = (*LAUNCHER, "--gevent", "--", sys.executable, "-c", code)
    assert launch("eventlet", *inner).stdout == GREEN["gevent"] + "1\n"


@pytest.mark.parametrize("given", [":{}", "{}:", "{}::{}"])
def test_an_empty_entry_of_the_path_is_the_current_folder(given: str) -> None:
    path = given.replace("{}", str(ROOT))
    seen = "import os; print(os.environ['PYTHONPATH'].partition(os.pathsep)[2])"
    assert launch("gevent", sys.executable, "-c", seen, PYTHONPATH=path).stdout == f"{path}\n"


def test_the_users_own_sitecustomize_comes_next(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(f"import os\nif 'GREENPG_RUN' in os.environ: exec({SHOW!r})")
    path = os.pathsep.join(map(str, (tmp_path, ROOT)))
    ran = python("gevent", "import sitecustomize as it; print(it.__file__)", PYTHONPATH=path)
    assert ran.stdout == GREEN["gevent"] + f"{tmp_path / 'sitecustomize.py'}\n"


def test_the_users_own_sitecustomize_fails_as_ever(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import no_such_module")
    path = os.pathsep.join(map(str, (tmp_path, ROOT)))
    plain = run(sys.executable, "-c", "print(42)", env={"PYTHONPATH": path})
    ran = python("gevent", "print(42)", PYTHONPATH=path)
    assert "no_such_module" in plain.stderr
    assert (ran.stdout, ran.stderr) == (plain.stdout, plain.stderr * 2), "the launcher has one, too"


def test_another_python_as_the_command_is_an_error(bare: str) -> None:
    said = complaint(launch("gevent", bare, "-c", "print(42)"))
    assert re.fullmatch(r"greenpg run: error: \S*/bare\d/bin/python is not green: No module named '.*'", said)


def test_another_python_as_a_child_goes_on_as_it_is(bare: str) -> None:
    ran = launch("gevent", "sh", "-c", f"{bare} -c 'print(42)'; exit 3")
    assert (ran.stdout, ran.returncode) == ("42\n", 3)
    assert re.fullmatch(r"greenpg run: warning: \S* is not green: No module named '.*'\n", ran.stderr)
