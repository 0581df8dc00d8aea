"""psycopg 3 is patched in any order, put back exactly, and left to itself where it is not known."""

from __future__ import annotations

import pytest

from tests.test_activation import run, runtime

__all__ = ["runtime"]

pytestmark = pytest.mark.subprocess

LINE = "INFO psycopg waits through {} now: queries, connects, COPY, pipelines and notifications"

PROLOGUE = f"""
line = {LINE!r}.format(runtime)

def is_green_3():
    import psycopg
    from greenpg.compat.psycopg import _waiting, is_patched
    from greenpg.waiters import get_wait_callback
    return (
        is_patched()
        and vars(psycopg.Connection)["wait"] is _waiting.wait
        and psycopg.waiting.wait_conn is _waiting.wait_conn
        and get_wait_callback().__module__ == f"greenpg.waiters.{{runtime}}"
    )
"""


def run_3(code: str, runtime: str = "gevent", auto: str = "0") -> None:
    """Run code after both prologues; its asserts are the test."""
    body = "\n".join(each.removeprefix(" " * 8) for each in code.splitlines())
    run(PROLOGUE + body, runtime, auto=auto)


@pytest.mark.parametrize(
    "steps",
    [
        "monkey_patch(); green.patch(); import psycopg",
        "monkey_patch(); import psycopg; green.patch()",
        "green.patch(); monkey_patch(); import psycopg",
        "import psycopg; monkey_patch(); green.patch()",
        "import psycopg; green.patch(); monkey_patch()",
    ],
)
def test_any_order(steps: str, runtime: str) -> None:
    run_3(
        f"""
        {steps}
        assert is_green_3()
        said = [each for each in logged if each.startswith(("INFO psycopg ", "WARNING"))]
        said = [each for each in said if "before 17" not in each]
        assert said == [line], logged
        """,
        runtime,
    )


def test_unpatch_puts_everything_back(runtime: str) -> None:
    run_3(
        """
        import psycopg, psycopg.waiting, psycopg._conninfo_attempts, psycopg.crdb
        import greenpg.compat.psycopg
        plain = state()
        green.patch()
        assert is_green_3()
        assert state() != plain
        green.patch()
        green.unpatch()
        assert state() == plain
        green.unpatch()
        assert state() == plain
        green.patch()
        assert is_green_3()
        """,
        runtime,
    )


def test_reload_of_the_driver() -> None:
    run_3(
        """
        import importlib, psycopg
        plain = vars(psycopg.Connection).copy()
        green.patch()
        importlib.reload(psycopg)
        assert is_green_3()
        green.unpatch()
        assert vars(psycopg.Connection) == plain
        """
    )


def test_limits() -> None:
    run_3(
        """
        import psycopg, psycopg2
        green.patch(recovery_timeout=1, cancel_timeout=2)
        from greenpg.compat.psycopg._session import limits
        from greenpg.compat.psycopg2._session import limits as others
        assert (limits.recovery, limits.cancel) == (1, 2)
        green.patch()
        assert (limits.recovery, limits.cancel) == (2, 10)
        assert limits is not others
        """
    )


@pytest.mark.parametrize("version", ["3.1.20", "3.0"])
def test_too_old(version: str) -> None:
    run_3(
        f"""
        import psycopg
        psycopg.__version__ = {version!r}
        plain = state()
        said = error(green.patch)
        assert said == (
            f"ImportError: psycopg ({{psycopg.__file__}}) cannot be made green:"
            " psycopg {version} is older than 3.2, which is not supported: upgrade it"
        ), said
        assert state() == plain
        """
    )


def test_too_old_breaks_no_process_that_follows() -> None:
    run_3(
        """
        import psycopg
        psycopg.__version__ = "3.1.20"
        monkey_patch()
        (warning,) = logged
        assert warning.startswith("WARNING greenpg does not follow the monkey-patching: psycopg (")
        assert "older than 3.2" in warning
        """,
        auto="1",
    )


CHANGES = {
    "version": ('psycopg.__version__ = "3.4.0.dev1"', "3.2 and 3.3 are"),
    "name": (
        "import psycopg._preparing; del psycopg._preparing.PrepareManager.clear",
        "it has no psycopg._preparing.PrepareManager.clear",
    ),
    "module": (
        'sys.modules["psycopg._pipeline"] = None',
        "it has no psycopg._pipeline.Pipeline._exit",
    ),
    "libpq": (
        'psycopg.pq.PGconn = type("PGconn", (), {}); psycopg.pq.__impl__ = "c"',
        "it does not lend its libpq: ",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_one_that_is_not_known(change: str) -> None:
    statement, reason = CHANGES[change]
    run_3(
        f"""
        import psycopg
        plain = vars(psycopg.Connection).copy()
        {statement}
        green.patch()
        assert green.is_patched()
        from greenpg.compat.psycopg import _loops
        assert psycopg.waiting.wait is _loops.wait
        assert psycopg.waiting.wait_conn is _loops.wait_conn
        assert vars(psycopg.Connection) == plain
        (warning,) = [each for each in logged if each.startswith("WARNING")]
        assert warning.startswith(f"WARNING psycopg {{psycopg.__version__}} is not one that greenpg knows (")
        assert {reason!r} in warning, warning
        green.unpatch()
        assert psycopg.waiting.wait is not _loops.wait
        """
    )
