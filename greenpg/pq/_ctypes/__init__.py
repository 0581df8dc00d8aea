"""libpq through ctypes: the pure Python implementation of `greenpg.pq.abc`, and of the loops beside it.

`library` is where to begin: importing this package loads no ctypes. `functions` is the table of C signatures,
the other files wrap one C struct each, or do without any what a compiled loop does.
"""
