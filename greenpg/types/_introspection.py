"""Types without registration: one query for types that are not known, and what is learned from its rows.

Pure functions; whoever has a connection runs the query. An enum is loaded as strings, a composite as named
tuples, a range and a multirange as their classes, a domain as what it is over, any other type as a string;
arrays of all these as lists. Where one knows an object's class, or its type, it is dumped as that type too;
what is learned never changes how objects of other classes are dumped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from greenpg.adapt import PyFormat, TypeInfo
from greenpg.errors import ProgrammingError
from greenpg.pq import Format
from greenpg.types.composite import CompositeInfo, register_composite
from greenpg.types.multirange import register_multirange_class
from greenpg.types.range import SubtypeInfo, register_range_class

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from greenpg.adapt import AdaptersMap

#: The types of an array of OIDs ($1) and all that they are made of, each once whatever refers to it again;
#: with names that hold whatever the search path and whoever made a function or an operator there.
QUERY = b"""\
with recursive wanted(oid) as (
    select pg_catalog.unnest($1::pg_catalog.oid[])
  union
    select part.oid
    from wanted
    join pg_catalog.pg_type t on t.oid operator(pg_catalog.=) wanted.oid
    cross join lateral (
        select t.typelem union all select t.typbasetype
      union all
        select r.rngsubtype from pg_catalog.pg_range r
        where r.rngtypid operator(pg_catalog.=) t.oid or r.rngmultitypid operator(pg_catalog.=) t.oid
      union all
        select a.atttypid from pg_catalog.pg_attribute a
        where a.attrelid operator(pg_catalog.=) t.typrelid
            and a.attnum operator(pg_catalog.>) 0 and not a.attisdropped
    ) part(oid)
    where part.oid operator(pg_catalog.<>) 0::pg_catalog.oid
)
select t.oid, t.typname::pg_catalog.text, t.oid::pg_catalog.regtype::pg_catalog.text,
t.typtype::pg_catalog.text, t.typarray, t.typdelim::pg_catalog.text, coalesce((select true from
pg_catalog.pg_type e where e.oid operator(pg_catalog.=) t.typelem and e.typarray operator(pg_catalog.=)
t.oid), false), t.typbasetype, coalesce((select r.rngsubtype from pg_catalog.pg_range r where r.rngtypid
operator(pg_catalog.=) t.oid or r.rngmultitypid operator(pg_catalog.=) t.oid), 0::pg_catalog.oid),
array(select a.attname::pg_catalog.text from pg_catalog.pg_attribute a where a.attrelid operator(pg_catalog.=)
t.typrelid and a.attnum operator(pg_catalog.>) 0 and not a.attisdropped order by a.attnum), array(select
a.atttypid from pg_catalog.pg_attribute a where a.attrelid operator(pg_catalog.=) t.typrelid and a.attnum
operator(pg_catalog.>) 0 and not a.attisdropped order by a.attnum)
from wanted join pg_catalog.pg_type t on t.oid operator(pg_catalog.=) wanted.oid"""


class Row(NamedTuple):
    """A row of `QUERY`, loaded."""

    oid: int
    name: str
    regtype: str
    kind: str  # pg_type.typtype
    array_oid: int
    delimiter: str
    is_array: bool
    base_oid: int
    subtype_oid: int
    field_names: Sequence[str]
    field_types: Sequence[int]


def parameter(oids: Iterable[int]) -> bytes:
    """Return the query's one parameter, in text."""
    return b"{" + b",".join(b"%d" % oid for oid in oids) + b"}"


def learn(adapters: AdaptersMap, rows: Iterable[Sequence[Any]]) -> None:
    """Register all types of the query's rows that are not known yet.

    :param adapters: where to
    :param rows: what `QUERY` returned, each value as its type is loaded
    """
    found = [Row(*row) for row in rows]
    new = [row for row in found if not row.is_array and adapters.types.get(row.oid) is None]
    for row in new:
        if row.kind != "d":
            _learn(adapters, row)
    bases = {row.oid: row.base_oid for row in found if row.kind == "d"}
    for row in new:
        if row.kind == "d":
            base = row.base_oid
            while base in bases:
                base = bases[base]
            adapters.register_type(SubtypeInfo(*_names(adapters, row), regtype=row.regtype, subtype_oid=base))
            _load_alike(adapters, row.oid, base)
    for row in new:
        adapters.types[row.oid].is_learned = True


def _names(adapters: AdaptersMap, row: Row) -> tuple[str, int, int]:
    """Return name, OID and array's OID; a name that is taken gives way, or `date` would not be `date`."""
    name = row.regtype if adapters.types.get(row.name) else row.name
    return name, row.oid, row.array_oid


def _learn(adapters: AdaptersMap, row: Row) -> None:
    names, regtype = _names(adapters, row), row.regtype
    if row.kind == "c":
        info = CompositeInfo(
            *names, regtype=regtype, field_names=row.field_names, field_types=row.field_types
        )
        register_composite(info, adapters)
    elif row.kind == "r":
        register_range_class(
            SubtypeInfo(*names, regtype=regtype, subtype_oid=row.subtype_oid), adapters, None
        )
    elif row.kind == "m":
        multirange = SubtypeInfo(*names, regtype=regtype, subtype_oid=row.subtype_oid)
        register_multirange_class(multirange, adapters, None)
    else:
        adapters.register_type(TypeInfo(*names, regtype=regtype, delimiter=row.delimiter))
        if row.kind == "e":
            _load_alike(adapters, row.oid, adapters.types["text"].oid)


def _load_alike(adapters: AdaptersMap, oid: int, base_oid: int) -> None:
    """Load and, where a type is asked for, dump one type as another."""
    for form in (Format.TEXT, Format.BINARY):
        loader = adapters.get_loader(base_oid, form)
        if loader is not None:
            adapters.register_loader(oid, loader)
        try:
            dumper = adapters.get_dumper_by_oid(base_oid, PyFormat.from_pq(form))
        except ProgrammingError:  # it is only read
            continue
        adapters.register_dumper(None, type(dumper.__name__, (dumper,), {"oid": oid, "__module__": __name__}))
