"""Who waits: the registry of wait callbacks, and the two loops that drive a generator with one.

Names only: a submodule is called `asyncio`, so code here would find that one instead of Python's.
The rooms beside are imported when they are first asked for; importing this one loads no event loop.
"""

from greenpg.waiters._drive import adrive as adrive
from greenpg.waiters._drive import drive as drive
from greenpg.waiters._hangup import Hangup as Hangup
from greenpg.waiters._registry import current_async as current_async
from greenpg.waiters._registry import get_wait_callback as get_wait_callback
from greenpg.waiters._registry import names as names
from greenpg.waiters._registry import set_wait_callback as set_wait_callback
from greenpg.waiters._registry import using as using
from greenpg.waiters._slice import set_time_slice as set_time_slice
from greenpg.waiters._steps import adrive_steps as adrive_steps
from greenpg.waiters._steps import drive_steps as drive_steps
