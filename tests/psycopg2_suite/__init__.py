"""psycopg2's own test suite, run against greenpg: the parts of `tests/run_psycopg2_suite.py`.

psycopg2's tests are fetched when they are needed and never become part of this repository.
"""
