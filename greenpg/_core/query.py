"""A statement and its parameters as the server takes them: `%s` becomes `$1`, values become bytes.

Every error in them comes out here, before anything is sent. Placeholders are those of psycopg 3: `%s`, `%b`,
`%t` and `%(name)s`, with `%%` for a percent sign; without parameters a statement is sent as it is. They are
looked for everywhere, in quotes and comments too: with parameters, `'50%'` has to be written `'50%%'`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from greenpg.adapt import PyFormat
from greenpg.errors import DataError, ProgrammingError
from greenpg.pq.many import new_repeat
from greenpg.sql import Composable, Parameter, Template, encoded, encoded_in, is_template, template_parts

if TYPE_CHECKING:
    from greenpg._core.prepare import Statement
    from greenpg.adapt import Transformer
    from greenpg.pq import Buffer, Format
    from greenpg.pq.abc import PGconn
    from greenpg.pq.many import Repeat

Query = str | bytes | Composable | Template
"""What can be executed."""

Params = Sequence[Any] | Mapping[str, Any]
"""What is bound to its placeholders: by position, or by name."""

MOST_PARAMETERS = 65535  # the protocol counts them in 16 bits
_CACHED_LENGTH, _CACHED_PARAMETERS = 4096, 50
_SEQUENCES = tuple, list
_KINDS = *_SEQUENCES, dict

# A name in parentheses, if there is one, and the letter.
_PLACEHOLDER = re.compile(rb"%(?:\(([^)]+)\))?(.?)", re.DOTALL)


class Parsed(NamedTuple):
    """A statement, taken apart at its placeholders."""

    chunks: tuple[bytes, ...]
    """The text before, between and behind them, one more than there are placeholders."""

    order: tuple[int, ...]
    """The number of each placeholder's parameter, from 0."""

    formats: tuple[PyFormat, ...]
    """How each parameter is to be sent."""

    names: tuple[str, ...] | None
    """The name of each parameter; `None` if they are positional."""

    numbered: bytes
    """The text with `$1` and so on for the placeholders."""

    def filled(self, values: Sequence[bytes]) -> bytes:
        """Return the text with a value for each parameter."""
        return _filled(self.chunks, [values[number] for number in self.order])


def _whole(text: bytes, count: int = 0) -> Parsed:
    """Return a statement in which nothing is looked for, with a number of parameters."""
    return Parsed((text,), (), (PyFormat.AUTO,) * count, None, text)


_NOTHING = _whole(b"")


