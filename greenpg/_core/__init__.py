"""The logic of talking to PostgreSQL, as plain generators: no await, no clock, no loop, no lock."""
