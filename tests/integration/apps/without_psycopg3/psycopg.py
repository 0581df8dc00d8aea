"""Stands in front of psycopg 3, which Django would prefer to psycopg2 if both are installed."""

raise ImportError("this application is about psycopg2")
