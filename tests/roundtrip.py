"""Values to a real server and back, through nothing but `greenpg.adapt` and plain `greenpg.pq`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings

from greenpg import pq
from greenpg.adapt import AdaptersMap, Format, PyFormat, Transformer
from greenpg.errors import error_from_result
from greenpg.pq import ExecStatus
from greenpg.types import adapters
from tests.integration.pq import loops

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greenpg.pq import PGresult

LIVE = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
"""For generated values: the session is set up once for all of them."""

FORMATS_IN = (PyFormat.AUTO, PyFormat.TEXT, PyFormat.BINARY)
FORMATS_OUT = (Format.TEXT, Format.BINARY)


class RoundTrip:
    """A connection that waits for each answer; `adapters` is its own."""

    def __init__(self, dsn: str) -> None:
        self.pgconn = loops.connect(pq.library(), dsn)
        self.pgconn.nonblocking = False
        self.adapters = AdaptersMap(adapters)

    @property
    def connection(self) -> RoundTrip:
        """Itself (of an `AdaptContext`)."""
        return self

    def close(self) -> None:
        """Close the connection."""
        self.pgconn.finish()

    def command(self, sql: str) -> None:
        """Execute one or more commands."""
        self.pgconn.send_query(sql.encode())
        self._result()

    def select(
        self,
        sql: str,
        params: Sequence[Any] = (),
        fmt_in: PyFormat = PyFormat.AUTO,
        fmt_out: Format = Format.TEXT,
    ) -> Any:
        """Return the first value of the first row; parameters are `$1`, `$2`..."""
        tx = Transformer(self)
        values = [None if v is None else bytes(v) for v in tx.dump_sequence(params, [fmt_in] * len(params))]
        self.pgconn.send_query_params(sql.encode(tx.encoding), values, tx.types, tx.formats, fmt_out)
        tx.set_pgresult(self._result())
        return tx.load_rows(0, 1, tuple)[0][0]

    def rows(self, sql: str, params: Sequence[str | bytes] = ()) -> list[tuple[Any, ...]]:
        """Return all rows; parameters are the texts of `$1`, `$2`..."""
        values = [value if isinstance(value, bytes) else value.encode() for value in params]
        self.pgconn.send_query_params(sql.encode(), values)
        result, tx = self._result(), Transformer(self)
        tx.set_pgresult(result)
        return tx.load_rows(0, result.ntuples, tuple)

    def roundtrip(
        self,
        value: Any,
        type: str,
        fmt_in: PyFormat = PyFormat.AUTO,
        fmt_out: Format = Format.TEXT,
    ) -> Any:
        """Return a value after the server has had it as a value of a type."""
        return self.select(f"select $1::{type}", [value], fmt_in, fmt_out)

    def literal(self, value: Any, type: str, fmt_out: Format = Format.TEXT) -> Any:
        """Return a value after the server has had it as an SQL literal, cast to a type."""
        sql = b"select (" + Transformer(self).as_literal(value) + b")::" + type.encode()
        self.pgconn.send_query_params(sql, None, result_format=fmt_out)
        tx = Transformer(self)
        tx.set_pgresult(self._result())
        return tx.load_rows(0, 1, tuple)[0][0]

    def all_ways(self, value: Any, type: str) -> list[Any]:
        """Return a value after it went there and back in every format, and as a literal."""
        ways = [self.roundtrip(value, type, there, back) for there in FORMATS_IN for back in FORMATS_OUT]
        return [*ways, *(self.literal(value, type, back) for back in FORMATS_OUT)]

    def check(self, value: Any, type: str) -> None:
        """Assert that a value comes back the same, of the same class, whatever way it goes."""
        for back in self.all_ways(value, type):
            assert back == value, f"{value!r} came back as {back!r}"
            assert isinstance(value, back.__class__)

    def _result(self) -> PGresult:
        """Return the last result, or raise the first error."""
        results = list(iter(self.pgconn.get_result, None))
        for result in results:
            if result.status == ExecStatus.FATAL_ERROR:
                raise error_from_result(result)
        return results[-1]
