"""The global registries, where psycopg 3 has them: `adapters`, and the `types` in it."""

from greenpg.types import adapters as adapters

types = adapters.types
