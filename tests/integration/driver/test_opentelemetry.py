"""The spans that OpenTelemetry gets, in a blocking and in an async runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from greenpg.contrib.opentelemetry import OpenTelemetryTracer, without_values

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from tests.integration.driver.bed import Db

pytestmark = [pytest.mark.beyond, pytest.mark.runtimes("gevent", "asyncio")]


class Spans:
    """What was exported, and what makes it."""

    def __init__(self, **options: Any) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.mine = provider.get_tracer("tests")
        self.tracer = OpenTelemetryTracer(provider, **options)

    def take(self) -> list[ReadableSpan]:
        """Return the spans that have ended since the last time, in the order of their ends."""
        spans = list(self._exporter.get_finished_spans())
        self._exporter.clear()
        return spans


async def test_a_connect(db: Db, port: str) -> None:
    spans = Spans()
    conn = await db.connect(tracer=spans.tracer)
    [span] = spans.take()
    assert span.name == f"CONNECT {conn.info.dbname}"
    assert span.kind == SpanKind.CLIENT
    assert span.status.status_code == StatusCode.UNSET
    attributes = dict(span.attributes or {})
    assert attributes.pop("greenpg.seconds_waited") > 0  # type: ignore[operator]
    assert attributes == {
        "db.system.name": "postgresql",
        "db.operation.name": "CONNECT",
        "db.namespace": conn.info.dbname,
        "server.address": conn.info.host,
        "server.port": int(port),
    }


async def test_a_statement_and_its_parts(db: Db) -> None:
    spans = Spans()
    conn = await db.connect(tracer=spans.tracer)
    spans.take()
    with spans.mine.start_as_current_span("request"):
        await conn.execute("-- a comment\nselect %s::text, 'not told'", ("not told",), prepare=True)
    begin, prepare, select, request = spans.take()
    assert [span.name.split()[0] for span in (begin, prepare, select)] == ["BEGIN", "PREPARE", "SELECT"]
    assert select.parent is not None
    assert select.parent == request.context
    assert begin.parent == prepare.parent == select.context
    attributes = dict(select.attributes or {})
    assert attributes["db.query.text"] == "-- a comment\nselect %s::text, ?"
    assert attributes["db.operation.name"] == "SELECT"
    assert attributes["greenpg.rows"] == 1
    assert "not told" not in select.to_json() + prepare.to_json()
    assert select.start_time is not None
    assert begin.start_time is not None
    assert select.start_time <= begin.start_time


async def test_tasks_have_spans_of_their_own(db: Db) -> None:
    spans = Spans()
    ready = db.event()

    async def request(name: str) -> None:
        conn = await db.connect(tracer=spans.tracer, autocommit=True)
        with spans.mine.start_as_current_span(name):
            await conn.execute(f"select pg_sleep(0.05) as {name}")
        ready.set()

    for task in [db.spawn(request, "first"), db.spawn(request, "second")]:
        await task.get()
    by_id = {span.context.span_id: span for span in spans.take() if span.context}
    for span in by_id.values():
        if "SELECT" in span.name and span.parent:
            text = str((span.attributes or {})["db.query.text"])
            assert text.endswith(by_id[span.parent.span_id].name)
    assert len([span for span in by_id.values() if "SELECT" in span.name]) == 2


async def test_errors(db: Db) -> None:
    spans = Spans()
    conn = await db.connect(tracer=spans.tracer, autocommit=True)
    spans.take()
    with pytest.raises(db.errors.DivisionByZero):
        await conn.execute("select 1/0")
    with pytest.raises(db.errors.StatementTimeout):
        await conn.execute("select pg_sleep(30)", timeout=0.01)
    assert await db.value(conn) == 42  # until then the server may be asked once more to cancel
    await db.interrupt(conn, conn.execute, "select pg_sleep(30)")
    told = spans.take()
    refused, late, _, interrupted = (span for span in told if span.name.startswith("SELECT"))
    assert refused.status.status_code == StatusCode.ERROR
    assert refused.status.description == "division by zero"
    attributes = refused.attributes or {}
    assert attributes["db.response.status_code"] == attributes["error.type"] == "22012"
    for cancelled in (late, interrupted):
        assert told[told.index(cancelled) - 1].name == f"CANCEL {conn.info.dbname}"
    assert (late.attributes or {})["error.type"] == "greenpg.errors.StatementTimeout"
    kind = db.runtime.Killed
    assert (interrupted.attributes or {})["error.type"] == f"{kind.__module__}.{kind.__qualname__}"


async def test_a_connect_that_fails(db: Db) -> None:
    spans = Spans()
    with pytest.raises(db.errors.OperationalError):
        await db.call(db.kind("Connection").connect, "host=127.0.0.1 port=1 dbname=no", tracer=spans.tracer)
    [span] = spans.take()
    attributes = span.attributes or {}
    assert (attributes["server.address"], attributes["server.port"]) == ("127.0.0.1", 1)
    assert attributes["db.namespace"] == "no"
    assert span.status.status_code == StatusCode.ERROR


async def test_values_if_they_are_wanted(db: Db) -> None:
    spans = Spans(with_values=True)
    conn = await db.connect(tracer=spans.tracer, autocommit=True)
    await conn.execute("select 'told'")
    assert (spans.take()[-1].attributes or {})["db.query.text"] == "select 'told'"


async def test_the_global_provider_is_the_default(db: Db) -> None:
    conn = await db.connect(tracer=OpenTelemetryTracer())
    assert await db.value(conn) == 42
    assert trace.get_current_span().is_recording() is False


@pytest.mark.runtimes("asyncio")
@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("select 'it''s', 12, 1.5e-3, .5, -1", "select ?, ?, ?, ?, -?"),
        ("select $1, %s, %(a1)s, $12::int4", "select $1, %s, %(a1)s, $12::int4"),
        ('select "na\'1 me", t2.c3, x1_2 from t', 'select "na\'1 me", t2.c3, x1_2 from t'),
        (r"select E'a\'b', 'c\', 'd'", "select ?, ?, ?"),
        ("select $$it's 1$$, $tag$ $$ 2 $tag$", "select ?, ?"),
        ("select 1 /* it's 2 */ -- it's 3\n, 4", "select ? /* it's 2 */ -- it's 3\n, ?"),
        ("select b'101', X'ff', 2_000, a[1]", "select ?, ?, ?, a[?]"),
        ("values (1,'x'),(2,\n'y')", "values (?,?),(?,\n?)"),
    ],
)
def test_values_are_taken_out(runtime: object, statement: str, told: str) -> None:
    assert without_values(statement) == told
