"""PostgreSQL from Python in processes made of green threads.

Names only: importing `greenpg` loads no C library and no event loop.
"""

from greenpg.abc import Ready as Ready
from greenpg.abc import Wait as Wait
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

__version__ = "0.1.0.dev0"
