"""Notices: who is told, of what, and when."""

from __future__ import annotations

import gc
import logging
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.driver.bed import Db

RAISE = "do $$ begin raise notice 'hear %', {} using hint = 'a hint'; end $$"


@pytest.mark.beyond
async def test_a_handler_is_told(db: Db, conn: Any) -> None:
    heard: list[Any] = []
    conn.add_notice_handler(heard.append)
    await conn.execute(RAISE.format(1))
    [notice] = heard
    assert (notice.severity, notice.message_primary, notice.message_hint) == ("NOTICE", "hear 1", "a hint")
    assert notice.sqlstate == "00000"
    conn.remove_notice_handler(heard.append)
    await conn.execute(RAISE.format(2))
    assert len(heard) == 1


@pytest.mark.beyond
async def test_it_stays_valid_as_long_as_it_is_held(db: Db) -> None:
    conn = await db.connect()
    heard: list[Any] = []
    conn.add_notice_handler(heard.append)
    await conn.execute(RAISE.format(1))
    await conn.close()
    del conn
    gc.collect()
    assert heard[0].message_primary == "hear 1"


async def test_all_are_told_in_order(db: Db, conn: Any) -> None:
    heard: list[Any] = []
    conn.add_notice_handler(lambda notice: heard.append(("first", notice.message_primary)))
    conn.add_notice_handler(lambda notice: heard.append(("second", notice.message_primary)))
    await conn.execute(RAISE.format(1) + ";" + RAISE.format(2))
    assert heard == [("first", "hear 1"), ("second", "hear 1"), ("first", "hear 2"), ("second", "hear 2")]


async def test_what_a_handler_raises_is_logged(db: Db, conn: Any, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: object) -> None:
        raise ValueError("not mine")

    heard: list[Any] = []
    conn.add_notice_handler(fail)
    conn.add_notice_handler(heard.append)
    with caplog.at_level(logging.WARNING):
        await conn.execute(RAISE.format(1))
    assert "not mine" in caplog.text
    assert len(heard) == 1


@pytest.mark.beyond
async def test_a_handler_is_told_after_an_error_too(db: Db, conn: Any) -> None:
    heard: list[Any] = []
    conn.add_notice_handler(heard.append)
    with pytest.raises(db.errors.DivisionByZero):
        await conn.execute(RAISE.format(1) + "; select 1 / 0")
    assert [notice.message_primary for notice in heard] == ["hear 1"]


@pytest.mark.beyond
@pytest.mark.runtimes("select", "gevent", "eventlet")
async def test_a_handler_may_use_the_connection(db: Db, conn: Any) -> None:
    answers: list[Any] = []
    conn.add_notice_handler(lambda _: answers.append(conn._real.execute("select 42").fetchone()))
    await conn.execute(RAISE.format(1))
    assert answers == [(42,)]


@pytest.mark.beyond
async def test_log_listeners_get_the_connection_too(db: Db, conn: Any) -> None:
    heard: list[Any] = []

    def listen(connection: Any, notice: Any) -> None:
        heard.append((connection.info.backend_pid, notice.message_primary))

    conn.add_log_listener(listen)
    await conn.execute(RAISE.format(1))
    conn.remove_log_listener(listen)
    await conn.execute(RAISE.format(2))
    assert heard == [(conn.info.backend_pid, "hear 1")]


@pytest.mark.beyond
@pytest.mark.parametrize("what", ["notice_handler", "notify_handler", "log_listener", "termination_listener"])
async def test_handlers_are_plain_callables(db: Db, conn: Any, what: str) -> None:
    async def coroutine(*_: object) -> None: ...

    for bad in (coroutine, "no callable"):
        with pytest.raises(TypeError, match="plain callable"):
            getattr(conn, f"add_{what}")(bad)
    with pytest.raises(ValueError, match="not in list"):
        getattr(conn, f"remove_{what}")(coroutine)
