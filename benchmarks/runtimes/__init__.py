"""Who runs jobs at the same time: native threads, a hub of green threads, an event loop, or C.

Its rule: importing a runtime's file imports neither the runtime nor what a runtime monkey-patches; what is
called does, in a process of its own.
"""
