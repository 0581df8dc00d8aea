"""Makes psycopg2 green: `patch()` before or after its import, `unpatch()` puts everything back.

The arrows of this room point down: patching → connecting → connection → factories, lobject →
replication → cursor → copy, guard → session.
"""

from greenpg.compat.psycopg2._patching import is_patched as is_patched
from greenpg.compat.psycopg2._patching import patch as patch
from greenpg.compat.psycopg2._patching import unpatch as unpatch