class PostgresQuery:
    """A statement whose parameters the server binds."""

    query = b""
    """What to send."""

    params: Sequence[Buffer | None] | None = None
    """The values, in order; `None` for a statement without parameters, which may be several."""

    types: tuple[int, ...] = ()
    """The OID of each value's type, 0 to let the server find out."""

    formats: Sequence[Format] | None = None
    """The format of each value."""

    statement: Statement
    """What its connection knows of it, once it was executed."""

    _parsed = _NOTHING
    text_of: str | None = None
    """The text that it was made of, if it is one."""
    is_bare = False
    """Whether it was given without parameters: it is sent as it is."""

    def __init__(self, transformer: Transformer):
        self._tx = transformer

    @property
    def want_formats(self) -> Sequence[PyFormat] | None:
        """How each parameter was asked to be sent."""
        return self._parsed.formats or None

    def convert(self, query: str | bytes | Composable | Template, params: Params | None = None) -> None:
        """Take a statement and its parameters.

        :raises ProgrammingError: no statement, or placeholders and parameters that do not go together
        :raises DataError: a NUL in the statement, or what the client encoding does not have; a value that
            its type cannot have
        """
        if is_template(query):
            if params is not None:
                raise ProgrammingError("a template string has its parameters in it: give none beside it")
            parsed, values = from_template(query, self._tx)
            self._take(parsed)
            if values:
                self._bind(values)
            return
        self.is_bare = params is None
        if params is None:
            self._take(_whole(self._text(query)))
        else:
            check_kind(params)
            self._take(self._parse(query, len(params)))
            self.dump(params)
        if type(query) is str:
            self.text_of = query

    def repeat(self, tx: Transformer, pgconn: PGconn) -> Repeat | None:
        """Return what sends such statements again; `None` if there is nothing that does."""
        parsed = self._parsed
        formats = None if self.is_bare else parsed.formats
        return new_repeat(pgconn, tx.adapters.encoders, formats, parsed.names)

    def is_same(self, query: Any, params: Any, transformer: Transformer) -> bool:
        """Return whether it was made of the same statement: then `dump()` does what `convert()` would do."""
        if query is not self.text_of or query is None or self.is_bare or transformer is not self._tx:
            return False
        if type(params) in _SEQUENCES:
            return len(params) == len(self._parsed.formats)
        return type(params) is dict and self._parsed.names is not None

    def dump(self, params: Params) -> None:
        """Take other parameters for the statement converted before.

        :raises ProgrammingError: they do not go with its placeholders
        :raises DataError: a value that its type cannot have
        """
        parsed = self._parsed
        if not (type(params) in _SEQUENCES and parsed.names is None and len(params) == len(parsed.formats)):
            params = in_order(params, parsed)
        self._bind(params)  # type: ignore[arg-type]  # a sequence

    def _text(self, query: Any) -> bytes:
        """Return the statement in the client encoding."""
        if isinstance(query, str):
            return encoded(query, self._tx)
        if isinstance(query, Composable):
            return query.as_bytes(self._tx)
        if not isinstance(query, bytes):
            raise ProgrammingError(
                f"a statement must be a str, bytes, sql.SQL or a template string, not {type(query).__name__}"
            )
        if b"\0" in query:
            raise DataError(f"SQL cannot have a NUL in it: at byte {query.index(0) + 1}")
        return query

    def _parse(self, query: Any, count: int) -> Parsed:
        """Find the placeholders of a statement that is given `count` parameters."""
        encoding = self._tx.encoding
        if type(query) is str and len(query) <= _CACHED_LENGTH and count <= _CACHED_PARAMETERS:
            return _parse_cached(query, encoding)
        return parse(self._text(query), encoding)

    def _take(self, parsed: Parsed) -> None:
        self._parsed = parsed
        self.query = parsed.numbered
        self.params, self.types, self.formats = None, (), None

    def _bind(self, values: Sequence[Any]) -> None:
        """Convert the values, which are in order."""
        if len(values) > MOST_PARAMETERS:
            raise ProgrammingError(
                f"a statement takes at most {MOST_PARAMETERS} parameters, not {len(values)}: "
                "pass a list for an array, or use COPY"
            )
        tx = self._tx
        self.params = tx.dump_sequence(values, self._parsed.formats)
        self.types, self.formats = tx.types or (), tx.formats


class RawQuery(PostgresQuery):
    """A statement in PostgreSQL's own style, with `$1`; nothing is looked for in it, `%` is an operator."""

    def _parse(self, query: Any, count: int) -> Parsed:
        return _whole(self._text(query), count)


class ClientQuery(PostgresQuery):
    """A statement with the values put in as literals: `query` has them, and `params` is always `None`."""

    def repeat(self, tx: Transformer, pgconn: PGconn) -> Repeat | None:
        """Return `None`: with other parameters it is another statement."""
        return None

    def _bind(self, values: Sequence[Any]) -> None:
        self.query = self._parsed.filled([self._tx.as_literal(value) for value in values])


def check_kind(params: object) -> None:
    """Refuse what is neither a sequence nor a mapping of parameters.

    :raises ProgrammingError: it is not
    """
    if isinstance(params, _KINDS):
        return
    if isinstance(params, str | bytes | bytearray) or not isinstance(params, Sequence | Mapping):
        raise ProgrammingError(
            f"parameters must be a sequence or a mapping, not {type(params).__name__}: (value,) for one"
        )


