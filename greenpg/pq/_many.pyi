# The faces are the same.
from collections.abc import Sequence
from typing import Any

from greenpg.pq._ctypes.many import Sender as Sender
from greenpg.pq._ctypes.many import Tally as Tally
from greenpg.pq.abc import PGconn
from greenpg.pq.many import Repeatable
from greenpg.pq.params import Dumps, Encoders

class Repeat:
    def __init__(
        self, pgconn: PGconn, encoders: Encoders, formats: Sequence[Any] | None, names: Sequence[str] | None
    ) -> None: ...
    def remember(self, statement: Repeatable) -> None: ...
    def send(self, params: Any, tx: Dumps, state: object) -> Any | None: ...
