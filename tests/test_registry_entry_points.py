"""Wait callbacks of other people's packages, by entry point, as an installer leaves them."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MODULE = '''
    """A wait callback that somebody else has written."""

    import asyncio
    import select

    from greenpg.abc import Ready


    def wait(fd, need, timeout, /):
        poll = select.poll()
        poll.register(fd, {1: 1, 2: 4, 3: 5}[need])
        events = poll.poll(None if timeout is None else min(timeout, 1e6) * 1000)
        if not events:
            return Ready.NONE
        event = events[0][1]
        trouble = need if event & (select.POLLERR | select.POLLHUP | select.POLLNVAL) else 0
        return Ready((bool(event & 1) | bool(event & 4) << 1 | trouble) & need)


    def psycopg2_style(conn):
        """Does not fit."""


    async def async_wait(fd, need, timeout, /):
        return wait(fd, need, timeout)
'''

METADATA = """\
Metadata-Version: 2.1
Name: tidepool
Version: 1.0
"""

ENTRY_POINTS = """\
[greenpg.waiters]
tidepool = tidepool:wait
select = tidepool:wait
old-style = tidepool:psycopg2_style
lost = tidepool:no_such_name
gone = no_such_module:wait

[greenpg.waiters.async]
tidepool = tidepool:async_wait
"""


@pytest.fixture
def with_package(tmp_path: Path, run_python: Callable[..., Any]) -> Callable[[str], str]:
    """Run a snippet where the package `tidepool` is installed, and return what it prints."""
    info = tmp_path / "tidepool-1.0.dist-info"
    info.mkdir()
    (tmp_path / "tidepool.py").write_text(dedent(MODULE))
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text(ENTRY_POINTS)

    def run(code: str, **env: str) -> str:
        ran = run_python(code, env={"GREENPG_WAITER": "", "PYTHONPATH": str(tmp_path), **env})
        return str(ran.stdout)

    return run


def test_a_package_adds_a_wait_callback(with_package: Callable[..., str]) -> None:
    printed = with_package("""
        import sys
        from greenpg import testing, waiters
        print(waiters.names())
        assert "tidepool" not in sys.modules
        waiters.set_wait_callback("tidepool")
        wait = waiters.get_wait_callback()
        print(wait.__module__)
        testing.check_wait_callback(wait, testing.NativeThreads())
    """)
    assert printed.splitlines() == [
        "['select', 'gevent', 'eventlet', 'uwsgi', 'gone', 'lost', 'old-style', 'tidepool']",
        "tidepool",
    ]


def test_the_environment_may_name_it(with_package: Callable[..., str]) -> None:
    code = "from greenpg import waiters; print(waiters.get_wait_callback().__module__)"
    assert with_package(code, GREENPG_WAITER="tidepool") == "tidepool\n"


def test_it_cannot_replace_one_of_ours(with_package: Callable[..., str]) -> None:
    code = """
        from greenpg import waiters
        waiters.set_wait_callback("select")
        print(waiters.get_wait_callback().__module__)
    """
    assert with_package(code) == "greenpg.waiters.select\n"


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("old-style", "TypeError", "takes (fd, need, timeout)"),
        ("lost", "ImportError", "(tidepool:no_such_name) cannot be loaded"),
        ("gone", "ImportError", "(no_such_module:wait) cannot be loaded"),
    ],
)
def test_one_that_is_broken_is_named(
    name: str, error: str, says: str, with_package: Callable[..., str]
) -> None:
    printed = with_package(f"""
        from greenpg import waiters
        try:
            waiters.set_wait_callback({name!r})
        except Exception as ex:
            print(type(ex).__name__, ex)
    """)
    assert printed.startswith(error)
    assert says in printed


def test_a_package_adds_an_event_loop(with_package: Callable[..., str]) -> None:
    printed = with_package("""
        import sniffio
        from greenpg import waiters
        sniffio.thread_local.name = "tidepool"  # as its loop does while it runs
        print(waiters.current_async().__module__)
        sniffio.thread_local.name = "curio"
        try:
            waiters.current_async()
        except LookupError as ex:
            print(ex)
    """)
    loaded, unknown = printed.splitlines()
    assert loaded == "tidepool"
    assert unknown.startswith("no wait callback is called 'curio'; known are asyncio, trio, tidepool;")
