"""The drivers, and how each does what the workloads are made of.

Its rule: importing a driver's file imports no driver; `start()` does, in a process of its own. A driver does
everything as it does by itself: its own protocol, formats, prepared statements and caches.
"""
