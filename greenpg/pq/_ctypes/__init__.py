"""libpq through ctypes: the pure Python implementation of `greenpg.pq.abc`.

Names only. `functions` is the table of C signatures, the other files wrap one C struct each.
"""

from greenpg.pq._ctypes.library import Library as Library
