"""The blocking driver with the face of its async twin, so that one test is about both.

Which names are to be awaited is read off the twin class. Nothing here waits by itself: what a test awaits has
blocked, in the real object, by the time that it is awaited.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType, TracebackType

    from typing_extensions import Self


class Facade:
    """A blocking object that is used as its async twin is."""

    def __init__(self, real: Any, twin: type | None, wrap: Callable[[Any], Any]) -> None:
        fields = {"_real": real, "_twin": twin, "_wrap": wrap}
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._real, name)
        if not inspect.ismethod(value):
            return self._wrap(value)
        if inspect.iscoroutinefunction(inspect.getattr_static(self._twin, name, None)):
            return self._awaitable(value)
        return lambda *args, **kwargs: self._wrap(value(*bare(args), **kwargs))

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._real, name, value)

    def __repr__(self) -> str:
        return repr(self._real)

    def _awaitable(self, method: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            return self._wrap(method(*bare(args), **kwargs))

        return call

    async def __aenter__(self) -> Any:
        return self._wrap(self._real.__enter__())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any:
        return self._real.__exit__(kind, error, trace)

    def __aiter__(self) -> Each:
        return Each(iter(self._real), self._wrap)


class Each:
    """An iterator, as an async one."""

    def __init__(self, real: Iterator[Any], wrap: Callable[[Any], Any]) -> None:
        self._real = real
        self._wrap = wrap

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        try:
            return self._wrap(next(self._real))
        except StopIteration:
            raise StopAsyncIteration from None

    async def aclose(self) -> None:
        """End a generator."""
        self._real.close()  # type: ignore[attr-defined]


class Facades:
    """Wraps the blocking objects of a driver, always the same object in the same facade.

    :param modules: where the classes are: each `X` that stands beside an `AsyncX` is wrapped
    """

    def __init__(self, *modules: ModuleType) -> None:
        self._twins: dict[type, type] = {}
        self._known: WeakValueDictionary[int, Facade] = WeakValueDictionary()
        for module in modules:
            for name, value in vars(module).items():
                twin = getattr(module, f"Async{name}", None)
                if isinstance(value, type) and isinstance(twin, type):
                    self._twins[value] = twin

    def wrap(self, value: Any) -> Any:
        """Return a facade of what belongs to the driver and waits; anything else as it is."""
        kind = next((kind for kind in type(value).__mro__ if kind in self._twins), None)
        if kind is not None:
            return self._facade(value, self._twins[kind])
        if hasattr(type(value), "__enter__") and not isinstance(
            value, memoryview
        ):  # conn.transaction(), cursor.copy()
            return self._facade(value, None)
        if isinstance(value, Iterator):
            return Each(value, self.wrap)
        return value

    def _facade(self, value: Any, twin: type | None) -> Facade:
        facade = self._known.get(id(value))  # which keeps `value`, so the id is not another's
        if facade is None:
            facade = self._known[id(value)] = Facade(value, twin, self.wrap)
        return facade


def bare(value: Any) -> Any:
    """Return what is in a facade, or in a sequence of arguments."""
    if isinstance(value, Facade):
        return value._real
    return tuple(map(bare, value)) if type(value) is tuple else value
