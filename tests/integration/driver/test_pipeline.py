"""Pipelines: many statements on their way at once, and each error where it belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.driver.bed import Db


async def test_results_are_fetched_when_needed(db: Db) -> None:
    conn = await db.connect()
    async with conn.pipeline():
        first = await conn.execute("select 1")
        second = await conn.execute("select %s::text", ["two"])
        assert await second.fetchall() == [("two",)]
        assert await first.fetchone() == (1,)
        third = await conn.execute("select generate_series(1, 3)")
        assert [row async for row in third] == [(1,), (2,), (3,)]
        fourth = await conn.execute("select 4")
    assert await fourth.fetchall() == [(4,)]  # all have come by the end of the block


async def test_sync_has_everything_come(db: Db) -> None:
    conn = await db.connect()
    async with conn.pipeline() as pipeline:
        cursor = await conn.execute("select 1 as one")
        assert cursor.pgresult is None
        assert pipeline.status == pipeline.status.ON
        await pipeline.sync()
        assert cursor.rowcount == 1
        assert cursor.description[0].name == "one"
    assert pipeline.status == pipeline.status.OFF


async def test_a_cursor_has_what_it_executed_last(db: Db) -> None:
    conn = await db.connect()
    async with conn.pipeline():
        cursor = await conn.execute("select 1")
        await cursor.execute("select 2")
        assert await cursor.fetchall() == [(2,)]
        assert cursor.nextset() is None


async def test_an_error_comes_out_at_the_end(db: Db) -> None:
    conn = await db.connect()
    with pytest.raises(db.errors.UndefinedTable):
        async with conn.pipeline():
            await conn.execute("select 1")
            await conn.execute("select * from nothing_of_this_name")
            await conn.execute("select 3")
    await conn.rollback()
    assert await db.value(conn) == 42


@pytest.mark.beyond
async def test_an_error_is_told_by_the_cursor_it_belongs_to(db: Db) -> None:
    conn = await db.connect()
    async with conn.pipeline() as pipeline:
        good = await conn.execute("select 1")
        bad = await conn.execute("select 1 / 0")
        skipped = await conn.execute("select 3")
        assert await good.fetchall() == [(1,)]
        with pytest.raises(db.errors.DivisionByZero):
            await bad.fetchall()
        with pytest.raises(db.errors.PipelineAborted, match="not executed"):
            await skipped.fetchall()
        await pipeline.sync()  # all were told
        await conn.rollback()
        assert await db.value(conn) == 42


@pytest.mark.beyond
async def test_what_was_skipped_is_not_kept_silent(db: Db) -> None:
    conn = await db.connect()
    with pytest.raises(db.errors.PipelineAborted):
        async with conn.pipeline():
            bad = await conn.execute("select 1 / 0")
            with pytest.raises(db.errors.DivisionByZero):
                await bad.fetchall()
            await conn.execute("select 2")
    await conn.rollback()


async def test_the_body_s_own_error_passes(db: Db, caplog: pytest.LogCaptureFixture) -> None:
    conn = await db.connect()
    with pytest.raises(ZeroDivisionError):
        async with conn.pipeline():
            await conn.execute("select * from nothing_of_this_name")
            raise ZeroDivisionError
    assert "nothing_of_this_name" in caplog.text
    await conn.rollback()
    assert await db.value(conn) == 42


async def test_sync_ends_the_effect_of_an_error(db: Db) -> None:
    table = db.table("id int primary key")
    conn = await db.connect(autocommit=True)
    async with conn.pipeline() as pipeline:
        await conn.execute(f"insert into {table} values (1)")
        await pipeline.sync()
        await conn.execute(f"insert into {table} values (2)")
        await conn.execute(f"insert into {table} values (1)")
        with pytest.raises(db.errors.UniqueViolation):
            await pipeline.sync()
        await conn.execute(f"insert into {table} values (3)")
    assert db.sql(f"select id from {table} order by id") == [(1,), (3,)]


async def test_blocks_can_be_nested(db: Db) -> None:
    conn = await db.connect()
    async with conn.pipeline() as outer:
        first = await conn.execute("select 1")
        async with conn.pipeline() as inner:
            assert inner is outer
            assert first.pgresult is not None  # the inner one's beginning is a synchronisation point
            second = await conn.execute("select 2")
        assert second.pgresult is not None
        assert outer.status == outer.status.ON
    assert outer.status == outer.status.OFF


async def test_transactions_are_ended_in_it(db: Db) -> None:
    table = db.table()
    conn = await db.connect()
    async with conn.pipeline():
        await conn.execute(f"insert into {table} values (1)")
        await conn.commit()
        await conn.execute(f"insert into {table} values (2)")
        await conn.rollback()
        await conn.execute(f"insert into {table} values (3)")
        await conn.commit()
    assert db.sql(f"select id from {table} order by id") == [(1,), (3,)]


@pytest.mark.beyond
async def test_rollback_needs_no_sync_before_it(db: Db) -> None:
    conn = await db.connect()
    async with conn.pipeline():
        await conn.execute("select 1 / 0")
        await conn.rollback()
        assert await db.value(conn) == 42


async def test_transaction_blocks_in_it(db: Db) -> None:
    table = db.table()
    conn = await db.connect(autocommit=True)
    async with conn.pipeline():
        async with conn.transaction():
            await conn.execute(f"insert into {table} values (1)")
            with pytest.raises(ZeroDivisionError):
                async with conn.transaction():
                    await conn.execute(f"insert into {table} values (2)")
                    raise ZeroDivisionError
        with pytest.raises(db.errors.UndefinedTable):
            async with conn.transaction():
                await conn.execute(f"insert into {table} values (3)")
                await conn.execute("select * from nothing_of_this_name")
        async with conn.transaction():
            await conn.execute(f"insert into {table} values (4)")
    assert db.sql(f"select id from {table} order by id") == [(1,), (4,)]


async def test_it_may_be_in_a_transaction_block(db: Db) -> None:
    table = db.table()
    conn = await db.connect(autocommit=True)
    async with conn.transaction(), conn.pipeline():
        await conn.execute(f"insert into {table} values (1)")
    assert db.sql(f"select id from {table}") == [(1,)]


async def test_prepares_in_it(db: Db) -> None:
    conn = await db.connect(prepare_threshold=2)
    async with conn.pipeline():
        cursors = [await conn.execute("select %s::int4", [number]) for number in range(10)]
        assert [await cursor.fetchone() for cursor in cursors] == [(number,) for number in range(10)]
    assert (
        await db.value(conn, "select count(*) from pg_prepared_statements where statement ~ '\\$1::int4'")
        == 1
    )


async def test_a_preparation_that_failed_is_forgotten(db: Db) -> None:
    conn = await db.connect(autocommit=True)
    table = db.name()
    with pytest.raises(db.errors.UndefinedTable):
        async with conn.pipeline():
            await conn.execute(f"select * from {table}", prepare=True)
    await conn.execute(f"create temp table {table} (id int)")
    assert await db.fetch(conn, f"select * from {table}") == []


@pytest.mark.beyond
async def test_unknown_types_are_learnt_in_it(db: Db) -> None:
    conn = await db.connect()
    name = db.name()
    await conn.execute(f"create type {name} as (a int, b text)")
    async with conn.pipeline():
        cursor = await conn.execute(f"select row(1, 'x')::{name}")
        other = await conn.execute("select 2")
        [[value]] = await cursor.fetchall()
        assert (value.a, value.b) == (1, "x")
        assert await other.fetchone() == (2,)


async def test_executemany_in_it(db: Db) -> None:
    conn = await db.connect()
    async with conn.pipeline() as pipeline:
        cursor = conn.cursor()
        await conn.execute("create temp table numbers (id int)")
        await cursor.executemany("insert into numbers values (%s)", [(1,), (2,), (3,)])
        await pipeline.sync()
        assert cursor.rowcount == 3
        await cursor.executemany("insert into numbers values (%s) returning id", [(4,), (5,)], returning=True)
        assert [await result.fetchall() async for result in cursor.results()] == [[(4,)], [(5,)]]
    assert await db.value(conn, "select count(*) from numbers") == 5


async def test_two_sides_that_write_do_not_wait_for_each_other(db: Db) -> None:
    conn = await db.connect()
    text = "x" * 200_000
    async with conn.pipeline():
        cursors = [await conn.execute("select %s::text, repeat('y', 200000)", [text]) for _ in range(50)]
    assert [await cursor.fetchone() for cursor in cursors] == [(text, "y" * 200_000)] * 50


@pytest.mark.beyond
async def test_what_cannot_be_in_it_is_refused(db: Db) -> None:
    conn = await db.connect()
    async with conn.pipeline():
        with pytest.raises(db.errors.NotSupportedError):
            async with conn.cursor().copy("copy (select 1) to stdout"):
                pass
        assert await db.value(conn) == 42
        with pytest.raises(db.errors.ProgrammingError):
            await anext(conn.cursor().stream("select 1"))
        with pytest.raises(db.errors.NotSupportedError):
            await conn.cursor("named").execute("select 1")


@pytest.mark.beyond
@pytest.mark.parametrize("statement", ["copy (select 1) to stdout", " COPY copied (a)\nfrom stdin"])
async def test_a_copy_by_execute_is_refused(db: Db, statement: str) -> None:
    conn = await db.connect()
    await conn.execute("create temp table copied (a int)")
    await conn.commit()
    async with conn.pipeline() as pipeline:
        before = await conn.execute("select 1")
        for execute in (conn.execute, lambda query: conn.cursor().executemany(query, [()])):
            with pytest.raises(db.errors.NotSupportedError, match="COPY"):
                await execute(statement)
        assert await before.fetchone() == (1,)
        await pipeline.sync()
    with pytest.raises(db.errors.NotSupportedError, match="COPY"):
        await conn.cursor().executemany(statement, [()])
    await conn.rollback()
    assert await db.value(conn) == 42


@pytest.mark.beyond
async def test_a_copy_out_that_is_not_seen_gives_it_up(db: Db) -> None:
    conn = await db.connect()
    async with conn.pipeline() as pipeline:
        with pytest.raises(db.errors.NotSupportedError, match="COPY"):
            await db.fetch(conn, "/* */ copy (select 1) to stdout")
        with pytest.raises(db.errors.InterfaceError, match="over"):
            await pipeline.sync()
    await conn.rollback()
    assert await db.value(conn) == 42


@pytest.mark.beyond
async def test_a_pipeline_that_is_over_says_so(db: Db) -> None:
    conn = await db.connect()
    async with conn.pipeline() as pipeline:
        pass
    with pytest.raises(db.errors.InterfaceError, match="the pipeline is over"):
        await pipeline.sync()


@pytest.mark.beyond
async def test_an_interruption_gives_it_up_and_keeps_the_connection(db: Db) -> None:
    conn = await db.connect()
    cursors: list[Any] = []

    async def wait() -> None:
        async with conn.pipeline():
            cursors.append(await conn.execute("select 1"))
            cursors.append(await conn.execute("select pg_sleep(30)"))
            cursors.append(await conn.execute("select 3"))
            await cursors[1].fetchall()

    is_active = db.asks_active(conn)
    # the server may be at the first statement while the others are still being sent
    task = await db.interrupt_when(lambda: len(cursors) == 3 and is_active(), wait)
    assert isinstance(task.error, db.runtime.Killed)
    await conn.rollback()
    assert await db.value(conn) == 42
    with pytest.raises(db.errors.PipelineAborted, match="interrupted"):
        await cursors[2].fetchone()


@pytest.mark.beyond
async def test_an_interruption_of_its_body_waits_for_nothing(db: Db) -> None:
    conn = await db.connect()
    with pytest.raises(db.Timeout), db.timeout(0.2):
        async with conn.pipeline():
            await conn.execute("select pg_sleep(30)")
            await db.event().wait()
    await conn.rollback()
    assert await db.value(conn) == 42


@pytest.mark.beyond
async def test_timeout_gives_it_up_and_keeps_the_connection(db: Db) -> None:
    conn = await db.connect()
    async with conn.pipeline() as pipeline:
        await conn.execute("select pg_sleep(30)")
        with pytest.raises(db.errors.StatementTimeout):
            await pipeline.sync(timeout=0.1)
        await conn.rollback()
        assert await db.value(conn) == 42  # outside of the pipeline, which is over
        assert pipeline.status == pipeline.status.OFF


async def test_an_index_that_is_none_does_not_end_it(db: Db) -> None:
    conn = await db.connect(autocommit=True)
    async with conn.pipeline() as pipeline:
        cur = await conn.execute("select 1")
        with pytest.raises(IndexError):
            await cur.set_result(1)
        later = await conn.execute("select 2")
        await pipeline.sync()
        assert await later.fetchone() == (2,)
