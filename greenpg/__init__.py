"""PostgreSQL from Python in processes made of green threads.

Names only, PEP 249's and psycopg 3's: importing `greenpg` loads no C library and no event loop.
"""

from greenpg import errors as errors
from greenpg import postgres as postgres
from greenpg import rows as rows
from greenpg import sql as sql
from greenpg import types as types
from greenpg._core.capabilities import Capabilities as Capabilities
from greenpg._core.capabilities import capabilities as capabilities
from greenpg._core.column import Column as Column
from greenpg._core.connection import BaseConnection as BaseConnection
from greenpg._core.info import ConnectionInfo as ConnectionInfo
from greenpg._core.messages import Notify as Notify
from greenpg._core.session import IsolationLevel as IsolationLevel
from greenpg._core.xid import Xid as Xid
from greenpg._dbapi import BINARY as BINARY
from greenpg._dbapi import DATETIME as DATETIME
from greenpg._dbapi import NUMBER as NUMBER
from greenpg._dbapi import ROWID as ROWID
from greenpg._dbapi import STRING as STRING
from greenpg._dbapi import Binary as Binary
from greenpg._dbapi import Date as Date
from greenpg._dbapi import DateFromTicks as DateFromTicks
from greenpg._dbapi import Time as Time
from greenpg._dbapi import TimeFromTicks as TimeFromTicks
from greenpg._dbapi import Timestamp as Timestamp
from greenpg._dbapi import TimestampFromTicks as TimestampFromTicks
from greenpg.abc import Ready as Ready
from greenpg.abc import Wait as Wait
from greenpg.client_cursor import AsyncClientCursor as AsyncClientCursor
from greenpg.client_cursor import ClientCursor as ClientCursor
from greenpg.connection import AsyncConnection as AsyncConnection
from greenpg.connection import Connection as Connection
from greenpg.copy import AsyncCopy as AsyncCopy
from greenpg.copy import Copy as Copy
from greenpg.cursor import AsyncCursor as AsyncCursor
from greenpg.cursor import Cursor as Cursor
from greenpg.errors import DatabaseError as DatabaseError
from greenpg.errors import DataError as DataError
from greenpg.errors import Error as Error
from greenpg.errors import IntegrityError as IntegrityError
from greenpg.errors import InterfaceError as InterfaceError
from greenpg.errors import InternalError as InternalError
from greenpg.errors import NotSupportedError as NotSupportedError
from greenpg.errors import OperationalError as OperationalError
from greenpg.errors import ProgrammingError as ProgrammingError
from greenpg.errors import Warning as Warning
from greenpg.listener import AsyncListener as AsyncListener
from greenpg.listener import Gap as Gap
from greenpg.listener import Listener as Listener
from greenpg.lobject import AsyncLargeObject as AsyncLargeObject
from greenpg.lobject import LargeObject as LargeObject
from greenpg.pipeline import AsyncPipeline as AsyncPipeline
from greenpg.pipeline import Pipeline as Pipeline
from greenpg.raw_cursor import AsyncRawCursor as AsyncRawCursor
from greenpg.raw_cursor import AsyncRawServerCursor as AsyncRawServerCursor
from greenpg.raw_cursor import RawCursor as RawCursor
from greenpg.raw_cursor import RawServerCursor as RawServerCursor
from greenpg.server_cursor import AsyncServerCursor as AsyncServerCursor
from greenpg.server_cursor import ServerCursor as ServerCursor
from greenpg.transaction import AsyncTransaction as AsyncTransaction
from greenpg.transaction import Rollback as Rollback
from greenpg.transaction import Transaction as Transaction
from greenpg.types import adapters as adapters
from greenpg.waiters import set_time_slice as set_time_slice

__version__ = "0.1.0.dev0"

apilevel = "2.0"
threadsafety = 1
paramstyle = "pyformat"

connect = Connection.connect