def in_order(params: Params, parsed: Parsed) -> Sequence[Any]:
    """Return parameters in the order of their numbers.

    :raises ProgrammingError: they do not go with the placeholders
    """
    check_kind(params)
    count = len(parsed.formats)
    if isinstance(params, Mapping):
        if parsed.names is not None:
            return _by_name(params, parsed.names)
        if count:
            raise ProgrammingError("positional placeholders need a sequence of parameters: (value,)")
        return ()
    if parsed.names is not None:
        raise ProgrammingError("named placeholders need a mapping of parameters: {'name': value}")
    if len(params) != count:
        raise ProgrammingError(
            f"the statement needs as many parameters as it has placeholders: {count}, not {len(params)}"
        )
    return params


def _by_name(params: Mapping[str, Any], names: Sequence[str]) -> list[Any]:
    try:
        return [params[name] for name in names]
    except KeyError:
        missing = ", ".join(repr(name) for name in names if name not in params)
        raise ProgrammingError(f"the statement has placeholders without a parameter: {missing}") from None


def parse(text: bytes, encoding: str) -> Parsed:
    """Take a statement apart at its placeholders.

    :param encoding: Python's name of what the text is in
    :raises ProgrammingError: a placeholder that is none, or both positional and named ones
    """
    chunks, order, formats = [b""], list[int](), list[PyFormat]()
    numbers: dict[str, int] = {}
    end = 0
    for match in _PLACEHOLDER.finditer(text):
        chunks[-1] += text[end : match.start()]
        end = match.end()
        if match[0] == b"%%":
            chunks[-1] += b"%"
            continue
        format = _format(match, encoding)
        number = len(formats)
        if match[1] is not None:
            number = numbers.setdefault(match[1].decode(encoding, "replace"), number)
        if number == len(formats):
            formats.append(format)
        elif formats[number] is not format:
            raise ProgrammingError(f"the placeholder {_shown(match[1], encoding)} has different formats")
        order.append(number)
        chunks.append(b"")
    chunks[-1] += text[end:]
    if numbers and len(numbers) != len(formats):
        raise ProgrammingError("positional and named placeholders cannot be mixed")
    return _parsed(chunks, order, formats, tuple(numbers) or None)


@lru_cache(512)
def _parse_cached(text: str, encoding: str) -> Parsed:
    return parse(encoded_in(text, encoding), encoding)


def _format(match: re.Match[bytes], encoding: str) -> PyFormat:
    """Return the format that a placeholder asks for."""
    if match[2] in (b"s", b"b", b"t"):
        return PyFormat(match[2].decode())
    placeholder = _shown(match[0], encoding)
    if match[2].isspace() or match[2] in (b"", b"("):
        raise ProgrammingError(f"incomplete placeholder {placeholder}: write '%%' for a percent sign")
    raise ProgrammingError(
        f"no placeholder {placeholder}: there are '%s', '%b' and '%t'; write '%%' for a percent sign"
    )


def from_template(template: Template, tx: Transformer) -> tuple[Parsed, list[Any]]:
    """Return a template string's statement, and its parameters in order.

    :raises ProgrammingError: as `sql.template_parts()`
    """
    chunks, formats, values = [b""], list[PyFormat](), list[Any]()
    for part in template_parts(template):
        if isinstance(part, Parameter):
            values.append(part.value)
            formats.append(part.format)
            chunks.append(b"")
        else:
            chunks[-1] += part.as_bytes(tx)
    return _parsed(chunks, range(len(values)), formats, None), values


def _parsed(
    chunks: Sequence[bytes], order: Sequence[int], formats: Sequence[PyFormat], names: tuple[str, ...] | None
) -> Parsed:
    numbered = _filled(chunks, [b"$%d" % (number + 1) for number in order])
    return Parsed(tuple(chunks), tuple(order), tuple(formats), names, numbered)


def _filled(chunks: Sequence[bytes], values: Sequence[bytes]) -> bytes:
    """Return chunks with a value between each two."""
    pieces = [chunks[0]]
    for value, chunk in zip(values, chunks[1:], strict=True):
        pieces += value, chunk
    return b"".join(pieces)


def _shown(placeholder: bytes, encoding: str) -> str:
    return repr(placeholder.decode(encoding, "replace"))
