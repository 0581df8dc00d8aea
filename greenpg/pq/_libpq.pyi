"""The compiled binding, for type checkers: its classes have what those of `greenpg.pq.abc` have."""

from greenpg.pq import abc

NAMES: tuple[str, ...]

PGconn: type[abc.PGconn]
PGresult: type[abc.PGresult]
PGcancelConn: type[abc.PGcancelConn]
PGcancel: type[abc.PGcancel]

def Library(path: str) -> abc.Library: ...
