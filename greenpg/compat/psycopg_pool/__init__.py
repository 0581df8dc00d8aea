"""Makes psycopg_pool green and safe from kills: `patch()` after its import, `unpatch()` puts everything back.

The arrows of this room point down: patching → renewal, users → workers.
"""

from greenpg.compat.psycopg_pool._patching import is_patched as is_patched
from greenpg.compat.psycopg_pool._patching import patch as patch
from greenpg.compat.psycopg_pool._patching import unpatch as unpatch
