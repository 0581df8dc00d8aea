"""greenpg and its peers, side by side in one run: `python -m benchmarks`.

The figure is client CPU, user and system, per operation. Wall time is noise on a machine that others use
too, and the server shares its processors; even so, only figures of one run may be compared.

The arrows point down: __main__ → rounds → worker (a process of its own) → workloads → contenders; __main__ →
report → figures; __main__ → server → scheduling, tables. A new contender or workload is a file in its folder
and a line in the folder's `__init__.py`.
"""
