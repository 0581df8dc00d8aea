"""PostgreSQL from Python in processes made of green threads.

Names only: importing `greenpg` loads no C library and no event loop.
"""

from greenpg.abc import Ready as Ready
from greenpg.abc import Wait as Wait

__version__ = "0.1.0.dev0"
