"""SQLAlchemy's compliance suite for dialects, as it comes with it, on ours; `test_sqlalchemy_suite` runs it.

`plugin` is pytest's way into SQLAlchemy's test tools, `requirements` says what PostgreSQL has, and `suite` is
the suite. It has a pytest of its own: SQLAlchemy's plugin changes how tests are collected.
"""
