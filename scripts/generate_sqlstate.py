"""Write `greenpg/errors/sqlstate.py`, one class per SQLSTATE, from PostgreSQL's own list of error codes.

    python scripts/generate_sqlstate.py FILE... > greenpg/errors/sqlstate.py

FILE is `src/backend/utils/errcodes.txt` of PostgreSQL's sources, installed as `errcodes.txt` in what
`pg_config --sharedir` prints. Of several, from old to new, the last word counts: codes that a later version
dropped keep their classes. Base classes and names are those that psycopg chose.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

HEAD = '''\
"""One class per SQLSTATE of PostgreSQL: generated, do not edit.

Written by `scripts/generate_sqlstate.py` from PostgreSQL's errcodes.txt; its docstring says how.

See "PostgreSQL Error Codes": https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from __future__ import annotations

from greenpg.errors import _tree as e
'''

# The kind of error, one or two letters, -> its class of PEP 249.
BASES = {
    "08": "OperationalError",  # connection exception
    "0A": "NotSupportedError",  # feature not supported
    "10": "ProgrammingError",  # XQuery error
    "20": "ProgrammingError",  # case not found
    "21": "ProgrammingError",  # cardinality violation
    "22": "DataError",  # data exception
    "23": "IntegrityError",  # integrity constraint violation
    "24": "InternalError",  # invalid cursor state
    "25": "InternalError",  # invalid transaction state
    "26": "ProgrammingError",  # invalid SQL statement name
    "27": "OperationalError",  # triggered data change violation
    "28": "OperationalError",  # invalid authorization specification
    "2B": "InternalError",  # dependent privilege descriptors still exist
    "2D": "InternalError",  # invalid transaction termination
    "2F": "OperationalError",  # SQL routine exception
    "34": "ProgrammingError",  # invalid cursor name
    "38": "OperationalError",  # external routine exception
    "39": "OperationalError",  # external routine invocation exception
    "3B": "OperationalError",  # savepoint exception
    "3D": "ProgrammingError",  # invalid catalog name
    "3F": "ProgrammingError",  # invalid schema name
    "40": "OperationalError",  # transaction rollback
    "42": "ProgrammingError",  # syntax error or access rule violation
    "44": "ProgrammingError",  # WITH CHECK OPTION violation
    "53": "OperationalError",  # insufficient resources
    "54": "OperationalError",  # program limit exceeded
    "55": "OperationalError",  # object not in prerequisite state
    "57": "OperationalError",  # operator intervention
    "58": "OperationalError",  # system error
    "F": "OperationalError",  # configuration file error
    "H": "OperationalError",  # foreign data wrapper error
    "P": "ProgrammingError",  # PL/pgSQL error
    "X": "InternalError",  # internal error
}

# Nothing was done, for a passing reason: serialization failure, deadlock, too many connections, starting up.
SAFE_TO_RETRY = {"40001", "40P01", "53300", "57P03"}

# A second error of the same name gets this behind it (classes 38 and 39 repeat names of classes 2F and 22).
EXTERNAL = "Ext"


class Code(NamedTuple):
    """One error code."""

    sqlstate: str
    name: str

    @property
    def base(self) -> str:
        """The class of PEP 249."""
        return BASES.get(self.sqlstate[:2]) or BASES.get(self.sqlstate[:1]) or "DatabaseError"

    @property
    def class_name(self) -> str:
        """Its name in words, as a class is called; one that PEP 249 has already gets a `_`."""
        name = "".join(word.capitalize() for word in self.name.split("_"))
        return f"{name}_" if name in {*BASES.values(), "DatabaseError"} else name


def read(paths: list[Path]) -> dict[str, Code]:
    """Return the error codes by SQLSTATE, sorted; successes and warnings are none."""
    codes = {}
    for path in paths:
        for line in path.read_text().splitlines():
            match line.split():
                case [sqlstate, ("E" | "W"), _, name] if len(sqlstate) == 5 and sqlstate[:2] != "01":
                    codes[sqlstate] = Code(sqlstate, name)
    return dict(sorted(codes.items()))


def classes(codes: dict[str, Code]) -> dict[str, str]:
    """Return the name of each SQLSTATE's class."""
    taken: dict[str, str] = {}
    for code in codes.values():
        name = code.class_name if code.class_name not in taken else f"{code.class_name}{EXTERNAL}"
        taken[name] = code.sqlstate
    return {sqlstate: name for name, sqlstate in taken.items()}


def source(codes: dict[str, Code]) -> str:
    """Return the text of the module."""
    named = classes(codes)
    lines = [HEAD]
    for code in codes.values():
        lines += [
            f"\nclass {named[code.sqlstate]}(e.{code.base}):",
            f'    """SQLSTATE {code.sqlstate}: {code.name.replace("_", " ")}."""\n',
            '    __module__ = "greenpg.errors"',
            f'    sqlstate = "{code.sqlstate}"',
            *(["    safe_to_retry = True"] if code.sqlstate in SAFE_TO_RETRY else []),
            "",
        ]
    names: dict[str, str] = {}
    for code in codes.values():
        names.setdefault(code.name.upper(), code.sqlstate)
    lines += [
        "\n# SQLSTATE -> class.",
        "CLASSES: dict[str, type[e.DatabaseError]] = {",
        *(f'    "{sqlstate}": {name},' for sqlstate, name in named.items()),
        "}\n\n# PostgreSQL's name of an error -> SQLSTATE; of two with one name the first.",
        "NAMES = {",
        *(f'    "{name}": "{sqlstate}",' for name, sqlstate in names.items()),
        "}\n\n# The kind of error, the first one or two letters, -> class.",
        "BASES: dict[str, type[e.DatabaseError]] = {",
        *(f'    "{kind}": e.{base},' for kind, base in BASES.items()),
        "}\n\n__all__ = [",
        *(f'    "{name}",' for name in sorted(named.values())),
        "]",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.stdout.write(source(read([Path(name) for name in sys.argv[1:]])))
