"""Finds the database call that holds a hub or event loop, and the line that made it.

On by `GREENPG_DETECT=50ms` in the environment of a process that greenpg is activated in, or by `install()`;
nothing of it is imported before. The arrows of this room point down: install → watch, measure → reports,
loops → calls, table, thread times → callee, statement.
"""

from greenpg.detector._install import counters as counters
from greenpg.detector._install import follow_environment as follow_environment
from greenpg.detector._install import install as install
from greenpg.detector._install import is_installed as is_installed
from greenpg.detector._install import statistics as statistics
from greenpg.detector._install import uninstall as uninstall
from greenpg.detector._reports import Counters as Counters
from greenpg.detector._reports import Hold as Hold
from greenpg.detector._table import Statement as Statement
