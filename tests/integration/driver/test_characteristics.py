"""What transactions are like: `isolation_level`, `read_only`, `deferrable`, `autocommit`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.driver.bed import Db

VALUES: list[tuple[str, Any, str, str]] = [
    ("isolation_level", 4, "transaction_isolation", "serializable"),
    ("isolation_level", 3, "transaction_isolation", "repeatable read"),
    ("isolation_level", 2, "transaction_isolation", "read committed"),
    ("isolation_level", 1, "transaction_isolation", "read uncommitted"),
    ("read_only", True, "transaction_read_only", "on"),
    ("read_only", False, "transaction_read_only", "off"),
    ("deferrable", True, "transaction_deferrable", "on"),
    ("deferrable", False, "transaction_deferrable", "off"),
]
NAMES = ["autocommit", "isolation_level", "read_only", "deferrable"]


@pytest.mark.parametrize(("name", "value", "setting", "shown"), VALUES)
async def test_it_is_what_transactions_are(
    db: Db, conn: Any, name: str, value: Any, setting: str, shown: str
) -> None:
    assert getattr(conn, name) is None
    default = "serializable" if name == "isolation_level" else "on"
    await conn.execute(f"set default_{setting} to {default}")
    await conn.commit()
    await getattr(conn, f"set_{name}")(value)
    assert getattr(conn, name) == value
    assert await db.value(conn, f"show {setting}") == shown
    await conn.rollback()
    async with conn.transaction():
        assert await db.value(conn, f"show {setting}") == shown
    await getattr(conn, f"set_{name}")(None)
    assert getattr(conn, name) is None
    assert await db.value(conn, f"show {setting}") == default


async def test_all_at_once(db: Db, conn: Any) -> None:
    await conn.set_isolation_level(db.driver.IsolationLevel.SERIALIZABLE)
    await conn.set_read_only(True)
    await conn.set_deferrable(True)
    names = "transaction_isolation", "transaction_read_only", "transaction_deferrable"
    shown = [await db.value(conn, f"show {name}") for name in names]
    assert shown == ["serializable", "on", "on"]


async def test_isolation_levels_have_names(db: Db, conn: Any) -> None:
    await conn.set_isolation_level(2)
    assert conn.isolation_level is db.driver.IsolationLevel.READ_COMMITTED
    with pytest.raises(ValueError, match="5"):
        await conn.set_isolation_level(5)


@pytest.mark.parametrize("name", NAMES)
async def test_not_in_a_transaction(db: Db, conn: Any, name: str) -> None:
    await conn.execute("select 1")
    with pytest.raises(db.errors.ProgrammingError, match=name):
        await getattr(conn, f"set_{name}")(True)
    await conn.rollback()
    async with conn.transaction():
        with pytest.raises(db.errors.ProgrammingError, match=name):
            await getattr(conn, f"set_{name}")(True)


@pytest.mark.parametrize("name", NAMES)
async def test_assigned_where_that_need_not_be_awaited(db: Db, conn: Any, name: str) -> None:
    if db.is_async:
        with pytest.raises(AttributeError, match=f"set_{name}"):
            setattr(conn, name, True)
    else:
        setattr(conn, name, True)
        assert getattr(conn, name)
        await conn.execute("begin")
        with pytest.raises(db.errors.ProgrammingError, match=name):
            setattr(conn, name, None)


async def test_in_a_pipeline(db: Db, conn: Any) -> None:
    async with conn.pipeline():
        await conn.execute("select 1")
        with pytest.raises(db.errors.ProgrammingError):
            await conn.set_autocommit(True)
        await conn.rollback()
        await conn.set_autocommit(True)
        assert conn.autocommit
