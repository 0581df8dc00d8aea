"""Makes psycopg 3 green: `patch()` before or after its import, `unpatch()` puts everything back.

The arrows of this room point down: patching → fork, connection, cursor, names → waiting → loops, session.
"""

from greenpg.compat.psycopg._patching import is_patched as is_patched
from greenpg.compat.psycopg._patching import patch as patch
from greenpg.compat.psycopg._patching import unpatch as unpatch
