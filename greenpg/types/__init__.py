"""PostgreSQL's types as Python's: a module for each family, and `adapters`, which they are all registered in.

Names only, psycopg 3's.
"""

from greenpg.adapt import TypeInfo as TypeInfo
from greenpg.adapt import TypesRegistry as TypesRegistry
from greenpg.types._defaults import adapters as adapters
