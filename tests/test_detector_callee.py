"""What the detector reads off a frame's bytecode."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from greenpg.detector._callee import Callee, callee, managers

if TYPE_CHECKING:
    from collections.abc import Iterator


class Spy:
    """Sees what its caller calls, as a call of a C function would be seen by others meanwhile."""

    def __init__(self) -> None:
        self.seen: Callee | None = None
        self.deeper = self

    def look(self, *_args: object, **_options: object) -> Spy:
        frame = sys._getframe(1)
        self.seen = callee(frame.f_code, frame.f_lasti)
        return self

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        self.look_from(2)
        raise StopIteration

    def look_from(self, depth: int) -> None:
        frame = sys._getframe(depth)
        self.seen = callee(frame.f_code, frame.f_lasti)

    def __enter__(self) -> Spy:
        return self

    def __exit__(self, *_args: object) -> None:
        self.look_from(2)


GLOBAL = "select 3"

CALLS = [
    ("spy.look()", Callee(("spy", "look"))),
    ("spy.look('select 1')", Callee(("spy", "look"), text="select 1")),
    ("spy.look('select 1', (1, 2))", Callee(("spy", "look"), text="select 1")),
    ("spy.look(sql)", Callee(("spy", "look"), argument=("sql",))),
    ("spy.look(sql, values)", Callee(("spy", "look"), argument=("sql",))),
    ("spy.look(spy.seen, values)", Callee(("spy", "look"), argument=("spy", "seen"))),
    ("spy.look(GLOBAL)", Callee(("spy", "look"), argument=("GLOBAL",))),
    ("spy.look(7)", Callee(("spy", "look"))),
    ("spy.look(sql, values or ())", Callee(("spy", "look"), argument=("sql",))),
    ("spy.look(sql, values if sql else None)", Callee(("spy", "look"), argument=("sql",))),
    (
        "spy.look(sql, (values if spy else 1) if sql else values if spy else 2, 3)",
        Callee(("spy", "look"), argument=("sql",)),
    ),
    ("spy.look(sql, str(len(values)))", Callee(("spy", "look"), argument=("sql",))),
    ("spy.look(sql, many=True)", Callee(("spy", "look"), argument=("sql",))),
    ("spy.look('select %s' % 1)", Callee(("spy", "look"), text="select %s")),
    ("spy.look(*values)", Callee(("spy", "look"), argument=("values",))),
    ("spy.look(*values, **{})", Callee(("spy", "look"), argument=("values",))),
    ("spy.deeper.look(sql)", Callee(("spy", "deeper", "look"), argument=("sql",))),
    ("Spy.look(spy, sql)", Callee(("Spy", "look"), argument=("spy",))),
    ("look(sql)", Callee(("look",), argument=("sql",))),
    ("str(len(repr(spy.look(sql))))", Callee(("spy", "look"), argument=("sql",))),
    ("(spy or spy).look(sql)", Callee(("", "look"), argument=("sql",))),
    ("make().look(sql)", Callee(("make", "()", "look"), argument=("sql",))),
    (
        "spy.look(1).look(2).deeper.look(sql)",
        Callee(("spy", "look", "()", "look", "()", "deeper", "look"), argument=("sql",)),
    ),
    ("(make() or spy).look(sql)", Callee(("", "look"), argument=("sql",))),
    ("(lambda: spy.look(sql))()", Callee(("spy", "look"), argument=("sql",))),
    ("[look][0](sql)", None),
]


@pytest.mark.parametrize(("expression", "expected"), CALLS)
def test_calls(expression: str, expected: Callee | None) -> None:
    spy, names = Spy(), {"Spy": Spy, "GLOBAL": GLOBAL}
    source = f"def run(spy, sql, values, look, make):\n    return {expression}"
    exec(source, names)
    run: Any = names["run"]
    run(spy, "select 2", (1,), spy.look, lambda: spy)
    assert spy.seen == expected


def test_variables_of_a_module() -> None:
    spy = Spy()
    exec("spy.look(sql)", {"spy": spy, "sql": "select 1"})
    assert spy.seen == Callee(("spy", "look"), argument=("sql",))


def test_iteration() -> None:
    spy = Spy()

    class Rows:
        def __iter__(self) -> Rows:
            return self

        def __next__(self) -> int:
            spy.look_from(2)
            raise StopIteration

    rows = Rows()
    for _ in rows:
        pass
    assert spy.seen == Callee(("rows", "__next__"))


class Rows:
    """Sees by whom it is asked for the next item."""

    def __init__(self) -> None:
        self.spy = Spy()
        self.deeper = self

    def __iter__(self) -> Rows:
        return self

    def __next__(self) -> int:
        self.spy.look_from(2)
        raise StopIteration


ITERATIONS = [
    ("next(rows, None)", ("rows", "__next__")),
    ("next(rows.deeper, rows)", ("rows", "deeper", "__next__")),
    ("list(rows)", ("rows", "__next__")),
    ("sorted(rows.deeper, key=str)", ("rows", "deeper", "__next__")),
    ("list(rows.deeper.__iter__())", None),  # of what it has returned, nothing is known
]
COMPREHENSIONS = [
    "[row for row in {}]",
    "{{row for row in {}}}",
    "{{row: 1 for row in {}}}",
    "sum(i for i in {})",
]


@pytest.mark.parametrize(("expression", "path"), ITERATIONS)
def test_functions_that_iterate(expression: str, path: tuple[str, ...] | None) -> None:
    rows = Rows()
    eval(f"lambda rows: {expression}")(rows)
    seen = rows.spy.seen
    assert seen is not None
    assert seen.path == path if path else seen.path[-1] != "__next__"


@pytest.mark.parametrize("expression", COMPREHENSIONS)
@pytest.mark.parametrize("rows_are", ["rows", "rows.deeper"])
def test_comprehensions(expression: str, rows_are: str) -> None:
    rows = Rows()
    eval("lambda rows: " + expression.format(rows_are))(rows)
    of_its_own = Callee((".0", "__next__"))  # it has a frame, and its iterator as a parameter
    assert rows.spy.seen in (Callee((*rows_are.split("."), "__next__")), of_its_own)


def test_context_managers() -> None:
    found = []

    class Manager:
        def __init__(self) -> None:
            self.inner = self

        def __enter__(self) -> None:
            pass

        def __exit__(self, *_args: object) -> None:
            frame = sys._getframe(1)
            found.append(managers(frame.f_code, frame.f_lasti))

    def run(manager: Manager) -> int:
        with manager.inner:
            found.append(())
        with manager, manager.inner.inner, Manager():
            return 1

    assert run(Manager()) == 1
    first, second = ("manager", "inner"), (("manager", "inner", "inner"), ("manager",), ("manager", "inner"))
    assert found == [(), (first,), second, second, second]


def test_the_end_of_a_with_statement() -> None:
    spy = Spy()
    with spy:
        str(spy)
    assert spy.seen == Callee(("", "__exit__"))


def test_what_is_no_call() -> None:
    spy = Spy()

    class Operand:
        def __add__(self, other: object) -> int:
            spy.look_from(2)
            return 0

    assert Operand() + 1 == 0
    assert spy.seen is None
