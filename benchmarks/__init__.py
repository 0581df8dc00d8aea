"""greenpg and its peers, side by side in one run: `python -m benchmarks`.

The figure is client CPU, user and system, per operation. Wall time is noise on a machine that others use
too, and the server shares its processors; even so, only figures of one run may be compared.

The arrows point down: __main__ → rounds → worker (a process of its own) → workloads, contenders → drivers,
runtimes; __main__ → terminal, documents, plots → report → goals → findings → figures; rounds → planning,
goals; __main__ → server → scheduling, tables. A driver, a runtime and a workload are a file in their folders
each; a contender is a line in `contenders/__init__.py`.
"""
