"""What calls of the public face return, and which of them are refused; not run but type-checked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import Any

from typing_extensions import assert_type

from greenpg import (
    AsyncConnection,
    AsyncCopy,
    AsyncLargeObject,
    AsyncPipeline,
    AsyncTransaction,
    Connection,
    Copy,
    Cursor,
    LargeObject,
    Notify,
    Pipeline,
    Rollback,
    Transaction,
    sql,
)
from greenpg.tracing import Call, MultiTracer, Tracer


def blocks(conn: Connection, cursor: Cursor) -> None:
    with conn.transaction() as transaction, conn.pipeline() as pipeline:
        assert_type(transaction, Transaction)
        assert_type(pipeline, Pipeline)
        raise Rollback(transaction)


def copies(cursor: Cursor) -> None:
    with cursor.copy("copy t to stdout") as copy:
        assert_type(copy, Copy)
        assert_type(copy.read(), bytes)
        for block in copy:
            assert_type(block, bytes)
        for row in copy.rows():
            assert_type(row, tuple[Any, ...])
        copy.write(42)  # type: ignore[arg-type]


def the_rest(conn: Connection) -> None:
    assert_type(conn.notifies(), Generator[Notify, None, None])
    assert_type(conn.lobject(), LargeObject)
    assert_type(conn.wait_closed(1.0), bool)
    assert_type(conn.closed, bool)
    assert_type(conn.fileno(), int)
    assert_type(conn.info.backend_pid, int)
    assert_type(conn.tracer, Tracer | None)
    conn.execute(sql.SQL("select {}").format(42))
    conn.execute(b"select 1", timeout=1)
    conn.execute("select 1", timeout="1")  # type: ignore[arg-type]


async def in_async(conn: AsyncConnection) -> None:
    async with conn.transaction() as transaction, conn.pipeline() as pipeline:
        assert_type(transaction, AsyncTransaction)
        assert_type(pipeline, AsyncPipeline)
    async with conn.cursor().copy("copy t to stdout") as copy:
        assert_type(copy, AsyncCopy)
        assert_type(await copy.read(), bytes)
        async for block in copy:
            assert_type(block, bytes)
        async for row in copy.rows():
            assert_type(row, tuple[Any, ...])
    assert_type(conn.notifies(), AsyncGenerator[Notify, None])
    assert_type(await conn.lobject(), AsyncLargeObject)
    assert_type(await conn.wait_closed(), bool)
    with conn.transaction():  # type: ignore[attr-defined]
        pass


class Counting(Tracer):
    """A tracer."""

    def execute_end(self, call: Call) -> None:
        """Take what there is to know."""
        assert_type(call.seconds, float | None)
        assert_type(call.rows, int | None)
        assert_type(call.error, BaseException | None)


def tracers(conn: Connection) -> None:
    conn.tracer = MultiTracer(Counting(), Counting())
    conn.tracer = print  # type: ignore[assignment]
