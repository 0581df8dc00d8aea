"""The adapters of the package: every family's, in an order that later ones may build on."""

from __future__ import annotations

from greenpg.adapt import adapters as adapters
from greenpg.types import (
    array,
    bit,
    bool,
    composite,
    datetime,
    enum,
    geometric,
    json,
    multirange,
    net,
    none,
    numeric,
    numpy,
    range,
    string,
    system,
    uuid,
)

string.register_default_adapters(adapters)
none.register_default_adapters(adapters)
numpy.register_default_adapters(adapters)
bool.register_default_adapters(adapters)
numeric.register_default_adapters(adapters)
datetime.register_default_adapters(adapters)
uuid.register_default_adapters(adapters)
array.register_default_adapters(adapters)
json.register_default_adapters(adapters)
net.register_default_adapters(adapters)
bit.register_default_adapters(adapters)
geometric.register_default_adapters(adapters)
system.register_default_adapters(adapters)
enum.register_default_adapters(adapters)
range.register_default_adapters(adapters)
multirange.register_default_adapters(adapters)
composite.register_default_adapters(adapters)
