"""What an installed greenpg does by itself when gevent monkey-patches a process, and what it leaves alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.test_activation import TWO, driver, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.subprocess


@pytest.mark.gevent
def test_following() -> None:
    run(
        """
        monkey_patch()
        assert green.is_patched()
        import psycopg2
        assert is_green(runtime)
        monkey_patch()
        green.patch()
        assert logged == [line]
        """,
        auto="1",
    )


@pytest.mark.gevent
def test_following_is_turned_off() -> None:
    run(
        """
        import psycopg2
        monkey_patch()
        assert not green.is_patched()
        assert psycopg2.extensions.get_wait_callback() is None
        """,
        auto="0",
    )


@pytest.mark.gevent
@pytest.mark.eventlet
@pytest.mark.parametrize("before", ["", "import eventlet; eventlet.monkey_patch()"], ids=["", "patched"])
def test_following_leaves_another_runtime_in_force(before: str) -> None:
    run(
        f"""
        {before}
        import greenpg.eventlet
        greenpg.eventlet.patch()
        monkey_patch()
        assert logged.count({TWO!r}) == 1
        import psycopg2
        assert greenpg.eventlet.is_patched()
        assert is_green("eventlet")
        """,
        auto="1",
    )


@pytest.mark.gevent
@pytest.mark.eventlet
def test_following_into_a_process_of_another_runtime_is_said() -> None:
    run(
        f"""
        import eventlet
        eventlet.monkey_patch()
        monkey_patch()
        assert green.is_patched()
        assert logged[0] == {TWO!r}
        """,
        auto="1",
    )


@pytest.mark.gevent
def test_following_without_a_driver() -> None:
    run(
        """
        sys.modules["psycopg2"] = sys.modules["psycopg"] = None
        monkey_patch()
        del sys.modules["psycopg2"], sys.modules["psycopg"]
        Forbid("psycopg2", "psycopg")
        monkey_patch()
        assert not green.is_patched()
        assert logged == []
        """,
        auto="1",
    )


@pytest.mark.gevent
@pytest.mark.parametrize("first", ["import psycopg2; monkey_patch()", "monkey_patch(); import psycopg2"])
def test_following_breaks_nobody_who_has_another_driver(first: str, tmp_path: Path) -> None:
    run(
        f"""
        {first}
        assert psycopg2.answer == 42
        (warning,) = logged
        assert warning.startswith(
            "WARNING greenpg does not follow the monkey-patching:"
            f" psycopg2 ({{psycopg2.__file__}}) cannot be made green: "
        )
        """,
        path=driver(tmp_path, "answer = 42"),
        auto="1",
    )


@pytest.mark.gevent
def test_following_breaks_nobody_who_has_a_strange_finder() -> None:
    run(
        """
        class Strange:
            def find_spec(self, name, path=None, target=None):
                if name == "psycopg2":
                    raise LookupError("ask somebody else")
        sys.meta_path.insert(0, Strange())
        monkey_patch()
        assert not green.is_patched()
        assert logged == ["WARNING greenpg does not follow the monkey-patching: ask somebody else"]
        """,
        auto="1",
    )


@pytest.mark.gevent
def test_following_adds_nothing_to_a_driver_that_cannot_be_imported(tmp_path: Path) -> None:
    run(
        """
        monkey_patch()
        assert error(lambda: import_module("psycopg2")) == "OSError: libpq.so.5 is missing"
        assert logged == []
        """,
        path=driver(tmp_path, "raise OSError('libpq.so.5 is missing')"),
        auto="1",
    )
