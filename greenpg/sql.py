"""SQL put together from parts that may not be parameters: names of tables, keywords, lists of columns.

Names are those of psycopg 3's `sql`. What is put together here becomes text before it is sent; where a value
can be a parameter, let it be one. Template strings (Python 3.14) say the same with formats: `{name:i}` is an
`Identifier`, `{value:l}` a `Literal`, `{part:q}` another template or a composition; everything else is a
parameter, `{value}`, `{value:s}`, `{value:b}` or `{value:t}`.

See PEP 750, "Template Strings": https://peps.python.org/pep-0750/
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import count
from string import Formatter
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeGuard, runtime_checkable

from greenpg.adapt import PyFormat, Transformer, encode
from greenpg.errors import DataError, ProgrammingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from typing_extensions import LiteralString

    from greenpg.adapt import AdaptContext

Format = PyFormat
"""How a parameter is to be sent: `AUTO`, `TEXT` or `BINARY`; for `Placeholder`."""


class Interpolation(Protocol):
    """What stands between the braces of a template string: `string.templatelib.Interpolation`."""

    @property
    def value(self) -> Any: ...

    @property
    def expression(self) -> str: ...

    @property
    def conversion(self) -> str | None: ...

    @property
    def format_spec(self) -> str: ...


@runtime_checkable
class Template(Protocol):
    """A template string: `string.templatelib.Template`, which Python has since 3.14."""

    @property
    def strings(self) -> tuple[str, ...]: ...

    @property
    def interpolations(self) -> tuple[Interpolation, ...]: ...


class Parameter(NamedTuple):
    """A value in a template string that is for the server to bind."""

    value: Any
    format: PyFormat


class Composable(ABC):
    """A part of a statement: it can be added to others, repeated, compared and made text."""

    __module__ = "greenpg.sql"

    def __init__(self, obj: Any):
        self._obj = obj

    @abstractmethod
    def as_bytes(self, context: AdaptContext | None = None) -> bytes:
        """Return the part as it is sent.

        :param context: the connection or cursor whose adaptation and encoding are used; UTF-8 without
        :raises DataError: there is a NUL in it, or what the client encoding does not have
        """

    def as_string(self, context: AdaptContext | None = None) -> str:
        """Return the part as text, for people to read; the rest as `as_bytes()`."""
        return self.as_bytes(context).decode(Transformer.from_context(context).encoding)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._obj!r})"

    def __add__(self, other: Composable) -> Composed:
        if not isinstance(other, Composable):
            return NotImplemented
        return Composed([*_parts(self), *_parts(other)])

    def __mul__(self, times: int) -> Composed:
        return Composed([*_parts(self)] * times)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._obj == other._obj

    def __hash__(self) -> int:
        return hash((type(self), self._obj))


class Composed(Composable):
    """Parts one after the other; what is no part becomes a `Literal`, a template string its text."""

    __module__ = "greenpg.sql"

    _obj: tuple[Composable, ...]

    def __init__(self, seq: Iterable[Any]):
        super().__init__(tuple([_as_part(obj) for obj in seq]))

    def __repr__(self) -> str:
        return f"Composed({list(self._obj)!r})"

    def as_bytes(self, context: AdaptContext | None = None) -> bytes:
        tx = Transformer.from_context(context)
        return b"".join([part.as_bytes(tx) for part in self._obj])

    def __iter__(self) -> Iterator[Composable]:
        return iter(self._obj)

    def join(self, joiner: SQL | LiteralString) -> Composed:
        """Return the parts with `joiner` between each two.

        :raises TypeError: the joiner is neither `SQL` nor a str
        """
        if isinstance(joiner, str):
            joiner = SQL(joiner)
        elif not isinstance(joiner, SQL):
            raise TypeError(f"join() takes SQL or a str, not {type(joiner).__name__}")
        return Composed(_joined(joiner, self._obj))


class SQL(Composable):
    """A piece of SQL as it is. Never make one of what came from outside: nothing in it is escaped.

    A template string may be given too: its parameters become literals when it is composed with other parts,
    and stay parameters in another template string.
    """

    __module__ = "greenpg.sql"

    _obj: str | Template

    def __init__(self, obj: LiteralString | Template):
        if not (isinstance(obj, str) or is_template(obj)):
            raise TypeError(f"SQL must be a str or a template string, not {type(obj).__name__}")
        super().__init__(obj)

    def as_bytes(self, context: AdaptContext | None = None) -> bytes:
        tx = Transformer.from_context(context)
        if isinstance(self._obj, str):
            return encoded(self._obj, tx)
        return b"".join(
            Literal(part.value).as_bytes(tx) if isinstance(part, Parameter) else part.as_bytes(tx)
            for part in template_parts(self._obj)
        )

    def format(self, *args: Any, **kwargs: Any) -> Composed:
        """Return the SQL with `{}`, `{0}` and `{name}` filled in, as `str.format()` does; `{{` is a brace.

        :param args: parts; what is no `Composable` becomes a `Literal`
        :raises ValueError: as `str.format()`; formats and conversions are refused
        :raises IndexError: there are fewer `args`
        :raises KeyError: there is no such name in `kwargs`
        """
        pieces = list(Formatter().parse(self._text("format()")))
        fields = {field for _, field, _, _ in pieces if field is not None}
        if "" in fields and any(field.isdecimal() for field in fields):
            raise ValueError("SQL.format() cannot mix {} and {0}")
        numbers = count()
        parts: list[Any] = []
        for text, field, spec, conversion in pieces:
            if text:
                parts.append(SQL(text))
            if spec or conversion:
                raise ValueError(f"SQL.format() takes no formats or conversions: {{{field}}}")
            if field is not None:
                key = field or str(next(numbers))
                parts.append(args[int(key)] if key.isdecimal() else kwargs[key])
        return Composed(parts)

    def join(self, seq: Iterable[Any]) -> Any:
        """Return the parts of `seq` with this SQL between each two, as `Composed`.

        Of template strings it makes one template string, whose parameters stay parameters.

        :raises TypeError: there are template strings among other parts
        """
        parts = list(seq)
        templates = [part for part in parts if is_template(part)]
        if not templates:
            return Composed(_joined(self, [_as_part(part) for part in parts]))
        if len(templates) < len(parts):
            raise TypeError("SQL.join() cannot mix template strings and other parts")
        text = self._text("join()")
        pieces = [piece for template in templates for piece in (text, *_pieces(template))]
        return type(templates[0])(*pieces[1:])

    def _text(self, what: str) -> str:
        if not isinstance(self._obj, str):
            raise TypeError(f"{what} of a template string: give SQL a plain str")
        return self._obj


class Identifier(Composable):
    """The name of something, in double quotes: `Identifier("schema", "table")` is `"schema"."table"`."""

    __module__ = "greenpg.sql"

    _obj: tuple[str, ...]

    def __init__(self, *strings: str):
        if not strings:
            raise TypeError("an Identifier needs a name")
        for string in strings:
            if not isinstance(string, str):
                raise TypeError(f"the parts of an Identifier must be str, not {type(string).__name__}")
        super().__init__(strings)

    def __repr__(self) -> str:
        return f"Identifier({', '.join(map(repr, self._obj))})"

    def as_bytes(self, context: AdaptContext | None = None) -> bytes:
        quoted = ".".join('"' + string.replace('"', '""') + '"' for string in self._obj)
        return encoded(quoted, Transformer.from_context(context))


class Literal(Composable):
    """A value, escaped and between quotes as its type needs it."""

    __module__ = "greenpg.sql"

    def as_bytes(self, context: AdaptContext | None = None) -> bytes:
        return Transformer.from_context(context).as_literal(self._obj)


class Placeholder(Composable):
    """The place of a parameter: `%s`, or `%(name)s`; to be executed with parameters.

    :param format: how the parameter is sent, a `Format` or its letter
    """

    __module__ = "greenpg.sql"

    def __init__(self, name: str = "", format: str | PyFormat = PyFormat.AUTO):
        if not isinstance(name, str):
            raise TypeError(f"the name of a Placeholder must be a str, not {type(name).__name__}")
        if ")" in name:
            raise ValueError(f"the name of a Placeholder cannot have a ')' in it: {name!r}")
        super().__init__(name)
        self._format = PyFormat(format)

    def __repr__(self) -> str:
        form = "" if self._format == PyFormat.AUTO else f"format={self._format.name}"
        return f"Placeholder({', '.join(filter(None, (self._obj and repr(self._obj), form)))})"

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other) and self._format == getattr(other, "_format", None)

    __hash__ = Composable.__hash__

    def as_bytes(self, context: AdaptContext | None = None) -> bytes:
        name = f"({self._obj})" if self._obj else ""
        return encoded(f"%{name}{self._format.value}", Transformer.from_context(context))


NULL = SQL("NULL")
DEFAULT = SQL("DEFAULT")


def as_bytes(obj: Any, context: AdaptContext | None = None) -> bytes:
    """Return a composition, a template string or a value as it stands in a statement."""
    return _as_part(obj).as_bytes(context)


def as_string(obj: Any, context: AdaptContext | None = None) -> str:
    """Return a composition, a template string or a value as text, as it stands in a statement."""
    return _as_part(obj).as_string(context)


def quote(obj: Any, context: AdaptContext | None = None) -> str:
    """Return a value as an SQL literal, without the type that a `Literal` may add (`'2020-01-01'`)."""
    tx = Transformer.from_context(context)
    return "NULL" if obj is None else bytes(tx.get_dumper(obj, PyFormat.TEXT).quote(obj)).decode(tx.encoding)


_NO_TEMPLATES = str, bytes, Composable


def encoded(text: str, tx: Transformer) -> bytes:
    """Return SQL in the client encoding.

    :raises DataError: there is a NUL in it, or what the client encoding does not have
    """
    # ASCII is ASCII also where Python lacks the codec: the encoding can be set to another one
    return encoded_in(text, "ascii" if text.isascii() else tx.encoding)


def encoded_in(text: str, codec: str) -> bytes:
    """Return SQL in an encoding by Python's name of it, as `encoded()`."""
    if "\0" in text:
        raise DataError(f"SQL cannot have a NUL in it: at character {text.index(chr(0)) + 1}")
    try:
        return encode(text, codec)
    except UnicodeEncodeError as error:
        at = error.start
    raise DataError(f"the client encoding {codec} has no {text[at]!a}: at character {at + 1} of the SQL")


