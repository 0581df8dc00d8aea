"""Spans of what connections do, for OpenTelemetry (`pip install greenpg[opentelemetry]`).

    from greenpg import tracing
    from greenpg.contrib.opentelemetry import OpenTelemetryTracer

    tracing.set_tracer(OpenTelemetryTracer())

Each connect, statement, preparation, COPY and request to cancel is a span, a part of the one that is current
where it is called; `greenpg.seconds_waited` says how much of it was spent waiting. The statement is told
without the values in it: what looks like one becomes `?`.

See "Semantic conventions for PostgreSQL client operations",
https://opentelemetry.io/docs/specs/semconv/db/postgresql/
"""

from __future__ import annotations

import re
from importlib.metadata import version
from time import monotonic, time_ns
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from greenpg.errors import Error
from greenpg.tracing import Call, Tracer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.trace import Span, TracerProvider
    from opentelemetry.util.types import AttributeValue

_WORDS = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/|\()*(\w+)", re.DOTALL)

# What is kept as it is: names in quotes, comments and placeholders; and what is a value: strings and numbers.
_VALUES = re.compile(
    r"""(?P<kept>"(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/ | \$\d+ | [^\W\d][\w$]*(?!['\w$]))
    | \b[eE]'(?:[^'\\]|\\.|'')*' | (?:\b[bBxXnN]|\b[uU]&)?'(?:[^']|'')*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    | (?<![\w$])(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?\b""",
    re.DOTALL | re.VERBOSE,
)


class OpenTelemetryTracer(Tracer):
    """Makes spans.

    :param tracer_provider: by default, the global one
    :param with_values: whether values that are written in a statement are told; parameters never are
    """

    def __init__(self, tracer_provider: TracerProvider | None = None, *, with_values: bool = False) -> None:
        self._tracer = trace.get_tracer("greenpg", version("greenpg"), tracer_provider)
        self._with_values = with_values

    def start(self, call: Call) -> None:
        """Begin a span, but for a wait."""
        if call.kind == "wait":
            return
        operation = _operation(call)
        attributes = _server(call)
        attributes["db.system.name"] = "postgresql"
        attributes["db.operation.name"] = operation
        if (text := call.statement) is not None:
            attributes["db.query.text"] = text if self._with_values else without_values(text)
        above = self._span(call.parent)
        call.state[self] = self._tracer.start_span(
            _name(operation, attributes),
            None if above is None else trace.set_span_in_context(above),
            SpanKind.CLIENT,
            attributes,
            start_time=time_ns() - int((monotonic() - call.started) * 1e9),
        )

    def end(self, call: Call) -> None:
        """End its span."""
        span = self._span(call)
        if span is None:
            return
        span.set_attribute("greenpg.seconds_waited", call.seconds_waited)
        if call.rows is not None:
            span.set_attribute("greenpg.rows", call.rows)
        if call.kind == "connect":
            span.set_attributes(_server(call))  # which is known now, where several were asked for
        if call.error is not None:
            _fail(span, call.error)
        span.end()

    def _span(self, call: Call | None) -> Span | None:
        return None if call is None else call.state.get(self)


def without_values(statement: str) -> str:
    """Return a statement with `?` for each string and each number in it."""
    return _VALUES.sub(lambda match: match["kept"] or "?", statement)


def _operation(call: Call) -> str:
    """Return what is done in one word: of an `execute`, the first of its statement."""
    if call.kind == "execute":
        word = _WORDS.match(call.statement or "")
        return word[1].upper() if word else "EXECUTE"
    return call.kind.upper()


def _name(operation: str, attributes: dict[str, AttributeValue]) -> str:
    return " ".join([operation, *filter(None, [str(attributes.get("db.namespace", ""))])])


def _server(call: Call) -> dict[str, AttributeValue]:
    """Return where the server is and which database it is about, as far as that is known."""
    return dict(_of_server(call.connection, call.options))


def _of_server(connection: Any, options: Any) -> Iterator[tuple[str, AttributeValue]]:
    if connection is not None and not connection._is_closed:
        info = connection.info
        options = {"host": info.host, "port": str(info.port), "dbname": info.dbname}
    if options.get("dbname"):
        yield "db.namespace", options["dbname"]
    if options.get("host"):
        yield "server.address", options["host"]
    if options.get("port", "").isdecimal():
        yield "server.port", int(options["port"])


def _fail(span: Span, error: BaseException) -> None:
    sqlstate = error.sqlstate if isinstance(error, Error) else None
    if sqlstate is not None:
        span.set_attribute("db.response.status_code", sqlstate)
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    span.set_attribute("error.type", sqlstate or name)
    span.set_status(StatusCode.ERROR, str(error))
