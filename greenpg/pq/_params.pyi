from collections.abc import Sequence
from typing import Any

from greenpg.pq import params

class Encoder(params.Encoder):
    def __init__(self, kind: str, oid: int, format: int) -> None: ...

class Encoders(params.Encoders):
    def dump(self, tx: params.Dumps, params: Sequence[Any], formats: Sequence[Any]) -> params.Dumped: ...
