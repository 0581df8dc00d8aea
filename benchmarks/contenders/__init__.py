"""The contenders, by the names that `--contender` takes, in the order of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.contenders.eventlet_greenpg import EventletGreenpg
from benchmarks.contenders.eventlet_greenpg3 import EventletGreenpg3
from benchmarks.contenders.eventlet_own import EventletOwn
from benchmarks.contenders.gevent_detector import GeventDetector, GeventStatistics
from benchmarks.contenders.gevent_greenpg import GeventGreenpg
from benchmarks.contenders.gevent_greenpg3 import GeventGreenpg3
from benchmarks.contenders.gevent_psycogreen import GeventPsycogreen
from benchmarks.contenders.gevent_psycopg3 import GeventPsycopg3
from benchmarks.contenders.plain import Plain
from benchmarks.contenders.psycopg3 import Psycopg3

if TYPE_CHECKING:
    from benchmarks.contenders.base import Contender

CONTENDERS: dict[str, type[Contender]] = {
    contender.name: contender
    for contender in (
        *(Plain, GeventPsycogreen, GeventGreenpg, GeventDetector, GeventStatistics),
        *(EventletOwn, EventletGreenpg),
        *(Psycopg3, GeventPsycopg3, GeventGreenpg3, EventletGreenpg3),
    )
}
