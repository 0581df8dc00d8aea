"""The compliance suite of the DB-API 2.0 (PEP 249), in each blocking runtime."""

from __future__ import annotations

import unittest
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.driver.dbapi20 import suite, suite_tpc

if TYPE_CHECKING:
    from tests.integration.driver.bed import Db

pytestmark = pytest.mark.runtimes("select", "gevent", "eventlet")


class Spelling(unittest.TestCase):
    """The names of the time when the suite was written, which Python 3.12 has dropped."""

    __test__ = False  # pytest shall not collect these classes by itself
    failUnless = unittest.TestCase.assertTrue
    assertEquals = unittest.TestCase.assertEqual


class Compliance(Spelling, suite.DatabaseAPI20Test):
    """What the suite leaves to the driver."""

    db: Db

    def _connect(self) -> Any:
        return self.db.keep(self.db.driver.connect(self.db.dsn))

    def test_callproc(self) -> None:
        cur = self._connect().cursor()
        cur.callproc("lower", ("FOO",))  # what it returns has no meaning where there are no OUT parameters
        assert cur.fetchall() == [("foo",)]

    def test_nextset(self) -> None:
        cur = self._connect().cursor()
        cur.execute("select 2; select generate_series(1, 2)")
        assert cur.fetchone() == (2,)
        assert cur.nextset()
        assert cur.fetchall() == [(1,), (2,)]
        assert cur.nextset() is None

    def test_setoutputsize(self) -> None:
        cur = self._connect().cursor()
        cur.setoutputsize(1)
        assert cur.execute("select repeat('x', 1000)").fetchone() == ("x" * 1000,)


class TwoPhaseCommit(Spelling, suite_tpc.TwoPhaseCommitTests):
    """The part about `tpc_*`."""

    db: Db

    def connect(self) -> Any:
        return self.db.keep(self.db.driver.connect(self.db.dsn))


def names(kind: type[unittest.TestCase]) -> list[Any]:
    """Return a suite's tests, as parameters."""
    lacking = {"test_callproc": pytest.mark.beyond}
    found = unittest.TestLoader().getTestCaseNames(kind)
    return [pytest.param(name, marks=lacking.get(name, ())) for name in found]


def run(kind: Any, name: str, db: Db) -> None:
    """Run one test of a suite; its failure is ours."""
    case = kind(name)
    case.db, case.driver = db, db.driver
    result = unittest.TestResult()
    case.run(result)
    assert result.testsRun == 1
    assert not result.skipped, result.skipped
    assert result.wasSuccessful(), "\n".join(text for _, text in result.errors + result.failures)


@pytest.mark.parametrize("name", names(Compliance))
async def test_dbapi20(db: Db, name: str) -> None:
    run(Compliance, name, db)


@pytest.mark.parametrize("name", names(TwoPhaseCommit))
async def test_dbapi20_two_phase_commit(db: Db, name: str) -> None:
    run(TwoPhaseCommit, name, db)
