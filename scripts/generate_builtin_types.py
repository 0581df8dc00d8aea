"""Write greenpg/adapt/_builtin_types.py: what every server has of types, asked of one.

Run it with the server of the newest PostgreSQL, whose types are a superset of the older ones' (OIDs of
built-in types never change)::

    GREENPG_TEST_DSN="host=..." python scripts/generate_builtin_types.py
"""

from __future__ import annotations

import os
from pathlib import Path

import psycopg2

TARGET = Path(__file__).parent.parent / "greenpg" / "adapt" / "_builtin_types.py"

# Types of columns: no types of catalog rows, no pseudo types of functions only.
TYPES = """
select case oid when 18 then '"char"' else typname end, oid::int8, typarray::int8, format_type(oid, null),
    typdelim
from pg_type
where typnamespace = 'pg_catalog'::regnamespace
    and (
        typtype = 'b' and typcategory <> 'A'
        or typname in ('record', 'cstring', 'unknown', 'void', 'int2vector', 'oidvector')
    )
    and (typname not like '\\_%' escape '\\') and oid < 10000
order by typname
"""
RANGES = """
select t.typname, t.oid::int8, t.typarray::int8, rngsubtype::int8, m.typname, m.oid::int8, m.typarray::int8
from pg_range join pg_type t on t.oid = rngtypid join pg_type m on m.oid = rngmultitypid
where t.typnamespace = 'pg_catalog'::regnamespace and t.oid < 10000 order by t.typname
"""

HEAD = '''"""The types that every server has: generated, do not edit.

Written by `scripts/generate_builtin_types.py` from a server's `pg_type` and `pg_range`.
"""

from __future__ import annotations

# Name, OID, OID of its array, name in SQL, delimiter in arrays.
TYPES = (
'''
MIDDLE = """
# Name, OID, OID of its array, OID of what it is a range of; name, OID and OID of the array of its multirange.
RANGES = (
"""


def line(row: tuple[object, ...]) -> str:
    """Return a row as the formatter would write it."""
    return (
        "    ("
        + ", ".join(f'"{v}"' if isinstance(v, str) and '"' not in v else repr(v) for v in row)
        + "),\n"
    )


def main() -> None:
    """Ask and write."""
    connection = psycopg2.connect(os.environ["GREENPG_TEST_DSN"])
    cursor = connection.cursor()
    cursor.execute(TYPES)
    text = HEAD + "".join(map(line, cursor.fetchall())) + ")\n" + MIDDLE
    cursor.execute(RANGES)
    TARGET.write_text(text + "".join(map(line, cursor.fetchall())) + ")\n")
    connection.close()


if __name__ == "__main__":
    main()
