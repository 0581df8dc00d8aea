"""`greenpg demo`: the same unmodified code, first blocking the hub, then green, measured and drawn.

Its rule: the code under show (`users`) knows nothing of green threads, and every figure comes from a fresh
child process (`worker`), since monkey-patching is for life.
"""