def is_template(obj: object) -> TypeGuard[Template]:
    """Return whether `obj` is a template string."""
    return not isinstance(obj, _NO_TEMPLATES) and isinstance(obj, Template)


def template_parts(template: Template) -> Iterator[Composable | Parameter]:
    """Yield what a template string is made of, those in it included, in order.

    :raises ProgrammingError: a format that is not known, a conversion, or a value not made for its format
    """
    for piece in _pieces(template):
        if isinstance(piece, str):
            if piece:
                yield SQL(piece)
            continue
        part = _interpolated(piece)
        if isinstance(part, SQL) and not isinstance(part._obj, str):
            yield from template_parts(part._obj)
        else:
            yield part


# The format that each kind of part has to be written with.
_FORMATS: tuple[tuple[type, str], ...] = ((Identifier, "i"), (Literal, "l"), (SQL, "q"), (Composed, "q"))


def _interpolated(piece: Interpolation) -> Composable | Parameter:
    """Return what a value in a template string stands for."""
    value, spec = piece.value, piece.format_spec
    written = f"{{{piece.expression}{'!' if piece.conversion else ''}{piece.conversion or ''}"
    written += f":{spec}}}" if spec else "}"
    if piece.conversion:
        raise ProgrammingError(f"a template string for SQL takes no conversions: {written}")
    if spec not in ("", "s", "b", "t", "i", "l", "q"):
        raise ProgrammingError(f"a template string for SQL has no format {spec!r}: {written}")
    if is_template(value):
        value = SQL(value)
    if isinstance(value, Composable):
        needed = next((letter for kind, letter in _FORMATS if isinstance(value, kind)), None)
        if needed is None:
            raise ProgrammingError(f"a template string cannot have a {type(value).__name__} in it: {written}")
        if needed != spec:
            raise ProgrammingError(f"write {{{piece.expression}:{needed}}} instead of {written}")
        return value
    if spec == "l":
        return Literal(value)
    if spec == "i" and isinstance(value, str):
        return Identifier(value)
    if spec in ("i", "q"):
        wanted = "a str or an Identifier" if spec == "i" else "SQL, Composed or a template string"
        raise ProgrammingError(f"{written} must be {wanted}, not {type(value).__name__}")
    return Parameter(value, PyFormat(spec or "s"))


def _pieces(template: Template) -> Iterator[str | Interpolation]:
    """Yield the strings and the values of a template string in turn."""
    strings = iter(template.strings)
    yield next(strings)
    for interpolation, string in zip(template.interpolations, strings, strict=True):
        yield interpolation
        yield string


def _as_part(obj: Any) -> Composable:
    if isinstance(obj, Composable):
        return obj
    return SQL(obj) if is_template(obj) else Literal(obj)


def _parts(part: Composable) -> Iterable[Composable]:
    return part if isinstance(part, Composed) else (part,)


def _joined(joiner: SQL, parts: Iterable[Composable]) -> list[Composable]:
    return [piece for part in parts for piece in (joiner, part)][1:]
