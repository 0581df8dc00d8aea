"""Tests inside a monkey-patched process: every test here runs once per runtime, in a child process.

Monkey-patching is for life, so each runtime and module has an interpreter of its own, patched before anything
else is imported. See `conftest` for how, and `runtimes` for what a test is given.
"""
