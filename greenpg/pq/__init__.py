"""libpq's face: its non-blocking functions as they are, bytes in and bytes out, no policy.

Names only. `library()` finds and loads libpq at its first call and makes connections, `abc` is the
contract, `enums` holds the constants, `_libpq` and `_ctypes` the bindings: a compiled one that may not be
there, and one of pure Python.
"""

from greenpg.pq._discovery import library as library
from greenpg.pq._implementation import why_not_compiled as why_not_compiled
from greenpg.pq.abc import Library as Library
from greenpg.pq.abc import PGcancel as PGcancel
from greenpg.pq.abc import PGcancelConn as PGcancelConn
from greenpg.pq.abc import PGconn as PGconn
from greenpg.pq.abc import PGresult as PGresult
from greenpg.pq.enums import ConnStatus as ConnStatus
from greenpg.pq.enums import DiagnosticField as DiagnosticField
from greenpg.pq.enums import ExecStatus as ExecStatus
from greenpg.pq.enums import Format as Format
from greenpg.pq.enums import Ping as Ping
from greenpg.pq.enums import PipelineStatus as PipelineStatus
from greenpg.pq.enums import PollingStatus as PollingStatus
from greenpg.pq.enums import Trace as Trace
from greenpg.pq.enums import TransactionStatus as TransactionStatus
from greenpg.pq.enums import Verbosity as Verbosity
from greenpg.pq.records import Buffer as Buffer
from greenpg.pq.records import ConninfoOption as ConninfoOption
from greenpg.pq.records import PGnotify as PGnotify
