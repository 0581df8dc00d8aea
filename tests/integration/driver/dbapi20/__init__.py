"""The compliance suite of the DB-API 2.0 (public domain), kept byte by byte.

`suite.py` and `suite_tpc.py` are dbapi20.py and dbapi20_tpc.py of psycopg2's source distribution.
"""
