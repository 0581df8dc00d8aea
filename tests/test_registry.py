"""The registry: which wait callback is in force, and what it says to bad input."""

from __future__ import annotations

import asyncio
import pickle
import threading
from typing import TYPE_CHECKING, Any

import gevent
import pytest

from greenpg import waiters
from greenpg.abc import Bindable, Ready, Wait
from greenpg.waiters import _registry, select

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def mine(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    return select.wait(fd, need, timeout)


def other(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    return select.wait(fd, need, timeout)


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("GREENPG_WAITER", raising=False)
    _registry._by_environment.cache_clear()
    previous = waiters.set_wait_callback(None)
    yield
    waiters.set_wait_callback(previous)
    _registry._by_environment.cache_clear()


def test_select_is_the_default() -> None:
    assert waiters.get_wait_callback() is select.wait


def test_what_is_installed_is_in_force_until_it_is_replaced() -> None:
    assert waiters.set_wait_callback(mine) is None
    assert waiters.get_wait_callback() is mine
    assert waiters.set_wait_callback("select") is mine
    assert waiters.get_wait_callback() is select.wait
    assert waiters.set_wait_callback(None) is select.wait


def test_a_callback_that_is_false_is_in_force_too() -> None:
    class Empty(list[int]):
        def __call__(self, fd: int, need: Wait, timeout: float | None, /) -> Ready:
            return Ready.NONE

    empty = Empty()
    waiters.set_wait_callback(empty)
    assert waiters.get_wait_callback() is empty
    with waiters.using(empty):
        assert waiters.get_wait_callback() is empty


def test_names_are_those_that_can_be_installed() -> None:
    assert waiters.names()[:3] == ["select", "gevent", "eventlet"]
    for name in waiters.names()[:3]:
        waiters.set_wait_callback(name)
        assert waiters.get_wait_callback() is _registry._load(name)


def test_the_environment_names_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENPG_WAITER", "gevent")
    assert waiters.get_wait_callback() is _registry._load("gevent")
    waiters.set_wait_callback(mine)
    assert waiters.get_wait_callback() is mine


def test_an_empty_environment_variable_names_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENPG_WAITER", "")
    assert waiters.get_wait_callback() is select.wait


def test_a_wrong_name_in_the_environment_is_said_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENPG_WAITER", "gevnt")
    with pytest.raises(LookupError, match=r"^\$GREENPG_WAITER: no wait callback is called 'gevnt'"):
        waiters.get_wait_callback()


def test_using_is_over_at_the_end() -> None:
    waiters.set_wait_callback(mine)
    with waiters.using("select") as inner:
        assert inner is waiters.get_wait_callback() is select.wait
        with waiters.using(other):
            assert waiters.get_wait_callback() is other
        assert waiters.get_wait_callback() is select.wait
    assert waiters.get_wait_callback() is mine


def test_using_is_over_after_an_exception() -> None:
    with pytest.raises(KeyboardInterrupt), waiters.using(mine):
        raise KeyboardInterrupt
    assert waiters.get_wait_callback() is select.wait


def test_using_does_not_reach_other_threads() -> None:
    seen: list[object] = []
    with waiters.using(mine):
        thread = threading.Thread(target=lambda: seen.append(waiters.get_wait_callback()))
        thread.start()
        thread.join()
    assert seen == [select.wait]


@pytest.mark.gevent
def test_using_does_not_reach_other_greenlets() -> None:
    seen: list[object] = []

    def uses() -> None:
        with waiters.using(mine):
            gevent.sleep(0)  # the other looks now
            seen.append(waiters.get_wait_callback())

    def looks() -> None:
        seen.append(waiters.get_wait_callback())

    with pytest.warns(RuntimeWarning, match="set_wait_callback"):  # of the one that has none
        gevent.joinall([gevent.spawn(uses), gevent.spawn(looks)], raise_error=True)
    assert seen == [select.wait, mine]


@pytest.mark.parametrize("name", ["gevnt", "", "os.path", "../select", "_registry", "asyncio.x"])
def test_an_unknown_name_is_told_the_known_ones(name: str) -> None:
    with pytest.raises(LookupError, match="known are select, gevent, eventlet"):
        waiters.set_wait_callback(name)
    with pytest.raises(LookupError, match="known are select, gevent, eventlet"), waiters.using(name):
        pass


@pytest.mark.parametrize("name", ["asyncio", "trio"])
def test_an_async_callback_cannot_be_installed(name: str) -> None:
    with pytest.raises(LookupError, match="follows the running loop"):
        waiters.set_wait_callback(name)


def test_an_async_function_cannot_be_installed() -> None:
    async def wait(fd: int, need: Wait, timeout: float | None, /) -> Ready:
        return Ready.NONE

    callback: Any = wait
    with pytest.raises(TypeError, match="is async"):
        waiters.set_wait_callback(callback)


def takes_a_connection(conn: object) -> None:
    """As psycopg2's wait callbacks do."""


def takes_keywords_too(fd: int, need: int, timeout: float, *, loop: object) -> None:
    """No wait would give it its `loop`."""


def test_a_callable_that_does_not_tell_is_taken_at_its_word() -> None:
    callback: Any = dict
    waiters.set_wait_callback(callback)
    assert waiters.get_wait_callback() is callback


@pytest.mark.parametrize("callback", [takes_a_connection, takes_keywords_too, lambda: None])
def test_a_callback_that_does_not_fit_is_told_what_fits(callback: Any) -> None:
    waiters.set_wait_callback(mine)
    with pytest.raises(TypeError, match=r"takes \(fd, need, timeout\)"):
        waiters.set_wait_callback(callback)
    assert waiters.get_wait_callback() is mine


@pytest.mark.parametrize("callback", [7, object(), select, b"select"])
def test_what_is_no_callback_is_refused(callback: Any) -> None:
    with pytest.raises(TypeError, match=r"callable or one of the names \['select', 'gevent'"):
        waiters.set_wait_callback(callback)


@pytest.mark.parametrize("name", ["gevent", "eventlet"])
def test_a_runtime_that_is_missing_is_named_with_its_cure(name: str, run_python: Callable[..., Any]) -> None:
    ran = run_python(
        """
        import sys
        from greenpg import waiters
        sys.modules[sys.argv[1]] = None  # as if it were not installed
        try:
            waiters.set_wait_callback(sys.argv[1])
        except ImportError as ex:
            print(ex)
        """,
        name,
    )
    assert ran.stdout.startswith(f"the wait callback '{name}' needs {name} (")
    assert f"pip install 'greenpg[{name}]'" in ran.stdout


PATCHED = """
    import sys
    from greenpg import waiters
    first = waiters.get_wait_callback()
    {patch}
    assert waiters.get_wait_callback() is not first
    print(first.__module__, waiters.get_wait_callback().__module__)
"""


@pytest.mark.parametrize(
    ("name", "patch"),
    [
        ("gevent", "import gevent.monkey; gevent.monkey.patch_all()"),
        ("gevent", "import gevent.monkey; gevent.monkey.patch_socket()"),
        ("gevent", "import gevent.monkey; gevent.monkey.patch_select()"),
        ("eventlet", "import eventlet; eventlet.monkey_patch()"),
        ("eventlet", "import eventlet; eventlet.monkey_patch(socket=True)"),
    ],
)
def test_monkey_patching_is_noticed_even_late(name: str, patch: str, run_python: Callable[..., Any]) -> None:
    ran = run_python(PATCHED.format(patch=patch), env={"GREENPG_WAITER": ""})
    assert ran.stdout == f"greenpg.waiters.select greenpg.waiters.{name}\n"


def test_a_library_that_is_imported_only_decides_nothing(run_python: Callable[..., Any]) -> None:
    ran = run_python(
        """
        import gevent.monkey, eventlet
        from greenpg import waiters
        print(waiters.get_wait_callback().__module__)
        """,
        env={"GREENPG_WAITER": ""},
    )
    assert ran.stdout == "greenpg.waiters.select\n"


@pytest.mark.parametrize(
    ("name", "run"), [("gevent", "gevent.spawn({}).get()"), ("eventlet", "eventlet.spawn({}).wait()")]
)
def test_a_green_thread_that_would_hold_the_others_is_warned(
    name: str, run: str, run_python: Callable[..., Any]
) -> None:
    ran = run_python(
        f"""
        import warnings
        warnings.simplefilter("ignore")
        import {name}
        from greenpg.waiters import get_wait_callback, using

        def wait():
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                with using({name!r}):
                    get_wait_callback()
                assert caught == []
                get_wait_callback()
                print(*[warning.message for warning in caught])

        {run.format("wait")}
        """
    )
    assert f"set_wait_callback('{name}')" in ran.stdout


def test_importing_loads_no_event_loop(run_python: Callable[..., Any]) -> None:
    run_python(
        """
        import sys
        import greenpg, greenpg.waiters, greenpg.testing
        greenpg.waiters.get_wait_callback()
        loaded = {"asyncio", "gevent", "eventlet", "trio", "greenlet"} & set(sys.modules)
        assert not loaded, loaded
        """,
        env={"GREENPG_WAITER": ""},
    )


def test_the_running_loop_has_its_own_callback() -> None:
    from greenpg.waiters.asyncio import wait

    async def current() -> object:
        return waiters.current_async()

    assert asyncio.run(current()) is wait
    uvloop = pytest.importorskip("uvloop")
    assert uvloop.run(current()) is wait


@pytest.mark.trio
def test_trio_has_its_own_callback_also_as_a_guest_of_asyncio() -> None:
    trio = pytest.importorskip("trio")
    from greenpg.waiters import asyncio as asyncio_waiter
    from greenpg.waiters import trio as trio_waiter

    async def current() -> object:
        return waiters.current_async()

    assert trio.run(current) is trio_waiter.wait

    async def host() -> None:
        loop = asyncio.get_running_loop()
        guest = loop.create_future()
        trio.lowlevel.start_guest_run(
            current,
            run_sync_soon_threadsafe=loop.call_soon_threadsafe,
            done_callback=guest.set_result,
        )
        assert waiters.current_async() is asyncio_waiter.wait
        assert (await guest).unwrap() is trio_waiter.wait

    asyncio.run(host())


def test_without_a_loop_there_is_no_async_callback() -> None:
    with pytest.raises(RuntimeError, match="no event loop is running here"):
        waiters.current_async()


@pytest.mark.gevent
def test_the_gevent_callback_is_bindable_and_a_good_object() -> None:
    from greenpg.waiters.gevent import wait

    assert isinstance(wait, Bindable)
    assert not isinstance(select.wait, Bindable)
    assert pickle.loads(pickle.dumps(wait)) is wait
    assert repr(wait) == "<greenpg.waiters.gevent.wait>"
