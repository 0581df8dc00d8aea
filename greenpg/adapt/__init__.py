"""How values are converted, whatever their type: dumpers, loaders, and which one is for what.

Names only, psycopg 3's. Nothing here knows a type of PostgreSQL but by its name: the families are in
`greenpg.types`.
"""

from greenpg.adapt._base import AdaptContext as AdaptContext
from greenpg.adapt._base import Dumper as Dumper
from greenpg.adapt._base import Loader as Loader
from greenpg.adapt._base import PyFormat as PyFormat
from greenpg.adapt._base import quoted as quoted
from greenpg.adapt._base import shown as shown
from greenpg.adapt._encodings import codec as codec
from greenpg.adapt._encodings import codec_of as codec_of
from greenpg.adapt._encodings import decode as decode
from greenpg.adapt._encodings import disputed as disputed
from greenpg.adapt._encodings import encode as encode
from greenpg.adapt._map import AdaptersMap as AdaptersMap
from greenpg.adapt._map import adapters as adapters
from greenpg.adapt._map import adapters_of as adapters_of
from greenpg.adapt._recursive import RecursiveDumper as RecursiveDumper
from greenpg.adapt._recursive import RecursiveLoader as RecursiveLoader
from greenpg.adapt._transformer import Transformer as Transformer
from greenpg.adapt._types import TypeInfo as TypeInfo
from greenpg.adapt._types import TypesRegistry as TypesRegistry
from greenpg.pq import Buffer as Buffer
from greenpg.pq import Format as Format
