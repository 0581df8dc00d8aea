"""psycopg2 at the gate: plain it blocks, with greenpg it asks for every byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAM = """
    import sys
    {patch}
    import io, psycopg2
    from psycopg2.extensions import parse_dsn
    from greenpg.testing import Gate
    from greenpg.waiters import using

    def work(gate, params):
        connection = psycopg2.connect(**dict(params, host=gate.host, port=gate.port))
        cursor = connection.cursor()
        cursor.execute("create temp table copied (line text)")
        cursor.copy_expert("copy copied from stdin", io.StringIO("line\\n" * 100_000))
        cursor.copy_expert("copy copied to stdout", io.StringIO())
        cursor.execute("select * from copied, pg_sleep(0.01)")
        print(len(cursor.fetchall()))
        large = connection.lobject()
        large.write(b"x" * 1_000_000)
        print(large.tell())
        connection.rollback()
        connection.close()

    params = parse_dsn(sys.argv[1])
    host, port = params.get("host", "localhost"), params.get("port", "5432")
    server = f"{{host}}/.s.PGSQL.{{port}}" if host.startswith("/") else (host, int(port))
    with Gate(server, limit={limit}) as gate, using(gate.wait):
        work(gate, params)
"""


@pytest.mark.parametrize("name", ["gevent", "eventlet"])
def test_with_greenpg_it_asks_for_every_byte(name: str, dsn: str, run_python: Callable[..., Any]) -> None:
    patch = {
        "gevent": "import gevent.monkey; gevent.monkey.patch_all()",
        "eventlet": "import eventlet; eventlet.monkey_patch()",
    }[name]
    program = PROGRAM.format(patch=f"{patch}; import greenpg.{name}; greenpg.{name}.patch()", limit=30.0)
    assert run_python(program, dsn).stdout == "100000\n1000000\n"


def test_plain_it_is_caught_where_it_blocks(dsn: str, run_python: Callable[..., Any]) -> None:
    with pytest.raises(AssertionError, match=r"blocked at\n  .*psycopg2/__init__\.py:\d+ in connect"):
        run_python(PROGRAM.format(patch="", limit=1.0), dsn)
