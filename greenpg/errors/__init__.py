"""What goes wrong, as exceptions: PEP 249's tree, one class per SQLSTATE, and what the server said.

Names only, as in psycopg 3: `errors.UniqueViolation`, `errors.lookup("23505")`, `error.diag.constraint_name`.
This room imports no other of ours.
"""

from greenpg.errors._diagnostic import Diagnostic as Diagnostic
from greenpg.errors._diagnostic import diagnostic_from_result as diagnostic_from_result
from greenpg.errors._lookup import class_for_state as class_for_state
from greenpg.errors._lookup import error_from_result as error_from_result
from greenpg.errors._lookup import lookup as lookup
from greenpg.errors._tree import CancellationTimeout as CancellationTimeout
from greenpg.errors._tree import ConnectionTimeout as ConnectionTimeout
from greenpg.errors._tree import DatabaseError as DatabaseError
from greenpg.errors._tree import DataError as DataError
from greenpg.errors._tree import Error as Error
from greenpg.errors._tree import IntegrityError as IntegrityError
from greenpg.errors._tree import InterfaceError as InterfaceError
from greenpg.errors._tree import InternalError as InternalError
from greenpg.errors._tree import NotSupportedError as NotSupportedError
from greenpg.errors._tree import OperationalError as OperationalError
from greenpg.errors._tree import PipelineAborted as PipelineAborted
from greenpg.errors._tree import ProgrammingError as ProgrammingError
from greenpg.errors._tree import ProtocolError as ProtocolError
from greenpg.errors._tree import StatementTimeout as StatementTimeout
from greenpg.errors._tree import Warning as Warning
from greenpg.errors.sqlstate import *  # noqa: F403
