"""The guide's examples of the driver run in every runtime of their colour.

An example that names a runtime, or another driver, runs as it stands, in a fresh interpreter: in `test_docs`.
All others are about any runtime: those that define `async def main()` run in asyncio, uvloop and trio, the
others in plain threads, gevent and eventlet.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.driver.runtimes import RUNTIMES
from tests.integration.test_docs import IN_EVERY_RUNTIME, given

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.test_docs import Block

MARKS = {name: getattr(pytest.mark, name) for name in ("gevent", "eventlet", "trio")}


def is_async(block: Block) -> bool:
    """Whether an example is for an event loop."""
    return "async def main()" in block.text


def runs() -> Iterator[object]:
    """Pair each example with its runtimes."""
    for block in IN_EVERY_RUNTIME:
        for name, kind in RUNTIMES.items():
            if kind.is_async == is_async(block):
                yield pytest.param(block, name, marks=MARKS.get(name, ()), id=f"{block}-{name}")


@pytest.mark.parametrize(("block", "runtime"), list(runs()))
def test_example(block: Block, runtime: str, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    code = compile(given(dsn) + block.text, str(block), "exec")
    module: Any = ModuleType("example")
    monkeypatch.setitem(sys.modules, "example", module)  # where dataclasses look

    async def main() -> None:
        exec(code, vars(module))
        if is_async(block):
            await module.main()

    RUNTIMES[runtime]().run(main)


def test_both_colours_are_shown() -> None:
    assert {is_async(block) for block in IN_EVERY_RUNTIME} == {True, False}
